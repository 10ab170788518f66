"""The job that every tool of benchmarks/frontier.py is given, and how it is timed; read by the Python of each tool's own environment.

A folder holds job.json (address, slots, number of rows) and the pictures. A row is a picture and a question that names its number; its
reply has to fit `Answer` and name that number again.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

SYSTEM = "You look at pictures and answer questions about them, carefully and in one word. Reply as the schema says."
QUESTION = "This is item {number:06d}. Which number does it have? Say how sure you are from 1 to 3, and why. " + "Look at all of it. " * 40


class Answer(BaseModel):
    answer: str
    confidence: int
    reason: str


@dataclass(frozen=True)
class Job:
    url: str
    slots: int
    rows: int
    pictures: int
    folder: Path

    def picture(self, row: int) -> str:
        return str(self.folder / "pictures" / f"{row % self.pictures:06d}.jpg")


def read_job() -> Job:
    folder = Path(sys.argv[1])
    return Job(**json.loads((folder / "job.json").read_text()), folder=folder)


def question(row: int) -> str:
    return QUESTION.format(number=row)


def is_right(row: int, answer: str) -> bool:
    return answer == f"{row:06d}"


def timed(work: Callable[[Job], Iterable[tuple[int, str]]]) -> None:
    """Runs the job and prints one JSON line; imports were before. `work` gives (row, answer) of each row that it got."""
    job = read_job()
    began, cpu = time.perf_counter(), _cpu()
    right: set[int] = set()
    marks: dict[int, float] = {}
    for row, answer in work(job):
        if is_right(row, answer):
            right.add(row)
            if len(right) in (10_000, 100_000):
                marks[len(right)] = resident_mb()
    seconds = time.perf_counter() - began
    peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    figures = {"seconds": seconds, "cpu_s": _cpu() - cpu, "peak_rss_mb": sum(peaks), "right": len(right), "resident_mb": marks}
    print(json.dumps(figures))


def _cpu() -> float:
    """Processor seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def resident_mb() -> float:
    """The memory that this process holds now, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS:"))) / 1024
