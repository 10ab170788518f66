"""Import: a dataset plugin reads a benchmark; its pictures are checked and kept, its examples go into the store."""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Any, TypeVar

from pydantic import BaseModel, Field, model_validator

from curation.imports.again import Again, Known, replace, write_known
from curation.imports.left_out import SKIPPED, note
from curation.imports.removal import check_not_removed
from curation.stage import Context, Estimate, Job, Result, Row, Stage
from data.datasets._columns import FIELDS
from data.errors import MistakebookError
from data.images import BadImage, ImageStore, image_row
from data.machine import cores
from data.metrics import MATCHES_NEEDED, best_possible, measure
from data.records import BadLine, Dataset, ImportReport, Skipped, SourceExample
from data.registry import DATASETS
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace

EXAMPLES = "examples.jsonl"
AT_ONCE = 200  # items handed to a worker
STORED_AT_ONCE = 10_000  # lines of the file of examples
NOT_USABLE = "not usable"  # the reason, in counts, of lines that are listed with the job's errors
MOST_WORKERS = 8
MOST_ANSWERS = 30  # different ones, up to which they are named in the answer form
LONGEST_ANSWER = 40  # characters


class UploadsReferenced(MistakebookError):
    """Pictures of an upload can't be referenced."""


Item = TypeVar("Item")
Done = TypeVar("Done")


class ImportOptions(BaseModel):
    format: str = Field(description="Format of the dataset: " + ", ".join(DATASETS.names()) + ".")
    source: dict[str, Any] = Field(default_factory=dict, description="Options of the format, such as the path.")
    map: dict[str, str] = Field(
        default_factory=dict,
        description="Which column is which field, as question=Q answers=gold; the others are guessed by the columns' names. "
        "Fields: " + ", ".join(FIELDS) + ".",
    )
    reference: bool = Field(
        default=False,
        description="Leave the pictures where they are and keep their paths alone; one that moves or changes later is an error of its row.",
    )
    again: Again = Field(
        default="",
        description="Where a dataset of that name is there and differs: replace what changed, add what is new, or refuse. "
        "Empty adds to it as long as nothing has changed or gone, else refuses.",
    )

    @model_validator(mode="after")
    def _into_source(self) -> "ImportOptions":
        """The mapping is an option of the format."""
        if self.map:
            self.source = {**self.source, "map": {**self.source.get("map", {}), **self.map}}
            self.map = {}
        return self


