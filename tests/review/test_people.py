"""Several reviewers: who gets what, what is hidden from whom, how a dispute is settled, how far people agree."""

import json
import uuid
from collections import Counter

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.access.users import Users
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.review import assignments, blinding, decisions, reviewer_agreement
from curation.review.assignments import Share
from curation.stages import stage_class
from curation.ui.generate.answers import LatestSample
from curation.ui.server.app import create_app
from tests.support.seed import seeded_store

PEOPLE, PASSWORD = ("ada", "grace", "lin"), "correct horse battery"


@pytest.fixture
def team(tmp_path):
    """A store, and how each of three people with a login asks the app."""
    store, _, workspace = seeded_store(tmp_path / "seeded", 40, samples=90, seed=13)
    users = Users(tmp_path / "users.json")
    for name in PEOPLE:
        users.add(name, "editor" if users.all() else "admin", PASSWORD)
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(auth=users.path), headless=True)
    yield store, {name: _asking(app, name) for name in PEOPLE}
    store.close()


def _asking(app, name):
    client = TestClient(app, base_url="http://127.0.0.1", headers={"Origin": "http://127.0.0.1"})
    assert client.post("/login", json={"name": name, "password": PASSWORD}).status_code == 200

    def ask(path, status=200, **body):
        answer = client.post(f"/api/review/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


def event():
    return uuid.uuid4().hex


def decide(ask, card, action, **more):
    return ask("decide", sample_id=card["sample_id"], revision=card["revision"], action=action, event_id=event(), **more)


def pending(ask, count):
    return ask("next", matching={"statuses": ["pending"]}, order="newest", count=count)["cards"]


# Assignments --------------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 200), st.integers(1, 7), st.integers(1, 7), st.text(min_size=8, max_size=8))
def test_dealing_is_even_without_repetition_and_always_the_same(count, reviewers, copies, seed):
    copies = min(copies, reviewers)
    dealt = assignments.distribute(count, reviewers, copies, seed)
    assert dealt.shape == (count, copies)
    assert all(len(set(row)) == copies for row in dealt.tolist())
    loads = np.bincount(dealt.reshape(-1), minlength=reviewers)
    assert loads.max() - loads.min() <= 1
    assert (dealt == assignments.distribute(count, reviewers, copies, seed)).all()


def test_each_pair_of_reviewers_shares_samples():
    pairs = Counter(tuple(sorted(row)) for row in assignments.distribute(600, 4, 2, "a fixed seed").tolist())
    assert len(pairs) == 6 and min(pairs.values()) > 60


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_when_people_change_what_is_decided_stays_and_the_rest_is_even(data):
    count, copies = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 2))
    before = data.draw(st.lists(st.sampled_from("abcde"), min_size=copies, max_size=5, unique=True))
    after = data.draw(st.lists(st.sampled_from("abcdef"), min_size=copies + 1, max_size=6, unique=True))
    dealt = assignments.distribute(count, len(before), copies, "seed")
    shares = [Share(sample, before[place], data.draw(st.booleans())) for sample, row in enumerate(dealt.tolist()) for place in row]
    waiting = [share for share in shares if not share.decided]
    given_out, moved = assignments.redistribute(shares, after)
    assert len(given_out) == len(waiting) and all(share.reviewer in after for share in given_out)
    holders = Counter((s.sample_id, s.reviewer) for s in given_out) + Counter((s.sample_id, s.reviewer) for s in shares if s.decided)
    assert not holders or max(holders.values()) == 1
    stayed = {(s.sample_id, s.reviewer) for s in waiting} & {(s.sample_id, s.reviewer) for s in given_out}
    assert moved == len(waiting) - len(stayed)
    if copies == 1:
        loads = Counter(share.reviewer for share in given_out)
        assert not waiting or max(loads[who] for who in after) - min(loads[who] for who in after) <= 1


