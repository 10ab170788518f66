"""What the app's routes answer, as far as commands read it.

Types only: the classes that the routes answer with would load the store, which a command doesn't need.
tests/commands/test_answers.py holds these types against those classes.
"""

from typing import Any, TypedDict

from data.statuses import JobStatus


class Progress(TypedDict, total=False):
    done: int
    total: int
    rows_per_s: float
    eta_s: float  # seconds left


class Job(TypedDict):
    job_id: int
    stage: str
    status: JobStatus
    done: int
    failed: int
    total: int
    progress: Progress | None
    message: str | None
    spend_usd: float | None
    options: dict[str, Any]


class Cost(TypedDict):
    """What a launch, or one filter of it, takes."""

    calls: int
    usd: tuple[float, float] | None  # at least and at most; None: it has no price
    seconds: float | None


class FilterEstimate(Cost):
    filter: str
    samples: int


class Estimate(Cost):
    rows: int
    detail: dict[str, Any]  # counts by name; "filters": list[FilterEstimate]
    billed: bool


class Interval(TypedDict):
    """A proportion with its 95 % interval."""

    value: float
    low: float
    high: float


class Kappa(TypedDict):
    """Agreement with people on error types; `value`, `low` and `high` are None where there is no kappa."""

    value: float | None
    low: float | None
    high: float | None
    pairs: int
    agreed: int


class Line(TypedDict):
    """Two checkpoints compared, on all examples, a dataset or an error type."""

    name: str
    items: int
    images: int
    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float
    detectable: float


class Comparison(TypedDict):
    before: str
    after: str
    examples: int
    fixed: int
    broken: int
    overall: Line
    by_dataset: list[Line]
    by_error_type: list[Line]


class BulkPreview(TypedDict):
    total: int
    by_status: dict[str, int]


class BulkResult(TypedDict):
    batch_id: int | None
    count: int
    left_out: int


class Condition(TypedDict):
    filter: str
    comparison: str  # at_least, at_most
    threshold: float


class FilterAgreement(TypedDict):
    """All enabled filters together, against reviews."""

    labels: int
    precision: Interval
    false_negative_rate: Interval


class FilterLine(FilterAgreement, Condition):
    """One filter against reviews."""

    enabled: bool


class HeldBack(TypedDict):
    labels: int
    approved: int
    low: float


class Proposal(TypedDict):
    """A rule of auto-approval with its evidence."""

    conditions: list[Condition]
    target: float
    held: HeldBack
    reached: bool
    further: int | None  # held-back labels still needed; None: not reachable
    becomes: int
    left: int


class PromptVersion(TypedDict):
    version: str
    system: str
    user: str
    versions: list[dict[str, Any]]


class PromptComparison(TypedDict):
    versions: dict[str, str]  # by side, a and b
    failures: list[dict[str, Any]]
    counts: dict[str, Any]
    costs: dict[str, dict[str, Any]]
