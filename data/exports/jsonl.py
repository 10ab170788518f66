"""JSON lines with the pictures beside them: samples.jsonl and images/. The format `jsonl` of data/datasets reads it back.

{"id": "17", "image": "images/ab12….png", "question": "What color is the bus?", "choices": [], "answer": "red",
 "kind": "attribute/vizwiz", "split": "train", "dataset": "vizwiz", "route": "new_image", "skill": "color of a bus",
 "contrast": false, "revision": 0}

A rendered picture has its spec too: "picture_spec" with its data, and "answer_from", how the answer follows from it (or null).
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from data.exports._writing import ImagePath, copied
from data.files import whole
from data.records import ExportedSample


class Jsonl:
    """One JSON object a sample, for one's own scripts or another workspace."""

    class Options(BaseModel):
        pass

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, samples: Iterable[ExportedSample], image_path: ImagePath, folder: Path) -> Path:
        """Writes samples.jsonl and the pictures; returns the path of the former."""
        target = folder / "samples.jsonl"
        with whole(target) as part, part.open("w", encoding="utf-8") as file:
            for sample in samples:
                row: dict[str, Any] = {
                    "id": str(sample.sample_id),
                    "image": copied(sample.image, image_path, folder),
                    "question": sample.question,
                    "choices": list(sample.choices),
                    "answer": sample.answer,
                    "kind": f"{sample.error_type}/{sample.dataset}",
                    "split": "train",
                    "dataset": sample.dataset,
                    "route": sample.route,
                    "skill": sample.skill,
                    "contrast": sample.contrast,
                    "revision": sample.revision,
                }
                if sample.picture_spec:
                    row |= {"picture_spec": sample.picture_spec, "answer_from": sample.answer_from}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return target