def test_an_assignment_is_dealt_once_and_shows_as_each_ones_queue(team):
    _, ask = team
    matching = {"statuses": ["pending"]}
    wanted = ask["ada"]("assign/preview", matching=matching)["samples"]
    sent = {"matching": matching, "reviewers": list(PEOPLE), "copies": 2, "event_id": event(), "title": "first look"}
    made = ask["ada"]("assign", **sent)
    assert made["samples"] == wanted and ask["ada"]("assign", **sent) == made
    assert ask["ada"]("assign/preview", matching=matching) == {"samples": 0, "assigned": wanted}
    assert "assigned already" in ask["ada"]("assign", 409, **{**sent, "event_id": event()})["error"]
    queues = {who: {card["sample_id"] for card in ask[who]("next", matching={"queue": "mine"}, count=100)["cards"]} for who in PEOPLE}
    assert Counter(sample for ids in queues.values() for sample in ids) == dict.fromkeys(set.union(*queues.values()), 2)
    assert sum(map(len, queues.values())) == 2 * wanted and max(map(len, queues.values())) - min(map(len, queues.values())) <= 1

    card = ask["grace"]("next", matching={"queue": "mine"}, count=1)["cards"][0]
    decide(ask["grace"], card, "approve")
    assert card["sample_id"] not in {c["sample_id"] for c in ask["grace"]("next", matching={"queue": "mine"}, count=100)["cards"]}
    assert [c["sample_id"] for c in ask["grace"]("next", matching={"queue": "done"})["cards"]] == [card["sample_id"]]
    assert ask["grace"]("facets")["queue"] == {"assigned": len(queues["grace"]), "done": 1}
    other = next(who for who in PEOPLE if who != "grace" and card["sample_id"] in queues[who])
    assert card["sample_id"] in {c["sample_id"] for c in ask[other]("next", matching={"queue": "mine"}, count=100)["cards"]}

    people = {row["reviewer"]: row for row in ask["ada"]("people")["reviewers"]}
    assert (people["grace"]["done"], people["grace"]["assigned"]) == (1, len(queues["grace"]))
    sent = {"assignment_id": made["assignment_id"], "reviewers": ["ada", "lin"], "event_id": event()}
    assert ask["ada"]("reassign", **sent) == ask["ada"]("reassign", **sent)
    assert ask["grace"]("facets")["queue"] == {"assigned": 1, "done": 1}
    assert ask["ada"]("next", matching={"queue": "mine"})["total"] >= wanted - 1
    assert "no login 'lim'" in ask["ada"]("reassign", 409, **{**sent, "reviewers": ["ada", "lim"], "event_id": event()})["error"]
    assert "name more" in ask["ada"]("reassign", 409, **{**sent, "reviewers": ["ada"], "event_id": event()})["error"]
    assert "no assignment 99" in ask["ada"]("reassign", 404, assignment_id=99, reviewers=["ada"], event_id=event())["error"]


# Blind ---------------------------------------------------------------------------------------------------------


def everything(ask, card):
    """All that the review routes tell somebody about a sample."""
    sample = card["sample_id"]
    cards = [ask("card", sample_id=sample), ask("next", start=sample, count=1)["cards"]]
    cards.append(ask("page", matching={"sample_ids": [sample]})["rows"])
    for queue in ("mine", "done"):
        cards.append([card for card in ask("next", matching={"queue": queue}, count=100)["cards"] if card["sample_id"] == sample])
    for one in (card for part in cards for card in (part if isinstance(part, list) else [part])):
        one["siblings"] = [row["sample_id"] for row in one.get("siblings", [])]  # other samples: blind only where these are, too
    return json.dumps(cards)


