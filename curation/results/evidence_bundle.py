"""The evidence of a comparison as one zip: what was found, on which answers, from which samples, under which settings and prompts."""

import csv
import hashlib
import io
import json
import zipfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.results import comparison, gate
from curation.results.comparison import Comparison, Score
from curation.scoring import reading
from data.records import Checkpoint
from data.spreadsheets import plain_cell
from data.store import Store

PROMPTS = Path(__file__).parents[1] / "prompts"
READ_ME = """Evidence of one comparison of two checkpoints, written by Mistakebook.

report.html     the figures to read, in any browser
results.json    the same figures: differences, 95 % intervals (paired, clustered by image), p-values (Holm), release gate
pairs.csv       every eval example that both answered: golds, both answers, their scores,
                what the lenient score read; the figures follow from it
samples.csv     what the second checkpoint was trained on, as it was frozen
*.jsonl         both tables as they are: in the CSV files a text that a spreadsheet would take
                for a formula (it begins with = + - @) has an apostrophe before it
settings.json   checkpoints, run, datasets, filters, spend
prompts/        the prompts as they stand, with their SHA-256 in settings.json
"""


def bundle(store: Store, before: Checkpoint, after: Checkpoint, score: Score) -> bytes:
    """A zip of report, figures, pairs, samples, settings and prompts. Raises ValueError if the two have no example in common."""
    compared = comparison.compare(store, before, after, score)
    settings = _settings(store, before, after)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.txt", READ_ME)
        file.writestr("report.html", _report(compared, settings))
        file.writestr("results.json", _json(asdict(compared)))
        pairs = store.rows("evidence_pairs", before=before.checkpoint_id, after=after.checkpoint_id)
        samples = store.rows("evidence_samples", checkpoint_id=after.checkpoint_id)
        for name, rows in (("pairs", [_read(pair) for pair in pairs]), ("samples", samples)):
            file.writestr(f"{name}.csv", _csv(rows))
            file.writestr(f"{name}.jsonl", "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows))
        file.writestr("settings.json", _json(settings))
        for path in sorted(PROMPTS.glob("*.md")):
            file.writestr(f"prompts/{path.name}", path.read_text(encoding="utf-8"))
    return buffer.getvalue()


def _read(pair: dict[str, Any]) -> dict[str, Any]:
    """A pair with what the lenient score read from both answers."""
    about = pair["golds"], pair["choices"]
    read = {f"{side}_read": reading(pair["metric"], pair[f"{side}_answer"], *about) for side in ("before", "after")}
    return {**pair, **read}


def _settings(store: Store, before: Checkpoint, after: Checkpoint) -> dict[str, Any]:
    run = store.row("evidence_run", checkpoint_id=after.checkpoint_id)
    return {
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "before": before.to_row(),
        "after": after.to_row(),
        "run": run and {**run, "options": json.loads(run["options"])},
        "datasets": store.rows("datasets"),
        "filters": store.rows("filters"),
        "spend": store.row("spend_total"),
        "release_verdicts": [asdict(row) for row in gate.verdicts(store) if (row.before, row.after) == (before.name, after.name)],
        "prompts": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(PROMPTS.glob("*.md"))},
    }


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, default=str)


def _csv(rows: list[dict[str, Any]]) -> str:
    """A table with a header; lists stand as JSON in their cell."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {name: json.dumps(value, ensure_ascii=False) if isinstance(value, list) else plain_cell(value) for name, value in row.items()}
            for row in rows
        )
    return text.getvalue()


def _report(compared: Comparison, settings: dict[str, Any]) -> str:
    """One page without links to anything; whatever datasets or checkpoints are called is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    return templates.get_template("report.html.jinja").render(compared=compared, settings=settings)
