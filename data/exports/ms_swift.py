"""ms-swift's JSON lines (its docs, "Custom Dataset"): train.jsonl and images/.

{"messages": [{"role": "user", "content": "<image>What color is the bus?"}, {"role": "assistant", "content": "red"}],
 "images": ["images/ab12….png"], "sample_id": 17, …}
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from data.control_tokens import PLACEHOLDER
from data.export_writing import ImagePath, asked, chats, write_lines
from data.records import ExportedSample


class MsSwift:
    """Messages with a picture's place in their text, as ms-swift reads them."""

    DATA_FILES = "train.jsonl"
    USE = """```
ROOT_IMAGE_DIR=FOLDER swift sft --dataset FOLDER/train.jsonl …
```"""

    class Options(BaseModel):
        pass

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, samples: Iterable[ExportedSample], image_path: ImagePath, folder: Path) -> Path:
        """Writes train.jsonl and the pictures; returns the path of the former."""
        return write_lines(folder / "train.jsonl", chats(samples, image_path, folder, _turn))


def _turn(sample: ExportedSample, picture: str) -> dict[str, Any]:
    user = {"role": "user", "content": f"{PLACEHOLDER}{asked(sample)}"}
    return {"messages": [user, {"role": "assistant", "content": sample.answer}], "images": [picture]}
