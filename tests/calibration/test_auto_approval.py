"""Auto-approval on a store: what counts as a label, gates that open and close, states that follow, the audit that stops a rule."""

import random
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curation.calibration import auto_approval
from curation.calibration.approval_rules import murmur3_finalizer
from curation.calibration.auto_approval import APPROVALS_AUDITED, BadRule, Check, GateClosed
from curation.calibration.score_matrix import score_matrix
from curation.filtering.settings import change_setting
from curation.review import decisions
from data.records import Condition
from data.store import Store
from tests.support.stores import differences

JUDGE, AGREES = Condition("judge", "at_least", 3.0), Condition("agreement", "at_least", 0.9)


@pytest.fixture
def full(store):
    """Six hundred drawn samples: half of them with an agreement of 1, half with 0.6; every tenth fails the judge."""
    fill(store, 600)
    return store


def fill(store: Store, count: int) -> list[int]:
    row = {"round": 1, "dataset": "d", "route": "same_image", "question": "How many?", "choices": [], "answer": "2", "image": "aa"}
    filters = (("judge", 0, 3.0), ("agreement", 1, 0.5), ("needs_image", 2, 0.5))
    with store.write() as write:
        if not store.rows("filters"):
            write.insert("filter_setting", [_setting(*setting) for setting in filters])
        start = store.row("calibration_marks")["samples"]
        kinds = ("counting", "negation")
        keys = [{"key": f"{start}-{i}", "error_type": kinds[i % 2], **row} for i in range(count)]
        ids = sorted(write.insert("sample", keys, returning="sample_id"))
        write.insert("verdict", [row for i, sample_id in enumerate(ids) for row in _verdicts(i, sample_id)])
        write.touch(ids)
    return ids


def _setting(name, bit, threshold):
    on = name != "needs_image"
    return {"filter": name, "bit": bit, "enabled": on, "threshold": threshold, "comparison": "at_least", "author": "ann"}


def _verdicts(i, sample_id):
    scores = {"judge": 1.0 if i % 10 == 0 else 3.0, "agreement": 1.0 if i % 2 else 0.6, "needs_image": (i % 7) / 7}
    shared = {"sample_id": sample_id, "revision": 0, "version": 1, "reason": "", "job_id": 1}
    return [{"filter": name, "score": score, **shared} for name, score in scores.items()]


def decide(store, sample_id, action="approve", who="ada"):
    revision = store.rows("sample_revisions", sample_ids=[sample_id])[0]["revision"]
    return decisions.decide(store, decisions.Decision(sample_id, revision, action, decisions.new_event()), who)


def label(store, approved, rejected, inside, held=True):
    """Lets Ada approve and reject samples inside a rule, of one half; returns those that she decided."""
    now = score_matrix(store)
    chosen = now.sample_ids[now.open & now.inside(inside) & (now.held == held)].tolist()
    assert len(chosen) >= approved + rejected
    actions = ["approve"] * approved + ["reject"] * rejected
    decisions.decide_each(store, [decisions.Decision(i, 0, one, decisions.new_event()) for i, one in zip(chosen, actions)], "ada")
    return chosen[: approved + rejected]


def statuses(store):
    return {row["status"]: row["count"] for row in store.rows("sample_statuses")}


def labels(store):
    now = score_matrix(store)
    return {int(i): int(one) for i, one in zip(now.sample_ids, now.label) if one >= 0}


