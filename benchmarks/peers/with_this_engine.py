"""Mistakebook's own frontier client on the job of benchmarks/frontier.py, its journal of paid replies on the disk."""

import sys
from collections.abc import Iterator
from pathlib import Path

import openai  # noqa: F401  what a client imports when it is first used isn't timed
from bulk_job import SYSTEM, Answer, Job, question, timed

sys.path.insert(0, str(Path(__file__).parents[2]))
from models.frontier import Request
from models.frontier.client import OpenAICompatible


def work(job: Job) -> Iterator[tuple[int, str]]:
    options = OpenAICompatible.Options(endpoint=job.url, model="bench", concurrency=job.slots)
    with OpenAICompatible(options).open(job.folder / "journal.sqlite") as client:
        asked = (Request(str(row), "bench", SYSTEM, question(row), (job.picture(row),), Answer) for row in range(job.rows))
        for outcome in client.ask_all(asked):
            if outcome.parsed is not None:
                yield int(outcome.key), outcome.parsed.answer


timed(work)
