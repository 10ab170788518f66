"""Quotas: shares in proportion to the failures, none forgotten, none above what there is; which failures fill them."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from curation.statistics.quotas import choose, evenly, shares

SIZES = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 300), max_size=12)


@given(SIZES, st.integers(0, 2000), st.sampled_from(["failures", "equal"]))
def test_shares_add_up_and_are_never_more_than_there_is(sizes, total, split):
    given_ = shares(sizes, total, split)
    assert set(given_) == set(sizes) and sum(given_.values()) == min(total, sum(sizes.values()))
    assert all(0 <= given_[key] <= sizes[key] for key in sizes)
    if total >= sum(size > 0 for size in sizes.values()):
        assert all(given_[key] for key in sizes if sizes[key])


@given(SIZES, st.integers(0, 2000))
def test_shares_of_the_failures_keep_their_order_and_equal_ones_differ_by_one(sizes, total):
    ours = shares(sizes, total)
    assert all(ours[one] >= ours[other] for one in sizes for other in sizes if sizes[one] > sizes[other])
    same = shares(sizes, total, "equal")
    open_ = [same[key] for key in sizes if same[key] < sizes[key]]
    assert not open_ or (max(same.values()) <= max(min(open_) + 1, max(open_)) and max(open_) - min(open_) <= 1)


def test_shares_are_in_proportion():
    assert shares({"negation": 809, "counting": 90, "spatial": 90, "knowledge": 200}, 100) == {
        "negation": 67, "counting": 8, "spatial": 8, "knowledge": 17}  # fmt: skip


def test_one_failure_of_a_kind_has_its_place_where_there_is_room():
    assert shares({"a": 500, "b": 1}, 2) == {"a": 1, "b": 1}
    assert shares({"a": 500, "b": 1}, 1) == {"a": 1, "b": 0}
    assert shares({}, 5) == {} and shares({"a": 0}, 5) == {"a": 0}


def test_too_few_failures_for_the_limit_are_all_taken():
    assert len(choose(list(range(7)), 50, lambda n: n % 2, lambda n: n)) == 7


ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 99)), max_size=120, unique=True)


@given(ROWS, st.integers(1, 60))
def test_chosen_rows_fill_the_quotas_and_are_spread_within(rows, limit):
    chosen = choose(rows, limit, lambda row: row[0], lambda row: row[1:])
    assert len(chosen) == len(set(chosen)) == min(limit, len(rows)) and set(chosen) <= set(rows)
    counts = Counter(row[0] for row in rows)
    assert Counter(row[0] for row in chosen) == Counter({key: n for key, n in shares(counts, limit).items() if n})
    for group in counts:
        parts, all_ = Counter(row[1] for row in chosen if row[0] == group), Counter(row[1] for row in rows if row[0] == group)
        taken = sum(parts.values())
        assert all(abs(parts[part] - taken * all_[part] / counts[group]) <= 1 for part in all_)
    assert choose(rows, limit, lambda row: row[0], lambda row: row[1:]) == chosen


def test_the_first_of_the_chosen_are_of_all_groups():
    rows = [("a", i) for i in range(90)] + [("b", i) for i in range(10)]
    chosen = choose(rows, 20, lambda row: row[0], lambda row: row[1])
    assert Counter(row[0] for row in chosen) == {"a": 18, "b": 2}
    assert {row[0] for row in chosen[:6]} == {"a", "b"}


@given(st.integers(0, 60), st.integers(0, 80))
def test_even_steps_take_each_row_once(rows, count):
    assert len(set(evenly(range(rows), count))) == min(rows, count)
