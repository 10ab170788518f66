"""The Calibration page: how far filters and rules agree with people, a rule that approves by itself, and its audit."""

import base64
import math
from typing import Literal

import numpy as np
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from curation.calibration import auto_approval
from curation.calibration.approval_rules import TARGET, agreement
from curation.calibration.curves import Tally
from curation.calibration.records import (
    Agreements,
    CheckedRule,
    FilterAgreement,
    LabelCounts,
    ListedRule,
    OpenRule,
    PeopleAgreement,
    RuleEvidence,
    Share,
    TurnedOff,
)
from curation.calibration.score_matrix import Marks, ScoreMatrix, score_matrix
from curation.review import assignments, decisions
from curation.statistics.intervals import Interval, wilson
from curation.ui.calibration import charts
from curation.ui.services import services
from curation.ui.shared.chart_theme import Figure
from data.records import AutoRule, Comparison, Condition
from data.registry import FILTERS

router = APIRouter(prefix="/api/calibration")


class Asked(BaseModel):
    """`error_type`: only labels of this error type count in the table of filters."""

    error_type: str | None = None
    curves: Literal["score", "threshold"] = Field(default="score", description="What the chart of each filter shows along its axis.")


class Count(BaseModel):
    """What people decided about some samples."""

    approved: int = Field(ge=0)
    labels: int = Field(ge=0)


class Goal(BaseModel):
    target: float = Field(default=TARGET, gt=0.5, lt=1, description="Precision that the lower bound has to reach.")


class Asking(BaseModel):
    filter: str
    comparison: Comparison
    threshold: float = Field(allow_inf_nan=False)


class Rule(Goal):
    conditions: list[Asking]

    def given(self) -> list[Condition]:
        return [Condition(**condition.model_dump()) for condition in self.conditions]


class Off(BaseModel):
    reason: str = Field(default="", max_length=400)


class Draw(BaseModel):
    """Random samples inside a rule; without conditions of all that pass the filters."""

    conditions: list[Asking] | None = None
    count: int = Field(default=40, ge=1, le=500)


class TypeLabels(BaseModel):
    error_type: str
    labels: int


class FilterShown(FilterAgreement):
    figure: Figure | None = Field(description="the chart of its scores; none where no label tells about them")


class Overview(Agreements):
    """What the page shows at first."""

    filters: list[FilterShown]
    error_types: list[TypeLabels]
    undecided: int
    history: list[ListedRule]
    marks: Marks


class SliderFilter(BaseModel):
    """A filter's thresholds, and the position of the one that is set."""

    filter: str
    enabled: bool
    comparison: Comparison
    threshold: float
    cuts: list[float]
    position: int


class JointCounts(BaseModel):
    """The samples that pass the filters, counted by the thresholds that they meet. Arrays are base64 of little-endian numbers."""

    filters: list[SliderFilter]
    rows: int
    codes: str = Field(description="uint8, filters x rows, filter by filter")
    open: str = Field(description="uint32, as the others")
    labels: str
    approved: str
    held: str


class Limits(BaseModel):
    low: float
    high: float


class Drawn(BaseModel):
    sample_ids: list[int]


@router.post("/overview")
def overview(request: Request, body: Asked) -> Overview:
    """Labels, filters against people, the rule that stands with its audit, and earlier rules."""
    here = services(request)
    now = score_matrix(here.store)
    chosen = now.label >= 0
    if body.error_type is not None:
        place = now.error_types.index(body.error_type) if body.error_type in now.error_types else -1
        chosen &= now.error_type == place
    rule = auto_approval.open_rule(here.store)
    return Overview(
        labels=_label_counts(now, here.store.one("calibration_reviewers", int)),
        error_types=_by_type(now),
        filters=[_with_figure(_filter(now, column, chosen), body.curves) for column in range(len(now.settings))],
        together=_agreement(now.passing, np.where(chosen & now.drawn, now.label, -1)),
        undecided=int(now.open.sum()),
        rule=_listed(rule) if rule else None,
        audit=auto_approval.audit(now, rule) if rule else None,
        history=[_listed(row) for row in here.store.rows("auto_rules", AutoRule, limit=12)],
        marks=here.store.one("calibration_marks", Marks),
    )


@router.post("/joint")
def joint(request: Request) -> JointCounts:
    """All that the sliders need, once. How people decided on the held-back half isn't among it."""
    now = score_matrix(services(request).store)
    counted = now.counted
    filters = [
        SliderFilter(**vars(setting), cuts=one.cuts.tolist(), position=one.position(setting.threshold) if setting.enabled else 0)
        for setting, one in zip(now.settings, now.thresholds)
    ]
    return JointCounts(
        filters=filters,
        rows=len(counted.threshold_index),
        codes=_packed(np.ascontiguousarray(counted.threshold_index.T)),
        **{name: _packed(getattr(counted, name).astype("<u4")) for name in ("open", "labels", "approved", "held")},
    )


@router.post("/interval")
def interval(body: Count) -> Limits:
    """The 95 % interval (Wilson) of a share that people approve, for the rule on the sliders."""
    low, high = wilson(body.approved, body.labels)
    return Limits(low=low, high=high)


