"""Parquet files with the pictures inside, as Hugging Face `datasets` writes and reads them: train-00000-of-00002.parquet, …

Columns: question, choices, answer, prompt_suffix, text (what a model is asked: question, choices and suffix), image (bytes and file
name), where the sample comes from (`provenance` in data/export_writing.py), picture_spec and answer_from (JSON; NULL unless the image
is rendered).
"""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, Field

from data.export_writing import ImagePath, asked, cleaned, provenance, specs
from data.records import ExportedSample

SHARD = 400 * 2**20  # bytes of pictures in a file
TEXTS = ("dataset", "error_type", "cluster", "skill", "route", "status", "reviewer", "proposed_by", "diagnosed_by", "drawn_by")
FILTER = {
    "filter": pa.string(), "version": pa.int64(), "score": pa.float64(), "comparison": pa.string(), "threshold": pa.float64(),
    "passed": pa.bool_(),
}  # fmt: skip
COLUMNS: dict[str, Any] = {
    "sample_id": pa.int64(),
    "revision": pa.int64(),
    **dict.fromkeys(("question", "answer", "prompt_suffix", "text"), pa.string()),
    "choices": pa.list_(pa.string()),
    **dict.fromkeys(TEXTS, pa.string()),
    "contrast": pa.bool_(),
    "round": pa.int64(),
    "prompts": pa.list_(pa.string()),
    "filters": pa.list_(pa.struct(list(FILTER.items()))),
    **dict.fromkeys(("licence", "picture_spec", "answer_from"), pa.string()),
    "image": pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
}


def _feature(kind: pa.DataType) -> Any:
    """A column as `datasets` describes it. Lists are written as its versions before 4 do, which later ones read too."""
    if pa.types.is_list(kind):
        inner = _feature(kind.value_type)
        return {"feature": inner, "_type": "Sequence"} if pa.types.is_string(kind.value_type) else [inner]
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind)), "_type": "Value"}


FEATURES = {name: {"_type": "Image"} if name == "image" else _feature(kind) for name, kind in COLUMNS.items()}
SCHEMA = pa.schema(list(COLUMNS.items()), metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})})


class Parquet:
    """A table with the pictures in it, for Hugging Face datasets and pandas."""

    DATA_FILES = "train-*.parquet"
    USE = """```python
from datasets import load_dataset

rows = load_dataset("parquet", data_files="FOLDER/train-*.parquet", split="train")
```"""

    class Options(BaseModel):
        rows_together: int = Field(
            default=500, ge=1, le=100_000, description="Rows in a row group; all their images are held in memory at once."
        )

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, samples: Iterable[ExportedSample], image_path: ImagePath, folder: Path) -> Path:
        """Writes the files and returns the path of the first, which is there without samples too."""
        folder.mkdir(parents=True, exist_ok=True)
        groups, parts = self._groups(samples, image_path), list[Path]()
        group = next(groups, [])
        while group or not parts:
            parts.append(folder / f"part-{len(parts)}")
            size = 0
            with pq.ParquetWriter(parts[-1], SCHEMA) as writer:
                while group and size < SHARD:
                    writer.write_table(pa.Table.from_pylist(group, schema=SCHEMA))
                    size += sum(len(row["image"]["bytes"]) for row in group)
                    group = next(groups, [])
        targets = [folder / f"train-{number:05}-of-{len(parts):05}.parquet" for number in range(len(parts))]
        for part, target in zip(parts, targets):
            part.rename(target)
        return targets[0]

    def _groups(self, samples: Iterable[ExportedSample], image_path: ImagePath) -> Iterator[list[dict[str, Any]]]:
        rest = iter(samples)
        while group := list(islice(rest, self.options.rows_together)):
            yield [_row(cleaned(sample), image_path) for sample in group]


def _row(sample: ExportedSample, image_path: ImagePath) -> dict[str, Any]:
    path = image_path(sample.image)
    texts = {
        "question": sample.question,
        "choices": list(sample.choices),
        "answer": sample.answer,
        "prompt_suffix": sample.prompt_suffix,
        "text": asked(sample),
    }
    return {**texts, **provenance(sample), **specs(sample), "image": {"bytes": path.read_bytes(), "path": path.name}}
