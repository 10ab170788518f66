"""Export of a checkpoint: its adapter as PEFT keeps it, or base and adapter merged into one model, with a card of what it changed."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from curation import checkpoints
from curation.exports import adapter_facts
from curation.exports.adapter_facts import AdapterFacts
from curation.exports.card import model_card
from curation.exports.folders import folder_name
from curation.exports.upload import UploadOptions, check_token, uploaded
from curation.stage import Context, Estimate, Job, NothingToDo, Result, Row, Stage
from data.export_folder import equalise
from data.files import write_whole
from data.images import ImageStore
from data.question_text import full_text
from data.records import Ask, Checkpoint
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace
from models.finetuning.spec import Recipe
from models.weights import files

KEY = "checkpoint"
FACTS, OUTCOME = "facts.json", "export.txt"  # in the job's folder
EXAMPLES = 8  # on which merged weights are held against base and adapter
FACTOR = 1.1  # beside the weights: tokenizer, card


class CheckpointExportOptions(UploadOptions):
    checkpoint: str = Field(description="Name of the checkpoint.")
    form: Literal["adapter", "merged"] = Field(
        default="adapter", description="adapter: the LoRA as PEFT keeps it; merged: one model of base and LoRA, merged in float32."
    )
    folder: Path | None = Field(
        default=None, description="Folder to write to, made equal to what is written; if empty, exports/NAME of the workspace."
    )
    dtype: Literal["as_base", "float32", "bfloat16", "float16"] = Field(
        default="as_base", description="Type in which merged weights are saved; as_base: that of the base."
    )


class ExportCheckpoint(Stage[CheckpointExportOptions]):
    name = "export_checkpoint"
    title = "Write a checkpoint's adapter or merged weights"
    lane = "cpu"
    batch_size = 1
    Options: ClassVar[type[BaseModel]] = CheckpointExportOptions

    def select(self, store: Store, workspace: Workspace, job: Job[CheckpointExportOptions]) -> list[Row]:
        checkpoint = _with_adapter(store, job.options.checkpoint)
        check_token(job.options, workspace)
        write_whole(job.folder / FACTS, adapter_facts.gather(store, checkpoint).model_dump_json())
        if job.options.form == "merged":
            checkpoints.write_to_folder(checkpoint, job.folder)  # it runs in the lane of those that load weights
        return [{"key": KEY, "checkpoint": checkpoint.to_row(), "asks": _asks(store, workspace)}]

    def estimate(self, store: Store, workspace: Workspace, options: CheckpointExportOptions) -> Estimate:
        _with_adapter(store, options.checkpoint)
        return Estimate(rows=1, detail={"folder": str(_folder(workspace, options))})

    def collect(self, write: Transaction, job: Job[CheckpointExportOptions], results: list[Result]) -> None:
        write_whole(job.folder / OUTCOME, results[-1]["message"])  # writing it twice changes nothing

    def finish(self, store: Store, workspace: Workspace, job: Job[CheckpointExportOptions]) -> str | None:
        outcome = job.folder / OUTCOME
        return outcome.read_text(encoding="utf-8") if outcome.is_file() else None

    def setup(self, context: Context[CheckpointExportOptions]) -> None:
        self.context = context

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        options, context = self.context.options, self.context
        facts = AdapterFacts.model_validate_json((context.folder / FACTS).read_bytes())
        folder = _folder(context.workspace, options)
        for row in rows:
            checkpoint = Checkpoint.from_row(row["checkpoint"])
            write = _write_merged if options.form == "merged" else _write_adapter
            message = write(checkpoint, facts, folder, options, row["asks"], self._say)
            url = uploaded(options, context.workspace, folder, "model", self._say)
            yield {"key": row["key"], "message": f"{message}; uploaded to {url}" if url else message}

    def _say(self, text: str) -> None:
        self.context.report({"event": "message", "text": text})


def _write_adapter(
    checkpoint: Checkpoint, facts: AdapterFacts, folder: Path, options: CheckpointExportOptions, asks: list[Row], say: Any
) -> str:
    """Copies the adapter beside its card. Raises BadWeights, BadExportFolder, OSError."""
    source = Path(str(checkpoint.adapter))
    files.check_adapter(source)
    names = [files.ADAPTER_CONFIG, files.ADAPTER]

    def write(part: Path) -> None:
        for name in names:
            shutil.copyfile(source / name, part / name)
        (part / "README.md").write_text(model_card(facts, _recipe(facts), None), encoding="utf-8")

    equalise(folder, write, sum((source / name).stat().st_size for name in names))
    return f"adapter of {checkpoint.name} written to {folder}"


def _write_merged(
    checkpoint: Checkpoint, facts: AdapterFacts, folder: Path, options: CheckpointExportOptions, asks: list[Row], say: Any
) -> str:
    """Merges, saves and compares. Raises NoRoom, BadWeights, BadExportFolder, OSError."""
    from models.weights import merging
    from models.weights.loading import locate

    base = locate(checkpoint.model, checkpoint.options.get("revision"))
    dtype = merging.dtype_of(base) if options.dtype == "as_base" else options.dtype
    merging.check_memory(base)
    needed = int(merging.parameters_of(base) * merging.BYTES[dtype] * FACTOR)
    found: list[merging.Merged] = []

    def write(part: Path) -> None:
        found.append(merging.merge(checkpoint, [Ask.from_row(ask) for ask in asks], part, dtype, say))
        (part / "README.md").write_text(model_card(facts, _recipe(facts), found[0]), encoding="utf-8")

    equalise(folder, write, needed)
    error = f"largest logit error {found[0].largest_error:.2e} on {found[0].examples} examples" if asks else "logit error not measured"
    return f"{checkpoint.name} merged with its base in {dtype} written to {folder}; {error}"


def _recipe(facts: AdapterFacts) -> dict[str, Any]:
    """The recipe in full where it is known: the options of the finetune over the preset that they name."""
    from curation.training.plan import FinetuneOptions, recipe

    options = (facts.run or {}).get("options") or {}
    known = {name: value for name, value in options.items() if name in FinetuneOptions.model_fields}
    full: Recipe = recipe(FinetuneOptions(**known))
    return {**known, **full.model_dump()} if facts.run else {}


def _with_adapter(store: Store, name: str) -> Checkpoint:
    checkpoint = checkpoints.find(store, name)
    if not checkpoint.adapter:
        imported = checkpoint.baseline == checkpoints.IMPORTED
        what = "only its answers were imported" if imported else f"its weights are those of {checkpoint.model}"
        raise NothingToDo(f"{name} has no adapter to export: {what}; checkpoints that a finetune made have one")
    return checkpoint


def _asks(store: Store, workspace: Workspace) -> list[Row]:
    images = ImageStore(workspace.images)
    examples = store.rows("examples_for_merge", limit=EXAMPLES)
    there = [row for row in examples if _is_there(images, row["image"])]
    texts = [full_text(row["question"], row["choices"], row["prompt_suffix"]) for row in there]
    paths = [str(images.path(row["image"])) for row in there]
    return [{"key": str(number), "text": text, "image_path": path} for number, (text, path) in enumerate(zip(texts, paths))]


def _is_there(images: ImageStore, image: str) -> bool:
    try:
        return images.path(image).is_file()
    except FileNotFoundError:
        return False


def _folder(workspace: Workspace, options: CheckpointExportOptions) -> Path:
    usual = workspace.root / "exports" / f"{folder_name(options.checkpoint)}-{options.form}"
    return (options.folder or usual).expanduser().absolute()
