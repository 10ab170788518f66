"""Lift against published figures, against the same sums done by hand, and against what its interval promises."""

import math

import numpy as np
import pytest

from curation.failures import slices
from curation.failures.slices import DIMENSIONS, SliceSums, relative_risk
from tests.support.seed import seeded_store


def test_the_interval_is_katz_s():
    """Physicians' Health Study, heart attacks under placebo and aspirin: Agresti 2013, Categorical Data Analysis, 2.1.4."""
    risk = relative_risk(189, 11034, 104, 11037)
    assert (risk.value, risk.low, risk.high) == (
        pytest.approx(1.818, abs=5e-4),
        pytest.approx(1.433, abs=5e-4),
        pytest.approx(2.306, abs=5e-4),
    )
    deviation = math.sqrt(1 / 189 - 1 / 11034 + 1 / 104 - 1 / 11037)
    assert risk.low == pytest.approx(risk.value * math.exp(-1.959964 * deviation))
    other = relative_risk(104, 11037, 189, 11034)
    assert (other.low, other.high) == (pytest.approx(1 / risk.high), pytest.approx(1 / risk.low))
    assert relative_risk(5, 10, 0, 100).value == pytest.approx(5.5 / 10.5 / (0.5 / 100.5))


def sums(image, values, failed):
    """The rows of slice_sums for one dimension, the plain way."""
    image, values, failed = np.asarray(image), np.asarray(values), np.asarray(failed, float)
    everything = 2 ** len(DIMENSIONS) - 1
    rows = []
    for level, wanted in [(everything, None), *((everything & ~1, value) for value in np.unique(values))]:
        inside = np.ones(len(image), bool) if wanted is None else values == wanted
        row = dict.fromkeys(DIMENSIONS) | {DIMENSIONS[-1]: wanted, "level": level, "images": len(np.unique(image[inside]))}
        parts = {name: [] for name in ("n", "y", "u", "v")}
        for cluster in np.unique(image[inside]):
            here = image == cluster
            parts["n"].append((here & inside).sum()), parts["y"].append(failed[here & inside].sum())
            parts["v"].append((here & ~inside).sum()), parts["u"].append(failed[here & ~inside].sum())
        n, y, u, v = (np.array(parts[name], float) for name in ("n", "y", "u", "v"))
        row |= {"n": n.sum(), "y": y.sum(), "strict": (n - y).sum(), "lenient": (n - y).sum(), "yy": y @ y, "yn": y @ n, "nn": n @ n}
        row |= {
            "rest_yy": u @ u,
            "rest_yn": u @ v,
            "rest_nn": v @ v,
            "y_rest_y": y @ u,
            "y_rest_n": y @ v,
            "n_rest_y": n @ u,
            "n_rest_n": n @ v,
        }
        rows.append(SliceSums(**row))
    return rows


def by_hand(image, inside, failed):
    """Log relative risk and its clustered variance from the items themselves."""
    image, inside, failed = np.asarray(image), np.asarray(inside), np.asarray(failed, float)
    a, n, b, m = failed[inside].sum(), inside.sum(), failed[~inside].sum(), (~inside).sum()
    influence = np.where(inside, (failed - a / n) / a, -(failed - b / m) / b)
    groups = np.unique(image)
    total = sum(influence[image == group].sum() ** 2 for group in groups)
    return math.log(a / n * m / b), total * len(groups) / (len(groups) - 1)


def test_images_are_clusters():
    rng = np.random.default_rng(3)
    image = rng.integers(0, 60, 800)
    hard = rng.random(60) < 0.4  # whole images are hard: their questions fail together
    values = np.where(rng.random(800) < 0.3, "a", "b")
    failed = rng.random(800) < np.where(hard[image], 0.6, 0.1) + 0.1 * (values == "a")
    (row,) = [slice_ for slice_ in slices.table(sums(image, values, failed)) if slice_.values == {"length": "a"}]
    log_ratio, variance = by_hand(image, values == "a", failed)
    assert row.lift == pytest.approx(math.exp(log_ratio))
    assert row.low == pytest.approx(math.exp(log_ratio - 1.959964 * math.sqrt(variance)))
    assert (row.examples, row.failures) == ((values == "a").sum(), failed[values == "a"].sum())


