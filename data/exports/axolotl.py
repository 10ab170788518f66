"""Axolotl's multimodal messages (its docs, "MultiModal / Vision Language Models"): train.jsonl and images/.

{"messages": [{"role": "user", "content": [{"type": "image", "path": "images/ab12….png"}, {"type": "text", "text": "What is red?"}]},
              {"role": "assistant", "content": [{"type": "text", "text": "red"}]}], "sample_id": 17, …}
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from data.export_writing import ImagePath, asked, chats, write_lines
from data.records import ExportedSample


class Axolotl:
    """Messages whose parts are a picture's path and texts, as Axolotl reads them."""

    DATA_FILES = "train.jsonl"
    USE = """In the configuration; run `axolotl train` in this folder, for the pictures' paths are relative to it:

```yaml
datasets:
  - path: train.jsonl
    ds_type: json
    type: chat_template
skip_prepare_dataset: true
remove_unused_columns: false
sample_packing: false
```"""

    class Options(BaseModel):
        pass

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, samples: Iterable[ExportedSample], image_path: ImagePath, folder: Path) -> Path:
        """Writes train.jsonl and the pictures; returns the path of the former."""
        return write_lines(folder / "train.jsonl", chats(samples, image_path, folder, _turn))


def _turn(sample: ExportedSample, picture: str) -> dict[str, Any]:
    question = [{"type": "image", "path": picture}, {"type": "text", "text": asked(sample)}]
    answer = [{"type": "text", "text": sample.answer}]
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}
