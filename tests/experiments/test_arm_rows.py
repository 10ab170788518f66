"""What each arm is trained on: equal N, no sample of another arm, the same replay for all arms of a seed."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.experiments import arm_rows, arms
from curation.experiments.arm_rows import DrawnSample, TrainExample

ALL = [arm for arm in arms.ARMS if arm.trained]


def example(number: int, *, failed: bool = False, label_error: bool = False, kind: str = "counting/2", question: str = "How many?"):
    cluster = (1, 2, 3)[number % 9 // 3] if failed else None
    told = (cluster, "counting") if failed else (None, None)
    return TrainExample(
        number, f"picture {number // 3}", question, (), ("2",), "", "photo", kind, not failed, failed, label_error, failed, *told
    )


def sample(number: int, route: str = "same_image", *, control: bool = False, approved: bool = False, passed: bool = True):
    words = f"Question {number}?"
    cluster = None if control else (1, 1, 1, 1, 2, 2, 3)[number % 7]
    return DrawnSample(number, 0, "photo", "counting", route, f"p{number}", words, (), "2", "", control, approved, passed, cluster)


EXAMPLES = [example(i, failed=i % 3 == 0, kind=f"counting/{i % 4}", question=f"How many {i % 7}?") for i in range(300)]
SAMPLES = [sample(1000 + i, ("same_image", "new_image")[i % 2], approved=i % 5 == 0, passed=i % 3 != 0) for i in range(120)]
QUOTAS = arm_rows.quotas_of(EXAMPLES, 20)
CONTROLS = [sample(2000 + i, control=True, passed=i % 4 != 0) for i in range(60)]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 25), st.integers(0, 50))
def test_every_arm_has_as_many_rows_of_its_own_pool(count, seed):
    here = arm_rows.pools(EXAMPLES, [*SAMPLES, *CONTROLS], False)
    drawn = arm_rows.draws(ALL, here, count, seed, QUOTAS)
    for arm in ALL:
        if arm.pool and arm.pool != "retrieved":
            rows = drawn[arm.name]
            assert len(rows) == count == len({(row.source, row.identity) for row in rows})
            assert set(rows) <= set(here[arm.pool])
        else:
            assert drawn[arm.name] == []
    assert drawn == arm_rows.draws(ALL, here, count, seed, QUOTAS)
    assert drawn["real"] == arm_rows.draws([arms.BY_NAME["real"]], here, count, seed, QUOTAS)["real"]  # whatever other arms there are


def test_pools_hold_what_their_arms_say():
    here = arm_rows.pools([*EXAMPLES, example(900, failed=True, label_error=True)], [*SAMPLES, *CONTROLS], False)
    ids = {name: {row.identity for row in rows} for name, rows in here.items()}
    assert ids["real"] == set(range(300))  # the one whose gold looks wrong is in none
    assert ids["real_failures"] == {i for i in range(300) if i % 3 == 0}
    assert ids["targeted"] == {s.sample_id for s in SAMPLES if s.passed} == ids["targeted_same"] | ids["targeted_new"]
    assert not ids["targeted_same"] & ids["targeted_new"]
    assert ids["unfiltered"] == {s.sample_id for s in SAMPLES}
    assert ids["untargeted"] == {s.sample_id for s in CONTROLS if s.passed}
    approved = arm_rows.pools(EXAMPLES, SAMPLES, True)
    assert {row.identity for row in approved["targeted"]} == {s.sample_id for s in SAMPLES if s.approved}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 50), st.integers(1, 120))
def test_replay_is_known_and_no_row_of_an_arm(seed, wanted):
    here = arm_rows.pools(EXAMPLES, [*SAMPLES, *CONTROLS], False)
    drawn = arm_rows.draws(ALL, here, 20, seed, QUOTAS)
    replay = arm_rows.shared_replay(drawn, EXAMPLES, wanted, seed)
    known = {e.example_id for e in EXAMPLES if e.known}
    used = {row.identity for rows in drawn.values() for row in rows if row.source == "real"}
    assert {row.identity for row in replay} <= known - used
    assert len(replay) == len({row.identity for row in replay}) == min(wanted, len(known - used))
    assert {row.source for row in replay} <= {"replay"}
    assert replay == arm_rows.shared_replay(drawn, EXAMPLES, wanted, seed)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(0, 50))
def test_clusters_have_their_quotas_as_far_as_there_are_samples(count, seed):
    here = arm_rows.pools(EXAMPLES, [*SAMPLES, *CONTROLS], False)
    wanted = arm_rows.quotas_of(EXAMPLES, count)
    assert sum(wanted.values()) == min(count, sum(e.failed for e in EXAMPLES))
    (rows,) = arm_rows.draws([arms.BY_NAME["targeted"]], here, count, seed, wanted).values()
    have, got = (Counter((row.cluster, row.error_type) for row in some) for some in (here["targeted"], rows))
    short = arm_rows.lacking(here["targeted"], wanted)
    for kind, quota in wanted.items():
        assert got[kind] >= min(quota, have[kind]) - (0 if short else 1)  # parts are whole numbers
        assert short.get(kind, 0) == max(0, quota - have[kind])
    if not short:
        assert all(abs(got[kind] - quota) <= 1 for kind, quota in wanted.items())


def test_real_failures_in_the_mix_of_the_targeted():
    here = arm_rows.pools(EXAMPLES, SAMPLES, False)
    drawn = arm_rows.draws([arms.BY_NAME["real_failures_mix"]], here, 20, 3, {(1, "counting"): 18, (3, "counting"): 2})
    assert Counter(row.cluster for row in drawn["real_failures_mix"]) == {1: 18, 3: 2}
    assert {row.source for row in drawn["real_failures_mix"]} == {"real"}


def test_without_diagnoses_arms_are_drawn_by_lot():
    undiagnosed = [replace(e, teachable=False, cluster=None, error_type=None) for e in EXAMPLES]
    here = arm_rows.pools(undiagnosed, SAMPLES, False)
    assert arm_rows.quotas_of(undiagnosed, 20) == {}
    assert len(arm_rows.draws([arms.BY_NAME["real_failures_mix"]], here, 20, 1, {})["real_failures_mix"]) == 20


def test_seeds_draw_other_rows():
    here = arm_rows.pools(EXAMPLES, SAMPLES, False)
    first, second = (arm_rows.draws([arms.BY_NAME["real"]], here, 50, seed, QUOTAS)["real"] for seed in (1, 2))
    assert first != second


def test_a_pool_that_is_too_small_is_an_error():
    here = arm_rows.pools(EXAMPLES, SAMPLES, False)
    with pytest.raises(ValueError, match="arm untargeted: 0 rows, 10 are needed"):
        arm_rows.draws([arms.BY_NAME["untargeted"]], here, 10, 1, QUOTAS)


@given(st.lists(st.lists(st.integers(0, 30), unique=True, max_size=12), max_size=8), st.integers(0, 40))
def test_retrieved_takes_turns_and_none_twice(order, count):
    found = arm_rows.nearest_in_turns(order, count)
    everything = {candidate for candidates in order for candidate in candidates}
    assert len(found) == len(set(found)) == min(count, len(everything))
    firsts = list(dict.fromkeys(candidates[0] for candidates in order if candidates))
    if len(firsts) == len([candidates for candidates in order if candidates]):
        assert found[: len(firsts)] == firsts[: len(found)]


def test_an_unknown_arm_is_told_with_those_there_are():
    with pytest.raises(arms.UnknownArm, match=r"unknown arm 'reel'; there are: none, replay, real"):
        arms.find("reel")