class Import(Stage[ImportOptions]):
    """One row a launch; its result names a file of examples in the job's folder, since a benchmark can be large."""

    name = "import"
    title = "Import a dataset"
    lane = "cpu"
    batch_size = 1
    Options = ImportOptions

    def select(self, store: Store, workspace: Workspace, job: Job[ImportOptions]) -> list[Row]:
        about = DATASETS.make(job.options.format, job.options.source).about()
        check_not_removed(store, about.name)
        if job.options.reference:
            _check_lasting(workspace, job.options.source)
        write_known(store, about.name, job.folder)
        return [{"key": about.name}]

    def estimate(self, store: Store, workspace: Workspace, options: ImportOptions) -> Estimate:
        return Estimate(rows=1, usd=(0.0, 0.0))

    def collect(self, write: Transaction, job: Job[ImportOptions], results: list[Result]) -> None:
        for result in results:
            write.insert("dataset", [result["dataset"]])
            done = ""
            if job.options.again == "replace" and "again" in result:
                done = replace(write, job.job_id, job.folder, result["dataset"], _stored(job.folder / EXAMPLES))
            for rows in _stored(job.folder / EXAMPLES):
                write.insert("image", [row["image"] for row in rows if "image" in row])
                write.insert("example", [row["example"] for row in rows if "example" in row], key=("dataset", "split", "external_id"))
                _insert_bad(write, job.job_id, rows)
            told = {name: result.get(name) or {} for name in ("skipped", "remarks")}
            about = {"dataset": result["key"], "format": result["dataset"]["format"], "layout": result.get("layout", "")}
            words = [result.get("again", ""), done]
            if any(words):
                about["layout"] = ". ".join(filter(None, [about["layout"], *words]))
            source = json.dumps(job.options.source, ensure_ascii=False, default=str, sort_keys=True)
            report = {"job_id": job.job_id, **about, "source": source, "examples": result["examples"], **told}
            write.insert("import_report", [report], replace=True)

    def finish(self, store: Store, workspace: Workspace, job: Job[ImportOptions]) -> str | None:
        store.checkpoint()
        about = DATASETS.make(job.options.format, job.options.source).about()
        report = store.row("import_report", ImportReport, job_id=job.job_id)
        if report is None:  # nothing was usable: the job fails, and every line says why
            with store.write() as write:
                for rows in _stored(job.folder / EXAMPLES):
                    _insert_bad(write, job.job_id, rows)
                write.run("job_failed_count", job_id=job.job_id)
            return store.value("row_error_of", str, job_id=job.job_id, key=about.name)
        return ". ".join(filter(None, [report.in_words(), _too_few_golds(store, about), _name_answers(store, about)])) or None

    def setup(self, context: Context[ImportOptions]) -> None:
        self.plugin = DATASETS.make(context.options.format, context.options.source)
        self.images = ImageStore(context.workspace.images)
        self.again, self.reference = context.options.again, context.options.reference
        self.path, self.report, self.should_stop = context.folder / EXAMPLES, context.report, context.should_stop

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        about = self.plugin.about()
        good, bad = 0, 0
        skipped: Counter[str] = Counter()
        remarks: Counter[str] = Counter()
        known = Known.of(self.path.parent)
        with self.path.open("w", encoding="utf-8") as file, self.path.with_name(SKIPPED).open("w", encoding="utf-8") as listed:
            items = _counted(self.plugin.read(), skipped, remarks, listed)
            for lines in _in_processes(partial(_lines, self.images, about.name, self.reference), items):
                file.write("".join(_compared(known, text) if known and is_good else text for text, is_good in lines))
                usable = sum(is_good for _, is_good in lines)
                good, bad = good + usable, bad + len(lines) - usable
                self.report({"event": "message", "text": f"{about.name}: {good:,} examples read, {bad:,} lines not usable"})
                if self.should_stop():
                    return
        self.images.settle()
        layout = self.plugin.why() if hasattr(self.plugin, "why") else ""
        if bad:
            skipped[NOT_USABLE] = bad
        differences = known.end(about) if known and good else None
        if differences and (refused := differences.refusal(about.name, self.again)):
            yield {"key": about.name, "error": refused}
        elif good:
            counts = {"examples": good, "bad": bad, "skipped": dict(skipped), "remarks": dict(remarks)}
            told = {"again": f"imported again: {differences.in_words()}"} if differences else {}
            yield {"key": about.name, "dataset": about.to_row(), "layout": layout, **counts, **told}
        else:
            left_out = "".join(f", {count:,} {reason}" for reason, count in skipped.items() if reason != NOT_USABLE)
            yield {"key": about.name, "error": f"no usable example in it ({bad:,} bad lines{left_out}{self._first_bad()})"}

    def _first_bad(self) -> str:
        for rows in _stored(self.path):
            for bad in (row["bad"] for row in rows if "bad" in row):
                return f", the first: {bad['key']}: {bad['error']}"
        return ""


def _check_lasting(workspace: Workspace, source: dict[str, Any]) -> None:
    """Raises UploadsReferenced where pictures lie among the workspace's uploads, which are cleaned up."""
    uploads = (workspace.root / "uploads").resolve()
    for name in ("path", "images"):
        if source.get(name) and Path(str(source[name])).resolve().is_relative_to(uploads):
            raise UploadsReferenced(f"{source[name]} was uploaded, and uploads may be cleaned up: import it without --reference")


def _compared(known: Known, line: str) -> str:
    """A line of the file of examples, with what it changes of a dataset that was there."""
    return json.dumps(known.compared(json.loads(line)), ensure_ascii=False) + "\n"


def _stored(path: Path) -> Iterator[list[Row]]:
    """The lines of a file of examples, some thousands at a time."""
    if not path.exists():
        return
    with path.open("rb") as file:  # of text it would also split at U+2028, which a question may hold
        while lines := list(islice(file, STORED_AT_ONCE)):
            yield [json.loads(line) for line in lines]


