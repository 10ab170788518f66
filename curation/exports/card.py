"""Cards of exported datasets and checkpoints: README.md with the hub's front matter (https://huggingface.co/docs/hub/datasets-cards)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.exports.adapter_facts import AdapterFacts
from curation.exports.facts import Facts
from curation.exports.tally import Tally
from models.weights.merging import Merged

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
MOST_CLUSTERS = 30


def dataset_card(form: str, plugin: type[Any], tally: Tally, facts: Facts) -> str:
    """README.md of an export in the format `form`."""
    return _rendered(
        "dataset_card.md.jinja",
        form=form,
        plugin=plugin,
        about=(plugin.__doc__ or "").strip(),
        tally=tally,
        facts=facts,
        size=next((name for limit, name in SIZES if tally.samples < limit), "n>1M"),
        routes=sorted({route for _, route in tally.by_type}),
        types=sorted({kind for kind, _ in tally.by_type}),
        clusters=sorted(tally.clusters.items(), key=lambda item: (-item[1], item[0]))[:MOST_CLUSTERS],
    )


def model_card(facts: AdapterFacts, recipe: dict[str, Any], merged: Merged | None) -> str:
    """README.md of an exported adapter, or of merged weights (https://huggingface.co/docs/hub/model-cards)."""
    return _rendered("model_card.md.jinja", facts=facts, recipe=recipe, merged=merged)


def _rendered(name: str, **values: Any) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    templates.filters |= {"cell": cell, "usd": lambda value: "unpriced" if value is None else f"${value:,.2f}"}
    return templates.get_template(name).render(**values, written=datetime.now(UTC).isoformat(timespec="seconds"))


def cell(text: object) -> str:
    """Text of people in Markdown, also in a cell of a table: nothing in it is markup.

    >>> cell("a|b <c> [d](e)")
    'a\\\\|b &lt;c> \\\\[d\\\\](e)'
    """
    escaped = str(text).replace("\\", "\\\\").replace("<", "&lt;").replace("\n", " ").replace("\r", " ")
    for mark in "|`*_[]#":
        escaped = escaped.replace(mark, f"\\{mark}")
    return escaped
