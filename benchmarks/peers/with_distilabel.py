"""distilabel on the job of benchmarks/frontier.py: a pipeline of one step, batches of as many rows as there are slots."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

from bulk_job import SYSTEM, Answer, Job, question, timed
from distilabel.models.llms import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGenerationWithImage


def work(job: Job) -> Iterator[tuple[int, str]]:
    encoded = (base64.b64encode(Path(job.picture(row)).read_bytes()).decode() for row in range(job.rows))
    rows = [{"row": row, "instruction": question(row), "image": image} for row, image in enumerate(encoded)]
    structured = {"schema": Answer}  # its default mode is a tool call; naming one ends in an error of its own
    llm = OpenAILLM(model="bench", base_url=job.url, api_key="none", timeout=300, structured_output=structured)
    with Pipeline("bench", cache_dir=str(job.folder / "distilabel")) as pipeline:
        read = LoadDataFromDicts(data=rows, batch_size=job.slots)
        ask = TextGenerationWithImage(llm=llm, system_prompt=SYSTEM, image_type="base64", input_batch_size=job.slots, add_raw_input=False)
        read >> ask
    for row in pipeline.run(use_cache=False)["default"]["train"]:
        if row["generation"]:
            yield row["row"], json.loads(row["generation"])["answer"]


if __name__ == "__main__":
    timed(work)
