"""What the card of an exported checkpoint says: where it comes from, what it was trained on, what it changed. Read from the store."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from curation import checkpoints
from curation.results import comparison
from curation.results.lines import Line
from data.records import Checkpoint, Record
from data.store import Store


@dataclass(frozen=True)
class TrainedSample(Record):
    """A sample of the frozen snapshot, as it was trained on."""

    sample_id: int
    revision: int
    question: str
    choices: tuple[str, ...]
    answer: str
    image: str | None
    error_type: str
    route: str


class Difference(BaseModel):
    """A group of eval examples, before and after, with the 95 % interval of the paired difference."""

    name: str
    items: int
    before: float
    after: float
    difference: float
    low: float
    high: float
    fixed: int
    broken: int

    @property
    def lost(self) -> bool:
        """Whether it is shown to be worse."""
        return self.high < 0


class AdapterFacts(BaseModel):
    """What is told of a checkpoint."""

    name: str
    base: str
    revision: str | None
    parent: str | None
    run: dict[str, Any] | None  # round, samples, replay, options of the finetune
    snapshot: str | None  # SHA-256 of the samples' content
    by_type: dict[str, int]
    by_route: dict[str, int]
    overall: Difference | None
    by_dataset: list[Difference]
    lost_types: list[Difference]
    gate: str | None
    why_not_compared: str | None


def gather(store: Store, checkpoint: Checkpoint) -> AdapterFacts:
    """The facts of a checkpoint's card. A comparison that can't be made is told, not left out."""
    rows = {row.checkpoint_id: row for row in checkpoints.listed(store)}
    listed = next(row for row in rows.values() if row.name == checkpoint.name)
    parent = rows[listed.parent].name if listed.parent in rows else None
    samples = store.rows("samples_of_checkpoint", TrainedSample, checkpoint_id=listed.checkpoint_id)
    run = store.row("evidence_run", checkpoint_id=listed.checkpoint_id)
    facts = AdapterFacts(
        name=checkpoint.name,
        base=checkpoint.model,
        revision=checkpoint.options.get("revision"),
        parent=parent,
        run=run and {**run, "options": json.loads(run["options"])},
        snapshot=content_hash(samples) if samples else None,
        by_type=_counts([sample.error_type for sample in samples]),
        by_route=_counts([sample.route for sample in samples]),
        overall=None,
        by_dataset=[],
        lost_types=[],
        gate=None,
        why_not_compared=None if parent else "it has no parent in this workspace",
    )
    if parent is None:
        return facts
    try:
        found = comparison.compare(store, checkpoints.find(store, parent), checkpoint)
    except ValueError as error:
        return facts.model_copy(update={"why_not_compared": str(error)})
    passed = "passed" if found.gate.passed else f"not passed: {', '.join(found.gate.not_shown)}"
    return facts.model_copy(
        update={
            "overall": _difference(found.overall),
            "by_dataset": [_difference(line) for line in found.by_dataset],
            "lost_types": [one for line in found.by_error_type if (one := _difference(line)).lost],
            "gate": f"{passed} (non-inferiority, margin {found.gate.margin:g})",
        }
    )


def content_hash(samples: list[TrainedSample]) -> str:
    """SHA-256 of what samples say and show, in the order of their numbers: the same content has the same hash in any workspace's copy."""
    digest = hashlib.sha256()
    for sample in sorted(samples, key=lambda sample: sample.sample_id):
        content = [sample.sample_id, sample.revision, sample.question, list(sample.choices), sample.answer, sample.image]
        digest.update(json.dumps(content, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def _difference(line: Line) -> Difference:
    return Difference(**{name: getattr(line, name) for name in Difference.model_fields})


def _counts(values: list[str]) -> dict[str, int]:
    return {value: values.count(value) for value in sorted(set(values))}
