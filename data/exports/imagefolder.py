"""The `imagefolder` of Hugging Face `datasets` (its docs, "Create an image dataset"): metadata.jsonl and images/.

{"file_name": "images/17-ab12cd34.png", "question": "What color is the bus?", "choices": [], "answer": "red",
 "text": "What color is the bus?\\nAnswer with one word.", "sample_id": 17, …}

Every sample has a picture's file of its own: older versions of `datasets` keep one row for a file.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from data.export_writing import ImagePath, asked, cleaned, copied, provenance, specs, write_lines
from data.records import ExportedSample


class Imagefolder:
    """A folder of pictures with metadata.jsonl, as Hugging Face datasets reads it."""

    DATA_FILES = None
    USE = """```python
from datasets import load_dataset

rows = load_dataset("imagefolder", data_dir="FOLDER", split="train")
```"""

    class Options(BaseModel):
        pass

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, samples: Iterable[ExportedSample], image_path: ImagePath, folder: Path) -> Path:
        """Writes metadata.jsonl and the pictures; returns the path of the former."""
        return write_lines(folder / "metadata.jsonl", (_row(cleaned(sample), image_path, folder) for sample in samples))


def _row(sample: ExportedSample, image_path: ImagePath, folder: Path) -> dict[str, Any]:
    name = f"{sample.sample_id}-{sample.image[:8]}"
    texts = {"question": sample.question, "choices": list(sample.choices), "answer": sample.answer, "text": asked(sample)}
    return {"file_name": copied(sample.image, image_path, folder, name), **texts, **provenance(sample), **specs(sample)}
