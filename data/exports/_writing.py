"""What the exports share: the text as a model is asked, copies of the pictures."""

import shutil
from collections.abc import Callable
from pathlib import Path

from data.control_tokens import neutralised_for_others
from data.files import whole
from data.question_text import full_text
from data.records import ExportedSample

PICTURES = "images"  # folder beside the exported file
ImagePath = Callable[[str], Path]  # from a picture's SHA-256 to its file


def asked(sample: ExportedSample) -> str:
    """The text as it is put to a model: question, lettered choices and prompt suffix, control tokens neutralised."""
    return neutralised_for_others(full_text(sample.question, sample.choices, sample.prompt_suffix))


def copied(image: str, image_path: ImagePath, folder: Path) -> str:
    """The path of a picture's copy, relative to the folder it is exported to. A picture is copied once."""
    source = image_path(image)
    target = folder / PICTURES / f"{image}{source.suffix}"
    if not target.exists():
        with whole(target) as part:
            shutil.copyfile(source, part)
    return f"{PICTURES}/{target.name}"