def _insert_bad(write: Transaction, job_id: int, rows: list[Row]) -> None:
    bad = {row["bad"]["key"]: {"job_id": job_id, **row["bad"]} for row in rows if "bad" in row}
    write.insert("row_error", list(bad.values()), replace=True)


def _counted(items: Iterable[Item], skipped: Counter[str], remarks: Counter[str], listed: IO[str]) -> Iterator[SourceExample | BadLine]:
    """The items that are examples or bad lines; what is left out is listed and counted, what of examples is passed over is counted."""
    for item in items:
        if isinstance(item, Skipped):
            skipped[item.reason] += 1
            note(listed, item)
            continue
        if isinstance(item, SourceExample):
            remarks.update(item.remarks)
        if isinstance(item, SourceExample | BadLine):
            yield item


def _too_few_golds(store: Store, about: Dataset) -> str:
    """A warning where examples have so few golds that no answer can reach the threshold; else nothing."""
    most = max((n for n in range(1, MATCHES_NEEDED + 1) if best_possible(about.metric, n) < about.threshold), default=0)
    few = store.value("examples_with_few_golds", int, dataset=about.name, most=most) if most else 0
    if not few:
        return ""
    return (
        f"{few:,} examples have at most {most} gold answers, with which {measure(about.metric).title} can't reach {about.threshold:g}: "
        "every answer would fail. Import the dataset with the metric exact_match"
    )


def _name_answers(store: Store, about: Dataset) -> str:
    """Adds a dataset's own answers to its answer form, where its train split has few and nothing else is known of it; says so.

    Frontier model and samples then use its words: "rectangle" where others would say "square". Eval golds are not looked at.
    """
    if about.answer_form != measure(about.metric).answer_form or measure(about.metric).wants_choices:
        return ""
    answers = store.column("answers_of_unknown_dataset", str, dataset=about.name, most=MOST_ANSWERS + 1)
    if not 1 < len(answers) <= MOST_ANSWERS or max(map(len, answers)) > LONGEST_ANSWER:
        return ""
    with store.write() as write:
        write.run(
            "dataset_answer_form", dataset=about.name, answer_form=f"{about.answer_form}; this dataset's answers are: {', '.join(answers)}"
        )
    return f"its {len(answers)} different answers (of the train split) are named in the answer form that frontier models are given"


def _in_processes(work: Callable[[list[Item]], list[Done]], items: Iterable[Item]) -> Iterator[list[Done]]:
    """`work` on batches of the items, in their order, by as many processes as there are cores; no further ahead than they can follow."""
    source, workers = iter(items), min(MOST_WORKERS, cores())
    with ProcessPoolExecutor(workers, get_context("fork")) as pool:
        waiting = deque(pool.submit(work, batch) for batch in _batches(source, workers + 1))
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(pool.submit(work, batch) for batch in _batches(source, 1))
            yield done


def _batches(items: Iterator[Item], count: int) -> Iterator[list[Item]]:
    for _ in range(count):
        if batch := list(islice(items, AT_ONCE)):
            yield batch


def _lines(images: ImageStore, dataset: str, reference: bool, items: list[SourceExample | BadLine]) -> list[tuple[str, bool]]:
    """The lines of the examples' file, each with whether it is an example."""
    rows = [_line(images, dataset, reference, item) for item in items]
    return [(json.dumps(row, ensure_ascii=False) + "\n", "example" in row) for row in rows]


def _line(images: ImageStore, dataset: str, reference: bool, item: SourceExample | BadLine) -> dict[str, Any]:
    if isinstance(item, BadLine):
        return {"bad": {"key": item.source, "error": item.error}}
    try:
        name = str(item.picture) if isinstance(item.picture, Path) else f"the image of {item.external_id}"
        if reference and isinstance(item.picture, Path):
            info = images.refer(item.picture, durable=False)
        else:
            info = images.add(item.picture, name, durable=False)
    except (BadImage, OSError) as error:
        return {"bad": {"key": item.source or item.external_id, "error": str(error)}}
    example = {field: getattr(item, field) for field in ("external_id", "split", "question", "golds", "choices", "kind", "position")}
    return {"image": image_row(info), "example": {"dataset": dataset, "image": info.sha256, **example}}
