"""Auto-approval: a rule that has proved itself on held-back labels approves what nobody has looked at, and an audit watches it.

What counts as a label: the standing decision of people who decided one by one (audits included), on the current revision,
where they agree. Bulk decisions are no labels: nobody looked at the single sample.
The gate opens for a rule if and only if the lower bound of its precision on the held-back half of the labels reaches the target. The
chance that it ever opens for a rule whose precision is at the target or below is at most 2.5 %, over all rules that were checked and
however often (curation/statistics/sequential.py; docs/auto_approval.md shows it by simulation). While it is open about 5 % of what it
approves (1 % of what the filters reject) waits in the audit lane; the gate closes again when Wilson's lower limit (two-sided 95 %) of
held-back and audited labels together is below the target, or the audited ones alone speak against it (twenty or more, whose upper limit
is below the target). Staying open asks for less than opening, else the next rejection would close what has just opened.
"""

import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from curation.calibration.approval_rules import (
    TARGET,
    labels_still_needed,
    lower_bound,
    lower_bound_reaches,
    murmur3_finalizer,
    proportion,
    search,
)
from curation.calibration.records import (
    Audit,
    AuditLane,
    GateState,
    Labelled,
    LeftOut,
    OpenRule,
    RuleCheck,
    RuleEvidence,
    StatusMove,
)
from curation.calibration.score_matrix import Marks, ScoreMatrix, Setting, score_matrix
from curation.statistics.intervals import wilson
from data.errors import MistakebookError
from data.records import AutoRule, Condition, Record
from data.statuses import UNDECIDED
from data.store import Store

APPROVALS_AUDITED, REJECTIONS_AUDITED = 500, 100  # of 10,000; sql/calibration.sql: sample_is_audited
ALONE = 20  # audited samples from which on they may speak against a rule alone: of fewer a single rejection would
AUDITOR = "audit"
MINUTE = 60.0
LANE_SECONDS = 10.0  # for which a count of the audit lane may be shown
log = logging.getLogger(__name__)


class GateClosed(MistakebookError):
    """The rule has not shown that it reaches the target."""


class BadRule(MistakebookError):
    """A condition names no filter, or asks for the wrong side of its scores."""


def gate(now: ScoreMatrix, conditions: Sequence[Condition], target: float = TARGET, rank: int = 1) -> RuleCheck:
    """How a rule stands: what it would approve, how it did on both halves of the labels, and whether it may be turned on.

    `rank`: it is the rank-th different rule that is checked on these labels (`note_check`). A rule approves only what passes the filters
    as they are set; labels of other samples say nothing of it.
    """
    inside = now.passing & now.inside(conditions)
    held, searched = (_on(now, inside & half) for half in (now.held, ~now.held))
    held = replace(held, low=lower_bound(held.approved, held.labels, rank))
    becomes = int((inside & now.open).sum())
    return RuleCheck(
        conditions=tuple(conditions),
        target=target,
        held=held,
        searched=searched,
        rank=rank,
        reached=lower_bound_reaches(held.approved, held.labels, target, rank),
        further=labels_still_needed(held.approved, held.labels, target, rank),
        becomes=becomes,
        left=int(now.open.sum()) - becomes,
        to_label=int((inside & now.open & now.held).sum()),
    )


def complete(settings: Sequence[Setting], conditions: Sequence[Condition]) -> list[Condition]:
    """The rule with the enabled filters' own settings in it, so that loosening a filter later does not widen the rule.

    Raises BadRule.
    """
    by_filter = {setting.filter: setting for setting in settings}
    asked = {condition.filter: condition for condition in conditions}
    for condition in conditions:
        setting = by_filter.get(condition.filter)
        if setting is None:
            raise BadRule(f"there is no filter {condition.filter!r}; there are: {', '.join(by_filter)}")
        if condition.comparison != setting.comparison:
            raise BadRule(f"filter {condition.filter} is met by scores {setting.comparison.replace('_', ' ')} a threshold")
    whole = []
    for setting in settings:
        own, wanted = setting.condition if setting.enabled else None, asked.get(setting.filter)
        both = [condition for condition in (own, wanted) if condition]
        if both:
            stricter = max if setting.comparison == "at_least" else min
            whole.append(Condition(setting.filter, setting.comparison, float(stricter(part.threshold for part in both))))
    if not whole:
        raise BadRule("no filter is enabled and no condition is given: such a rule would approve everything")
    return whole


def proposal(now: ScoreMatrix, target: float = TARGET, rank: int = 1) -> list[Condition]:
    """The rule that the search half speaks for; it would be the rank-th that is checked."""
    start = [level.position(setting.threshold) if setting.enabled else 0 for level, setting in zip(now.thresholds, now.settings)]
    positions = search(now.counted, target, start, rank)
    return [condition for level, position in zip(now.thresholds, positions) if (condition := level.condition(position))]