def test_single_decisions_are_labels_and_bulk_ones_are_not(full):
    ids = score_matrix(full).sample_ids.tolist()
    decide(full, ids[1])
    decide(full, ids[2], "reject")
    for who, action in (("ada", "approve"), ("ben", "reject")):
        decide(full, ids[3], action, who)
    decide(full, ids[4])
    decide(full, ids[4], "reset")
    decisions.decide_bulk(full, {"sample_ids": ids[5:9]}, "approve", "ada", decisions.new_event())
    decide(full, ids[6], "reject", "ben")  # Ben looked at it, Ada's bulk approval says nothing
    now = score_matrix(full)
    assert labels(full) == {ids[1]: 1, ids[2]: 0, ids[6]: 0}
    assert now.sample_ids[now.disputed].tolist() == [ids[3]]
    assert now.sample_ids[now.bulk].tolist() == [ids[5], ids[7], ids[8]]
    decisions.edit(full, ids[1], 0, "How many dogs?", [], "3", "ada", decisions.new_event())
    assert labels(full) == {ids[2]: 0, ids[6]: 0}  # the decision named a text that is no more
    assert np.isnan([scores[1] for scores in score_matrix(full).scores.values()]).all()


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_what_is_read_piece_by_piece_is_what_is_read_at_once(tmp_path_factory, seed):
    rng, store = random.Random(seed), Store(tmp_path_factory.mktemp("pieces") / "store.duckdb")
    ids, events = fill(store, 12), []
    for _ in range(25):
        sample_id, what = rng.choice(ids), rng.choice(["decide", "decide", "edit", "verdict", "bulk", "undo", "more", "setting", "read"])
        state = store.rows("sample_revisions", sample_ids=[sample_id])[0]
        event = decisions.new_event()
        if what == "decide":
            decision = decisions.Decision(sample_id, state["revision"], rng.choice(["approve", "reject", "reset"]), event)
            decisions.decide(store, decision, rng.choice(["ada", "ben"]))
        elif what == "edit":
            decisions.edit(store, sample_id, state["revision"], f"How many {rng.random()}?", [], "2", "ada", event)
        elif what == "verdict":
            with store.write() as write:
                row = {"sample_id": sample_id, "revision": state["revision"], "version": 1, "reason": "", "job_id": rng.randrange(10**9)}
                write.insert("verdict", [{**row, "filter": "judge", "score": rng.choice([1.0, 3.0, None])}])
                write.touch([sample_id])
        elif what == "bulk":
            decisions.decide_bulk(store, {"sample_ids": rng.sample(ids, 3)}, rng.choice(["approve", "reject"]), "ada", event)
        elif what == "undo" and events:
            decisions.undo(store, "ada", event, undone_event=rng.choice(events))
        elif what == "more":
            ids += fill(store, 2)
        elif what == "setting":
            change_setting(store, "agreement", rng.random() < 0.8, rng.choice([0.5, 0.7]), "ann")
        else:
            score_matrix(store)
        events.append(event)
    pieces = score_matrix(store)
    store.close()
    again = Store(store.path)
    whole = score_matrix(again)
    for name in ("sample_ids", "label", "disputed", "bulk", "labelled_by", "passing", "open", "auto", "held"):
        assert (getattr(pieces, name) == getattr(whole, name)).all(), name
    for name, scores in whole.scores.items():
        assert np.array_equal(pieces.scores[name], scores, equal_nan=True), name
    assert (whole.passing == (whole.drawn & whole.inside([setting.condition for setting in whole.settings if setting.enabled]))).all()
    again.close()


def test_the_gate_opens_at_the_lower_limit_and_not_before(full):
    label(full, 120, 0, [JUDGE, AGREES])
    label(full, 0, 20, [JUDGE, AGREES], held=False)  # the half that rules are searched on doesn't count here
    gate = auto_approval.gate(score_matrix(full), [JUDGE, AGREES])
    assert (gate.held.labels, gate.reached, gate.further) == (120, False, 1)
    with pytest.raises(GateClosed, match=r"120 of 120 held-out samples .* the lower limit is 0\.950, the target 0\.95"):
        auto_approval.turn_on(full, [JUDGE, AGREES], 0.95, "ada")
    assert statuses(full).get("auto_approved") is None
    label(full, 1, 0, [JUDGE, AGREES])
    evidence = auto_approval.turn_on(full, [AGREES], 0.95, "ada")
    assert evidence.held.labels == 121 and evidence.becomes + evidence.left == int(score_matrix(full).open.sum())
    assert statuses(full)["auto_approved"] == evidence.becomes > 0 and statuses(full)["pending"] == evidence.left
    assert differences(full) == 0
    (row,) = full.rows("auto_rules", limit=5)
    assert row["author"] == "ada" and {condition["filter"] for condition in row["conditions"]} == {
        "judge",
        "agreement",
    }  # the filters' settings are in it


