"""What eval splits can show, before anything is spent."""

import numpy as np
import pytest

from curation.results import detectable
from curation.statistics.intervals import design_effect, minimum_detectable_difference, paired_difference
from tests.support.answers import add_answers, add_examples


def test_nothing_imported_nothing_told(store):
    assert detectable.ahead(store) is None


def test_the_default_is_stated_until_a_round_was_measured(store):
    ids = add_examples(
        store, [{"kind": "counting/1", "image": f"i{k // 4}"} for k in range(400)] + [{"kind": "negation/1"} for _ in range(50)]
    )
    ahead = detectable.ahead(store)
    assert ahead.source == "assumed: 20% of the answers change"
    assert ahead.overall.detectable == pytest.approx(minimum_detectable_difference(450, 0.2))
    assert {line.name: line.items for line in ahead.by_error_type} == {"counting": 400, "negation": 50}
    assert "450 eval examples" in ahead.text and "negation (50 examples)" in ahead.text
    rng = np.random.default_rng(0)
    add_answers(store, "base", {i: float(rng.integers(0, 2)) for i in ids})
    turned = {i: float(k // 4 % 10 == 0) for k, i in enumerate(ids)}  # images turn as a whole
    add_answers(store, "tuned", turned, "base")
    measured = detectable.ahead(store)
    assert measured.source.startswith("base → tuned: ")
    counting = measured.by_error_type[0]
    assert counting.design_effect > 1 and counting.detectable > minimum_detectable_difference(400, counting.discordant)


def test_the_design_effect_is_the_ratio_of_the_variances():
    rng = np.random.default_rng(3)
    outcome = np.repeat(rng.choice([1.0, 0.0, -1.0], 300, p=[0.3, 0.5, 0.2]), 4)
    before, after = (outcome < 0).astype(float), (outcome > 0).astype(float)
    clusters = np.repeat(np.arange(300), 4)
    assert design_effect(before, after, clusters) == pytest.approx(4, rel=0.01)
    assert design_effect(before, after, np.arange(1200)) == 1
    assert design_effect(np.ones(5), np.ones(5), np.arange(5)) == 1
    alone, together = (paired_difference(before, after, c) for c in (None, clusters))
    assert (together.high - together.low) / (alone.high - alone.low) == pytest.approx(2, rel=0.03)