@dataclass(frozen=True)
class Check(Record):
    """A rule as it was checked on the held-back labels: the rank-th different one (its level follows from that), and how many there are."""

    rank: int
    rules: int


def note_check(store: Store, conditions: Sequence[Condition], author: str) -> Check:
    """Notes that a rule is checked on the held-back labels, before it is shown how it did. One that was checked before keeps its rank."""
    value = [asdict(condition) for condition in conditions]
    check = store.one("calibration_checks", Check, value=json.dumps(value))
    if check.rank <= check.rules:
        return check
    with store.write() as write:
        write.insert("setting", [{"name": "calibration_check", "value": json.dumps(value), "author": author}])
    return Check(check.rank, check.rank)


def next_rank(store: Store) -> int:
    """The rank that a rule would have that was never checked before."""
    return store.one("calibration_checks", Check, value="null").rules + 1


def turn_on(store: Store, conditions: Sequence[Condition], target: float, author: str) -> RuleEvidence:
    """Opens the gate for a rule; every sample's state follows in the same transaction. Returns the evidence. Raises GateClosed, BadRule."""
    rule = complete(score_matrix(store).settings, conditions)  # what has to be read is read before the writer is held up
    check = note_check(store, rule, author)
    with store.write() as write:
        now = score_matrix(store)
        rule = complete(now.settings, conditions)
        result = gate(now, rule, target, check.rank)
        if not result.reached:
            raise GateClosed(f"not turned on: {_why(result)}")
        evidence = RuleEvidence(
            **{name: getattr(result, name) for name in ("target", "held", "searched", "becomes", "left", "rank")},
            interval="lower bound for any number of looks and rules, 97.5 %",
            left_out=LeftOut(int(now.bulk.sum()), int(now.disputed.sum())),
            rules_checked=check.rules,
        )
        latest, rows = _latest(store), [asdict(condition) for condition in result.conditions]
        row = {"rule_id": latest.rule_id + 1 if latest else 1, "conditions": rows, "author": author, "reason": None}
        write.insert("auto_rule", [{**row, "evidence": evidence.to_row()}])
        write.run("auto_rule_lapses")
        write.run("auto_rule_applies", sample_ids=now.sample_ids[now.passing & now.inside(rule)].tolist())
    return evidence


def turn_off(store: Store, reason: str, author: str, evidence: dict | None = None, only: int | None = None) -> bool:
    """Closes the gate (of rule `only`, if given); what it had approved is pending again. False where it was closed already.

    Where the audit has closed it, a person's word is noted all the same: somebody has seen it.
    """
    with store.write() as write:
        latest = _latest(store)
        if not latest or (only is not None and latest.rule_id != only):
            return False
        if latest.conditions is None and (latest.author != AUDITOR or author == AUDITOR):
            return False
        row = {"rule_id": latest.rule_id + 1, "conditions": None, "author": author, "reason": reason, "evidence": evidence}
        write.insert("auto_rule", [row])
        write.run("auto_rule_lapses")
    return True


def open_rule(store: Store) -> OpenRule | None:
    """The rule that approves now; None where the gate is closed."""
    latest = _latest(store)
    return None if latest is None or latest.conditions is None else OpenRule(**vars(latest))


def state(store: Store) -> GateState:
    """Where the gate stands, for a line beside other pages."""
    latest = _latest(store)
    if not latest:
        return GateState("off", None, None)
    return GateState(
        "on" if latest.conditions is not None else "stopped" if latest.author == AUDITOR else "off", latest.reason, latest.created_at
    )


def audit(now: ScoreMatrix, rule: OpenRule) -> Audit:
    """What the audit of an open rule has found, and whether the rule stands.

    Audited are samples drawn by their number, not by a person, and decided since the gate opened.
    """
    target = rule.target
    draw = _draw(now.sample_ids, rule.rule_id)
    since = now.labelled_by > rule.review_mark
    inside = now.passing & now.inside(rule.conditions)
    lane = inside & (draw < APPROVALS_AUDITED)
    rejected = now.rejected & (draw < REJECTIONS_AUDITED)
    audited, together = _on(now, lane & since), _on(now, inside & (now.held | (lane & since)))
    wrongly = _on(now, rejected & since)
    why = None
    if together.low < target - 1e-12:
        why = f"with {audited.labels:,} audited samples the lower limit of its precision is {together.low:.3f}, below {target:g}"
    elif speaks_against(audited.approved, audited.labels, target):
        counts = f"{audited.approved:,} of {audited.labels:,}"
        why = f"reviewers approve {counts} audited samples: at best {audited.high:.3f}, below {target:g}"
    return Audit(
        approvals=AuditLane(**vars(audited), waiting=int((now.auto & (draw < APPROVALS_AUDITED)).sum())),
        rejections=AuditLane(**vars(wrongly), waiting=int((now.failing & (draw < REJECTIONS_AUDITED)).sum())),
        together=together,
        approves=int(now.auto.sum()),
        stands=why is None,
        why=why,
    )


