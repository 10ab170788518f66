"""LLaVA's training format: one JSON list of conversations, and images/ (LLaVA's docs/Finetune_Custom_Data.md).

[{"id": "17", "image": "images/ab12….png", "conversations": [
   {"from": "human", "value": "<image>\\nWhat color is the bus?\\nAnswer the question using a single word or phrase."},
   {"from": "gpt", "value": "red"}], "sample_id": 17, "route": "new_image", …}, ...]

Behind these stands where the sample comes from (`provenance` in data/export_writing.py), which trainers leave alone; a rendered picture has
"picture_spec" and "answer_from" too.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from data.control_tokens import PLACEHOLDER
from data.export_writing import ImagePath, asked, cleaned, copied, provenance, write_list
from data.records import ExportedSample


class Llava:
    """Conversations as LLaVA's own training scripts read them."""

    DATA_FILES = "llava.json"
    USE = """LLaVA's `train.py` takes `--data_path llava.json --image_folder .` in this folder."""

    class Options(BaseModel):
        pass

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, samples: Iterable[ExportedSample], image_path: ImagePath, folder: Path) -> Path:
        """Writes llava.json, a sample at a time, and the pictures; returns the path of the former."""
        return write_list(folder / "llava.json", (_row(cleaned(sample), image_path, folder) for sample in samples))


def _row(sample: ExportedSample, image_path: ImagePath, folder: Path) -> dict[str, Any]:
    turns = [{"from": "human", "value": f"{PLACEHOLDER}\n{asked(sample)}"}, {"from": "gpt", "value": sample.answer}]
    row = {
        "id": str(sample.sample_id),
        "image": copied(sample.image, image_path, folder),
        "conversations": turns,
        **provenance(sample),
    }
    return row | {"picture_spec": sample.picture_spec, "answer_from": sample.answer_from} if sample.picture_spec else row
