"""Two and more checkpoints compared, against other libraries; what is left out is said; what is kept follows the store."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from curation.results import comparison, gate
from curation.results.coverage import coverage
from curation.results.gate import GateRule
from curation.results.side_by_side import CantCompare, side_by_side
from curation.statistics import intervals
from data.store import Store
from tests.support.answers import add_answers, add_examples


def test_what_only_one_answered_is_counted_and_said(store):
    ids = add_examples(store, [{}] * 39)
    before = add_answers(store, "before", dict.fromkeys(ids, 0.0))
    after = add_answers(store, "after", dict.fromkeys(ids[:30], 1.0))
    compared = comparison.compare(store, before, after)
    assert compared.coverage.text == "30 of 39 compared; 9 answered by one only (before)"
    assert (compared.examples, compared.coverage.compared, compared.coverage.some, compared.coverage.none) == (30, 30, 9, 0)
    assert compared.overall.one_only == 9 and (compared.overall.answered_before, compared.overall.answered_after) == (39, 30)
    assert [line.items for line in compared.by_dataset] == [30]


@given(
    st.lists(st.lists(st.booleans(), min_size=2, max_size=4), min_size=1, max_size=30).filter(lambda rows: len({len(r) for r in rows}) == 1)
)
def test_coverage_counts_every_example_once(rows):
    scores = [np.where([row[i] for row in rows], 1.0, np.nan) for i in range(len(rows[0]))]
    covered = coverage([f"c{i}" for i in range(len(scores))], scores)
    assert covered.compared + covered.some + covered.none == covered.examples == len(rows)
    assert covered.compared == sum(all(row) for row in rows) and covered.none == sum(not any(row) for row in rows)
    assert sum(checkpoint.alone for checkpoint in covered.by_checkpoint) == sum(sum(row) == 1 for row in rows)
    assert ("by one only" in covered.text) == any(sum(row) == 1 for row in rows)
    assert ("by some" in covered.text) == any(1 < sum(row) < len(row) for row in rows)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000))
def test_lines_are_what_other_libraries_say(tmp_path, seed):
    rng = np.random.default_rng(seed)
    path = tmp_path / f"{seed}.duckdb"
    store = Store(path)
    n = 60
    golds, kinds = rng.choice(["yes", "no", "red"], n, p=[0.6, 0.3, 0.1]), rng.choice(["negation/a", "counting/2", "mine"], n)
    images = [f"i{k}" for k in rng.integers(0, 20, n)]
    ids = add_examples(store, [{"gold": g, "kind": k, "image": i} for g, k, i in zip(golds, kinds, images)])
    old, new = rng.integers(0, 2, n).astype(float), rng.integers(0, 2, n).astype(float)
    compared = comparison.compare(store, add_answers(store, "a", dict(zip(ids, old))), add_answers(store, "b", dict(zip(ids, new))))
    types = np.array(["negation" if k.startswith("negation") else "counting" if k.startswith("counting") else "other" for k in kinds])
    for line in [compared.overall, *compared.by_error_type]:
        of = np.ones(n, bool) if line.name == "overall" else types == line.name
        plain = intervals.paired_difference(old[of], new[of], [i for i, inside in zip(images, of) if inside])
        assert (line.difference, line.low, line.high, line.p) == pytest.approx((plain.value, plain.low, plain.high, plain.p))
        answers = [g if right else "none of them" for g, right in zip(golds[of], new[of])]
        assert line.balanced_after == pytest.approx(balanced_accuracy_score(golds[of], answers))
        most = {name: max(set(golds[types == name]), key=lambda g: (golds[types == name] == g).sum()) for name in set(types)}
        ties = any(len({(golds[types == t] == g).sum() for g in set(golds[types == t])}) < len(set(golds[types == t])) for t in set(types))
        if not ties:
            assert line.majority == pytest.approx(np.mean([g == most[t] for g, t in zip(golds[of], types[of])]))
        assert line.fixed == int(((old[of] < 0.5) & (new[of] >= 0.5)).sum())
    assert {line.name for line in compared.by_kind} == set(kinds)
    assert [line.p_holm for line in compared.by_error_type] == pytest.approx(intervals.holm([line.p for line in compared.by_error_type]))
    assert sum(line.items for line in compared.by_cluster) == n and compared.by_cluster[0].name == "in no cluster"
    store.close()
    path.unlink()


def test_a_learnt_form_is_told_from_a_learnt_skill(store):
    """As the loop did on data of a stranger: from no valid answer to the frequent one is form; to the right one is skill."""
    golds = ["yes"] * 90 + ["no"] * 60
    ids = add_examples(store, [{"gold": gold, "kind": "negation/x"} for gold in golds])
    before = add_answers(store, "before", dict.fromkeys(ids, 0.0))
    form = add_answers(store, "form", {i: float(gold == "yes") for i, gold in zip(ids, golds)})
    skill = add_answers(store, "skill", {i: float(k % 10 != 0) for k, i in enumerate(ids)})
    (line,) = comparison.compare(store, before, form).by_error_type
    assert line.low > 0 and line.learnt == "form" and line.majority == pytest.approx(0.6) and line.balanced_after == 0.5
    (line,) = comparison.compare(store, before, skill).by_error_type
    assert line.learnt == "skill" and line.balanced_after == pytest.approx(0.9)
    assert comparison.compare(store, skill, form).overall.learnt is None


def test_where_all_gold_answers_are_alike_form_and_skill_are_not_told_apart(store):
    ids = add_examples(store, [{"gold": "unanswerable", "kind": "unanswerable/blur"}] * 40)
    a, b = add_answers(store, "a", dict.fromkeys(ids, 0.0)), add_answers(store, "b", dict.fromkeys(ids, 1.0))
    line = comparison.compare(store, a, b).overall
    assert line.low > 0 and (line.answers, line.learnt, line.majority) == (1, None, 1.0)


def test_a_kind_with_one_image_tells_nothing_and_says_so(store):
    ids = add_examples(store, [{"kind": "counting/1", "image": "same"}] * 30 + [{"kind": "negation/1"}] * 30)
    compared = comparison.compare(store, add_answers(store, "a", dict.fromkeys(ids, 0.0)), add_answers(store, "b", dict.fromkeys(ids, 1.0)))
    alone = next(line for line in compared.by_kind if line.name == "counting/1")
    assert (alone.images, alone.low, alone.high, alone.p) == (1, -1, 1, 1) and alone.learnt is None


def test_the_gate_follows_its_rule_and_verdicts_keep_theirs(store):
    ids = add_examples(store, [{"kind": "counting/1"}] * 300 + [{"kind": "negation/1"}] * 300)
    before = add_answers(store, "before", dict.fromkeys(ids, 1.0))
    after = add_answers(store, "after", {i: float(k >= 9) for k, i in enumerate(ids)})  # nine of counting are lost
    compared = comparison.compare(store, before, after)
    assert not compared.gate.passed and compared.gate.not_shown == ["overall", "d"]
    first = gate.record(store, "before", "after", "strict", compared.examples, compared.gate, "ada")
    gate.set_rule(store, GateRule(margin=0.05), "ada")
    assert comparison.compare(store, before, after).gate.passed
    gate.set_rule(store, GateRule(margin=0.05, groups=("overall", "error_type", "kind")), "ada")
    compared = comparison.compare(store, before, after, tables=())
    assert compared.gate.not_shown == ["counting", "kind counting/1"] and compared.gate.looked_at == 5
    gate.set_rule(store, GateRule(margin=0.05, groups=("overall", "error_type"), least=301), "ada")
    compared = comparison.compare(store, before, after)
    assert compared.gate.passed and compared.gate.too_small == 2
    second = gate.record(store, "before", "after", "strict", compared.examples, compared.gate, "bob")
    assert gate.verdicts(store) == [second, first]
    assert first.rule["margin"] == 0.01 and second.rule == {
        "margin": 0.05, "groups": ["overall", "error_type"], "balanced": False, "least": 301,
    }  # fmt: skip
    with pytest.raises(ValueError, match="groups"):
        GateRule(groups=())


def test_a_gate_by_balanced_accuracy_sees_what_the_plain_one_hides(store):
    golds = ["yes"] * 950 + ["no"] * 50
    ids = add_examples(store, [{"gold": gold} for gold in golds])
    before = add_answers(store, "before", dict.fromkeys(ids, 1.0))
    after = add_answers(store, "after", {i: float(gold == "yes") for i, gold in zip(ids, golds)})
    gate.set_rule(store, GateRule(margin=0.1, groups=("overall",)), "ada")
    assert comparison.compare(store, before, after).gate.passed
    gate.set_rule(store, GateRule(margin=0.1, groups=("overall",), balanced=True), "ada")
    assert comparison.compare(store, before, after).gate.not_shown == ["overall (balanced by answer)"]


def test_a_comparison_is_kept_until_something_of_it_changes(store):
    ids = add_examples(store, [{}] * 10)
    before = add_answers(store, "before", dict.fromkeys(ids, 0.0))
    after = add_answers(store, "after", dict.fromkeys(ids[:5], 1.0))
    first = comparison.compare(store, before, after)
    with store.write() as write:
        write.insert("setting", [{"name": "budget", "value": {"usd": 3}, "author": "ann"}])
    assert comparison.compare(store, before, after) is first
    with store.write() as write:
        write.insert("prediction", [{"checkpoint_id": after.checkpoint_id, "example_id": ids[5], "answer": "x", "strict": 0, "lenient": 1}])
    assert comparison.compare(store, before, after).examples == 6
    assert comparison.compare(store, before, after, "lenient").overall.after == 1.0
    add_examples(store, [{"gold": "blue"}] * 3, dataset="further")
    assert comparison.compare(store, before, after).coverage.none == 3


def test_changes_are_those_of_a_group_of_any_table(store):
    ids = add_examples(store, [{"kind": f"counting/{k % 3}", "question": f"How many {k}?"} for k in range(30)])
    before = add_answers(store, "before", {i: float(k % 2) for k, i in enumerate(ids)})
    after = add_answers(store, "after", {i: float(k % 5 == 0) for k, i in enumerate(ids)})
    fixed = comparison.changes(store, before, after, "fixed", "counting/0", 100, 0, by="kind")
    assert [row.example_id for row in fixed.rows] == [ids[k] for k in range(30) if k % 2 == 0 and k % 5 == 0 and k % 3 == 0]
    everything = comparison.changes(store, before, after, "broken", None, 4, 4)
    assert everything.total == sum(k % 2 == 1 and k % 5 != 0 for k in range(30)) and len(everything.rows) == 4
    assert comparison.changes(store, before, after, "fixed", "no such kind", 9, 0, by="kind").total == 0


def test_several_side_by_side_are_the_pairs(store):
    rng = np.random.default_rng(1)
    ids = add_examples(
        store, [{"kind": f"{k}/x", "gold": g} for k, g in zip(rng.choice(["counting", "negation"], 80), rng.choice(["a", "b"], 80))]
    )
    made = [add_answers(store, name, {i: float(rng.integers(0, 2)) for i in ids}) for name in ("one", "two", "three")]
    table = side_by_side(store, made)
    assert table.checkpoints == ["one", "two", "three"] and table.coverage.compared == 80
    for place, other in enumerate(made[1:], 1):
        pair = comparison.compare(store, made[0], other)
        for line, row in zip([pair.overall, *pair.by_error_type], [table.overall, *table.tables["error_type"]], strict=True):
            cell = row.cells[place]
            assert row.name == line.name and row.items == line.items
            assert (cell.accuracy, cell.balanced, cell.difference, cell.low) == pytest.approx(
                (line.after, line.balanced_after, line.difference, line.low)
            )
            assert row.cells[0].accuracy == pytest.approx(line.before) and row.cells[0].difference is None
    ps = [cell.p_holm for row in table.tables["error_type"] for cell in row.cells[1:]]
    alone = [line.p for i in (0, 1) for line in [comparison.compare(store, made[0], o).by_error_type[i] for o in made[1:]]]
    assert ps == pytest.approx(intervals.holm(alone))  # over all four cells


def test_side_by_side_says_what_is_missing(store):
    ids = add_examples(store, [{}] * 12)
    first, two = add_answers(store, "one", dict.fromkeys(ids, 1.0)), add_answers(store, "two", dict.fromkeys(ids[:8], 1.0))
    three = add_answers(store, "three", dict.fromkeys(ids[2:11], 0.0))
    table = side_by_side(store, [first, two, three])
    assert table.coverage.text == "6 of 12 compared; 1 answered by one only (one); 5 answered by some, not by all"
    assert table.overall.items == 6
    with pytest.raises(CantCompare, match="named twice"):
        side_by_side(store, [first, first])
    with pytest.raises(CantCompare, match="no eval example was answered by all"):
        side_by_side(store, [two, add_answers(store, "four", {ids[11]: 1.0})])
    with pytest.raises(ValueError, match="no eval example in common"):
        comparison.compare(store, two, add_answers(store, "five", {}))


def test_accuracies_of_one_checkpoint_have_balanced_and_majority_beside_them(store):
    golds = ["yes"] * 8 + ["no"] * 2
    ids = add_examples(store, [{"gold": gold, "kind": "negation/1"} for gold in golds])
    accuracies = comparison.accuracies(store, add_answers(store, "one", {i: float(g == "yes") for i, g in zip(ids, golds)}))
    assert (accuracies.overall, accuracies.balanced, accuracies.majority) == (0.8, 0.5, 0.8)
    assert accuracies.balanced_by_error_type == {"negation": 0.5} and accuracies.majority_by_error_type == {"negation": 0.8}
    assert comparison.accuracies(store, add_answers(store, "two", {})).overall is None