def test_people_win_and_turning_off_gives_all_back(full):
    label(full, 125, 0, [JUDGE, AGREES])
    before = statuses(full)
    evidence = auto_approval.turn_on(full, [AGREES], 0.95, "ada")
    now = score_matrix(full)
    mine = int(now.sample_ids[now.auto][0])
    assert decide(full, mine, "reject").status == "rejected"
    assert decide(full, mine, "reset").status == "auto_approved"
    new = fill(full, 40)
    later = {row["sample_id"]: row["status"] for row in full.rows("sample_revisions", sample_ids=new)}
    assert {later[i] for i in new[1:10:2]} == {"auto_approved"} and later[new[2]] == "pending" and later[new[0]] == "failed"
    change_setting(full, "agreement", False, 0.5, "ann")  # loosening a filter doesn't widen the rule
    assert statuses(full)["auto_approved"] == evidence.becomes + 20
    change_setting(full, "agreement", True, 0.5, "ann")
    assert auto_approval.turn_off(full, "enough", "ben") and not auto_approval.turn_off(full, "enough", "ben")
    assert statuses(full) == {**before, "pending": before["pending"] + 36, "failed": before["failed"] + 4} and differences(full) == 0
    assert auto_approval.open_rule(full) is None and full.column("audit_waiting") == []


def test_a_rule_that_asks_for_nothing_sensible_is_refused(full):
    with pytest.raises(BadRule, match="there are: judge, agreement, needs_image"):
        auto_approval.turn_on(full, [Condition("nope", "at_least", 1)], 0.95, "ada")
    with pytest.raises(BadRule, match="at least"):
        auto_approval.turn_on(full, [Condition("judge", "at_most", 1)], 0.95, "ada")
    with pytest.raises(GateClosed, match="no held-out label"):
        auto_approval.turn_on(full, [], 0.95, "ada")
    for name, threshold in (("judge", 3.0), ("agreement", 0.5)):
        change_setting(full, name, False, threshold, "ann")
    with pytest.raises(BadRule, match="would approve everything"):
        auto_approval.turn_on(full, [], 0.95, "ada")


def opened(store, more=1400):
    """A store of two thousand samples with an open gate; its rule and the lane that waits."""
    fill(store, more)
    label(store, 150, 0, [JUDGE, AGREES])
    auto_approval.turn_on(store, [AGREES], 0.95, "ada")
    return auto_approval.open_rule(store), store.column("audit_waiting")


def test_the_audit_lane_is_drawn_by_number_from_what_was_decided_by_machine(full):
    rule, lane = opened(full)
    now = score_matrix(full)
    draw = murmur3_finalizer(murmur3_finalizer(now.sample_ids) + np.uint64(rule.rule_id)) % 10_000
    wanted = (now.auto & (draw < 500)) | (now.failing & (draw < 100))
    assert sorted(lane) == now.sample_ids[wanted].tolist() and len(lane) > 20 and lane != sorted(lane)
    check = auto_approval.audit(now, rule)
    assert check.approvals.waiting + check.rejections.waiting == len(lane)
    assert check.stands and check.approvals.labels == 0 and check.together.labels == 150


def test_an_audit_that_finds_errors_closes_the_gate_by_itself(full):
    _, lane = opened(full)
    now = score_matrix(full)
    approved = [i for i in lane if now.auto[np.searchsorted(now.sample_ids, i)]]
    decide(full, approved[0])
    auto_approval.after_decisions(full, [approved[0]])
    assert auto_approval.state(full).state == "on" and statuses(full)["auto_approved"] > 0
    rejected = 0
    while auto_approval.state(full).state == "on":
        rejected += 1
        decide(full, approved[rejected], "reject", "ben")
        auto_approval.after_decisions(full, [approved[rejected]])
    assert rejected == 3  # Wilson's lower limit: 151 of 153 is 0.954, 151 of 154 is 0.944
    assert auto_approval.state(full).why.startswith("with 4 audited samples the lower limit of its precision is 0.944, below 0.95")
    assert "auto_approved" not in statuses(full) and differences(full) == 0
    assert auto_approval.turn_off(full, "seen", "ada") and auto_approval.state(full).state == "off"


