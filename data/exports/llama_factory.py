"""LLaMA-Factory's sharegpt format with the roles of OpenAI (its data/README.md): mistakebook.json, dataset_info.json, images/.

[{"messages": [{"role": "user", "content": "<image>What color is the bus?"}, {"role": "assistant", "content": "red"}],
  "images": ["images/ab12….png"], "sample_id": 17, …}, ...]
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from data.control_tokens import PLACEHOLDER
from data.export_writing import ImagePath, asked, chats, write_list
from data.records import ExportedSample

NAME = "mistakebook"  # of the dataset in dataset_info.json
FILE = f"{NAME}.json"
INFO = {
    NAME: {
        "file_name": FILE,
        "formatting": "sharegpt",
        "columns": {"messages": "messages", "images": "images"},
        "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"},
    }
}


class LlamaFactory:
    """Conversations in the sharegpt format with dataset_info.json, as LLaMA-Factory reads them."""

    DATA_FILES = "mistakebook.json"
    USE = """```
llamafactory-cli train --dataset_dir FOLDER --media_dir FOLDER --dataset mistakebook …
```"""

    class Options(BaseModel):
        pass

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, samples: Iterable[ExportedSample], image_path: ImagePath, folder: Path) -> Path:
        """Writes mistakebook.json, dataset_info.json and the pictures; returns the path of the first."""
        target = write_list(folder / FILE, chats(samples, image_path, folder, _turn))
        (folder / "dataset_info.json").write_text(json.dumps(INFO, indent=2) + "\n", encoding="utf-8")
        return target


def _turn(sample: ExportedSample, picture: str) -> dict[str, Any]:
    user = {"role": "user", "content": f"{PLACEHOLDER}{asked(sample)}"}
    return {"messages": [user, {"role": "assistant", "content": sample.answer}], "images": [picture]}
