"""Generating what the arms of an experiment lack: how much, at what cost, as which chain of jobs. Nothing is launched here.

Replies go through the journal as all do: what was paid for before, for whatever arm or experiment, is not bought again.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field

from curation.costs import judging_ahead
from curation.experiments.answers import Batch, GenerationPlan, Source
from curation.experiments.arm_rows import SPLIT
from curation.experiments.planning import OF_BOTH_ROUTES, ArmPlan, Plan, mask_of_controls
from curation.filtering import settings
from curation.filtering.base import filter_class
from curation.frontier.endpoints import POCKET_TEACHER
from curation.jobs.chains import Step
from curation.jobs.manager import JobManager
from curation.prompts.versions import prompts_for
from curation.stage import NothingToDo
from curation.stages.draw import DrawOptions, cost_of_drawing
from curation.stages.filter import FilterOptions
from curation.stages.generate import GenerateOptions
from curation.stages.generate_untargeted import UntargetedOptions
from data.registry import FILTERS
from data.store import Store
from data.workspace import Workspace

STAGES: dict[Source, str] = {"targeted": "generate", "untargeted": "generate_untargeted"}
PARTS = ("generate", "draw", "filter")  # of a batch, each a job of its own
Cost = tuple[float, float] | None  # dollars at least and at most; None: unpriced
PROBED = 20  # examples from which the cost of judging is estimated
YIELD = 0.5  # samples that pass every filter, of those asked for, until the workspace has some to count
MARGIN = 1.15  # times as many as are needed are asked for
ENOUGH = 5  # failures of a cluster that have samples, from which its own yield counts
LEAST = 0.25  # samples that a failure brings at least, however few it brought so far: nothing is asked for without end
MADE = ("targeted", "targeted_same", "targeted_new", "unfiltered", "untargeted")  # arms of samples; the others are of train examples
SAME: Literal["same_image"] = "same_image"
NEW: Literal["new_image"] = "new_image"
ROUTES: dict[str, Literal["same_image", "new_image"]] = {"targeted_same": SAME, "targeted_new": NEW}


class Generation(BaseModel):
    """How samples that arms lack are to be made: further options of the stages, and the most that all may cost."""

    generate: dict[str, Any] = Field(default={}, description="Options of generate, such as model, endpoint, per_failure.")
    draw: dict[str, Any] = Field(default={}, description="Options of draw, such as generator and model.")
    filter: dict[str, Any] = Field(default={}, description="Options of filter, such as model and endpoint.")
    budget_usd: float | None = Field(default=None, ge=0, description="Hard limit on all of it together, in dollars; empty: no limit.")


@dataclass(frozen=True)
class _Work:
    """One batch: the generating stage, its options, and the steps that follow it."""

    source: Source
    arms: list[ArmPlan]
    missing: int
    asked: int
    options: GenerateOptions | UntargetedOptions
    images: int


@dataclass(frozen=True)
class _Yield:
    asked: int
    passed: int


@dataclass(frozen=True)
class _RouteYield:
    failures: int
    passed: int


def plan(store: Store, workspace: Workspace, jobs: JobManager, made: Plan, wanted: Generation) -> GenerationPlan:
    """What generating the missing samples would take; nothing is written. Raises ValidationError."""
    batches, billed, host, obstacle = [], False, None, None
    for work in _work(store, made, wanted):
        try:
            batches.append(_priced(store, workspace, jobs, work, wanted)[0])
        except NothingToDo as nothing:
            obstacle = str(nothing)
        billed = billed or work.options.endpoint != POCKET_TEACHER
        host = host or work.options.host()
    if real := [arm.title for arm in made.short if arm.arm not in MADE]:
        obstacle = f"{', '.join(real)} can't be generated: these are train examples. Lower N, import more, or leave the arm out."
    return GenerationPlan(
        batches=batches,
        calls=sum(batch.calls for batch in batches),
        usd=sum_costs([batch.usd for batch in batches]),
        budget_usd=wanted.budget_usd,
        billed=billed,
        host=host,
        obstacle=obstacle,
    )


def chain(store: Store, workspace: Workspace, jobs: JobManager, made: Plan, wanted: Generation) -> list[Step]:
    """The jobs that generate what is missing, each with draw and filter behind it. Raises NothingToDo, ValidationError."""
    works = list(_work(store, made, wanted))
    costs = [cost for work in works for cost in _priced(store, workspace, jobs, work, wanted)[1]]
    budgets = iter(shares(costs, wanted.budget_usd))
    return [_step(store, work, wanted, [next(budgets) for _ in PARTS]) for work in works]


def shares(costs: Sequence[Cost], budget: float | None) -> list[float | None]:
    """The budget divided among jobs by what each will cost at most; evenly where that isn't known.

    >>> shares([(0, 1), (0, 3)], 8)
    [2.0, 6.0]
    """
    if budget is None:
        return [None] * len(costs)
    highs = [cost[1] if cost else None for cost in costs]
    known = [high for high in highs if high is not None]
    if len(known) < len(costs) or not sum(known):
        return [budget / len(costs)] * len(costs)
    return [budget * high / sum(known) for high in known]


def _work(store: Store, made: Plan, wanted: Generation) -> Iterator[_Work]:
    of_both = [arm for arm in made.arms if arm.arm in OF_BOTH_ROUTES]
    short = max((arm.short for arm in of_both), default=0)
    if short or made.lacking:
        options = GenerateOptions(**{"route": "both", "split": SPLIT, **wanted.generate})
        each = (2 if options.route == "both" else 1) * options.per_failure
        missing, failures = sum(lack.missing for lack in made.lacking), _failures_by_cluster(store, made, each)
        limit = int(sum(failures.values()))
        if short > missing:  # the clusters' quotas come to less than N
            limit = max(limit, math.ceil(_asked(store, short, control=False) / each))
        weights = failures if limit == sum(failures.values()) else None
        yield _of_failures(of_both, max(short, missing), options.model_copy(update={"weights": weights, "limit": limit}))
    for arm in (arm for arm in made.short if arm.arm in ROUTES):
        options = GenerateOptions(**{"split": SPLIT, **wanted.generate, "route": ROUTES[arm.arm]})
        limit = math.ceil(arm.short * MARGIN / _brings(store, options))
        yield _of_failures([arm], arm.short, options.model_copy(update={"limit": limit}))
    untargeted = [arm for arm in made.short if arm.arm == "untargeted"]
    if untargeted:
        known = set(UntargetedOptions.model_fields)
        common = {name: value for name, value in wanted.generate.items() if name in known}
        per_example = wanted.generate.get("per_failure", UntargetedOptions.model_fields["per_example"].default)
        asked = _asked(store, untargeted[0].short, control=True)
        each = per_example * (1 if common.get("route") in (SAME, NEW) else 2)
        given = {**common, "per_example": per_example, "examples": math.ceil(asked / each)}
        control = UntargetedOptions(**given)
        images = 0 if control.route == SAME else control.examples * control.per_example
        yield _Work("untargeted", untargeted, untargeted[0].short, asked, control, images)


def _of_failures(lacking: list[ArmPlan], missing: int, options: GenerateOptions) -> _Work:
    limit, new = options.limit or 0, options.route != SAME
    asked = limit * options.per_failure * (2 if options.route == "both" else 1)
    return _Work("targeted", lacking, missing, asked, options, limit * options.per_failure * options.images_per_prompt * new)


def _brings(store: Store, options: GenerateOptions) -> float:
    """How many samples by one route a failure brought so far that passed; where few were asked, YIELD of those asked for."""
    seen = store.one("experiment_yield_by_route", _RouteYield, route=options.route)
    return max(seen.passed / seen.failures, LEAST) if seen.failures >= ENOUGH else YIELD * options.per_failure


def _failures_by_cluster(store: Store, made: Plan, each: int) -> dict[str, float]:
    """How many failures of each cluster are to be asked for, so that about as many samples pass as its quota lacks.

    Of how many failures of a cluster how many samples passed so far tells what one brings; where few were asked, YIELD of `each`.
    """
    seen = {(row["cluster_id"], row["error_type"]): row for row in store.rows("experiment_yield_by_cluster")}
    quotas = {}
    for lack in made.lacking:
        row = seen.get((lack.cluster, lack.error_type), {"failures": 0, "passed": 0})
        brings = max(row["passed"] / row["failures"], LEAST) if row["failures"] >= ENOUGH else YIELD * each
        quotas[lack.error_type if lack.cluster is None else str(lack.cluster)] = float(math.ceil(lack.missing * MARGIN / brings))
    return quotas


def _asked(store: Store, missing: int, control: bool) -> int:
    """How many samples are to be asked for, so that about so many pass."""
    seen = store.one("experiment_yield", _Yield, control=control, mask=mask_of_controls(store))
    share = seen.passed / seen.asked if seen.passed >= 20 else YIELD
    return math.ceil(missing * MARGIN / share)


def _priced(store: Store, workspace: Workspace, jobs: JobManager, work: _Work, wanted: Generation) -> tuple[Batch, tuple[Cost, ...]]:
    """The batch, and the dollars of each of PARTS. Raises NothingToDo."""
    estimate = jobs.estimate(STAGES[work.source], work.options.model_dump(mode="json"))
    if not estimate.rows:
        raise NothingToDo("no failure is teachable yet: diagnose failures first; +N targeted is made from them.")
    judging = FilterOptions(**wanted.filter)
    paid = {name: judging.filter_options.get(name, {}) for name in _filters(store, work.source) if "frontier" in filter_class(name).needs}
    rows = store.rows("examples_to_write_after", datasets=None, seed=0, limit=PROBED)
    judged = judging_ahead.estimate(workspace, judging, prompts_for(store, judging.PROMPTS, judging.prompts), paid, rows, work.asked)
    costs = (estimate.usd, cost_of_drawing(workspace, DrawOptions(**wanted.draw), work.images), judged.usd)
    batch = Batch(
        source=work.source,
        arms=[arm.arm for arm in work.arms],
        missing=work.missing,
        asked=work.asked,
        calls=estimate.calls + judged.calls,
        usd=sum_costs(costs),
    )
    return batch, costs


def sum_costs(costs: Sequence[Cost]) -> Cost:
    """Dollars of all together; None where one is unpriced."""
    known = [cost for cost in costs if cost is not None]
    return (sum(low for low, _ in known), sum(high for _, high in known)) if len(known) == len(costs) else None


def _step(store: Store, work: _Work, wanted: Generation, budgets: Sequence[float | None]) -> Step:
    """The generating job with draw and filter behind it, each with its part of the budget."""
    capped = [{} if budget is None else {"budget_usd": budget} for budget in budgets]
    filters = {"filters": _filters(store, work.source)} if work.source == "untargeted" else {}
    return Step(
        stage=STAGES[work.source],
        options={**work.options.model_dump(mode="json"), **capped[0]},
        then=[
            Step(stage="draw", options={**wanted.draw, **capped[1]}, samples_of=0),
            Step(stage="filter", options={**wanted.filter, **filters, **capped[2]}, samples_of=0),
        ],
    )


def _filters(store: Store, source: Source) -> list[str]:
    """The enabled filters that judge samples of this source."""
    enabled = [name for name, setting in settings.current(store).items() if setting.enabled and name in FILTERS.names()]
    return [name for name in enabled if source == "targeted" or not filter_class(name).judges_aim]
