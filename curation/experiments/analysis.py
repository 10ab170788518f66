"""What an experiment shows: accuracy of each arm, its differences to other arms with 95 % intervals, by dataset and by kind of question.

Runs that diverged are shown and not counted. Compared are the eval examples that every run answered; how many were left out is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from curation.experiments import arms
from curation.results.eval_set import OTHER, Score
from curation.statistics import intervals
from curation.statistics.answer_balance import balanced_accuracy, gold_answer, majority_rate
from curation.statistics.intervals import Difference, codes
from curation.statistics.repeated_runs import difference_of_runs
from data.errors import MistakebookError
from data.records import Experiment, ExperimentRun, Record
from data.store import Store

SURE = 0.05  # Holm's p from which a kind counts as gained or lost
PAIRS = (  # what is held against what besides the reference, where both were run
    ("targeted", "real"),
    ("targeted", "untargeted"),
    ("targeted", "unfiltered"),
    ("targeted", "retrieved"),
    ("targeted", "real_failures"),
    ("targeted_same", "targeted_new"),
    ("real_failures", "real"),
)


class NothingMeasured(MistakebookError, ValueError):
    """No run of the experiment has been measured yet."""


@dataclass(frozen=True)
class RunResult(Record):
    """A run: its accuracy (None: it was not measured); `diverged` says why it isn't counted, None that it is; how the loss went."""

    seed: int
    accuracy: float | None
    diverged: str | None
    first_loss: float | None
    last_loss: float | None
    samples: int
    replay: int
    steps: int
    seconds: float


@dataclass(frozen=True)
class GroupArm(Record):
    """An arm on a group of eval examples: means over the counted seeds, and differences to the base and to the reference arm."""

    arm: str
    accuracy: float
    balanced: float  # by gold answer
    to_base: Difference | None
    to_reference: Difference | None
    balanced_to_reference: Difference | None
    p_holm: float | None = None  # of to_reference, over the groups of the table


@dataclass(frozen=True)
class Group(Record):
    """Eval examples of one dataset, of one kind, or all. `majority`: what always giving the most frequent gold answer would reach."""

    name: str
    items: int
    images: int
    majority: float
    arms: list[GroupArm]


@dataclass(frozen=True)
class ArmResult(Record):
    arm: str
    title: str
    about: str
    runs: list[RunResult]
    failed: list[str]  # "seed 2: …"
    counted: int  # seeds
    gain_per_100: Difference | None  # accuracy above replay only (or the base), a hundred samples


@dataclass(frozen=True)
class Pair(Record):
    """Two arms held against each other: after minus before."""

    after: str
    before: str
    seeds: int
    difference: Difference
    balanced: Difference


@dataclass(frozen=True)
class KindsTurned(Record):
    """The kinds at which an arm is better or worse than the base, where Holm's p over all kinds is below .05."""

    arm: str
    gained: list[str]
    lost: list[str]


@dataclass(frozen=True)
class Report(Record):
    job_id: int
    checkpoint: str
    score: Score
    samples: int
    asked: int
    replay: int
    steps: int
    seeds: list[int]
    planned_runs: int
    done_runs: int
    base: str | None  # the arm that gains are counted from
    reference: str | None
    items: int
    left_out: int  # eval examples that not every run could be asked
    plan: dict[str, object]
    arms: list[ArmResult]
    overall: Group
    by_dataset: list[Group]
    by_kind: list[Group]
    pairs: list[Pair]
    turned: list[KindsTurned]


@dataclass(frozen=True)
class Item(Record):
    """What is known of an eval example."""

    example_id: int
    dataset: str
    image: str
    kind: str | None
    tagged: str | None
    golds: tuple[str, ...]


@dataclass(frozen=True)
class RunScore(Record):
    arm: str
    seed: int
    example_id: int
    score: float


@dataclass(frozen=True)
class _FailedRun:
    key: str
    error: str


