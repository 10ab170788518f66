"""What people changed in the clusters stands over what jobs find, before and after:
the rules of curation/clusters/edit_rules.py, one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.clusters.edit_rules import Change, Layout, cluster_state


def laid(job_id: int, groups: dict[int, range | list[int]], adds: bool = False) -> Layout:
    """A layout of these clusters and their failures."""
    pairs = sorted((failure, cluster) for cluster, members in groups.items() for failure in members)
    return Layout(job_id, np.array([f for f, _ in pairs]), np.array([c for _, c in pairs]), adds)


def members(standing) -> dict[int, list[int]]:
    return {int(c): standing.failures[standing.clusters == c].tolist() for c in np.unique(standing.clusters)}


def change(number: int, action: str, job_id: int = 1, clusters=(), into=None, title=None, failures=(), examples=()) -> Change:
    return Change(number, job_id, action, tuple(clusters), into, title, np.array(list(failures), int), np.array(list(examples), int))


FIRST = laid(1, {10: range(10), 11: range(10, 16), 12: range(16, 20)})
AGAIN = laid(2, {20: range(11), 21: range(11, 16), 22: range(16, 20)})  # 10 found one more, 11 one fewer


def test_without_changes_the_latest_map_stands():
    stands = cluster_state([FIRST, AGAIN], [])
    assert members(stands) == {20: list(range(11)), 21: list(range(11, 16)), 22: list(range(16, 20))}
    assert {old: stands.current(old) for old in (10, 11, 12)} == {10: 20, 11: 21, 12: 22}


def test_a_title_goes_to_the_cluster_that_holds_most_of_the_members():
    named = [change(1, "rename", clusters=[11], title="Cups"), change(2, "rename", clusters=[12], title="Left and right")]
    assert cluster_state([FIRST], named).titles == {11: "Cups", 12: "Left and right"}
    assert cluster_state([FIRST, AGAIN], named).titles == {21: "Cups", 22: "Left and right"}


def test_where_two_titles_meet_the_larger_part_gives_its():
    named = [change(1, "rename", clusters=[11], title="Six"), change(2, "rename", clusters=[12], title="Four")]
    whole = laid(2, {20: range(10), 21: range(10, 20)})
    assert cluster_state([FIRST, whole], named).titles[21] == "Six"


def test_merged_clusters_stay_merged_and_keep_their_number():
    merge = [change(1, "merge", clusters=[11], into=12, title="Together")]
    merged = cluster_state([FIRST], merge)
    assert members(merged) == {10: list(range(10)), 12: list(range(10, 20))} and merged.titles == {12: "Together"}
    again = cluster_state([FIRST, AGAIN], merge)
    assert members(again) == {12: list(range(10, 20)), 20: list(range(10))}  # failure 10 was found with 20, and stays
    assert again.titles == {12: "Together"} and again.current(11) == 12
    assert again.current(21) == again.current(22) == 12, "the new ones join it, so that new failures follow"


def test_new_failures_follow_into_peoples_clusters():
    grown = laid(2, {20: range(10), 21: [*range(10, 16), 30, 31], 22: [*range(16, 20), 32]})
    stands = cluster_state([FIRST, grown], [change(1, "merge", clusters=[11], into=12)])
    assert members(stands)[12] == [*range(10, 20), 30, 31, 32]


def test_a_split_part_stays_and_the_rest_is_found_anew():
    split = [change(1, "split", clusters=[10], into=13, title="Half", failures=range(5, 12))]  # 10 and 11 are not of this cluster
    stands = cluster_state([FIRST], split)
    assert members(stands)[13] == [5, 6, 7, 8, 9] and members(stands)[10] == [0, 1, 2, 3, 4]
    again = cluster_state([FIRST, AGAIN], split)
    assert members(again) == {13: [5, 6, 7, 8, 9], 20: [0, 1, 2, 3, 4, 10], 21: list(range(11, 16)), 22: list(range(16, 20))}


def test_a_cluster_made_of_a_selection_takes_from_several_and_stays():
    made = [change(1, "make", into=13, title="Hand-made", failures=[0, 10, 16], examples=[500])]
    for layouts in ([FIRST], [FIRST, AGAIN], [FIRST, AGAIN, laid(3, {30: range(20)})]):
        stands = cluster_state(layouts, made)
        assert members(stands)[13] == [0, 10, 16] and stands.example_clusters() == {500: 13}


def test_moved_failures_stay_with_their_clusters_successor():
    moved = [change(1, "move", into=12, failures=[0, 1], examples=[500])]
    assert members(cluster_state([FIRST], moved))[12] == [0, 1, 16, 17, 18, 19]
    again = cluster_state([FIRST, AGAIN], moved)
    assert members(again)[22] == [0, 1, 16, 17, 18, 19] and again.example_clusters() == {500: 22}
    third = cluster_state([FIRST, AGAIN, laid(3, {30: range(15), 31: range(15, 20)})], moved)
    assert members(third)[31] == [0, 1, *range(15, 20)]


def test_a_cluster_of_moved_failures_only_is_kept():
    moves = [change(1, "move", into=12, failures=[0, 1]), change(2, "move", into=11, failures=range(16, 20))]
    assert members(cluster_state([FIRST], moves))[12] == [0, 1]
    assert members(cluster_state([FIRST, AGAIN], moves))[12] == [0, 1]


def test_a_change_to_a_cluster_that_was_merged_or_replaced_holds_for_the_one_that_stands_for_it():
    changes = [
        change(1, "merge", clusters=[11], into=12),
        change(2, "rename", job_id=2, clusters=[11], title="By an old number"),
        change(3, "rename", job_id=2, clusters=[10], title="Also"),
    ]
    assert cluster_state([FIRST, AGAIN], changes).titles == {12: "By an old number", 20: "Also"}


def test_a_change_into_a_cluster_whose_making_was_undone_has_no_effect():
    late = [
        change(2, "move", into=13, failures=[0, 1]),
        change(3, "merge", clusters=[12], into=13),
        change(4, "rename", clusters=[13], title="?"),
    ]
    stands = cluster_state([FIRST, AGAIN], late)
    assert members(stands) == members(cluster_state([FIRST, AGAIN], [])) and stands.titles == {}


def test_added_failures_go_where_their_cluster_went():
    merge = [change(1, "merge", clusters=[11], into=12)]
    added = laid(2, {11: [40], 10: [41], 12: [0]}, adds=True)  # 0 has a place already
    stands = cluster_state([FIRST, added], merge)
    assert members(stands) == {10: [*range(10), 41], 12: [*range(10, 20), 40]}
    assert stands.failures.tolist() == sorted(stands.failures.tolist())


FAILURES = st.lists(st.integers(0, 29), min_size=1, max_size=12, unique=True)
KNOWN = st.integers(1, 9)


@st.composite
def stories(draw):
    """Layouts, each of its own clusters, and changes on any of them that name any cluster there may be."""
    layouts, changes, made = [], [], 100
    for job_id in range(1, draw(st.integers(1, 3)) + 1):
        labels = draw(st.lists(st.integers(0, 3), min_size=30, max_size=30))
        layouts.append(Layout(job_id, np.arange(30), np.array(labels) + 10 * job_id))
        for _ in range(draw(st.integers(0, 5))):
            action = draw(st.sampled_from(["rename", "merge", "split", "make", "move"]))
            any_cluster = st.one_of(st.integers(10, 10 * job_id + 3), st.integers(101, max(101, made)))
            into = (made := made + 1) if action in ("split", "make") else draw(any_cluster)
            names = draw(st.lists(any_cluster, min_size=1, max_size=3))
            changes.append(change(len(changes) + 1, action, job_id, names, into, f"title {len(changes)}", draw(FAILURES)))
    return layouts, changes


@settings(max_examples=150, deadline=None)
@given(stories(), st.data())
def test_any_story_leaves_each_failure_in_one_living_cluster(story, data):
    layouts, changes = story
    stands = cluster_state(layouts, changes)
    assert stands.failures.tolist() == list(range(30))
    assert all(stands.current(int(c)) == c for c in np.unique(stands.clusters)), "no failure stands in a cluster that is gone"
    assert cluster_state(layouts, changes).clusters.tolist() == stands.clusters.tolist()
    if changes:  # undoing the last one leads back to before it
        last = changes[-1]
        if last.job_id == layouts[-1].job_id:
            before = cluster_state(layouts, changes[:-1])
            if last.action == "rename":
                assert members(before) == members(stands)
            elif last.action == "make":
                assert set(members(stands)[last.into_id]) == set(last.failure_ids.tolist())
                others = ~np.isin(stands.failures, last.failure_ids)
                assert before.clusters[others].tolist() == stands.clusters[others].tolist()
    kept = [c for c in changes if data.draw(st.booleans())]
    assert cluster_state(layouts, kept).failures.tolist() == list(range(30)), "any part of the log can be undone"


def test_a_hundred_thousand_failures_take_less_than_a_second():
    import time

    rng = np.random.default_rng(0)
    ids = np.arange(100_000)
    layouts = [Layout(job, ids, 1_000 * job + rng.integers(0, 60, len(ids))) for job in (1, 2, 3)]
    changes = [change(i, "move", 1 + i % 3, into=1_000 * (1 + i % 3), failures=rng.choice(ids, 500, replace=False)) for i in range(30)]
    began = time.process_time()
    cluster_state(layouts, changes)
    assert time.process_time() - began < 3