@pytest.mark.parametrize("how", ["workspace", "assignment"])
def test_what_others_and_the_filters_said_never_leaves_the_server_before_one_has_decided(team, how):
    _, ask = team
    card = ask["ada"]("next", matching={"statuses": ["failed"]}, order="newest", count=1)["cards"][0]
    sample = card["sample_id"]
    if how == "workspace":
        ask["ada"]("blind", on=True)
    else:
        shared = {"matching": {"sample_ids": [sample]}, "reviewers": ["grace", "lin"], "copies": 2, "blind": True}
        ask["ada"]("assign", **shared, event_id=event())
    decide(ask["grace"], card, "reject", reason="off target", note="no mistake of this kind")
    telling = (
        "grace",
        "off target",
        "no mistake of this kind",
        "rejected",
        "reject",
        "failed",
        "not good enough",
        *(v["filter"] for v in card["verdicts"]),
    )
    seen = everything(ask["lin"], card)
    assert not [word for word in telling if f'"{word}' in seen or f'{word}"' in seen]
    assert ask["lin"]("card", sample_id=sample)["blind"] and not ask["grace"]("card", sample_id=sample)["blind"]
    if how == "assignment":
        assert "one by one" in ask["lin"]("bulk/preview", 409, matching={"queue": "mine"})["error"]
        for matching in ({"sample_ids": [sample]}, {"statuses": ["rejected"]}, {"failing": [card["verdicts"][0]["filter"]]}, {}):
            assert sample not in {c["sample_id"] for c in ask["lin"]("next", matching=matching, count=100)["cards"]}
        assert ask["lin"]("next", start=sample, count=1)["cards"][0]["key"] is None
        for matching in ({"statuses": ["approved"]}, {"failing": ["no such filter"]}):  # asking by what is hidden narrows nothing
            assert sample in {c["sample_id"] for c in ask["lin"]("next", matching={"queue": "mine", **matching}, count=100)["cards"]}
    else:  # nor can it be asked by what it isn't allowed to see
        assert "one by one" in ask["lin"]("bulk/preview", 409, matching={"statuses": ["pending"]})["error"]
        assert ask["lin"]("bulk/preview", matching={"sample_ids": [sample]})["total"] == 0
        for statuses in (["rejected"], ["approved"], ["failed"]):
            assert sample not in {c["sample_id"] for c in ask["lin"]("next", matching={"statuses": statuses}, count=100)["cards"]}
        assert ask["lin"]("next", matching={"statuses": ["pending"]})["order"] == "random"
    decide(ask["lin"], card, "approve")
    after = ask["lin"]("card", sample_id=sample)
    assert not after["blind"] and after["status"] == "disputed" and after["verdicts"]
    assert {(e["reviewer"], e["action"], e["note"]) for e in after["events"]} >= {("grace", "reject", "no mistake of this kind")}


def test_a_dispute_is_settled_by_whoever_looked_and_counts_over_all_until_undone(team):
    store, ask = team
    first, second = pending(ask["ada"], 2)
    ask["ada"]("blind", on=True)
    for card in (first, second):
        decide(ask["ada"], card, "approve")
        assert decide(ask["grace"], card, "reject")["status"] == "disputed"
    # blind, lin's word is one more; claiming to settle changes nothing
    assert decide(ask["lin"], first, "approve", settles=True)["status"] == "disputed"
    assert ask["lin"]("card", sample_id=second["sample_id"])["disputed"]
    ask["lin"]("reveal", sample_id=second["sample_id"])
    shown = ask["lin"]("card", sample_id=second["sample_id"])
    assert not shown["blind"] and {e["reviewer"] for e in shown["events"]} == {"ada", "grace"}
    settling = event()
    sent = {"sample_id": second["sample_id"], "revision": second["revision"], "action": "reject", "settles": True, "event_id": settling}
    assert ask["lin"]("decide", **sent)["status"] == "rejected" and ask["lin"]("decide", **sent)["status"] == "rejected"
    assert ask["lin"]("card", sample_id=second["sample_id"])["events"][-1]["settles"]
    assert decide(ask["ada"], second, "approve")["status"] == "rejected"
    before = {row["sample_id"]: row for row in store.rows("samples_matching")}
    store.rebuild_states()
    assert {row["sample_id"]: row for row in store.rows("samples_matching")} == before
    ask["lin"]("undo", event_id=event(), undone_event=settling)
    assert ask["ada"]("card", sample_id=second["sample_id"])["status"] == "disputed"


def test_what_a_rule_approved_goes_blind_into_its_audit(team):
    store, ask = team
    while not store.column("audit_waiting"):  # about one in twenty is drawn, others by each rule
        with store.write() as write:
            rule = {"filter": "judge", "comparison": "at_least", "threshold": 3.0}
            write.insert("auto_rule", [{"conditions": [rule], "author": "ada", "reason": None}])
        store.rebuild_states()
    waiting = store.column("audit_waiting")
    lane = ask["lin"]("next", matching={"queue": "audit"}, count=100)
    assert sorted(card["sample_id"] for card in lane["cards"]) == sorted(waiting) and lane["order"] == "random"
    assert all(card["blind"] and card["status"] == "pending" and not card["verdicts"] for card in lane["cards"])
    assert decide(ask["lin"], lane["cards"][0], "reject")["status"] == "rejected"
    assert not ask["lin"]("card", sample_id=lane["cards"][0]["sample_id"])["blind"]
    assert ask["ada"]("next", matching={"queue": "audit"})["total"] == len(waiting) - 1


