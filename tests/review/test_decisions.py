"""People's decisions: whatever order they come in and however often they are sent, the log and the states agree with a plain model."""

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.review import decisions, handwritten, queue
from curation.review.cards import cards
from data.images import ImageStore
from data.search import Search
from data.store import Store
from data.workspace import Workspace
from tests.support.seed import seeded_store

ORDERS = ("informative", "random", "newest", "oldest")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """For tests that change nothing."""
    store, _, _ = seeded_store(tmp_path_factory.mktemp("reviews") / "seeded", 60, samples=120, seed=11)
    yield store
    store.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workspace to copy: drawing one takes longer than the tests."""
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("made") / "seeded", 40, samples=60, seed=5)
    store.close()
    return workspace.root


@pytest.fixture
def seeded(made, tmp_path):
    workspace = Workspace(shutil.copytree(made, tmp_path / "seeded"))
    store = Store(workspace.store)
    yield store, workspace
    store.close()


@pytest.fixture(scope="module")
def worn(made, tmp_path_factory):
    """For tests that decide and take everything back, over and over."""
    store = Store(Workspace(shutil.copytree(made, tmp_path_factory.mktemp("worn") / "seeded")).store)
    yield store
    store.close()


def states(store):
    return {row["sample_id"]: row for row in store.rows("samples_matching")}


def ids_with(store, status):
    return [sample_id for sample_id, row in states(store).items() if row["status"] == status]


def texts(store, sample_id):
    row = store.row("sample_revisions", sample_ids=[sample_id])
    return row["question"], row["choices"], row["answer"]


def decide(store, sample_id, action, event=None, revision=0, who="zoe", **more):
    return decisions.decide(store, decisions.Decision(sample_id, revision, action, event or decisions.new_event(), **more), who)


# The queue ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("statuses", [None, ["pending"], ["failed", "approved"]])
def test_a_walk_through_the_queue_meets_each_sample_once_and_back_again(shared, order, statuses):
    matching = {"statuses": statuses}
    wanted = {row["sample_id"] for row in shared.rows("samples_matching", **matching)}
    walked, place = [], None
    while cards := queue.following(shared, matching, order, place, 7):
        walked += [(card.key, card.sample_id) for card in cards]
        place = queue.Place(cards[-1].sample_id, cards[-1].key)
    assert walked == sorted(walked)
    assert {sample_id for _, sample_id in walked} == wanted and len(walked) == len(wanted)
    middle = len(walked) // 2
    middle_place = queue.Place(walked[middle][1], walked[middle][0])
    back = queue.following(shared, matching, order, middle_place, 1000, back=True)
    assert [card.sample_id for card in back] == [sample_id for _, sample_id in reversed(walked[:middle])]
    assert queue.rank(shared, matching, order, middle_place) == queue.Rank(middle, len(walked))
    assert [card.sample_id for card in queue.starting_at(shared, matching, order, walked[middle][1], 4)] == [
        sample_id for _, sample_id in walked[middle : middle + 4]
    ]
    page = queue.page(shared, matching, order, offset=3, limit=9)
    assert [row.sample_id for row in page.rows] == [sample_id for _, sample_id in walked[3:12]]
    assert page.total == len(walked)


def test_the_most_informative_come_first(shared):
    """Filters that disagree, scores near their thresholds, clusters short of approved samples: the order follows their sum."""
    known = queue.shortfalls(shared)
    waiting = queue.following(shared, {}, "informative", None, 1000)

    def worth(card):
        if not card.image:
            return -7 + known.short.get(card.group, 0)
        judged = [verdict for verdict in card.verdicts if verdict.score is not None]
        failed = sum(verdict.passes is False for verdict in judged)
        disagree = 4 * failed * (len(judged) - failed) / max(len(judged), 1) ** 2
        apart = [abs(verdict.score - verdict.threshold) / max(abs(verdict.threshold), 1) for verdict in judged]
        nearest = min([min(share, 0.99) for share in apart if share] or [0.995])
        return disagree - nearest + known.short.get(card.group, 0)

    worths = [worth(card) for card in waiting]
    assert worths == pytest.approx(sorted(worths, reverse=True)) and worths[0] > 1 > worths[-1]
    assert [2 - card.key for card in waiting] == pytest.approx(worths)
    approved = {name: count for name, count in known.approved.items() if count}
    assert approved and all(known.short[name] == pytest.approx(1 - count / known.target) for name, count in approved.items())
    assert sum(name.startswith("#") for name in approved) > 1  # clusters, for these failures are on a map


def test_what_is_short_of_approvals_is_a_cluster_and_without_a_map_an_error_type(seeded):
    store, _ = seeded
    waiting = queue.following(store, {}, "informative", None, 1000, short={})
    chosen = next(card for card in waiting if card.group.startswith("#"))
    ahead = {card.sample_id: card.key for card in queue.following(store, {}, "informative", None, 1000, short={chosen.group: 1.0})}
    moved = {card.sample_id: card.key - ahead[card.sample_id] for card in waiting}
    assert {sample_id for sample_id, by in moved.items() if by} == {card.sample_id for card in waiting if card.group == chosen.group}
    assert moved[chosen.sample_id] == pytest.approx(1) and chosen.cluster
    with store.write() as write:
        write._cursor.execute("DELETE FROM place")
        write.touch_failures()
    known = queue.shortfalls(store)
    assert known.approved and not any(name.startswith("#") for name in known.approved)
    assert {card.group for card in cards(store, [card.sample_id for card in waiting])} == set(known.approved)


def test_a_verdict_on_an_earlier_picture_is_not_shown(seeded):
    store, _ = seeded
    card = next(card for card in queue.following(store, {}, "newest", None, 100) if any(v.score is not None for v in card.verdicts))
    drawing = {"sample_id": card.sample_id, "job_id": 999, "image": card.image, "generator": "flux", "seed": 1, "recipe": {}}
    with store.write() as write:
        write.insert("drawing", [drawing])
        write.touch([card.sample_id])
    (again,) = cards(store, [card.sample_id])
    assert again.verdicts and all(verdict.score is None for verdict in again.verdicts)


def test_a_decided_sample_leaves_the_queue_but_not_its_place(seeded):
    """Also where an approval brings its error type nearer to the target: the queue goes on with the shortfalls that it began with."""
    store, _ = seeded
    matching, short = {"statuses": ["pending"]}, queue.shortfalls(store).short
    first, second, third = queue.following(store, matching, "informative", None, 3, short=short)
    decide(store, first.sample_id, "approve")
    place = queue.Place(first.sample_id, first.key)
    following = queue.following(store, matching, "informative", place, 2, short=short)
    assert [card.sample_id for card in following] == [second.sample_id, third.sample_id]
    again = queue.starting_at(store, matching, "informative", first.sample_id, 2, short)
    assert [card.sample_id for card in again] == [first.sample_id, second.sample_id]
    skipped = queue.following(store, matching, "informative", None, 1, short=short, skip=1)
    assert skipped[0].sample_id == third.sample_id


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_count_of_a_facet_is_what_choosing_it_gives(shared, data):
    fields = {
        "status": "statuses",
        "error_type": "error_types",
        "dataset": "datasets",
        "route": "routes",
        "round": "rounds",
        "failing": "failing",
    }
    everything = queue.facets(shared, {})
    matching = {}
    for name in data.draw(st.lists(st.sampled_from(list(fields)), max_size=2, unique=True)):
        values = [row.value for row in everything[name]]
        matching[fields[name]] = data.draw(st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True))
    if data.draw(st.booleans()):
        search = Search(shared, shared.path.with_name("search.sqlite"))
        matching["found"] = search.samples(data.draw(st.sampled_from(["not", "how many", "CIRCLE", "%", "_"])))
        search.close()
    if "rounds" in matching:
        matching["rounds"] = [int(value) for value in matching["rounds"]]
    counts = queue.facets(shared, matching)
    for name, rows in counts.items():
        for row in data.draw(st.lists(st.sampled_from(rows), max_size=2)) if rows else []:
            value = int(row.value) if name == "round" else row.value
            assert len(shared.rows("samples_matching", **{**matching, fields[name]: [value]})) == row.count


# Decisions ----------------------------------------------------------------------------------------------------


def test_people_override_the_filters_both_ways(seeded):
    store, _ = seeded
    failed, pending = ids_with(store, "failed")[0], ids_with(store, "pending")[0]
    assert decide(store, failed, "approve").status == "approved"
    assert decide(store, pending, "reject", reason="too easy").status == "rejected"
    for sample_id, before in ((failed, "failed"), (pending, "pending")):
        assert cards(store, [sample_id])[0].status_without_people == before, "a card tells what a reset comes to"
        assert decide(store, sample_id, "reset").status == before


def test_a_stale_decision_is_refused_and_changes_nothing(seeded):
    store, _ = seeded
    sample_id = ids_with(store, "pending")[0]
    decisions.edit(store, sample_id, 0, "What now?", [], "that", "ada", decisions.new_event())
    before = states(store)
    with pytest.raises(decisions.StaleRevision, match="edited meanwhile"):
        decide(store, sample_id, "approve")
    with pytest.raises(decisions.StaleRevision, match="redrawn"):
        decide(store, sample_id, "approve", revision=1, image="another picture")
    with pytest.raises(decisions.StaleRevision):
        decisions.edit(store, sample_id, 0, "And now?", [], "this", "zoe", decisions.new_event())
    with pytest.raises(decisions.UnknownSample):
        decide(store, 10_000, "approve")
    assert states(store) == before


def test_of_decisions_sent_together_each_has_its_own_answer(seeded):
    store, _ = seeded
    pending, failed = ids_with(store, "pending")[:4], ids_with(store, "failed")[0]
    decisions.edit(store, pending[1], 0, "What now?", [], "that", "ada", decisions.new_event())
    decide(store, pending[2], "reject", who="ada")
    actions = {pending[0]: "approve", pending[1]: "approve", 10_000: "reject", pending[2]: "approve", failed: "reject", pending[3]: "reset"}
    sent = [decisions.Decision(sample_id, 0, action, decisions.new_event()) for sample_id, action in actions.items()]
    answers = decisions.decide_each(store, sent, "zoe")
    assert [answer if isinstance(answer, Exception) else answer.status for answer in answers][3:] == ["disputed", "rejected", "pending"]
    assert answers[0].status == "approved" and answers[0].sample_id == pending[0]
    assert isinstance(answers[1], decisions.StaleRevision) and isinstance(answers[2], decisions.UnknownSample)
    log = store.rows("review_history", reviewer="zoe", limit=100)
    assert {row["event_id"] for row in log} == {sent[i].event_id for i in (0, 3, 4, 5)}

    # The answer was lost, the first was edited meanwhile: what is in the log stays there once, and is not refused afterwards
    decisions.edit(store, pending[0], 0, "And now?", [], "this", "ada", decisions.new_event())
    again = decisions.decide_each(store, sent, "zoe")
    assert again[0].revision == 1 and [type(answer) for answer in again] == [type(answer) for answer in answers]
    assert store.rows("review_history", reviewer="zoe", limit=100)[0]["review_id"] == log[0]["review_id"]
    with pytest.raises(ValueError, match="on the same sample"):
        decisions.decide_each(store, sent[:1] * 2, "zoe")


@pytest.mark.parametrize(
    ("question", "choices", "answer", "says"),
    [
        (" ", [], "x", "must not be empty"),
        ("q", [], " ", "must not be empty"),
        ("q", ["red"], "A", "two or more choices"),
        ("q", ["red", ""], "A", "none of them empty"),
        ("q", ["red", "blue"], "C", "not the letter of a choice; there are: A, B"),
        ("q", ["red", "blue"], "red", "not the letter of a choice"),
    ],
)
def test_bad_text_is_refused_with_what_is_wrong(seeded, question, choices, answer, says):
    store, _ = seeded
    with pytest.raises(decisions.BadText, match=says):
        decisions.edit(store, 1, 0, question, choices, answer, "ada", decisions.new_event())
    assert states(store)[1]["revision"] == 0


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_undoing_everything_restores_every_status_and_text(worn, data):
    store = worn
    before = {i: row["status"] for i, row in states(store).items()}
    text_before = {i: texts(store, i) for i in before}
    events, edited = [], set()
    for _ in range(data.draw(st.integers(1, 10))):
        event, sample_id = decisions.new_event(), data.draw(st.sampled_from(sorted(before)))
        revision = states(store)[sample_id]["revision"]
        kind = data.draw(st.sampled_from(("approve", "reject", "reset", "edit", "bulk")))
        for _ in range(data.draw(st.integers(1, 2))):  # a repeated POST changes nothing
            if kind == "edit":
                decisions.edit(store, sample_id, revision, f"How many, {len(events)}?", [], "3", "zoe", event)
                edited.add(sample_id)
            elif kind == "bulk":
                decisions.decide_bulk(store, {"statuses": ["pending", "failed", "approved"]}, "reject", "zoe", event)
            else:
                decide(store, sample_id, kind, event, revision)
        events.append(event)
    for event in reversed(events):
        again = decisions.new_event()
        first = decisions.undo(store, "zoe", again, undone_event=event)
        assert decisions.undo(store, "zoe", again, undone_event=event).count == 0
        assert decisions.undo(store, "zoe", decisions.new_event(), undone_event=event).count == 0, first
    after = {i: row["status"] for i, row in states(store).items()}
    assert {i: s for i, s in after.items() if i not in edited} == {i: s for i, s in before.items() if i not in edited}
    assert {i: texts(store, i) for i in before} == text_before
    with store.write() as write:
        write.touch_all()
        assert write.run("sample_state_differences")[0]["count_star()"] == 0


# Many at once -------------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(
    action=st.sampled_from(("approve", "reject", "reset")),
    statuses=st.lists(st.sampled_from(["pending", "failed", "undrawn", "approved", "rejected"]), min_size=1, max_size=4, unique=True),
)
def test_a_preview_says_what_the_decision_then_does(worn, action, statuses):
    store = worn
    matching, event = {"statuses": statuses}, decisions.new_event()
    before = states(store)
    preview = decisions.preview_bulk(store, matching, action)
    assert preview.total == sum(preview.by_status.values()) == preview.count + sum(vars(preview.left_out).values())
    assert {row.sample_id for row in preview.members} <= before.keys() and len(preview.members) == min(12, preview.total)
    with pytest.raises(decisions.SelectionChanged):
        decisions.decide_bulk(store, matching, action, "ada", event, expected=preview.count + 1)
    assert states(store) == before
    done = decisions.decide_bulk(store, matching, action, "ada", event, expected=preview.count)
    assert (done.count, done.left_out) == (preview.count, sum(vars(preview.left_out).values()))
    once = states(store)
    if done.count:
        assert decisions.decide_bulk(store, matching, action, "ada", event).batch_id == done.batch_id
        decisions.undo(store, "ada", decisions.new_event(), batch_id=done.batch_id)
        assert states(store) == before
    leaking = 1 << next(row["bit"] for row in store.rows("filters") if row["filter"] == "leakage")
    if action == "approve":
        new = [i for i in once if once[i]["status"] == "approved" and before[i]["status"] != "approved"]
        assert not any(once[i]["failed"] & leaking for i in new), "what leaks is never approved in bulk"


def test_history_shows_a_bulk_decision_as_one(seeded):
    store, _ = seeded
    single = ids_with(store, "failed")[0]
    decide(store, single, "approve")
    done = decisions.decide_bulk(store, {"statuses": ["pending"]}, "reject", "zoe", decisions.new_event(), "too easy")
    decisions.undo(store, "zoe", decisions.new_event(), batch_id=done.batch_id)
    latest, first = store.rows("review_history", reviewer="zoe", limit=10)
    assert (latest["action"], latest["samples"], latest["reason"], latest["undone"]) == ("reject", done.count, "too easy", True)
    assert (first["action"], first["samples"], first["sample_id"], first["undone"]) == ("approve", 1, single, False)


# By hand ------------------------------------------------------------------------------------------------------


def test_a_sample_by_hand_takes_over_what_its_failure_knows(seeded):
    store, _ = seeded
    picture = next(row for row in store.rows("pictures_for_handwritten", limit=24) if row["failure_id"] and row["error_type"])
    event = decisions.new_event()
    draft = handwritten.Draft("How many are there? ", " 2", failure_id=picture["failure_id"])
    sample_id = handwritten.add(store, draft, "ada", event)
    assert handwritten.add(store, draft, "ada", event) == sample_id
    card = cards(store, [sample_id])[0]
    assert (card.route, card.status, card.question, card.answer) == ("by_hand", "unfiltered", "How many are there?", "2")
    assert (card.image, card.error_type) == (picture["image"], picture["error_type"])
    assert decide(store, sample_id, "approve").status == "approved"


def test_a_picture_of_an_eval_split_is_never_offered_nor_taken(seeded):
    store, _ = seeded
    everywhere = {row["image"] for row in store.rows("eval_as_context")}
    assert everywhere and not everywhere & {row["image"] for row in store.rows("pictures_for_handwritten", limit=1000)}
    draft = handwritten.Draft("What?", "that", image=everywhere.pop(), dataset="pocket-photo", error_type="counting")
    with pytest.raises(handwritten.BadSample, match="eval split"):
        handwritten.add(store, draft, "ada", decisions.new_event())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"image": None}, "choose an image"),
        ({"image": "0" * 64}, "choose an image"),
        ({"dataset": "nope"}, "unknown dataset 'nope'; there are: pocket-chart"),
        ({"error_type": None}, "unknown error type None; there are: recognition"),
        ({"failure_id": 9999}, "no failure 9999"),
    ],
)
def test_an_incomplete_sample_by_hand_says_what_is_missing(seeded, change, says):
    store, workspace = seeded
    row = handwritten.add_picture(store, ImageStore(workspace.images), picture_bytes(), "drawn.png")
    whole = {"image": row["image"], "dataset": "pocket-photo", "error_type": "counting"}
    assert handwritten.add(store, handwritten.Draft("What?", "that", **whole), "ada", decisions.new_event())
    with pytest.raises(handwritten.BadSample, match=says):
        handwritten.add(store, handwritten.Draft("What?", "that", **{**whole, **change}), "ada", decisions.new_event())


def picture_bytes():
    from PIL import Image, ImageDraw

    from data.images import png_bytes

    picture = Image.new("RGB", (64, 48), "#aabbcc")
    ImageDraw.Draw(picture).rectangle((5, 7, 31, 40), fill="#123456")
    return png_bytes(picture)
