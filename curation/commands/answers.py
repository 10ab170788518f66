"""What the app's routes answer, as far as commands read it.

Types only: the classes that the routes answer with would load the store, which a command doesn't need.
tests/commands/test_answers.py holds these types against those classes.
"""

from typing import Any, Literal, TypedDict

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
    """Two checkpoints compared, on all examples or one group of them."""

    name: str
    items: int
    images: int
    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float | None
    detectable: float
    majority: float
    balanced_before: float
    balanced_after: float
    answers: int  # different gold answers
    learnt: Literal["skill", "form"] | None


class Coverage(TypedDict):
    """What a comparison rests on; `text` as in "30 of 39 compared; 9 answered by one only (before)"."""

    examples: int
    compared: int
    text: str


class Gate(TypedDict):
    passed: bool
    not_shown: list[str]
    margin: float


class Comparison(TypedDict):
    before: str
    after: str
    examples: int
    coverage: Coverage
    fixed: int
    broken: int
    overall: Line
    by_dataset: list[Line]
    by_error_type: list[Line]
    by_kind: list[Line]
    by_cluster: list[Line]
    by_slice: list[Line]
    left_out: dict[str, int]  # groups without a line, by table
    gate: Gate


class Cell(TypedDict):
    """One checkpoint on one group; differences are to the first checkpoint."""

    accuracy: float
    balanced: float
    difference: float | None
    low: float | None
    high: float | None


class GroupRow(TypedDict):
    name: str
    items: int
    majority: float
    cells: list[Cell]


class SideBySide(TypedDict):
    checkpoints: list[str]
    coverage: Coverage
    overall: GroupRow
    tables: dict[str, list[GroupRow]]
    left_out: dict[str, int]


class Detectable(TypedDict):
    name: str
    items: int
    images: int
    discordant: float
    design_effect: float
    detectable: float


class Ahead(TypedDict):
    """What the eval examples would show, before anything is spent."""

    overall: Detectable
    by_dataset: list[Detectable]
    by_error_type: list[Detectable]
    source: str
    text: str


class ReleaseVerdict(TypedDict):
    before: str
    after: str
    examples: int
    rule: dict[str, Any]
    passed: bool
    not_shown: list[str]


class Return(TypedDict):
    """A cluster: points of all accuracy gained, and dollars paid; None: nothing of it is priced, or paid."""

    name: str
    items: int
    gain: float
    gain_low: float
    gain_high: float
    approved: int
    usd: float | None
    per_dollar: float | None
    per_dollar_low: float | None
    per_dollar_high: float | None


class Returns(TypedDict):
    before: str
    after: str
    examples: int
    total: Return
    clusters: list[Return]
    unassigned: int
    unpriced: int


class Quota(TypedDict):
    name: str
    samples: int
    low: int
    high: int
    accuracy: float
    missing: float
    taught: float
    solved: float | None
    teachable: int


class Split(TypedDict):
    total: int
    quotas: list[Quota]
    left_out: dict[str, str]


class AcceptedSplit(TypedDict):
    round: int
    quotas: dict[str, int]
    author: str


class SplitShown(TypedDict):
    recommended: Split | None
    reason: str | None
    accepted: AcceptedSplit | None


class UsedType(TypedDict):
    """An error type and what bears it."""

    name: str
    definition: str
    example: str
    hidden: bool
    used: dict[str, int]


class ErrorTypes(TypedDict):
    """The taxonomy in force; `aliases` are names that are gone, with what they are called now."""

    version: int
    error_types: list[UsedType]
    aliases: dict[str, str]
    history: list[dict[str, Any]]


class EditedTaxonomy(TypedDict):
    version: int
    text: str


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
