"""What the exports share: texts without control tokens, where a sample comes from, copies of the pictures."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from data.control_tokens import may_hold_tokens, neutralised_for_others
from data.question_text import full_text
from data.records import ExportedSample

PICTURES = "images"  # folder beside the exported file
ImagePath = Callable[[str], Path]  # from a picture's SHA-256 to its file


def cleaned(sample: ExportedSample) -> ExportedSample:
    """The sample with control tokens in its texts neutralised; itself where there are none."""
    if not any(map(may_hold_tokens, (sample.question, *sample.choices, sample.answer, sample.prompt_suffix))):
        return sample
    clean = replace(
        sample,
        question=neutralised_for_others(sample.question),
        choices=tuple(map(neutralised_for_others, sample.choices)),
        answer=neutralised_for_others(sample.answer),
        prompt_suffix=neutralised_for_others(sample.prompt_suffix),
    )
    return sample if _texts(clean) == _texts(sample) else clean


def _texts(sample: ExportedSample) -> tuple[object, ...]:
    return sample.question, sample.choices, sample.answer, sample.prompt_suffix


def asked(sample: ExportedSample) -> str:
    """The text as it is put to a model: question, lettered choices and prompt suffix, control tokens neutralised."""
    return neutralised_for_others(full_text(sample.question, sample.choices, sample.prompt_suffix))


def provenance(sample: ExportedSample) -> dict[str, Any]:
    """Where a sample comes from, the same keys and types for each, so that a table can be made of them.

    `prompts`: "name version" of those that the jobs behind it ran with; `filters`: the verdicts that stand, with the threshold that
    they were held against.
    """
    return {
        "sample_id": sample.sample_id,
        "revision": sample.revision,
        "dataset": sample.dataset,
        "error_type": sample.error_type,
        "cluster": sample.cluster,
        "skill": sample.skill,
        "contrast": sample.contrast,
        "route": sample.route,
        "round": sample.round,
        "status": str(sample.status),
        "reviewer": sample.reviewer,
        "proposed_by": sample.proposed_by,
        "diagnosed_by": sample.diagnosed_by,
        "drawn_by": sample.drawn_by,
        "prompts": [f"{name} {version}" for name, version in sorted((sample.prompts or {}).items())],
        "filters": list(sample.filters),
        "licence": licence_note(sample),
    }


def licence_note(sample: ExportedSample) -> str:
    """Which licence a sample's picture and question fall under, as far as it is known."""
    source = f"{sample.dataset} ({sample.dataset_licence or 'licence not stated'})"
    if sample.route == "same_image":
        return f"picture of {source}"
    if sample.route == "by_hand":
        return f"written by hand for {source}"
    return f"picture made by {sample.drawn_by or 'a model that is not known'}, after an example of {source}"


def specs(sample: ExportedSample) -> dict[str, str | None]:
    """`picture_spec` and `answer_from` as JSON text; None unless the picture is rendered."""
    values = {"picture_spec": sample.picture_spec, "answer_from": sample.answer_from}
    return {name: json.dumps(value, ensure_ascii=False) if value else None for name, value in values.items()}


def copied(image: str, image_path: ImagePath, folder: Path, name: str | None = None) -> str:
    """The path of a picture's copy, relative to the folder it is exported to. A picture is copied once under a name, which is its hash."""
    source = image_path(image)
    path = f"{PICTURES}/{name or image}{source.suffix}"
    target = f"{folder}/{path}"
    if not os.path.exists(target):  # noqa: PTH110  a Path takes longer to make than the file to be looked for, a hundred thousand times
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
        shutil.copyfile(source, target)
    return path


def write_lines(target: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """A file of JSON lines; returns its path."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return target


def write_list(target: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """A JSON list, an element a line, one at a time in memory; returns its path."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8") as file:
        before = "[\n"
        for row in rows:
            file.write(before + json.dumps(row, ensure_ascii=False))
            before = ",\n"
        file.write("[]\n" if before == "[\n" else "\n]\n")
    return target


def chats(
    samples: Iterable[ExportedSample], image_path: ImagePath, folder: Path, turn: Callable[[ExportedSample, str], dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Rows of a trainer's format: what `turn` makes of a sample and its picture's path, then where the sample comes from."""
    for sample in samples:
        yield {**turn(cleaned(sample), copied(sample.image, image_path, folder)), **provenance(sample), **specs(sample)}
