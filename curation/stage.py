"""What a stage is: a kind of work, launched as a job (curation/jobs/manager.py).

One class a stage, in two halves. The app's half turns the store into rows and results into the store; it runs in the process
that owns the store. The child's half is a batch callable that never touches the store: rows in, results out; the same
class can be run as actors of a distributed engine.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel

from data.errors import MistakebookError
from data.records import Lane
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace

Row = dict[str, Any]  # always has "key": text, unique in the job
Result = dict[str, Any]  # {"key": …, …}, or {"key": …, "error": text} for a bad row
OptionsT = TypeVar("OptionsT", bound=BaseModel)
Stop = Callable[[], bool | str]  # whether to stop, or why: "pause", "cancel", "shutdown"

API_BATCH = 10_000  # the batch_size of stages that ask an API: at the end of each, calls under way run out and slots idle


class ChoosesLane(BaseModel):
    """Options by which a job says itself in which lane it runs; others run in their stage's."""

    def lane(self) -> Lane:
        raise NotImplementedError


class AsksServer(BaseModel):
    """Options of a job that may send pictures or prompts to another machine."""

    BY_CALLS: ClassVar[bool] = True  # only by the calls that its estimate counts

    def host(self) -> str | None:
        """The machine's name; None if nothing leaves this one."""
        raise NotImplementedError


class UnknownStage(MistakebookError):
    """No stage has that name: a misspelling, or another version's."""

    status = 404


class NothingToDo(MistakebookError):
    """A stage has no rows for these options; the text says what to do first."""


class NothingLeft(NothingToDo):
    """All that a stage could do is done already: no fault, and for the command line a success."""


def nothing(store: Store, done_in: str, text: str) -> NothingToDo:
    """NothingLeft where the stage has done something before (its table `done_in` has rows), else NothingToDo."""
    return (NothingLeft if store.table_counts([done_in])[done_in] else NothingToDo)(text)


@dataclass(frozen=True)
class Job(Generic[OptionsT]):
    """The launching of a stage: what its halves need to know of the row in the table `job`."""

    job_id: int
    stage: str
    round: int
    options: OptionsT
    folder: Path  # spec.json, input.jsonl, results.jsonl, events.jsonl, log.txt, and the stage's own files


@dataclass(frozen=True)
class Context(Generic[OptionsT]):
    """What the child's half gets: paths and two callbacks, never the store."""

    workspace: Workspace
    folder: Path
    options: OptionsT
    should_stop: Stop
    report: Callable[[dict[str, Any]], None]  # an event: {"event": "message", "text": …} or {"event": "progress", "done", "total", …}


@dataclass(frozen=True)
class Estimate:
    """What a launch will take, shown before it: numbers of rows and calls, dollars (None: unpriced), seconds (None: unknown)."""

    rows: int
    calls: int = 0
    usd: tuple[float, float] | None = None
    seconds: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)


class Stage(ABC, Generic[OptionsT]):
    """Base of the stages: `class Evaluate(Stage[EvaluateOptions])`. A module of curation/stages holds one."""

    name: ClassVar[str]
    title: ClassVar[str]  # in plain words, for pages and --help
    lane: ClassVar[Lane]  # a job with a checkpoint in its folder runs in the lane of the GPU instead
    batch_size: int  # rows handed over at once; `setup` may change it
    Options: ClassVar[type[BaseModel]]  # the same class as OptionsT: pages, flags and stored jobs are validated by it

    # The app's half

    @abstractmethod
    def select(self, store: Store, workspace: Workspace, job: Job[OptionsT]) -> Iterable[Row]:
        """The rows to work on; may write further files into job.folder. Raises NothingToDo."""

    @abstractmethod
    def estimate(self, store: Store, workspace: Workspace, options: OptionsT) -> Estimate:
        """What a launch with these options would take; nothing is written."""

    @abstractmethod
    def collect(self, write: Transaction, job: Job[OptionsT], results: list[Result]) -> None:
        """Inserts good results, inside the collector's transaction; inserting twice changes nothing."""

    def finish(self, store: Store, workspace: Workspace, job: Job[OptionsT]) -> str | None:
        """After the last result, once: what is left to do in the store; returns a line to show with the job."""
        return None

    # The child's half

    @abstractmethod
    def setup(self, context: Context[OptionsT]) -> None:
        """Loads models and indices."""

    @abstractmethod
    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        """Works through a batch, yielding each result as soon as it is there."""


FindStage = Callable[[str], type[Stage[Any]]]  # by its name; raises UnknownStage


def spread(rows: list[Row], count: int = 20) -> list[Row]:
    """At most `count` rows from everywhere in the list: what an estimate looks at.

    >>> spread(list(range(9)), 3)
    [0, 3, 6]
    """
    return rows[:: -(-len(rows) // count)][:count] if rows else []
