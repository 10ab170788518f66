"""What a stage is: a kind of work, launched as a job (curation/jobs/manager.py).

One class a stage, in two halves. The app's half turns the store into rows and results into the store; it runs in the process
that owns the store. The child's half is a batch callable that never touches the store: rows in, results out; the same
class can be run as actors of a distributed engine.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from pydantic import BaseModel

from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace

Lane = Literal["gpu", "api", "cpu"]
Row = dict[str, Any]  # always has "key": text, unique in the job
Result = dict[str, Any]  # {"key": …, …}, or {"key": …, "error": text} for a bad row


API_BATCH = 10_000  # the batch_size of stages that ask an API: at the end of each, calls under way run out and slots idle


class ChoosesLane(BaseModel):
    """Options by which a job says itself in which lane it runs; others run in their stage's."""

    def lane(self) -> Lane:
        raise NotImplementedError


class AsksServer(BaseModel):
    """Options of a job that may send pictures or prompts to another machine."""

    def host(self) -> str | None:
        """The machine's name; None if nothing leaves this one."""
        raise NotImplementedError


class NothingToDo(ValueError):
    """A stage has no rows for these options; the text says what to do first."""


@dataclass(frozen=True)
class Job:
    """The launching of a stage: what its halves need to know of the row in the table `job`."""

    job_id: int
    stage: str
    round: int
    options: BaseModel
    folder: Path  # spec.json, input.parquet, results.jsonl, events.jsonl, log.txt, and the stage's own files


@dataclass(frozen=True)
class Context:
    """What the child's half gets: paths and two callbacks, never the store."""

    workspace: Workspace
    folder: Path
    options: BaseModel
    should_stop: Callable[[], bool | str]  # why: "pause", "cancel", "shutdown"
    report: Callable[[dict[str, Any]], None]  # an event: {"event": "message", "text": …} or {"event": "progress", "done", "total", …}


@dataclass(frozen=True)
class Estimate:
    """What a launch will take, shown before it: numbers of rows and calls, dollars (None: unpriced), seconds (None: unknown)."""

    rows: int
    calls: int = 0
    usd: tuple[float, float] | None = None
    seconds: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)


class Stage(Protocol):
    name: ClassVar[str]
    title: ClassVar[str]  # in plain words, for pages and --help
    lane: ClassVar[Lane]  # a job that takes a checkpoint along runs in the lane of the GPU, whatever stands here
    batch_size: ClassVar[int]  # rows handed over at once
    Options: ClassVar[type[BaseModel]]

    # The app's half

    def select(self, store: Store, workspace: Workspace, job: Job) -> list[Row]:
        """The rows to work on; may write further files into job.folder. Raises NothingToDo."""

    def estimate(self, store: Store, workspace: Workspace, options: BaseModel) -> Estimate:
        """What a launch with these options would take; nothing is written."""

    def collect(self, write: Transaction, job: Job, results: list[Result]) -> None:
        """Inserts good results, inside the collector's transaction; inserting twice changes nothing."""

    def finish(self, store: Store, workspace: Workspace, job: Job) -> str | None:
        """After the last result, once: what is left to do in the store; returns a line to show with the job."""

    # The child's half

    def setup(self, context: Context) -> None:
        """Loads models and indices."""

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        """Works through a batch, yielding each result as soon as it is there."""


def spread(rows: list[Row], count: int = 20) -> list[Row]:
    """At most `count` rows from everywhere in the list: what an estimate looks at.

    >>> spread(list(range(9)), 3)
    [0, 3, 6]
    """
    return rows[:: -(-len(rows) // count)][:count] if rows else []
