"""Import predictions: answers that a model gave elsewhere, as curation/imports/predictions.py reads them."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from pydantic import BaseModel, Field

from curation import checkpoints
from curation.imports.example_joins import How
from curation.imports.known_examples import KnownExample
from curation.imports.predictions import Asked, Blanks, Joined, Unused, join
from curation.jobs.job_folder import JobFolder
from curation.scoring import Corpora, Scorer
from curation.stage import Context, Estimate, Job, NothingToDo, Result, Row, Stage
from data.records import Checkpoint, Split
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace

REPORT = "report.json"


class ImportPredictionsOptions(BaseModel):
    path: str = Field(
        description="A .jsonl file, JSON array or table (.csv, .tsv, .xlsx) with id, answer and, where ids repeat between splits, split; "
        "or what lmms-eval, VLMEvalKit or OpenCompass wrote."
    )
    dataset: str = Field(description="The dataset that the ids belong to; import it first.")
    checkpoint: str = Field(description="Name of the model that made the predictions.")
    split: Split | None = Field(default=None, description="The split of lines that name none; needed where numbers alone don't tell it.")
    join: How = Field(
        default="auto",
        description="What lines find their examples by: id, number in the split, or question (and picture, where several ask the same). "
        "auto takes what the whole file allows, and says which.",
    )
    blank_answers: Blanks = Field(
        default="skip", description="Whether a blank or missing answer leaves its example unanswered, or counts as wrong."
    )


class ImportPredictions(Stage[ImportPredictionsOptions]):
    """What can't be used is no row of the job: it is counted in the message, and each line of it listed in the job's folder.

    Checkpoint and first round are stored with the first results: an import that fails leaves neither.
    """

    name = "import_predictions"
    title = "Import predictions that a model made elsewhere"
    lane = "cpu"
    batch_size = 1000
    Options = ImportPredictionsOptions

    def select(self, store: Store, workspace: Workspace, job: Job[ImportPredictionsOptions]) -> Iterator[Row]:
        options = job.options
        with JobFolder(job.folder).skipped.open("w", encoding="utf-8") as skipped:
            joined, examples = _joined(store, options, partial(_list, skipped))
        if not joined.answers:
            first = "".join(f"\n{line}" for line in joined.first_of_each())
            raise NothingToDo(f"no prediction to import from {options.path}: {joined.in_words()}{first}")
        report = {"words": joined.in_words(), "counts": joined.counts()}
        (job.folder / REPORT).write_text(json.dumps(report, ensure_ascii=False), encoding="utf-8")
        corpora, path = Corpora(store, job.folder), Path(options.path).expanduser()
        for example in examples:
            if example.example_id in joined.answers:
                place, answer = joined.answers[example.example_id]
                yield {
                    "key": f"{path}{place}",
                    "answer": answer,
                    **{name: getattr(example, name) for name in ("example_id", "golds", "choices", "metric")},
                    **corpora.of(example.metric, options.dataset, example.split),
                }

    def estimate(self, store: Store, workspace: Workspace, options: ImportPredictionsOptions) -> Estimate:
        joined, _ = _joined(store, options)
        detail = {**joined.counts(), "words": joined.in_words(), "first": joined.first_of_each()}
        return Estimate(rows=len(joined.answers), usd=(0.0, 0.0), detail=detail)

    def collect(self, write: Transaction, job: Job[ImportPredictionsOptions], results: list[Result]) -> None:
        checkpoint_id = checkpoints.register_within(write, Checkpoint(job.options.checkpoint, checkpoints.IMPORTED, ""))
        if checkpoints.current_round(write) == 0:
            checkpoints.begin_round_within(write, checkpoint_id)
        given = {"job_id": job.job_id, "checkpoint_id": checkpoint_id}
        rows = [{name: result[name] for name in ("example_id", "answer", "strict", "lenient")} | given for result in results]
        write.insert("prediction", rows)
        ids = [row["example_id"] for row in rows]
        write.touch_failures(write.column("failures_from_predictions", int, checkpoint_id=checkpoint_id, example_ids=ids))

    def finish(self, store: Store, workspace: Workspace, job: Job[ImportPredictionsOptions]) -> str | None:
        path = job.folder / REPORT
        if not path.exists():  # a job of a version before
            return None
        skipped = JobFolder(job.folder).skipped
        told = f"; what was left out, line by line: mistakebook jobs skipped {job.job_id}"
        words = str(json.loads(path.read_text(encoding="utf-8"))["words"])
        return words + (told if skipped.exists() and skipped.stat().st_size else "")

    def setup(self, context: Context[ImportPredictionsOptions]) -> None:
        self.scorer = Scorer(context.folder)

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        for row in rows:
            if "error" in row:  # of a version before, which kept unusable lines among the rows
                yield {"key": row["key"], "error": row["error"]}
            elif not row["answer"]:  # blank, and asked to count as wrong
                yield {"key": row["key"], "example_id": row["example_id"], "answer": "", "strict": 0.0, "lenient": 0.0, "read": None}
            else:
                kept: Result = {name: row[name] for name in ("key", "example_id", "answer")}
                yield {**kept, **self.scorer.scores(row, row["answer"])}


def _list(file: IO[str], line: Unused) -> None:
    """Notes a line that is not used, but for one that was answered alike before."""
    if line.reason != "known":
        file.write(json.dumps(vars(line), ensure_ascii=False) + "\n")


def _joined(
    store: Store, options: ImportPredictionsOptions, sink: Callable[[Unused], None] = lambda line: None
) -> tuple[Joined, list[KnownExample]]:
    """The file's predictions beside what the store holds; nothing is written. Raises NothingToDo, BadPredictions."""
    path = Path(options.path).expanduser()
    if not path.is_file():  # nor a device or a pipe
        raise NothingToDo(f"{path} is not a file; give the path of a .jsonl file with id and answer")
    examples = store.rows("examples_of_dataset", KnownExample, dataset=options.dataset)
    if not examples:
        names = ", ".join(row["name"] for row in store.rows("datasets")) or "none"
        raise NothingToDo(f"no dataset {options.dataset!r} in this workspace; there are: {names}. Import it first: mistakebook import")
    known = store.row("checkpoint_by_name", Checkpoint, name=options.checkpoint)
    checkpoint_id = known.checkpoint_id if known else None
    answered = {
        row["example_id"]: row["answer"]
        for row in store.rows("answers_of_checkpoint", checkpoint_id=checkpoint_id, dataset=options.dataset)
    }
    folders = (path.parent, *_folders_of(store, options.dataset))
    return join(path, examples, answered, Asked(options.split, options.join, options.blank_answers, folders), sink), examples


def _folders_of(store: Store, dataset: str) -> list[Path]:
    """Where the dataset's pictures lay when it was imported."""
    made: list[Path] = []
    for report in store.rows("import_reports"):
        if report["dataset"] == dataset:
            source = json.loads(report["source"])
            paths = [Path(source[name]).expanduser() for name in ("images", "path") if source.get(name)]
            made += [path if path.is_dir() else path.parent for path in paths]
    return list(dict.fromkeys(made))