def speaks_against(approved: int, labels: int, target: float) -> bool:
    """Whether audited samples alone, drawn by lot since the gate opened, put a rule below its target."""
    return labels >= ALONE and bool(wilson(approved, labels)[1] < target)


def check_audit(store: Store) -> str | None:
    """Closes the gate if the audit speaks against the rule; returns why it did."""
    rule = open_rule(store)
    if rule is None:
        return None
    check = audit(score_matrix(store), rule)
    if check.why is None:
        return None
    evidence = {**check.to_row(), "target": rule.target}
    if turn_off(store, check.why, AUDITOR, evidence, only=rule.rule_id):
        log.warning("auto-approve was turned off: %s", check.why)
        return check.why
    return None


def waiting(store: Store) -> int | None:
    """How many samples wait in the audit lane, as of some seconds ago; None while the gate is closed."""
    rule = open_rule(store)
    if rule is None:
        return None
    mark = (rule.rule_id, time.monotonic() // LANE_SECONDS)
    return store.memo("audit lane", mark, lambda _: store.one("audit_count", int))  # a tenth of a second at 553,992 samples


def after_decisions(store: Store, sample_ids: Sequence[int]) -> None:
    """To be called behind decisions (not before their answer): checks the audit where an audited sample was decided."""
    rule = open_rule(store)
    if rule and (_draw(np.array(sample_ids), rule.rule_id) < APPROVALS_AUDITED).any():
        check_audit(store)


def watch(store: Store, stopped: threading.Event, every: float = MINUTE) -> None:
    """Checks the audit each minute until `stopped` is set; a thread's work. Reads only where something was added."""
    seen = None
    while not stopped.wait(every):
        try:
            marks = store.one("calibration_marks", Marks)
            if marks != seen:
                check_audit(store)
                seen = store.one("calibration_marks", Marks)
        except Exception:  # it has to go on watching; a store that is being closed is no fault
            if not stopped.is_set():
                log.exception("the audit could not be checked")


def moves(store: Store, wanted: Setting) -> list[StatusMove]:
    """What a filter set so would do to samples that nobody has decided, most first. Nothing is changed."""
    now, rule = score_matrix(store), open_rule(store)
    conditions = rule.conditions if rule else None
    changed = [wanted if setting.filter == wanted.filter else setting for setting in now.settings]
    before, after = (now.statuses(settings, conditions)[~now.decided] for settings in (now.settings, changed))
    counts = np.bincount(before * len(UNDECIDED) + after, minlength=len(UNDECIDED) ** 2).reshape(len(UNDECIDED), -1)
    changes = [StatusMove(UNDECIDED[i], UNDECIDED[j], int(counts[i, j])) for i, j in zip(*np.nonzero(counts)) if i != j]
    return sorted(changes, key=lambda move: -move.samples)


def to_label(
    now: ScoreMatrix, conditions: Sequence[Condition] | None, count: int, rng: np.random.Generator, taken: Sequence[int] | np.ndarray = ()
) -> np.ndarray:
    """Random undecided samples inside a rule, of the held-back half as long as there are some: every one of these counts for the gate.

    Without conditions: of all that pass the filters, from both halves, for a search to begin with. `taken` are left out: samples
    that somebody was given already.
    """
    open = now.open if conditions is None else now.open & now.inside(conditions)
    open = open & ~np.isin(now.sample_ids, np.asarray(taken, dtype=np.int64))
    first = rng.permutation(np.flatnonzero(open & now.held)) if conditions is not None else rng.permutation(np.flatnonzero(open))
    rest = rng.permutation(np.flatnonzero(open & ~now.held)) if conditions is not None else first[:0]
    return now.sample_ids[np.concatenate([first, rest])[:count]]


def _latest(store: Store) -> AutoRule | None:
    return store.row("auto_rule_latest", AutoRule)


def _draw(sample_ids: np.ndarray, rule_id: int) -> np.ndarray:
    """The lot of each sample under a rule, 0 to 9,999 (sql/calibration.sql: sample_is_audited)."""
    return murmur3_finalizer(murmur3_finalizer(sample_ids) + np.uint64(rule_id)) % np.uint64(10_000)


def _on(now: ScoreMatrix, which: np.ndarray) -> Labelled:
    """The labels among these samples."""
    labels = which & (now.label >= 0)
    n, k = int(labels.sum()), int((now.label[labels] == 1).sum())
    interval = proportion(k, n)
    return Labelled(n, k, interval.value if n else None, float(interval.low), float(interval.high))


def _why(found: RuleCheck) -> str:
    held, target = found.held, found.target
    if not held.labels:
        return "no held-out label matches the rule"
    return (
        f"reviewers approved {held.approved:,} of {held.labels:,} held-out samples that match the rule; "
        f"the lower limit is {held.low:.3f}, the target {target:g}"
    )
