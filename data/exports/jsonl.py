"""JSON lines with the pictures beside them: samples.jsonl and images/. The format `jsonl` of data/datasets reads it back.

{"id": "17", "image": "images/ab12….png", "question": "What color is the bus?", "choices": [], "answer": "red",
 "kind": "attribute/vizwiz", "split": "train", "sample_id": 17, "revision": 0, "dataset": "vizwiz", "route": "new_image", …}

Behind these stands where the sample comes from (`provenance` in data/export_writing.py). A rendered picture has its spec too:
"picture_spec" with its data, and "answer_from", how the answer follows from it (or null).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from data.export_writing import ImagePath, cleaned, copied, provenance, write_lines
from data.records import ExportedSample


class Jsonl:
    """One JSON object a sample, for one's own scripts or another workspace."""

    DATA_FILES = "samples.jsonl"
    USE = """Another workspace reads it: `mistakebook import --format jsonl --source path=samples.jsonl`."""

    class Options(BaseModel):
        pass

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, samples: Iterable[ExportedSample], image_path: ImagePath, folder: Path) -> Path:
        """Writes samples.jsonl and the pictures; returns the path of the former."""
        return write_lines(folder / "samples.jsonl", (_row(cleaned(sample), image_path, folder) for sample in samples))


def _row(sample: ExportedSample, image_path: ImagePath, folder: Path) -> dict[str, Any]:
    row = {
        "id": str(sample.sample_id),
        "image": copied(sample.image, image_path, folder),
        "question": sample.question,
        "choices": list(sample.choices),
        "answer": sample.answer,
        "kind": f"{sample.error_type}/{sample.dataset}",
        "split": "train",
        **provenance(sample),
    }
    return row | {"picture_spec": sample.picture_spec, "answer_from": sample.answer_from} if sample.picture_spec else row
