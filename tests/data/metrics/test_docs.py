"""docs/metrics.md says of every metric what its class says."""

from pathlib import Path

from data.metrics import METRICS, measure

DOC = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_the_table_of_metrics_is_that_of_the_code():
    rows = [line for line in DOC.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    expected = [f"| `{name}` {measure(name).title} | {measure(name).definition} | {measure(name).harness} |" for name in METRICS]
    assert all(row.startswith(start) for row, start in zip(rows, expected, strict=True)), rows
