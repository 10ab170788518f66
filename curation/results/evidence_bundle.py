"""The evidence of a comparison as one zip: what was found, on which answers, from which samples, under which settings and prompts."""

import csv
import hashlib
import html
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.results import comparison
from data.records import Checkpoint
from data.store import Store

PROMPTS = Path(__file__).parents[1] / "prompts"
READ_ME = """Evidence of one comparison of two checkpoints, written by Mistakebook.

report.html     the figures to read, in any browser
results.json    the same figures: differences, 95 % intervals (paired, clustered by image), p-values (Holm), release gate
pairs.csv       every eval example that both answered: golds, both answers, both scores; the figures follow from it
samples.csv     what the second checkpoint was trained on, as it was frozen
settings.json   checkpoints, run, datasets, filters, spend
prompts/        the prompts as they stand, with their SHA-256 in settings.json
"""


def bundle(store: Store, before: Checkpoint, after: Checkpoint, score: str) -> bytes:
    """A zip of report, figures, pairs, samples, settings and prompts. Raises ValueError if the two have no example in common."""
    found = comparison.compare(store, before, after, score)
    settings = _settings(store, before, after)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.txt", READ_ME)
        file.writestr("report.html", _report(found, settings))
        file.writestr("results.json", _json(found))
        file.writestr("pairs.csv", _csv(store.rows("evidence_pairs", before=before.checkpoint_id, after=after.checkpoint_id)))
        file.writestr("samples.csv", _csv(store.rows("evidence_samples", checkpoint_id=after.checkpoint_id)))
        file.writestr("settings.json", _json(settings))
        for path in sorted(PROMPTS.glob("*.md")):
            file.writestr(f"prompts/{path.name}", path.read_text(encoding="utf-8"))
    return buffer.getvalue()


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
            {name: json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value for name, value in row.items()}
            for row in rows
        )
    return text.getvalue()


def _report(found: dict[str, Any], settings: dict[str, Any]) -> str:
    """One page without links to anything."""
    said = html.escape
    overall, gate = found["overall"], found["gate"]
    run = settings["run"]
    facts = [
        ("Accuracy", f"{overall['before']:.3f} → {overall['after']:.3f}"),
        ("Difference", f"{overall['difference']:+.3f} [{overall['low']:+.3f}, {overall['high']:+.3f}] (95 %, paired, clustered by image)"),
        ("Fixed", f"{found['fixed']} of {found['wrong_before']} wrong"),
        ("Broken", f"{found['broken']} of {found['examples'] - found['wrong_before']} right"),
        ("Release gate", "pass" if gate["passed"] else f"not shown: {', '.join(gate['not_shown'])}"),
        ("Trained on", f"{run['samples']} approved samples and {run['replay']} replayed examples" if run else "not trained here"),
        ("Spend", "unpriced" if settings["spend"]["usd"] is None else f"${settings['spend']['usd']:.2f}"),
        ("Scores", found["score"]),
        ("Written", settings["written_at"]),
    ]
    listed = "".join(f"<tr><th>{said(name)}</th><td>{said(value)}</td></tr>" for name, value in facts)
    title = f"{said(found['before'])} → {said(found['after'])}"
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 14px/1.5 system-ui, sans-serif; max-width: 860px; margin: 32px auto; padding: 0 16px; color: #1d1d1b }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }}
th, td {{ text-align: left; padding: 5px 8px; border-bottom: 1px solid #e5e4df }}
</style><h1>{title}</h1><table>{listed}</table>
<h2>By error type</h2>{_table(found["by_error_type"])}<h2>By dataset</h2>{_table(found["by_dataset"])}
<p>p-values are adjusted by Holm's method. Every figure follows from pairs.csv.</p></html>"""


def _table(lines: list[dict[str, Any]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("", "items", "before", "after", "difference", "95 %", "p (Holm)", "detectable"))
    rows = "".join(
        f"<tr><td>{html.escape(line['name'])}</td><td>{line['items']}</td><td>{line['before']:.3f}</td><td>{line['after']:.3f}</td>"
        f"<td>{line['difference']:+.3f}</td><td>{line['low']:+.3f} to {line['high']:+.3f}</td><td>{line['p_holm']:.3g}</td>"
        f"<td>{line['detectable']:.3f}</td></tr>"
        for line in lines
    )
    return f"<table><tr>{head}</tr>{rows}</table>"
