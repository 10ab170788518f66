"""Bespoke Curator on the job of benchmarks/frontier.py: an LLM class with a prompt, a response format and its own cache of replies."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

os.environ |= {"TELEMETRY_ENABLED": "false", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "CURATOR_DISABLE_RICH_DISPLAY": "1"}
os.environ |= {"OPENAI_API_KEY": "none", "CURATOR_VIEWER": "false"}
# tiktoken would fetch its encoding from the network; litellm, which curator stands on, ships it
os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(find_spec("litellm").origin).parent / "litellm_core_utils" / "tokenizers")

from bespokelabs import curator
from bulk_job import SYSTEM, Answer, Job, question, read_job, timed
from datasets import Dataset

JOB = read_job()
PARAMETERS = {
    "base_url": JOB.url,
    "max_concurrent_requests": JOB.slots,
    "max_requests_per_minute": 1_000_000,
    "max_tokens_per_minute": 1_000_000_000,
    "max_retries": 10,
    "require_all_responses": False,
}


class Asked(curator.LLM):
    def prompt(self, input: dict):
        # a system prompt and a picture together end in an error of its own
        return SYSTEM + "\n" + input["text"], curator.types.Image(url=input["picture"])

    def parse(self, input: dict, response: Answer) -> dict:
        return {"row": input["row"], "answer": response.answer}


LLM = Asked(model_name="gpt-4o", response_format=Answer, backend="openai", backend_params=PARAMETERS)


def work(job: Job) -> Iterator[tuple[int, str]]:
    rows = Dataset.from_list([{"row": row, "text": question(row), "picture": job.picture(row)} for row in range(job.rows)])
    for row in LLM(rows, working_dir=str(job.folder / "curator")).dataset:
        yield row["row"], row["answer"]


timed(work)
