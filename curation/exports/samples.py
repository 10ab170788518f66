"""Samples written into a folder in the format of a trainer, with a card; a sample whose picture is gone or changed is left out and told."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from curation.exports.card import dataset_card
from curation.exports.facts import Facts
from curation.exports.tally import Tally
from data.errors import MistakebookError
from data.export_folder import Equalised, equalise
from data.export_writing import cleaned
from data.images import ImageStore
from data.records import ExportedSample
from data.registry import EXPORTS

OVERHEAD = 3_000  # bytes that a sample takes beside its picture, about


class Stopped(MistakebookError):
    """The export was told to stop; the folder is as it was."""


class Outcome(BaseModel):
    """What an export wrote, for the job's message and the page."""

    path: str
    folder: str
    format: str
    samples: int
    left_out: int
    neutralised: int
    without_picture: int
    removed: int
    foreign: int
    url: str | None = None

    def in_words(self) -> str:
        """One line for people."""
        parts = [f"{count(self.samples, 'sample')} written to {self.path}"]
        if self.left_out:
            parts.append(f"{count(self.left_out, 'sample')} left out: the picture is gone or changed")
        if self.without_picture:
            parts.append(f"{self.without_picture:,} have no picture yet")
        if self.neutralised:
            parts.append(f"control tokens in the texts of {count(self.neutralised, 'sample')} were broken up by a blank")
        if self.removed:
            parts.append(f"{count(self.removed, 'file')} of an earlier export removed")
        if self.foreign:
            parts.append(f"{count(self.foreign, 'file')} that no export wrote left alone")
        return "; ".join([*parts, f"uploaded to {self.url}"] if self.url else parts)


def count(number: int, noun: str) -> str:
    """
    >>> count(1, "file"), count(1200, "file")
    ('1 file', '1,200 files')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def export(
    samples: Iterable[ExportedSample],
    images: ImageStore,
    folder: Path,
    form: str,
    options: dict[str, object],
    facts: Facts,
    each: Callable[[], None] = lambda: None,
) -> tuple[Outcome, Tally]:
    """Makes the folder equal to the samples, in the format called `form`. `each` is called after every sample, and may raise.

    Raises BadExportFolder, OSError, and what `each` raises.
    """
    plugin = EXPORTS.make(form, options)
    tally, target = Tally(), Path()

    def write(part: Path) -> None:
        nonlocal target
        target = plugin.write(_usable(samples, images, tally, each), cache(images.file), part).relative_to(part)
        (part / "README.md").write_text(dataset_card(form, type(plugin), tally, facts), encoding="utf-8")

    written: Equalised = equalise(folder, write, facts.bytes)
    outcome = Outcome(
        path=str(folder / target),
        folder=str(folder),
        format=form,
        samples=tally.samples,
        left_out=len(tally.errors),
        neutralised=tally.neutralised,
        without_picture=facts.without_picture,
        removed=written.removed,
        foreign=written.foreign,
    )
    return outcome, tally


def _usable(samples: Iterable[ExportedSample], images: ImageStore, tally: Tally, each: Callable[[], None]) -> Iterator[ExportedSample]:
    """The samples whose picture is there and as it was; the others are noted."""
    known: dict[str, str | None] = {}
    for sample in samples:
        if sample.image not in known:
            known[sample.image] = _flaw(sample.image, images)
        if flaw := known[sample.image]:
            tally.errors[sample.sample_id] = f"sample {sample.sample_id}: {flaw}"
        else:
            tally.add(sample)
            clean = cleaned(sample)
            tally.neutralised += clean is not sample
            yield clean
        each()


def _flaw(image: str, images: ImageStore) -> str | None:
    """What is wrong with a picture; None if it can be used."""
    try:
        content = images.file(image).read_bytes()
    except OSError as error:
        return str(error)
    if hashlib.sha256(content).hexdigest() != image:
        return f"image {image} in {images.root} was changed: its bytes no longer fit its name; restore it from a backup"
    return None
