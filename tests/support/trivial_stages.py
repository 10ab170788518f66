"""Small real stages for the tests of jobs: they double numbers, slowly, badly or not at all."""

import os
import time
from typing import Any

from pydantic import BaseModel, Field

from curation.stage import Estimate, NothingToDo, Stage, UnknownStage


class Options(BaseModel):
    count: int = Field(default=10, description="How many rows.")
    seconds: float = Field(default=0.0, description="Time a row takes.")
    bad: list[int] = Field(default=[], description="Rows that raise.")
    bad_once: list[int] = Field(default=[], description="Rows that raise unless they are asked again.")
    refused: list[int] = Field(default=[], description="Rows whose result is an error.")
    die_at: int | None = Field(default=None, description="The row at which the process kills itself.")
    deaf: bool = Field(default=False, description="Doesn't look at should_stop.")
    stop_at: int | None = Field(default=None, description="The row at which the frontier model refuses to go on.")


def number(job, key):
    return int(key) + 10_000 * job.job_id


class Double:
    """Its results go into the table `kind` (any table will do)."""

    name = "double"
    title = "Double numbers"
    lane = "cpu"
    batch_size = 4
    Options = Options

    def select(self, store, workspace, job):
        if job.options.count == 0:
            raise NothingToDo("no numbers; give some")
        return [{"key": str(i), "number": i, "nested": {"list": [i, None]}} for i in range(job.options.count)]

    def estimate(self, store, workspace, options):
        return Estimate(rows=options.count, calls=2 * options.count, usd=(0.1, 0.2))

    def collect(self, write, job, results):
        rows = [{"example_id": number(job, r["key"]), "error_type": str(r["double"]), "job_id": job.job_id} for r in results]
        write.insert("kind", rows)

    def finish(self, store, workspace, job):
        return f"{store.row('job', job_id=job.job_id)['done']} doubled"

    def setup(self, context):
        self.options, self.should_stop = context.options, context.should_stop
        self.refused_once = context.folder / "refused-once"
        context.report({"event": "message", "text": "ready"})

    def __call__(self, rows):
        from models.frontier import FrontierStopped

        options = self.options
        for row in rows:
            i = row["number"]
            if self.should_stop() and not options.deaf:
                return
            time.sleep(options.seconds)
            if i == options.die_at:
                os.kill(os.getpid(), 9)
            if i == options.stop_at and not self.refused_once.exists():
                self.refused_once.touch()
                raise FrontierStopped("budget of $1.00 reached", resumable=True)
            if i in options.bad or (i in options.bad_once and not row["attempt"]):
                raise ValueError(f"bad number {i}")
            if i in options.refused:
                yield {"key": row["key"], "error": "refused"}
            else:
                yield {"key": row["key"], "double": 2 * i, "nested": row["nested"]}


class GpuDouble(Double):
    name = "gpu_double"
    lane = "gpu"


class BrokenCollect(Double):
    name = "broken_collect"

    def collect(self, write, job, results):
        raise RuntimeError("no room for it")


STAGES = {stage.name: stage for stage in (Double, GpuDouble, BrokenCollect)}


def stage_class(name: str) -> type[Stage[Any]]:
    """As curation.stages.stage_class."""
    if name not in STAGES:
        raise UnknownStage(f"unknown stage {name!r}")
    return STAGES[name]
