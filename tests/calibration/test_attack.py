"""The simulation behind docs/auto_approval.md, smaller: the gate holds what it says, and what is written there is what it found."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import auto_approval
from curation.statistics.sequential import ALPHA

DOCUMENT = Path(__file__).parents[2] / "docs" / "auto_approval.md"


@pytest.mark.parametrize("precision", [0.9, 0.94, 0.95])
def test_the_gate_opens_for_filters_that_are_not_good_enough_as_seldom_as_it_says(precision):
    assert auto_approval.known_precision(np.random.default_rng(1), precision, 2000).gate <= ALPHA


def test_so_it_does_under_drift_and_rule_after_rule():
    rng = np.random.default_rng(2)
    assert auto_approval.drifting_labels(rng, 1000).gate <= ALPHA
    for adaptive in (False, True):
        row = auto_approval.many_rules(rng, 20, 0.95, 500, adaptive)
        assert row.gate <= ALPHA < row.wilson


def test_good_filters_are_let_through_and_bad_ones_found_out_afterwards():
    rng = np.random.default_rng(3)
    assert auto_approval.known_precision(rng, 0.99, 500).gate > 0.95
    steady, fallen = (auto_approval.after_opening(rng, 0.98, after, 400) for after in (0.98, 0.9))
    assert fallen.closed == 1 and fallen.approved < 1500 and steady.closed < 0.2


def test_the_document_is_of_ten_thousand_filters_and_holds():
    text = DOCUMENT.read_text(encoding="utf-8")
    assert "10,000 synthetic filters" in text
    rows = [line.split("|") for line in text.splitlines() if line.startswith("|") and line.split("|")[5].strip().startswith("2.5")]
    assert len(rows) >= 9
    assert all(float(row[4].strip(" %")) <= 2.5 for row in rows)
