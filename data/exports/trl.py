"""TRL's conversations for vision-language models (its docs, "Dataset formats"): train.jsonl and images/.

{"images": ["images/ab12….png"],
 "messages": [{"role": "user", "content": [{"type": "image", "text": null}, {"type": "text", "text": "What color is the bus?"}]},
              {"role": "assistant", "content": [{"type": "text", "text": "red"}]}], "sample_id": 17, …}
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from data.export_writing import ImagePath, asked, chats, write_lines
from data.records import ExportedSample


class Trl:
    """Messages and a list of pictures, as TRL's SFTTrainer takes them."""

    DATA_FILES = "train.jsonl"
    USE = """```python
from datasets import Image, List, load_dataset

folder = "FOLDER"
rows = load_dataset("json", data_files=f"{folder}/train.jsonl", split="train").select_columns(["messages", "images"])
rows = rows.map(lambda row: {"images": [f"{folder}/{name}" for name in row["images"]]}).cast_column("images", List(Image()))
SFTTrainer(model, args=SFTConfig(max_length=None), train_dataset=rows)
```"""

    class Options(BaseModel):
        pass

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, samples: Iterable[ExportedSample], image_path: ImagePath, folder: Path) -> Path:
        """Writes train.jsonl and the pictures; returns the path of the former."""
        return write_lines(folder / "train.jsonl", chats(samples, image_path, folder, _turn))


def _turn(sample: ExportedSample, picture: str) -> dict[str, Any]:
    question = [{"type": "image", "text": None}, {"type": "text", "text": asked(sample)}]
    answer = [{"type": "text", "text": sample.answer}]
    return {"images": [picture], "messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}
