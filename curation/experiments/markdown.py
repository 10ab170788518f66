"""A report as Markdown: what is committed to a repository or pasted into an issue."""

from collections.abc import Sequence
from pathlib import Path

from curation.experiments.analysis import Report
from curation.statistics.intervals import Difference

METHOD = (
    "Differences are paired by eval example and seed. Intervals are 95 %, clustered by image, with seeds pooled in a model of crossed "
    "random effects of image and seed (curation/statistics/repeated_runs.py). p-values by kind are adjusted by Holm's method, arm by arm. "
    "Balanced: each gold answer counts the same. Majority: what always giving the most frequent gold answer of a dataset and kind reaches."
)


def written(report: Report) -> str:
    """The report as Markdown; names of arms, datasets and kinds are escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    templates.filters |= {"change": change, "cell": cell, "points": points}
    return templates.get_template("report.md.jinja").render(report=report, method=METHOD)


def change(difference: Difference | None) -> str:
    """A difference with its interval, for people.

    >>> change(Difference(0.0285, 0.018, -0.004, 0.01))
    '+.028 [+.018, −.004]'
    """
    if difference is None:
        return "–"
    return f"{points(difference.value)} [{points(difference.low)}, {points(difference.high)}]"


def points(value: float) -> str:
    """A signed fraction, three digits, without the leading nought."""
    return f"{value:+.3f}".replace("0.", ".", 1).replace("-", "−")


def cell(text: object) -> str:
    """Text that stands in a cell of a table.

    >>> cell("a|b")
    'a\\\\|b'
    """
    return str(text).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def arms_of(report: Report) -> Sequence[str]:
    return [arm.arm for arm in report.arms if arm.counted]