def test_in_a_blind_workspace_no_sample_is_found_by_a_filter_that_it_fails(team):
    _, ask = team
    facets = ask["grace"]("facets", statuses=["failed"])["facets"]["failing"]
    assert facets
    ask["ada"]("blind", on=True)
    whole, narrowed = (ask["grace"]("page", matching=matching, order="oldest") for matching in ({}, {"failing": [facets[0]["value"]]}))
    assert whole["total"] > 0 and narrowed == whole
    assert ask["grace"]("facets")["facets"]["failing"] == []


def test_only_words_said_alone_count_for_agreement(team):
    store, ask = team
    seeded = reviewer_agreement.of_workspace(store)
    cards = pending(ask["ada"], 6)
    for card, said in zip(cards, ("approve", "approve", "reject", "approve", "reject", "reject")):
        decide(ask["ada"], card, "approve")
        decide(ask["lin"], card, said)
    decide(ask["lin"], cards[2], "approve", settles=True)  # a change of mind after a look
    many = {"sample_ids": [card["sample_id"] for card in cards]}
    ask["grace"]("bulk", matching=many, action="reject", event_id=event())  # nobody looked
    agreement = ask["ada"]("agreement")
    pair = next(row for row in agreement["pairs"] if (row["one"], row["other"]) == ("ada", "lin"))
    assert [pair[name] for name in ("both_approve", "only_one", "only_other", "both_reject")] == [3, 3, 0, 0]
    assert pair["agree"] == 0.5 and pair["kappa"] == 0.0
    assert agreement["units"] == seeded.units + 6 and agreement["low"] <= agreement["alpha"] <= agreement["high"]
    assert not [row for row in agreement["pairs"] if {row["one"], row["other"]} == {"grace", "lin"}]


def test_the_pace_leaves_pauses_out(team):
    store, ask = team
    cards = pending(ask["ada"], 5)
    for card in cards:
        decide(ask["lin"], card, "approve")
    with store.write() as write:  # as if lin had decided every four seconds, with an hour's lunch after the second
        for place, card in enumerate(cards):
            at = 4 * place + (3600 if place >= 2 else 0)
            moment = "TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(?)"
            text = f"UPDATE review SET created_at = {moment} WHERE reviewer = 'lin' AND sample_id = ?"
            write._cursor.execute(text, [at, card["sample_id"]])
    row = next(row for row in ask["ada"]("people")["reviewers"] if row["reviewer"] == "lin")
    assert (row["decisions"], row["timed"], row["active_seconds"], row["median_seconds"]) == (5, 3, 12.0, 4.0)
    assert row["per_hour"] == pytest.approx(900) and row["approve_share"] == 1


def test_nobody_is_blind_unless_it_was_asked_for(team):
    store, ask = team
    assert not blinding.everywhere(store) and not ask["lin"]("facets")["blind"]
    ids = [row["sample_id"] for row in store.rows("samples_matching")]
    assert blinding.hidden(store, "lin", ids) == set()
    assert decisions.preview_bulk(store, {}, "approve").total == len(ids)


def test_other_pages_and_the_command_line_don_t_tell_of_single_samples_either(tmp_path):
    from tests.clusters.test_edits import Api

    store, _, workspace = seeded_store(tmp_path / "seeded", 60, samples=60)
    api = Api(store, workspace)  # ada's
    ids = [row["sample_id"] for row in store.rows("samples_matching", statuses=["pending"])]
    row = next(row for row in store.rows("review_cards", sample_ids=ids) if row["failure_id"])
    sample, failure, job = row["sample_id"], row["failure_id"], row["job_id"]
    decisions.decide(store, decisions.Decision(sample, row["revision"], "approve", event()), "grace")
    assert api("failures/card", failure_id=failure)["approved"] >= 1
    blinding.set_everywhere(store, True, "grace")
    assert api("failures/card", failure_id=failure)["approved"] is None
    rows = store.rows("generate_latest", LatestSample, job_id=job, limit=500)
    shown = {row.sample_id: row.status for row in blinding.elsewhere(store, "ada", rows, ["status"])}
    assert shown[sample] is None
    assert "blind review" in api("command/review/preview", 409, action="approve", matching={"sample_ids": [sample]})["error"]
    assert "blind review" in api("command/review", 409, action="approve", matching={"sample_ids": [sample]})["error"]
    api("review/decide", sample_id=sample, revision=row["revision"], action="approve", event_id=event())
    shown = {row.sample_id: row.status for row in blinding.elsewhere(store, "ada", rows, ["status"])}
    assert shown[sample] == "approved"
    store.close()
