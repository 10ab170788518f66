"""WebDataset's shards (github.com/webdataset/webdataset): tar files in which each sample is a picture and a JSON of one name.

train-00000.tar: 000000017.png, 000000017.json, …      {"question": "What color is the bus?", "choices": [], "answer": "red", "text": …}
"""

import io
import json
import tarfile
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from data.export_writing import ImagePath, asked, cleaned, provenance, specs
from data.records import ExportedSample


class Webdataset:
    """Tar shards of pictures and JSON, as WebDataset and Hugging Face datasets stream them."""

    DATA_FILES = "train-*.tar"
    USE = """```python
import webdataset

rows = webdataset.WebDataset("FOLDER/train-{00000..0000N}.tar", shardshuffle=False).decode("pil")

from datasets import load_dataset

rows = load_dataset("webdataset", data_files="FOLDER/train-*.tar", split="train")
```"""

    class Options(BaseModel):
        samples_a_shard: int = Field(default=5_000, ge=1, le=1_000_000, description="Samples in a tar file.")

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, samples: Iterable[ExportedSample], image_path: ImagePath, folder: Path) -> Path:
        """Writes train-00000.tar and so on; returns the path of the first, which is there without samples too."""
        folder.mkdir(parents=True, exist_ok=True)
        rest, number = iter(samples), 0
        while (shard := list(islice(rest, self.options.samples_a_shard))) or number == 0:
            with tarfile.open(folder / f"train-{number:05}.tar", "w", format=tarfile.USTAR_FORMAT) as file:
                for sample in shard:
                    source, key = image_path(sample.image), f"{sample.sample_id:09}"
                    _add(file, f"{key}{source.suffix}", source.read_bytes())
                    _add(file, f"{key}.json", json.dumps(_row(cleaned(sample)), ensure_ascii=False).encode())
            number += 1
        return folder / "train-00000.tar"


def _add(file: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # its time is 1970: the same samples make the same bytes
    member.size = len(content)
    file.addfile(member, io.BytesIO(content))


def _row(sample: ExportedSample) -> dict[str, Any]:
    texts = {"question": sample.question, "choices": list(sample.choices), "answer": sample.answer, "text": asked(sample)}
    return {**texts, **provenance(sample), **specs(sample)}
