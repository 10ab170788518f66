"""What a decision on many samples would do and has done: types alone, for the page and the command line."""

from dataclasses import dataclass

from data.records import Record, SampleStatus


@dataclass(frozen=True)
class SampleShown(Record):
    """A sample in a list of a few."""

    sample_id: int
    question: str
    answer: str
    image: str | None
    status: SampleStatus


@dataclass(frozen=True)
class LeftOut(Record):
    """What a bulk decision leaves out: samples without a picture, and those that a filter bars which can't be overridden in bulk."""

    undrawn: int
    leaking: int


@dataclass(frozen=True)
class BulkPreview(Record):
    """What a bulk decision would touch: `count` of the `total` that match would be decided; `members` are twelve at random."""

    total: int
    count: int
    left_out: LeftOut
    by_status: dict[str, int]
    members: list[SampleShown]


@dataclass(frozen=True)
class BulkResult(Record):
    """What a bulk decision has done; `batch_id` is None where no sample was decided."""

    batch_id: int | None
    count: int
    left_out: int


@dataclass(frozen=True)
class UndoResult(Record):
    """How many events were taken back (0: it was undone already), and at most a hundred of their samples."""

    count: int
    sample_ids: list[int]