@router.post("/propose")
def propose(request: Request, body: Goal) -> CheckedRule:
    """The rule that one half of the labels speaks for, and how it stands on the other."""
    here = services(request)
    now = score_matrix(here.store)
    rank = auto_approval.next_rank(here.store)
    return _checked(request, now, auto_approval.proposal(now, body.target, rank), body.target)


@router.post("/check")
def check(request: Request, body: Rule) -> CheckedRule:
    """How a rule stands on the held-back labels. Each different rule that is checked is counted."""
    return _checked(request, score_matrix(services(request).store), body.given(), body.target)


@router.post("/on")
def turn_on(request: Request, body: Rule) -> RuleEvidence:
    here = services(request)
    return auto_approval.turn_on(here.store, body.given(), body.target, here.reviewer(request))


@router.post("/off")
def turn_off(request: Request, body: Off) -> TurnedOff:
    here = services(request)
    return TurnedOff(done=auto_approval.turn_off(here.store, body.reason.strip() or "turned off manually", here.reviewer(request)))


@router.post("/draw")
def draw(request: Request, body: Draw) -> Drawn:
    """Gives whoever asks random samples to label, blind: with the filters' verdicts in sight people would lean towards them."""
    here = services(request)
    now, reviewer = score_matrix(here.store), here.reviewer(request)
    conditions = None if body.conditions is None else [Condition(**condition.model_dump()) for condition in body.conditions]
    taken = here.store.columns("samples_assigned")["sample_id"]
    ids = auto_approval.to_label(now, conditions, body.count, np.random.default_rng(), taken).tolist()
    if ids:
        title = f"{len(ids)} at random, for calibration"
        selection, event = {"sample_ids": ids}, decisions.new_event()
        assignments.assign(
            here.store, selection, [reviewer], copies=1, blind=True, title=title, author=reviewer, event_id=event, described=selection
        )
    return Drawn(sample_ids=ids)


def _checked(request: Request, now: ScoreMatrix, conditions: list[Condition], target: float) -> CheckedRule:
    here = services(request)
    rule = auto_approval.complete(now.settings, conditions)
    check = auto_approval.note_check(here.store, rule, here.reviewer(request))
    return CheckedRule(**vars(auto_approval.gate(now, rule, target, check.rank)), rules_checked=check.rules)


def _label_counts(now: ScoreMatrix, reviewers: int) -> LabelCounts:
    return LabelCounts(
        approved=int((now.label == 1).sum()),
        rejected=int((now.label == 0).sum()),
        disputed=int(now.disputed.sum()),
        bulk=int(now.bulk.sum()),
        reviewers=reviewers,
        inside=int((now.passing & (now.label >= 0)).sum()),
    )


def _by_type(now: ScoreMatrix) -> list[TypeLabels]:
    counts = np.bincount(now.error_type[now.label >= 0], minlength=len(now.error_types))
    rows = [TypeLabels(error_type=name, labels=int(count)) for name, count in zip(now.error_types, counts)]
    return sorted(rows, key=lambda row: (-row.labels, row.error_type))


def _filter(now: ScoreMatrix, column: int, chosen: np.ndarray) -> FilterAgreement:
    setting, stops = now.settings[column], now.thresholds[column]
    known = ~np.isnan(now.scores[setting.filter])
    label = np.where(chosen & known, now.label, -1)
    codes, bins = now.threshold_index[:, column], len(stops.cuts) + 1
    plugin = FILTERS.load(setting.filter) if setting.filter in FILTERS.names() else None
    return FilterAgreement(
        **vars(setting),
        **vars(_agreement(now.meets(setting.condition), label)),
        title=plugin.title if plugin else "its file is gone from curation/filters",
        cuts=stops.cuts.tolist(),
        scored=np.bincount(codes[known], minlength=bins).tolist(),
        approved_at=np.bincount(codes[label == 1], minlength=bins).tolist(),
        rejected_at=np.bincount(codes[label == 0], minlength=bins).tolist(),
    )


def _with_figure(row: FilterAgreement, curves: str) -> FilterShown:
    if not any(row.approved_at) and not any(row.rejected_at):
        return FilterShown(**vars(row), figure=None)
    tally = Tally(row.comparison, row.threshold, row.cuts, row.scored, row.approved_at, row.rejected_at)
    return FilterShown(**vars(row), figure=(charts.by_score if curves == "score" else charts.by_threshold)(row.filter, tally))


def _agreement(passes: np.ndarray, label: np.ndarray) -> PeopleAgreement:
    values = vars(agreement(passes, label))
    shares = {
        name: Share(value=None if math.isnan(share.value) else share.value, low=share.low, high=share.high)
        for name, share in values.items()
        if isinstance(share, Interval)
    }
    return PeopleAgreement(**{**values, **shares})


def _listed(rule: AutoRule | OpenRule) -> ListedRule:
    return ListedRule(**{name: getattr(rule, name) for name in ListedRule.model_fields})


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()
