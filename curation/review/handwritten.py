"""Samples that a person writes: on the picture of a failure or another train example, or on one of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curation import checkpoints, taxonomy
from curation.review.decisions import checked_text
from data.errors import MistakebookError
from data.images import ImageStore, image_row
from data.records import Metric, Record
from data.store import Store


class BadSample(MistakebookError):
    """A sample that can't be added; the text says what is missing."""


@dataclass(frozen=True)
class Draft:
    """What a person wrote. A failure gives picture, dataset and error type where they are not named."""

    question: str
    answer: str
    choices: Sequence[str] = ()
    failure_id: int | None = None
    image: str | None = None
    dataset: str | None = None
    error_type: str | None = None


@dataclass(frozen=True)
class _Origin(Record):
    """What a handwritten sample takes over from the failure that it practises."""

    failure_id: int | None = None
    image: str | None = None
    dataset: str | None = None
    error_type: str | None = None
    diagnosis_id: int | None = None


@dataclass(frozen=True)
class DatasetChoice(Record):
    """A dataset that a sample may be written for."""

    name: str
    title: str
    answer_form: str
    metric: Metric


def add_picture(store: Store, images: ImageStore, content: bytes, name: str) -> dict[str, Any]:
    """Keeps an uploaded picture; returns its row of the table `image`. Raises BadImage."""
    row = image_row(images.add(content, name))
    with store.write() as write:
        write.insert("image", [row])
    return row


def add(store: Store, draft: Draft, reviewer: str, event_id: str) -> int:
    """Adds a sample of the route by_hand; returns its id, the same one if the event is sent again. Raises BadSample, BadText."""
    text = checked_text(draft.question, draft.choices, draft.answer)
    origin = _origin(store, draft.failure_id)
    image = draft.image or origin.image
    dataset, error_type = draft.dataset or origin.dataset, draft.error_type or origin.error_type
    if image is None or store.value("image_known", image=image) is None:
        raise BadSample("choose an image: that of a failure or an example, or upload one")
    if store.value("image_in_eval", image=image):
        raise BadSample("this image belongs to an eval split, which is used only for evaluation; choose another")
    known = [known.name for known in store.rows("dataset_names", DatasetChoice)]
    if dataset not in known:
        raise BadSample(f"unknown dataset {dataset!r}; there are: {', '.join(known)}")
    offered = taxonomy.current(store).names
    if error_type is None or error_type not in (*offered, origin.error_type):  # what its failure bears may be offered no more
        raise BadSample(f"unknown error type {error_type!r}; there are: {', '.join(offered)}")
    row = {
        "key": f"by_hand/{event_id}",
        "round": checkpoints.current_round(store),
        "failure_id": draft.failure_id,
        "diagnosis_id": origin.diagnosis_id,
        "dataset": dataset,
        "error_type": error_type,
        "route": "by_hand",
        **text.to_row(),
        "image": image,
        "frontier": f"by hand: {reviewer}",
    }
    with store.write() as write:
        write.touch(write.insert("sample", [row], returning="sample_id"))
        return write.one("sample_by_key", int, key=row["key"])


def _origin(store: Store, failure_id: int | None) -> _Origin:
    if failure_id is None:
        return _Origin()
    origin = store.row("failure_to_practise", _Origin, failure_id=failure_id)
    if origin is None:
        raise BadSample(f"there is no failure {failure_id}")
    return origin
