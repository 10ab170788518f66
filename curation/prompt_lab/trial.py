"""A prompt asked about one failure: what its fields are filled with, and the outcome of its reply. For the preview and for comparisons.

Prompts of filters are asked about the failure's latest drawn sample, or where it has none about the failure's own question with its
gold answer, which a filter ought to pass.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from curation.clusters.titles import MEMBERS, line
from curation.error_types import DEFAULT, Taxonomy
from curation.filtering.base import FilterInput, make_filter
from curation.filtering.proposal_rules import sift
from curation.prompt_lab.records import AskedAbout, Side, TriedFailure
from curation.prompts.requests import (
    Difficulty,
    blind_request,
    diagnosis_request,
    gold_text,
    proposal_request,
    title_request,
    untargeted_request,
)
from curation.prompts.templates import PromptFile, Prompts, shipped
from curation.stage import Row
from data.errors import MistakebookError
from data.images import ImageStore
from data.metrics import agreement, score_once
from data.registry import FILTERS
from data.store import Store
from data.workspace import Workspace
from models.frontier import Request

AGREES = 0.9  # score by the dataset's metric from which two answers count as the same, as in the filters
SIDES: tuple[Side, Side] = ("a", "b")  # of a comparison
BLIND_FIRST = "‹the frontier's own answer, requested first›"


class NothingToTry(MistakebookError):
    """A prompt can't be asked about that failure; the text says why."""


def stage_of(file: PromptFile) -> str:
    """The stage that asks by a prompt; of the prompts of filters it is filter."""
    return "filter" if file.used_by[0] in FILTERS.names() else file.used_by[0]


def material(
    store: Store, workspace: Workspace, name: str, round_: int, failure_ids: list[int] | None = None, limit: int | None = None
) -> list[Row]:
    """A row a failure with what the prompt is filled in with; error types take turns. For proposals the teachable ones alone."""
    failures = store.rows("prompt_failures", round=round_, failure_ids=failure_ids, teachable=name == "proposal", limit=limit)
    images = ImageStore(workspace.images)
    if stage_of(shipped(name)) == "filter":
        samples = {row["failure_id"]: row for row in store.rows("prompt_samples", failure_ids=[row["failure_id"] for row in failures])}
        failures = [_as_sample(row, samples.get(row["failure_id"])) for row in failures]
    rows = [{**row, "key": str(row["failure_id"]), "image_path": str(images.path(row["image"])), "avoid": []} for row in failures]
    if name == "title":
        rows = [{**row, "members": _members(store, row)} for row in rows]
    return rows


def _as_sample(row: Row, sample: Row | None) -> Row:
    """The failure with what the filter is shown in its place, `of` which it is."""
    failed = {"failed_skill": row["skill"] or row["error_type"] or "", "contrast": False}
    if sample is None:
        gold = max(row["golds"], key=row["golds"].count)
        return {**row, **failed, "skill": row["skill"] or "", "of": "the failure's own question and gold answer", "proposed": gold}
    shown = {name: sample[name] for name in ("image", "question", "choices", "contrast")}
    return {
        **row,
        **failed,
        **shown,
        "skill": sample["skill"] or "",
        "of": f"its sample {sample['sample_id']}",
        "proposed": sample["answer"],
    }


def _members(store: Store, row: Row) -> list[str]:
    if row["cluster_id"] is None:
        raise NothingToTry(f"failure {row['failure_id']} is in no cluster yet; cluster the failures first")
    return [line(member) for member in store.rows("prompt_cluster", cluster_id=row["cluster_id"], limit=MEMBERS)]


def request_for(name: str, row: Row, prompts: Prompts, count: int = 3, difficulty: Difficulty = "as_seed", contrasts: int = 0) -> Request:
    """The request about a failure. Proposals are asked for by row["route"]; `count`, `difficulty` and `contrasts` are for them.

    A diagnosis needs row["own_answer"]; None: it is yet to be asked for.
    """
    if name == "blind":
        return blind_request(row["key"], row, row["image_path"], prompts)
    if name == "diagnosis":
        own = row["own_answer"]
        return diagnosis_request(row, BLIND_FIRST if own is None else own, prompts)
    if name == "proposal":
        return proposal_request(row, count, difficulty, prompts, contrasts)
    if name == "untargeted":
        return untargeted_request(row, count, prompts)
    if name == "title":
        return title_request(row["key"], row["error_type"], row["members"], [], prompts)
    (filter_name,) = shipped(name).used_by
    first, *_ = make_filter(filter_name).requests(_filter_input(row), prompts)
    return replace(first, key=row["key"])


def _filter_input(row: Row) -> FilterInput:
    given = {**row, "sample_id": row["failure_id"], "revision": 0, "answer": row["proposed"], "phash": None, "prompt_suffix": ""}
    return FilterInput.from_row(given)


def outcome_of(name: str, row: Row, parsed: BaseModel, route: str = "same_image", taxonomy: Taxonomy = DEFAULT) -> dict[str, Any]:
    """The outcome of a reply, as it is shown and compared: its fields and what follows from them."""
    reply = parsed.model_dump()
    if name == "blind":
        return {**reply, "right": _right(row, reply["answer"])}
    if name == "diagnosis":
        own_right = _right(row, row["own_answer"])
        known = reply["error_type"] in taxonomy.names
        blamed = reply["gold_looks_wrong"] or reply["right_but_misformatted"]
        return {
            **reply,
            "own_answer": row["own_answer"],
            "own_right": own_right,
            "teachable": known and own_right and not blamed,
            "problem": None if known else f"error type {reply['error_type']!r} is not in the taxonomy",
        }
    if name in ("proposal", "untargeted"):
        kept, dropped = sift(reply["samples"], {"route": route, **row})
        return {"kept": kept, "dropped": dropped}
    if "answer" in reply:  # of a filter that answers the sample's question
        alike = agreement(row["metric"], reply["answer"], row["proposed"], row["choices"]).lenient >= AGREES
        return {**reply, "agrees": alike, "proposed": row["proposed"]}
    return reply


def _right(row: Row, answer: str) -> bool:
    threshold: float = row["threshold"]
    return score_once(row["metric"], answer, row["golds"], row["choices"]).lenient >= threshold


def asked_about(row: Row) -> AskedAbout | None:
    """What a filter's prompt is asked about in the failure's place; None of other prompts."""
    return AskedAbout.from_row(row) if "of" in row else None


def shown(row: Row) -> TriedFailure:
    """What a page shows of a failure beside a prompt."""
    return TriedFailure.from_row({**row, "golds": gold_text(row["golds"]), "asked": asked_about(row)})


def texts_folder(folder: Path, side: str) -> Path:
    """Where a comparison keeps the texts of a side."""
    return folder / f"side_{side}"
