"""What the routes of experiments answer, as far as the command reads it."""

from typing import TypedDict


class Difference(TypedDict):
    """After minus before, with its 95 % interval."""

    value: float
    low: float
    high: float
    p: float


class ArmPlan(TypedDict):
    arm: str
    title: str
    about: str
    have: int | None  # None: it draws from no pool
    short: int


class Plan(TypedDict):
    checkpoint: str
    arms: list[ArmPlan]
    asked: int
    samples: int
    seeds: list[int]
    replay: int
    steps: int
    runs: int
    parallel: int
    eval: int
    seconds: float
    measured: bool


class GenerationBatch(TypedDict):
    source: str
    missing: int
    asked: int


class GenerationPlan(TypedDict):
    """What generating the samples that arms lack would take."""

    batches: list[GenerationBatch]
    calls: int
    usd: tuple[float, float] | None
    billed: bool
    obstacle: str | None


class ExperimentPlan(TypedDict):
    plan: Plan
    obstacle: str | None
    generation: GenerationPlan


class ArmRun(TypedDict):
    seed: int
    accuracy: float | None
    diverged: str | None


class ArmResult(TypedDict):
    arm: str
    runs: list[ArmRun]
    failed: list[str]


class GroupArm(TypedDict):
    arm: str
    accuracy: float
    balanced: float
    to_base: Difference | None
    to_reference: Difference | None


class Group(TypedDict):
    name: str
    items: int
    majority: float
    arms: list[GroupArm]


class ArmPair(TypedDict):
    after: str
    before: str
    difference: Difference
    balanced: Difference


class ExperimentReport(TypedDict):
    job_id: int
    samples: int
    done_runs: int
    planned_runs: int
    items: int
    base: str | None
    reference: str | None
    arms: list[ArmResult]
    overall: Group
    pairs: list[ArmPair]
