"""One Parquet file with the pictures inside, as Hugging Face `datasets` writes and reads it.

Columns: sample_id, revision, question, choices, answer, prompt_suffix, text (what a model is asked: question, choices and
suffix), dataset, error_type, route, skill (NULL where none is stated), contrast, picture_spec and answer_from (JSON; NULL unless the
image is rendered), image (bytes and file name).
"""

import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, Field

from data.exports._writing import ImagePath, asked
from data.files import whole
from data.records import ExportedSample

TEXTS = ("question", "answer", "prompt_suffix", "text", "dataset", "error_type", "route", "skill", "picture_spec", "answer_from")
FEATURES = {
    "sample_id": {"dtype": "int64", "_type": "Value"},
    "revision": {"dtype": "int64", "_type": "Value"},
    **{name: {"dtype": "string", "_type": "Value"} for name in TEXTS},
    "choices": {"feature": {"dtype": "string", "_type": "Value"}, "_type": "List"},
    "contrast": {"dtype": "bool", "_type": "Value"},
    "image": {"_type": "Image"},
}
SCHEMA = pa.schema(
    [
        ("sample_id", pa.int64()),
        ("revision", pa.int64()),
        *((name, pa.string()) for name in TEXTS),
        ("choices", pa.list_(pa.string())),
        ("contrast", pa.bool_()),
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
    ],
    metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})},
)


class Parquet:
    """A table with the pictures in it, for Hugging Face datasets and pandas."""

    class Options(BaseModel):
        rows_together: int = Field(
            default=500, ge=1, le=100_000, description="Rows in a row group; all their images are held in memory at once."
        )

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, samples: Iterable[ExportedSample], image_path: ImagePath, folder: Path) -> Path:
        """Writes samples.parquet and returns its path."""
        target = folder / "samples.parquet"
        with whole(target) as part, pq.ParquetWriter(part, SCHEMA) as writer:
            rest = iter(samples)
            while group := list(islice(rest, self.options.rows_together)):
                writer.write_table(pa.Table.from_pylist([_row(sample, image_path) for sample in group], schema=SCHEMA))
        return target


def _row(sample: ExportedSample, image_path: ImagePath) -> dict[str, Any]:
    path = image_path(sample.image)
    specs = {
        name: value and json.dumps(value, ensure_ascii=False)
        for name, value in (("picture_spec", sample.picture_spec), ("answer_from", sample.answer_from))
    }
    return {**sample.to_row(), **specs, "text": asked(sample), "image": {"bytes": path.read_bytes(), "path": path.name}}
