"""LLaVA's training format: one JSON list of conversations, and images/ (LLaVA's docs/Finetune_Custom_Data.md).

[{"id": "17", "image": "images/ab12….png", "conversations": [
   {"from": "human", "value": "<image>\\nWhat color is the bus?\\nAnswer the question using a single word or phrase."},
   {"from": "gpt", "value": "red"}]}, ...]

A rendered picture has "picture_spec" and "answer_from" beside these, which trainers leave alone.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from data.control_tokens import PLACEHOLDER, neutralised_for_others
from data.exports._writing import ImagePath, asked, copied
from data.files import whole
from data.records import ExportedSample


class Llava:
    """Conversations as LLaVA, LLaMA-Factory (format sharegpt) and others train on them."""

    class Options(BaseModel):
        pass

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, samples: Iterable[ExportedSample], image_path: ImagePath, folder: Path) -> Path:
        """Writes llava.json, a sample at a time, and the pictures; returns the path of the former."""
        target = folder / "llava.json"
        with whole(target) as part, part.open("w", encoding="utf-8") as file:
            before = "[\n"
            for sample in samples:
                human, answer = f"{PLACEHOLDER}\n{asked(sample)}", neutralised_for_others(sample.answer)
                turns = [{"from": "human", "value": human}, {"from": "gpt", "value": answer}]
                row: dict[str, Any] = {
                    "id": str(sample.sample_id),
                    "image": copied(sample.image, image_path, folder),
                    "conversations": turns,
                }
                if sample.picture_spec:
                    row |= {"picture_spec": sample.picture_spec, "answer_from": sample.answer_from}
                file.write(before + json.dumps(row, ensure_ascii=False))
                before = ",\n"
            file.write("[]\n" if before == "[\n" else "\n]\n")
        return target
