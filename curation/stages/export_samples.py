"""Export: approved samples are written into a folder in the format of a trainer, with a card. The folder is made equal to them."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, Field, field_validator

from curation.exports import facts
from curation.exports.facts import Facts
from curation.exports.samples import OVERHEAD, Outcome, Stopped, export
from curation.exports.upload import UploadOptions, check_token, uploaded
from curation.stage import Context, Estimate, Job, NothingToDo, Result, Row, Stage
from data.files import write_whole
from data.images import ImageStore
from data.records import ExportedSample, SampleStatus
from data.registry import EXPORTS, check_names
from data.statuses import TRAINED_ON
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace

FACTS, SAMPLES, OUTCOME = "facts.json", "samples.jsonl", "export.json"  # in the job's folder
PROGRESS_EVERY = 0.5  # seconds


def _formats(schema: dict[str, Any]) -> None:
    """The names of the formats, and a sentence about each: what a form shows."""
    schema["enum"] = EXPORTS.names()
    schema["about"] = {name: (EXPORTS.load(name).__doc__ or "").strip() for name in EXPORTS.names()}


class ExportOptions(UploadOptions):
    format: str = Field(default="parquet", description="What is written: " + ", ".join(EXPORTS.names()) + ".", json_schema_extra=_formats)
    folder: Path | None = Field(
        default=None, description="Folder to write to, made equal to the list; if empty, exports/FORMAT of the workspace."
    )
    status: list[SampleStatus] = Field(default=list(TRAINED_ON), min_length=1, description="Statuses of the samples that are exported.")
    format_options: dict[str, Any] = Field(default={}, description="Options of the format.")

    @field_validator("format")
    @classmethod
    def _known(cls, name: str) -> str:
        EXPORTS.load(name)
        return name

    def checked(self) -> "ExportOptions":
        """Itself. Raises UnknownOption, ValidationError for options that the format doesn't have."""
        check_names(EXPORTS.load(self.format).Options, self.format_options, self.format)
        EXPORTS.make(self.format, self.format_options)
        return self


class Export(Stage[ExportOptions]):
    """A row is a sample, so that what is wrong with one stands with its number; all are written at once, before the first result."""

    name = "export"
    title = "Write samples in the format of a trainer"
    lane = "cpu"
    batch_size = 10_000
    Options: ClassVar[type[BaseModel]] = ExportOptions

    def select(self, store: Store, workspace: Workspace, job: Job[ExportOptions]) -> list[Row]:
        statuses = [str(status) for status in job.options.checked().status]
        check_token(job.options, workspace)
        samples = store.rows("samples_to_export", ExportedSample, statuses=statuses)
        if not samples:
            raise NothingToDo(_nothing(job.options))
        told = facts.gather(store, workspace.name, statuses, sorted({sample.dataset for sample in samples}))
        told = told.model_copy(update={"samples": len(samples), "bytes": _bytes_of(ImageStore(workspace.images), samples)})
        write_whole(job.folder / FACTS, told.model_dump_json())
        with (job.folder / SAMPLES).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(vars(sample), ensure_ascii=False) + "\n" for sample in samples)
        return [{"key": str(sample.sample_id)} for sample in samples]

    def estimate(self, store: Store, workspace: Workspace, options: ExportOptions) -> Estimate:
        statuses = [str(status) for status in options.checked().status]
        count = store.one("samples_to_export_count", int, statuses=statuses)
        without = store.one("samples_without_picture", int, statuses=statuses)
        return Estimate(rows=count, detail={"without_picture": without, "folder": str(_folder(workspace, options))})

    def collect(self, write: Transaction, job: Job[ExportOptions], results: list[Result]) -> None:
        pass  # what was written lies in the folder

    def finish(self, store: Store, workspace: Workspace, job: Job[ExportOptions]) -> str | None:
        outcome = job.folder / OUTCOME
        return Outcome.model_validate_json(outcome.read_bytes()).in_words() if outcome.is_file() else None

    def setup(self, context: Context[ExportOptions]) -> None:
        """Writes all samples of the job, whichever of them have a result already: the folder is equal to the whole list or as it was."""
        options, images = context.options, ImageStore(context.workspace.images)
        told = Facts.model_validate_json((context.folder / FACTS).read_bytes())
        done, reported = 0, time.monotonic()
        self.errors: dict[int, str] = {}

        def each() -> None:
            nonlocal done, reported
            done += 1
            if context.should_stop():
                raise Stopped("the export was stopped; the folder is as it was")
            if time.monotonic() - reported > PROGRESS_EVERY:
                reported = time.monotonic()
                context.report({"event": "progress", "done": done, "total": told.samples})

        folder = _folder(context.workspace, options)
        try:
            with (context.folder / SAMPLES).open(encoding="utf-8") as file:
                samples = (ExportedSample.from_row(json.loads(line)) for line in file)
                outcome, tally = export(samples, images, folder, options.format, options.format_options, told, each)
        except Stopped:
            return  # the worker sees it too, and ends before the first row
        self.errors = tally.errors

        def say(text: str) -> None:
            context.report({"event": "message", "text": text})

        outcome.url = uploaded(options, context.workspace, folder, "dataset", say)
        write_whole(context.folder / OUTCOME, outcome.model_dump_json())
        say(outcome.in_words())

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        for row in rows:
            error = self.errors.get(int(row["key"]))
            yield {"key": row["key"], "error": error} if error else {"key": row["key"]}


def _folder(workspace: Workspace, options: ExportOptions) -> Path:
    return (options.folder or workspace.root / "exports" / options.format).expanduser().absolute()


def _bytes_of(images: ImageStore, samples: list[ExportedSample]) -> int:
    """About how much an export writes. A picture that is gone is told later, as the error of its samples."""
    size = OVERHEAD * len(samples)
    for image in {sample.image for sample in samples}:
        with suppress(OSError):
            size += images.file(image).stat().st_size
    return size


def _nothing(options: ExportOptions) -> str:
    if set(options.status) <= set(TRAINED_ON):
        return "no sample is approved yet; review samples first, or name other statuses (--status pending)"
    return f"no sample is {' or '.join(options.status)}; others: --status {' '.join(SampleStatus)}"