class _Scores:
    """Scores by arm, of shape (seeds, items), and what the items are."""

    def __init__(self, items: Sequence[Item], by_run: dict[tuple[str, int], np.ndarray], uncounted: dict[tuple[str, int], float]) -> None:
        self.items, self.by_run, self.uncounted = items, by_run, uncounted  # of these, which diverged, the accuracy alone
        self.images = codes([item.image for item in items])
        self.answers = codes([gold_answer(item.golds) for item in items])
        self.datasets = [item.dataset for item in items]
        self.kinds = kind_names(items)
        self.strata = codes(list(zip(self.datasets, self.kinds)))

    def seeds(self, arm: str) -> list[int]:
        return sorted(seed for name, seed in self.by_run if name == arm)

    def of(self, arm: str, seeds: Sequence[int] | None = None) -> np.ndarray:
        """(seeds, items); an arm that isn't trained has its one run."""
        chosen = self.seeds(arm) if seeds is None or not arms.BY_NAME[arm].trained else seeds
        return np.stack([self.by_run[arm, seed] for seed in chosen])

    def common(self, before: str, after: str) -> list[int]:
        """The seeds of the trained ones of two arms that both have."""
        trained = [set(self.seeds(arm)) for arm in (before, after) if arms.BY_NAME[arm].trained]
        return sorted(set.intersection(*trained)) if trained else [0]

    def difference(self, before: str, after: str, members: np.ndarray, balanced: bool = False) -> Difference | None:
        seeds = self.common(before, after)
        if before == after or not seeds or not self.seeds(before) or not self.seeds(after):
            return None
        strata = self.answers[members] if balanced else None
        return difference_of_runs(self.of(before, seeds)[:, members], self.of(after, seeds)[:, members], self.images[members], strata)


def report(store: Store, job_id: int, score: Score = "strict", reference: str | None = None) -> Report:
    """What the runs that are done show. Raises UnknownArm, NothingMeasured where no run is."""
    if reference is not None:
        arms.find(reference)
    experiment = store.one("experiment", Experiment, job_id=job_id)
    runs = store.rows("experiment_runs", ExperimentRun, job_id=job_id)
    failed = store.rows("experiment_failed_runs", _FailedRun, job_id=job_id)
    scores, left_out = _scores(store, job_id, runs, score)
    counted = {arm for arm, _ in scores.by_run}
    if not counted:
        raise NothingMeasured(f"no run of experiment {job_id} has been measured yet")
    base = arms.BASE if arms.BASE in counted else None
    chosen = reference if reference in counted else arms.REFERENCE if arms.REFERENCE in counted else None
    by_kind = _groups(scores, scores.kinds, base, chosen)
    return Report(
        job_id=job_id,
        checkpoint=str(experiment.plan["checkpoint"]),
        score=score,
        samples=experiment.samples,
        asked=int(experiment.plan["asked"]),
        replay=experiment.replay,
        steps=experiment.steps,
        seeds=list(experiment.seeds),
        planned_runs=int(experiment.plan["runs"]),
        done_runs=len(runs),
        base=base,
        reference=chosen,
        items=len(scores.items),
        left_out=left_out,
        plan=experiment.plan,
        arms=[_arm(name, experiment, runs, failed, scores) for name in experiment.arms],
        overall=_group("all", scores, np.arange(len(scores.items)), base, chosen),
        by_dataset=_groups(scores, scores.datasets, base, chosen),
        by_kind=by_kind,
        pairs=_pairs(scores, counted),
        turned=turned(by_kind),
    )


def turned(groups: Sequence[Group]) -> list[KindsTurned]:
    """What each arm has gained and lost against the base; an arm that has no difference to it is left out."""
    found = []
    for arm in groups[0].arms if groups else []:
        changes = [(group.name, each.to_base) for group in groups for each in group.arms if each.arm == arm.arm]
        known = [(name, change) for name, change in changes if change is not None]
        sure = [pair for pair, p in zip(known, intervals.holm([change.p for _, change in known])) if p < SURE]
        if known:
            better, worse = ([name for name, change in sure if sign * change.value > 0] for sign in (1, -1))
            found.append(KindsTurned(arm.arm, better, worse))
    return found


def kind_names(items: Sequence[Item]) -> list[str]:
    """The kind of each item's question: its dataset's or a named one, else its error type; with the dataset where several have it."""
    kinds = [item.kind or item.tagged or OTHER for item in items]
    homes: dict[str, set[str]] = {}
    for item, kind in zip(items, kinds):
        homes.setdefault(kind, set()).add(item.dataset)
    return [f"{kind} ({item.dataset})" if len(homes[kind]) > 1 else kind for item, kind in zip(items, kinds)]