def test_with_one_question_an_image_it_is_katz_s():
    rng = np.random.default_rng(4)
    n = 2000
    values, failed = np.where(rng.random(n) < 0.2, "a", "b"), rng.random(n) < 0.3
    (row,) = [slice_ for slice_ in slices.table(sums(np.arange(n), values, failed)) if slice_.values == {"length": "a"}]
    a, b, inside = failed[values == "a"].sum(), failed[values == "b"].sum(), (values == "a").sum()
    plain = relative_risk(a, inside, b, n - inside)
    assert row.low == pytest.approx(plain.low, rel=2e-3) and row.high == pytest.approx(plain.high, rel=2e-3)


def test_a_handful_that_all_fails_is_not_certain():
    values, failed = ["a"] * 20 + ["b"] * 2000, [1] * 20 + [1, 0] * 1000
    (row,) = [slice_ for slice_ in slices.table(sums(range(2020), values, failed)) if slice_.values == {"length": "a"}]
    assert row.lift == pytest.approx(2.0) and row.low < 1.88


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(5)
    held = naive = 0
    times = 300
    for _ in range(times):
        hard = rng.normal(0, 0.15, 80)
        image = np.repeat(np.arange(80), 5)
        inside = np.repeat(rng.random(80) < 0.4, 5)  # an image's questions are all in the slice, or none is
        failed = rng.random(400) < np.clip(np.where(inside, 0.5, 0.25) + hard[image], 0, 1)
        (row,) = [slice_ for slice_ in slices.table(sums(image, np.where(inside, "a", "b"), failed)) if slice_.values == {"length": "a"}]
        held += row.low <= 2.0 <= row.high
        plain = relative_risk(failed[inside].sum(), inside.sum(), failed[~inside].sum(), (~inside).sum())
        naive += plain.low <= 2.0 <= plain.high
    assert 0.91 <= held / times <= 0.98
    assert naive < held


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store, _, _ = seeded_store(tmp_path_factory.mktemp("slices") / "seeded", 400, samples=5)
    yield store
    store.close()


def test_the_store_s_sums_are_those_of_its_items(store):
    cursor = store._cursor()
    items = cursor.execute("""
        SELECT e.image, e.kind, e.dataset, a.error_type, (p.strict < 0.5)::INTEGER FROM prediction p JOIN example e USING (example_id)
        LEFT JOIN assignment a ON a.example_id = e.example_id WHERE p.checkpoint_id = 1 AND e.split = 'train'""").fetchall()
    rows = slices.of_rounds(store, ["1"])
    assert {frozenset(slice_.values) for slice_ in rows} >= {frozenset(["opening"]), frozenset(["assigned"])}
    assert [slice_.low for slice_ in rows] == sorted((slice_.low for slice_ in rows), reverse=True)
    seen = 0
    for row in rows:
        values = next((v for v in [row.values, *row.also] if set(v) <= {"kind", "dataset", "assigned"}), None)
        if values is None or row.failures in (0, row.examples):
            continue
        inside = [all({"kind": i[1], "dataset": i[2], "assigned": i[3]}[k] == v for k, v in values.items()) for i in items]
        log_ratio, variance = by_hand([i[0] for i in items], inside, [i[4] for i in items])
        assert math.log(row.lift) == pytest.approx(log_ratio)
        assert row.failures == sum(i[4] for i, within in zip(items, inside) if within) and row.examples == sum(inside)
        assert row.low <= math.exp(log_ratio - 1.9599 * math.sqrt(variance)) * (1 + 1e-6)
        seen += 1
    assert seen >= 5
    assert slices.of_rounds(store, ["1"]) is rows, "kept while nothing changes"


def test_pairs_are_listed_only_where_they_say_more(store):
    rows = slices.of_rounds(store, ["1"])
    singles = {next(iter(values.items())): slice_ for slice_ in rows for values in [slice_.values, *slice_.also] if len(values) == 1}
    for row in rows:
        if len(row.values) > 1:
            assert all(row.low > singles[part].low for part in row.values.items() if part in singles)


def test_label_errors_can_be_left_out(store):
    with store.write() as write:
        ids = write.run("failure_ids", round=1)[:50]
        rows = [{"failure_id": r["failure_id"], "label": "label error", "reviewer": "a", "event_id": f"le {r['failure_id']}"} for r in ids]
        write.insert("triage", rows)
    with_them, without = (slices.of_rounds(store, ["1"], flag) for flag in (False, True))
    assert sum(slice_.failures for slice_ in without if set(slice_.values) == {"assigned"}) < sum(
        slice_.failures for slice_ in with_them if set(slice_.values) == {"assigned"}
    )
