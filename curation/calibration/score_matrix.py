"""All samples as arrays: scores by filter, what people decided, which half of the labels they belong to. Kept between requests.

At 553,992 samples of five verdicts each the arrays take some 50 MB; they are read once, and after that only what was added
since (verdicts, reviews) is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from curation.calibration.approval_rules import Joint, Levels, joint, levels, murmur3_finalizer
from data.records import Comparison, Condition, FilterSetting
from data.store import Store


@dataclass(frozen=True)
class Setting:
    """A filter as it is set."""

    filter: str
    enabled: bool
    threshold: float
    comparison: Comparison

    @property
    def condition(self) -> Condition:
        return Condition(self.filter, self.comparison, self.threshold)


@dataclass(frozen=True)
class Marks:
    """How far the logs have come that the arrays follow from: highest ids (None: no row), and numbers of rows."""

    verdicts: int | None = None
    reviews: int | None = None
    settings: int | None = None
    revisions: int = 0
    drawings: int = 0
    samples: int = 0
    rules: int | None = None


@dataclass(frozen=True, eq=False)
class ScoreMatrix:
    """One entry a sample, in the order of sample_ids, in all arrays; nothing in them is ever changed."""

    marks: Marks
    settings: tuple[Setting, ...]
    sample_ids: np.ndarray
    revision: np.ndarray
    picture: np.ndarray  # a number that changes with the picture
    scores: dict[str, np.ndarray]  # by filter, float64; NaN: none on the current revision
    error_types: list[str]
    error_type: np.ndarray  # places in error_types
    drawn: np.ndarray
    passing: np.ndarray  # drawn, and every enabled filter lets it pass, whatever people decided: what a rule chooses from
    open: np.ndarray  # of these, undecided
    rejected: np.ndarray  # an enabled filter rejects it, whatever people decided
    auto: np.ndarray  # auto-approved
    failing: np.ndarray  # rejected, and nobody has decided
    decided: np.ndarray  # by people, one by one or in bulk
    held: np.ndarray  # belongs to the half of the labels that is held back
    label: np.ndarray  # by people, one by one: 1 approved, 0 rejected, -1 none, or they disagree
    disputed: np.ndarray
    bulk: np.ndarray  # decided in bulk only: no label
    labelled_by: np.ndarray  # the latest single decision, by its number; 0: none

    def meets(self, condition: Condition) -> np.ndarray:
        scores = self.scores.get(condition.filter)
        if scores is None:
            return np.zeros(len(self.sample_ids), dtype=bool)
        return scores >= condition.threshold if condition.comparison == "at_least" else scores <= condition.threshold

    def inside(self, conditions: Sequence[Condition]) -> np.ndarray:
        """Which samples meet all of the conditions."""
        met = np.ones(len(self.sample_ids), dtype=bool)
        for condition in conditions:
            met &= self.meets(condition)
        return met

    def statuses(self, settings: Sequence[Setting], rule: Sequence[Condition] | None) -> np.ndarray:
        """Places in UNDECIDED: what samples would be by these filters and rule alone (sample_state_judgements)."""
        enabled = [setting for setting in settings if setting.enabled]
        failed, judged = np.zeros(len(self.sample_ids), dtype=bool), np.ones(len(self.sample_ids), dtype=bool)
        for setting in enabled:
            known = ~np.isnan(self.scores[setting.filter])
            judged &= known
            failed |= known & ~self.meets(setting.condition)
        ruled = self.inside(rule) if rule else np.zeros(len(self.sample_ids), dtype=bool)
        return np.select([~self.drawn, failed, ~judged, ruled], [0, 2, 1, 4], 3).astype(np.int8)

    @cached_property
    def thresholds(self) -> tuple[Levels, ...]:
        """Each filter's thresholds that rules are made of; the one set now is among them."""
        return tuple(
            levels(setting.filter, setting.comparison, self.scores[setting.filter], [setting.threshold]) for setting in self.settings
        )

    @cached_property
    def threshold_index(self) -> np.ndarray:
        """(samples, filters) uint8: how many of the thresholds each sample meets."""
        index = np.zeros((len(self.sample_ids), len(self.thresholds)), dtype=np.uint8)
        for column, level in enumerate(self.thresholds):
            index[:, column] = level.index_of(self.scores[level.filter])
        return index

    @cached_property
    def counted(self) -> Joint:
        """The samples that pass all filters as set, counted by their codes: what a rule could let through."""
        rows = self.passing
        return joint(self.thresholds, self.threshold_index[rows], self.open[rows], self.label[rows], self.held[rows])