def _scores(store: Store, job_id: int, runs: Sequence[ExperimentRun], score: Score) -> tuple[_Scores, int]:
    """Scores of the runs that count, on the items that all of these answered; and how many items are left out."""
    items = store.rows("experiment_items", Item, job_id=job_id)
    places = {item.example_id: place for place, item in enumerate(items)}
    found = {(run.arm, run.seed): np.full(len(items), np.nan) for run in runs}
    for row in store.rows("experiment_scores", RunScore, job_id=job_id, score=score):
        found[row.arm, row.seed][places[row.example_id]] = row.score
    diverged = {(run.arm, run.seed) for run in runs if run.diverged}
    counted = {run: scores for run, scores in found.items() if run not in diverged}
    aside = {run: float(np.nanmean(found[run])) for run in diverged if np.isfinite(found[run]).any()}
    whole = np.all([np.isfinite(scores) for scores in counted.values()], axis=0) if counted else np.zeros(len(items), bool)
    kept = np.flatnonzero(whole)
    return _Scores([items[i] for i in kept], {run: scores[kept] for run, scores in counted.items()}, aside), len(items) - len(kept)


def _arm(name: str, experiment: Experiment, runs: Sequence[ExperimentRun], failed: Sequence[_FailedRun], scores: _Scores) -> ArmResult:
    arm, mine = arms.BY_NAME[name], [run for run in runs if run.arm == name]
    everything = np.arange(len(scores.items))
    floor = next((floor for floor in ("replay", arms.BASE) if scores.seeds(floor)), None)
    gain = scores.difference(floor, name, everything) if floor and arm.pool else None
    return ArmResult(
        arm=name,
        title=arm.title,
        about=arm.about,
        runs=[_run(run, scores) for run in mine],
        failed=[f"seed {row.key.partition('/')[2]}: {row.error}" for row in failed if row.key.partition("/")[0] == name],
        counted=len(scores.seeds(name)),
        gain_per_100=gain and _scaled(gain, 100 / experiment.samples),
    )


def _run(run: ExperimentRun, scores: _Scores) -> RunResult:
    found, key = scores.by_run.get((run.arm, run.seed)), (run.arm, run.seed)
    return RunResult(
        seed=run.seed,
        accuracy=scores.uncounted.get(key) if found is None else float(found.mean()),
        diverged=run.diverged,
        first_loss=run.first_loss,
        last_loss=run.last_loss,
        samples=run.samples,
        replay=run.replay,
        steps=run.steps,
        seconds=run.train_seconds + run.eval_seconds,
    )


def _groups(scores: _Scores, names: Sequence[str], base: str | None, reference: str | None) -> list[Group]:
    """A group a name, largest first, with p-values of the differences to the reference adjusted over the groups, arm by arm."""
    index = np.array(names)
    made = [_group(name, scores, np.flatnonzero(index == name), base, reference) for name in sorted(set(names))]
    made.sort(key=lambda group: -group.items)
    adjusted: dict[tuple[str, str], float] = {}
    for arm in made[0].arms if made else []:
        compared = [(group.name, each.to_reference.p) for group in made for each in group.arms if each.arm == arm.arm and each.to_reference]
        adjusted |= {(name, arm.arm): p for (name, _), p in zip(compared, intervals.holm([p for _, p in compared]))}
    return [replace(g, arms=[replace(each, p_holm=adjusted.get((g.name, each.arm))) for each in g.arms]) for g in made]


def _group(name: str, scores: _Scores, members: np.ndarray, base: str | None, reference: str | None) -> Group:
    answers = scores.answers[members]
    counted = [arm.name for arm in arms.ARMS if scores.seeds(arm.name)]
    return Group(
        name=name,
        items=len(members),
        images=len(np.unique(scores.images[members])),
        majority=majority_rate(answers, scores.strata[members]),
        arms=[
            GroupArm(
                arm=arm,
                accuracy=float(scores.of(arm)[:, members].mean()),
                balanced=float(np.mean([balanced_accuracy(row[members], answers) for row in scores.of(arm)])),
                to_base=scores.difference(base, arm, members) if base else None,
                to_reference=scores.difference(reference, arm, members) if reference else None,
                balanced_to_reference=scores.difference(reference, arm, members, balanced=True) if reference else None,
            )
            for arm in counted
        ],
    )


def _pairs(scores: _Scores, counted: set[str]) -> list[Pair]:
    everything, made = np.arange(len(scores.items)), []
    for after, before in PAIRS:
        if {after, before} <= counted:
            difference = scores.difference(before, after, everything)
            balanced = scores.difference(before, after, everything, balanced=True)
            if difference and balanced:
                made.append(Pair(after, before, len(scores.common(before, after)), difference, balanced))
    return made


def _scaled(difference: Difference, factor: float) -> Difference:
    return Difference(difference.value * factor, difference.low * factor, difference.high * factor, difference.p)
