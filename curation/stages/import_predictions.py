"""Import predictions: answers that a model gave elsewhere, a JSON object a line: {"id": "q17", "answer": "two", "split": "train"}."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from curation import checkpoints
from curation.stage import Context, Estimate, Job, NothingToDo, Result, Row, Stage
from data.metrics import score
from data.records import Checkpoint
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace

ById = dict[tuple[str, str | None], dict[str, Any]]  # examples by their id and split, and by their id alone


class ImportPredictionsOptions(BaseModel):
    path: str = Field(description="A .jsonl file with id, answer and, where ids repeat between splits, split.")
    dataset: str = Field(description="The dataset that the ids belong to; import it first.")
    checkpoint: str = Field(description="Name of the model that made the predictions.")


class ImportPredictions(Stage[ImportPredictionsOptions]):
    name = "import_predictions"
    title = "Import predictions that a model made elsewhere"
    lane = "cpu"
    batch_size = 1000
    Options = ImportPredictionsOptions

    def select(self, store: Store, workspace: Workspace, job: Job[ImportPredictionsOptions]) -> list[Row]:
        path = Path(job.options.path).expanduser()
        if not path.is_file():
            raise NothingToDo(f"{path} is not a file; give the path of a .jsonl file with id and answer")
        examples = store.rows("examples_of_dataset", dataset=job.options.dataset)
        if not examples:
            raise NothingToDo(f"no dataset {job.options.dataset!r} in this workspace; import it first")
        by_id: ById = {}
        for example in examples:
            by_id[example["external_id"], example["split"]] = by_id[example["external_id"], None] = example
        checkpoint = checkpoints.register(store, Checkpoint(job.options.checkpoint, checkpoints.IMPORTED, ""))
        checkpoints.write_to_folder(checkpoints.find(store, job.options.checkpoint), job.folder)
        if checkpoints.current_round(store) == 0:
            checkpoints.begin_round(store, job.options.checkpoint)
        lines = enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n"), 1)
        return [_row(f"{path}:{number}", line, by_id, checkpoint) for number, line in lines if line.strip()]

    def estimate(self, store: Store, workspace: Workspace, options: ImportPredictionsOptions) -> Estimate:
        return Estimate(rows=0, usd=(0.0, 0.0))

    def collect(self, write: Transaction, job: Job[ImportPredictionsOptions], results: list[Result]) -> None:
        rows = [{k: v for k, v in result.items() if k != "key"} | {"job_id": job.job_id} for result in results]
        write.insert("prediction", rows)
        ids = [row["example_id"] for row in rows]
        checkpoint_id = checkpoints.read_from_folder(job.folder).checkpoint_id
        write.touch_failures(write.column("failures_from_predictions", int, checkpoint_id=checkpoint_id, example_ids=ids))

    def setup(self, context: Context[ImportPredictionsOptions]) -> None:
        pass

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        for row in rows:
            if "error" in row:
                yield {"key": row["key"], "error": row["error"]}
            else:
                scored = score(row["metric"], row["answer"], row["golds"], row["choices"])
                kept = {name: row[name] for name in ("key", "checkpoint_id", "example_id", "answer")}
                yield {**kept, "strict": scored.strict, "lenient": scored.lenient}


def _row(key: str, line: str, by_id: ById, checkpoint_id: int) -> Row:
    """A line as a row to score, or as a row that carries its error."""
    try:
        item = json.loads(line)
        example, answer = by_id.get((str(item["id"]), item.get("split"))), item["answer"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"key": key, "error": f'expected {{"id": …, "answer": …}}, found {line[:80]!r}; fix or delete the line'}
    if example is None:
        return {"key": key, "error": f"the dataset has no example {item['id']!r}; check the id and the split"}
    scoring = {name: example[name] for name in ("example_id", "golds", "choices", "metric")}
    return {"key": key, "checkpoint_id": checkpoint_id, "answer": str(answer), **scoring}
