"""The model card of an adapter: what it was trained from and on, as the hub reads it (https://huggingface.co/docs/hub/model-cards)."""

import hashlib
import json
from typing import Any

from models.finetuning.spec import Run


def model_card(run: Run, result: dict[str, Any]) -> str:
    """README.md of an adapter, in Markdown with the hub's front matter. `result`: as in result.json."""
    checkpoint, recipe = run.spec.checkpoint, run.spec.recipe
    revision = checkpoint.options.get("revision")
    rows = ", ".join(f"{count:,} {source}" for source, count in result["rows"].items())
    losses, dev_losses = result["losses"], result["dev_losses"]
    facts = {
        "Base": f"{_code(checkpoint.model)}{f', revision {_code(revision)}' if revision else ''}",
        "Continues": _code(checkpoint.adapter) if checkpoint.adapter else "a new LoRA",
        "Rows": f"{rows}; {result['dev_rows']:,} held out",
        "Snapshot": f"SHA-256 of train.parquet {_code(_hash(run))}",
        "Steps": f"{result['steps']:,}, seed {run.spec.seed}",
        "Loss": f"{losses[0][1]:.4f} at step {losses[0][0]}, {losses[-1][1]:.4f} at step {losses[-1][0]}" if losses else "none",
        "Held-out loss": f"{dev_losses[0][1]:.4f} before, {dev_losses[-1][1]:.4f} after" if dev_losses else "not measured",
        "Trained with": ", ".join(f"{name} {version}" for name, version in result["versions"].items()),
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in facts.items())
    front = {"base_model": checkpoint.model, "library_name": "peft", "pipeline_tag": "image-text-to-text", "tags": ["lora", "mistakebook"]}
    return (
        "---\n" + "".join(f"{name}: {json.dumps(value)}\n" for name, value in front.items()) + "---\n\n"
        f"# LoRA on {checkpoint.name}\n\n"
        "LoRA weights, trained on samples that practise what the base got wrong. What they change is measured on the Results page and by\n"
        "`mistakebook results`; nothing is claimed here.\n\n"
        f"| | |\n| --- | --- |\n{table}\n\n"
        f"## Recipe\n\n```json\n{recipe.model_dump_json(indent=2)}\n```\n"
    )


def _hash(run: Run) -> str:
    with run.train.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _code(text: str) -> str:
    return f"`{text}`"