def test_audited_samples_may_speak_alone_against_much_earlier_evidence(full):
    """Three hundred labels of earlier times would drown what people find now."""
    fill(full, 1400)
    label(full, 300, 0, [JUDGE, AGREES])
    auto_approval.turn_on(full, [AGREES], 0.95, "ada")
    now, lane = score_matrix(full), full.column("audit_waiting")
    approved = [i for i in lane if now.auto[np.searchsorted(now.sample_ids, i)]]
    for sample_id in approved[:4]:
        decide(full, sample_id, "reject")
    assert auto_approval.check_audit(full) is None
    for sample_id in approved[4:20]:
        decide(full, sample_id)
    assert auto_approval.check_audit(full) == "reviewers approve 16 of 20 audited samples: at best 0.919, below 0.95"


def test_samples_that_nobody_drew_by_lot_do_not_close_the_gate_alone(full):
    """People look for errors among what was approved: a rejection outside of lane and held-back half is no random one."""
    rule, _ = opened(full)
    now = score_matrix(full)
    draw = murmur3_finalizer(murmur3_finalizer(now.sample_ids) + np.uint64(rule.rule_id)) % 10_000
    chosen = now.sample_ids[now.auto & ~now.held & (draw >= APPROVALS_AUDITED)][:30].tolist()
    for sample_id in chosen:
        decide(full, sample_id, "reject")
    assert auto_approval.check_audit(full) is None and auto_approval.state(full).state == "on"


def test_the_watch_looks_where_no_decision_told_it_to(full):
    _, lane = opened(full)
    stopped = threading.Event()
    watching = threading.Thread(target=auto_approval.watch, args=(full, stopped, 0.05), daemon=True)
    watching.start()
    now = score_matrix(full)
    for sample_id in [i for i in lane if now.auto[np.searchsorted(now.sample_ids, i)]][:4]:
        decide(full, sample_id, "reject")
    while auto_approval.state(full).state != "stopped":  # or the test takes too long
        watching.join(0.1)
    stopped.set()
    watching.join()


def test_what_is_to_be_labelled_next_counts_for_the_gate(full):
    now, rng = score_matrix(full), np.random.default_rng(0)
    drawn = auto_approval.to_label(now, [JUDGE, AGREES], 40, rng)
    place = np.searchsorted(now.sample_ids, drawn)
    assert len(set(drawn.tolist())) == 40 and now.held[place].all() and now.inside([JUDGE, AGREES])[place].all() and now.open[place].all()
    all_of_it = auto_approval.to_label(now, [JUDGE, AGREES], 10_000, rng)
    assert len(all_of_it) == (now.open & now.inside([JUDGE, AGREES])).sum()
    either = np.searchsorted(now.sample_ids, auto_approval.to_label(now, None, 100, rng))
    assert 20 < now.held[either].sum() < 80


def test_rules_that_are_checked_are_counted_once_each_and_keep_their_rank(full):
    first, again = (auto_approval.note_check(full, [JUDGE], who) for who in ("ada", "ben"))
    assert first == again == Check(1, 1) and auto_approval.next_rank(full) == 2
    assert auto_approval.note_check(full, [JUDGE, AGREES], "ada") == Check(2, 2)
    assert auto_approval.note_check(full, [JUDGE], "ada") == Check(1, 2) and auto_approval.next_rank(full) == 3


def test_each_further_rule_has_to_show_more(full):
    label(full, 121, 0, [JUDGE, AGREES])
    now = score_matrix(full)
    assert auto_approval.gate(now, [JUDGE, AGREES]).reached and not auto_approval.gate(now, [JUDGE, AGREES], rank=2).reached
    for threshold in (0.1, 0.2):
        auto_approval.note_check(full, [JUDGE, Condition("needs_image", "at_least", threshold)], "ada")
    with pytest.raises(GateClosed, match="121 of 121"):  # the third rule that is checked on these labels
        auto_approval.turn_on(full, [AGREES], 0.95, "ada")
    assert auto_approval.gate(score_matrix(full), [JUDGE, AGREES], rank=3).further > 20
