"""The folder of a run (an arm and a seed), below that of the experiment's job.

<job>/eval.jsonl          the eval examples, the same for all runs
<job>/runs/<arm>-<seed>/  rows.json (what it is trained on), what models.finetune keeps there (run.json, train.parquet, adapter/ …),
                          answers.jsonl (appended), outcome.json at the end, log.txt, lock
A run that isn't trained has no run.json.
"""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.experiments.arm_rows import TrainRow
from data.child_work import WorkFolder
from data.files import append_line, cut_torn_line, read_lines, whole, write_whole
from data.images import ImageStore
from data.question_text import full_text
from data.records import Checkpoint, Record
from models.finetuning.spec import Recipe, RunSpec, read_json, write_rows

EVAL = "eval.jsonl"
RUNS = "runs"


@dataclass(frozen=True)
class RunOutcome(Record):
    """How a run went; `diverged` says why its figures don't count, None that they do. Seconds are those of all its launches."""

    steps: int
    first_loss: float | None
    last_loss: float | None
    diverged: str | None
    train_seconds: float
    eval_seconds: float
    threads: int


@dataclass(frozen=True)
class RunFolder(WorkFolder):
    @classmethod
    def of(cls, job_folder: Path, arm: str, seed: int) -> "RunFolder":
        return cls(job_folder / RUNS / f"{arm}-{seed}")

    @property
    def job_folder(self) -> Path:
        return self.folder.parent.parent

    @property
    def eval(self) -> Path:
        return self.job_folder / EVAL

    @property
    def answers(self) -> Path:
        return self.folder / "answers.jsonl"

    @property
    def is_trained(self) -> bool:
        """Whether it is trained at all before it is asked."""
        return (self.folder / "run.json").exists()

    def write(self, rows: Sequence[TrainRow], images: ImageStore, checkpoint: Checkpoint, recipe: Recipe, steps: int, seed: int) -> None:
        """What a run is trained on. No held-out loss is measured: it takes a quarter of the time and steers nothing here."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_rows(self.folder / "train.parquet", [_as_trained(row, images) for row in rows])
        write_rows(self.folder / "dev.parquet", [])
        self.write_identities(rows)
        RunSpec(checkpoint=checkpoint, recipe=recipe.model_copy(update={"max_steps": steps}), seed=seed).write(self.folder)

    def has_samples(self) -> bool:
        """Whether it is trained on more than replay."""
        return any(source != "replay" for source, _, _ in self.identities())

    def add_samples(self, rows: Sequence[TrainRow], images: ImageStore, seed: int) -> None:
        """Puts rows among those that the run is trained on, which are its replay so far. Identities go last: they say that it is done."""
        import pyarrow.parquet as pq

        path = self.folder / "train.parquet"
        there = [row for row in pq.read_table(path).to_pylist() if row["source"] == "replay"]
        mixed = [*(_as_trained(row, images) for row in rows), *there]
        random.Random(seed).shuffle(mixed)
        with whole(path) as part:
            write_rows(part, mixed)
        known = [(source, identity, revision) for source, identity, revision in self.identities() if source == "replay"]
        self._write_identities([*((row.source, row.identity, row.revision) for row in rows), *known])

    def write_identities(self, rows: Sequence[TrainRow]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_identities([(row.source, row.identity, row.revision) for row in rows])

    def _write_identities(self, rows: Sequence[tuple[str, int, int | None]]) -> None:
        write_whole(self.folder / "rows.json", json.dumps(rows))

    def identities(self) -> list[tuple[str, int, int | None]]:
        """Source, number and (of a sample) revision of what it is trained on."""
        return [(source, identity, revision) for source, identity, revision in json.loads((self.folder / "rows.json").read_text())]

    def write_outcome(self, outcome: RunOutcome) -> None:
        write_whole(self.folder / "outcome.json", json.dumps(outcome.to_row(), indent=1))

    def outcome(self) -> RunOutcome | None:
        """None until the run is through."""
        found = read_json(self.folder / "outcome.json")
        return RunOutcome.from_row(found) if found else None

    def events_so_far(self) -> list[dict[str, Any]]:
        return read_lines(self.events, 0, 1 << 30)[0]

    def read_answers(self) -> list[dict[str, Any]]:
        """Each with example_id, and answer, strict, lenient, or error."""
        return read_lines(self.answers, 0, 1 << 30)[0]

    def append_answers(self, answers: Iterable[dict[str, Any]]) -> None:
        for answer in answers:
            append_line(self.answers, answer)

    def cut_torn_answer(self) -> None:
        cut_torn_line(self.answers)


def write_eval(job_folder: Path, examples: Iterable[dict[str, Any]]) -> int:
    """Writes the eval examples for all runs; returns their number."""
    lines = [json.dumps(example, ensure_ascii=False) for example in examples]
    write_whole(job_folder / EVAL, "".join(f"{line}\n" for line in lines))
    return len(lines)


def read_eval(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _as_trained(row: TrainRow, images: ImageStore) -> dict[str, str]:
    return {
        "source": row.source,
        "id": f"{row.source} {row.identity}",
        "image_path": str(images.path(row.image)),
        "text": full_text(row.question, row.choices, row.prompt_suffix),
        "answer": row.answer,
    }
