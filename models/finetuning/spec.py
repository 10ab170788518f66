"""What a finetune is asked to do: the recipe, the run's specification and its rows, as they lie in a run folder."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data.errors import MistakebookError
from data.files import write_whole
from data.records import Checkpoint
from models.finetuning.types import Row

COLUMNS = ("source", "id", "image_path", "text", "answer")


class BadRun(MistakebookError):
    """A run folder that can't be trained from: says which file, what was expected and what to do."""


class Recipe(BaseModel):
    """How a LoRA is trained. The defaults are those of the preset "pocket"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    r: int = Field(default=16, ge=1, description="Rank of the LoRA matrices: more can learn more and forgets more")
    alpha: int = Field(default=32, ge=1, description="The LoRA's update is scaled by alpha / r")
    lora_dropout: float = Field(default=0.0, ge=0, lt=1, description="Share of the LoRA's inputs dropped in training")
    target_modules: str | None = Field(default=None, description="Regex of the layers that get a LoRA; empty: what the baseline proposes")
    learning_rate: float = Field(default=1e-3, gt=0, description="Highest learning rate of AdamW")
    projector_learning_rate: float | None = Field(
        default=None, gt=0, description="Another one for the multimodal projector; empty: the same"
    )
    scheduler: Literal["cosine", "linear", "constant_with_warmup"] = Field(default="cosine", description="How the learning rate goes down")
    warmup_share: float = Field(default=0.03, ge=0, lt=1, description="Share of all steps in which the learning rate rises from zero")
    weight_decay: float = Field(default=0.0, ge=0, description="AdamW's weight decay")
    max_grad_norm: float = Field(default=1.0, gt=0, description="Gradients are clipped to this norm")
    epochs: float = Field(default=8.0, gt=0, description="How often every row is seen")
    max_steps: int | None = Field(default=None, ge=1, description="Train for exactly this many steps, whatever the epochs; arms share it")
    batch_size: int = Field(default=16, ge=1, description="Rows in one optimiser step, over all devices together")
    device_batch_size: int = Field(default=16, ge=1, description="Rows that one device holds at once; the rest of a batch is accumulated")
    max_length: int = Field(
        default=2048, ge=1, description="Tokens a row may have with its image; nothing is ever cut off, a longer row is refused"
    )
    bf16: bool = Field(default=True, description="Mixed precision bfloat16, where the device is a GPU that has it")
    activation_checkpointing: bool = Field(default=False, description="Recompute activations: less memory, about a third slower")
    workers: int = Field(default=0, ge=0, description="Processes that load images ahead")
    dev_every: int = Field(default=100, ge=1, description="Steps between measurements of the held-out loss")
    save_every: int = Field(default=50, ge=1, description="Steps between snapshot steps, from which a stopped run goes on")

    def accumulation(self, devices: int) -> int:
        """Batches that each of `devices` accumulates, so that the global batch stays as asked for."""
        return max(1, round(self.batch_size / (min(self.device_batch_size, self.batch_size) * devices)))


RECIPES: dict[str, Recipe] = {
    # For pocket-llava; measured in docs/log.md.
    "pocket": Recipe(),
    # The stock LLaVA-1.5 LoRA recipe (METHOD.md). There the projector is tuned whole, here by LoRA like the rest.
    "llava-1.5": Recipe(
        r=128,
        alpha=256,
        lora_dropout=0.05,
        learning_rate=2e-4,
        projector_learning_rate=2e-5,
        warmup_share=0.03,
        epochs=1,
        batch_size=128,
        device_batch_size=16,
        max_length=2048,
        activation_checkpointing=True,
        workers=4,
        dev_every=200,
        save_every=100,
    ),
}


class RunSpec(BaseModel):
    """`run.json`: the checkpoint to start from (its adapter, if any, is trained on), the recipe, the seed."""

    checkpoint: Checkpoint = Field(description="Baseline plugin, model and adapter to start from")
    recipe: Recipe = Field(default=Recipe(), description="How to train")
    seed: int = Field(default=0, description="Orders the rows and starts the LoRA: the same seed gives the same loss curve")

    def write(self, run_folder: Path) -> None:
        """Writes `run.json` into the folder, which is made if need be."""
        run_folder.mkdir(parents=True, exist_ok=True)
        write_whole(run_folder / "run.json", self.model_dump_json(indent=2))

    @classmethod
    def read(cls, run_folder: Path) -> Self:
        """Raises BadRun if `run.json` is missing or isn't as expected."""
        path = run_folder / "run.json"
        if not path.exists():
            raise BadRun(f"{path}: no such file; a run folder holds run.json, train.parquet and dev.parquet: launch the finetune again")
        try:
            return cls.model_validate_json(path.read_text())
        except ValidationError as error:
            raise BadRun(f"{path}: {error}; correct it, or launch the finetune again to write it anew") from error


class Rows:
    """The rows of a Parquet file as a sequence of dicts with COLUMNS; kept in Arrow's compact form, a row is made when asked for."""

    def __init__(self, path: Path):
        import pyarrow.parquet as pq

        if not path.exists():
            raise BadRun(f"{path}: no such file; expected training rows with the columns {', '.join(COLUMNS)}: launch the finetune again")
        table = pq.read_table(path)
        missing = [name for name in COLUMNS if name not in table.column_names]
        if missing:
            raise BadRun(f"{path}: column {', '.join(missing)} missing; expected {', '.join(COLUMNS)}: launch the finetune again")
        self.path = path
        self._table = table.select(list(COLUMNS))

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __getitem__(self, index: int) -> Row:
        row: Row = self._table.slice(int(index), 1).to_pylist()[0]
        return row

    def column(self, name: str) -> list[str]:
        values: list[str] = self._table.column(name).to_pylist()
        return values


@dataclass(frozen=True)
class Run:
    """A run folder, read once: what is asked for, and the rows."""

    folder: Path
    spec: RunSpec
    train: Rows
    dev: Rows

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises BadRun."""
        return cls(folder, RunSpec.read(folder), Rows(folder / "train.parquet"), Rows(folder / "dev.parquet"))


def write_rows(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Writes train.parquet or dev.parquet: `source` ("sample" or "replay"), `id`, `image_path`, `text`, `answer`, all text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file, or None if it isn't there or is torn."""
    try:
        value: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return value