def score_matrix(store: Store) -> ScoreMatrix:
    """The arrays as the store stands now."""
    marks = store.one("calibration_marks", Marks)
    return store.memo("score matrix", marks, lambda before: _read(store, marks, before))


def _read(store: Store, marks: Marks, before: ScoreMatrix | None) -> ScoreMatrix:
    """The arrays anew; of verdicts and reviews only those after the marks of the arrays before."""
    settings = tuple(Setting(row.filter, row.enabled, row.threshold, row.comparison) for row in store.rows("filters", FilterSetting))
    error_types = store.column("calibration_error_types", str)
    samples = {name: np.asarray(values) for name, values in store.columns("calibration_samples", error_types=error_types).items()}
    carried = _IncrementalUpdate(samples, before)
    known = before.marks if before else Marks()
    scores = {setting.filter: carried.scores(store, setting.filter, known.verdicts or 0, marks.verdicts or 0) for setting in settings}
    return ScoreMatrix(
        marks=marks,
        settings=settings,
        sample_ids=samples["sample_id"],
        revision=samples["revision"],
        scores=scores,
        error_types=error_types,
        error_type=samples["error_type"] - 1,
        **{name: samples[name] for name in ("picture", "drawn", "passing", "open", "rejected", "auto", "failing", "decided")},
        held=murmur3_finalizer(samples["sample_id"]) % 2 == 1,
        **carried.labels(store, known.reviews or 0, marks.reviews or 0),
    )


class _IncrementalUpdate:
    """What was known of samples the last time, at their new places, with what was added since."""

    def __init__(self, samples: dict[str, np.ndarray], before: ScoreMatrix | None):
        self.ids, self.before = samples["sample_id"], before
        if before is not None:
            place = np.searchsorted(self.ids, before.sample_ids)  # samples are never taken away
            # an edit or a new picture takes scores and labels away
            self.same = (samples["revision"][place] == before.revision) & (samples["picture"][place] == before.picture)
            self.place = place[self.same]

    def scores(self, store: Store, filter: str, since: int, until: int) -> np.ndarray:
        known = self.before.scores.get(filter) if self.before else None
        scores = self._carry(np.full(len(self.ids), np.nan), known)
        if known is not None and since == until:
            return scores
        added = store.columns("calibration_verdicts", filter=filter, since=0 if known is None else since)
        place, known = self._places(added["sample_id"])
        scores[place] = np.ma.filled(added["score"], np.nan)[known]  # in their order: the last one stays
        return scores

    def labels(self, store: Store, since: int, until: int) -> dict[str, np.ndarray]:
        n = len(self.ids)
        values: dict[str, np.ndarray] = {"label": np.full(n, -1, dtype=np.int8), "labelled_by": np.zeros(n, dtype=np.int64)}
        values |= {name: np.zeros(n, dtype=bool) for name in ("disputed", "bulk")}
        for name, array in values.items():
            self._carry(array, getattr(self.before, name) if self.before else None)
        if since == until:
            return values
        added = store.columns("calibration_labels", since=since or None)
        place, known = self._places(added["sample_id"])
        label = np.asarray(added["label"])
        fresh = {**added, "label": np.where(label == 2, -1, label), "disputed": label == 2}
        for name, array in values.items():
            array[place] = np.asarray(fresh[name])[known]
        return values

    def _places(self, sample_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where samples stand, and which of them: one that came while this was read is read the next time."""
        sample_ids = np.asarray(sample_ids)
        place = np.minimum(np.searchsorted(self.ids, sample_ids), len(self.ids) - 1)
        known = self.ids[place] == sample_ids if len(self.ids) else np.zeros(len(sample_ids), dtype=bool)
        return place[known], known

    def _carry(self, empty: np.ndarray, known: np.ndarray | None) -> np.ndarray:
        if known is not None:
            empty[self.place] = known[self.same]
        return empty
