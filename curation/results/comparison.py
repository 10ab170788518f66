"""Results: two checkpoints on the same eval examples. What got fixed, what broke, and how sure that is."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np

from curation import error_types
from curation.statistics import intervals
from data.records import Checkpoint
from data.store import Store

RIGHT = 0.5  # a prediction that scores at least this is right where fixed and broken are counted
OTHER = "other"


def accuracies(store: Store, checkpoint: Checkpoint) -> dict:
    """Accuracy on the eval splits: {"overall", "by_dataset": {}, "by_error_type": {}}, fractions (ANLS: mean similarity)."""
    types = types_by_kind(store)
    rows = [_typed(row, types) for row in store.rows("eval_scores", checkpoint_id=checkpoint.checkpoint_id)]
    return {
        "overall": _mean(rows),
        "by_dataset": {name: _mean(group) for name, group in _grouped(rows, "dataset").items()},
        "by_error_type": {name: _mean(group) for name, group in _grouped(rows, "error_type").items()},
    }


def compare(store: Store, before: Checkpoint, after: Checkpoint, score: str = "strict") -> dict:
    """Two checkpoints on the eval examples that both have answered.

    Differences are paired, their 95 % intervals clustered by image; p-values of kinds are adjusted by Holm's method. The release
    gate is non-inferiority of each dataset and error type (DESIGN §9). Raises ValueError if no example was answered by both.
    """
    types = types_by_kind(store)
    pairs = [_typed(r, types) for r in store.rows("eval_pairs", before=before.checkpoint_id, after=after.checkpoint_id, score=score)]
    if not pairs:
        raise ValueError(f"{before.name} and {after.name} have no eval example in common; evaluate both on the eval split first")
    by_dataset, by_type = _lines(pairs, "dataset"), _lines(pairs, "error_type")
    overall = _line("overall", pairs)
    fixed = [row for row in pairs if row["score_before"] < RIGHT <= row["score_after"]]
    broken = [row for row in pairs if row["score_after"] < RIGHT <= row["score_before"]]
    return {
        "before": before.name,
        "after": after.name,
        "score": score,
        "examples": len(pairs),
        "overall": overall,
        "by_dataset": by_dataset,
        "by_error_type": by_type,
        "fixed": len(fixed),
        "broken": len(broken),
        "wrong_before": sum(row["score_before"] < RIGHT for row in pairs),
        "gate": _gate([overall, *by_dataset]),
    }


def changes(store: Store, before: Checkpoint, after: Checkpoint, which: str, error_type: str | None, limit: int, offset: int) -> dict:
    """A page of the examples that were fixed or broken (`which`), with both answers; {"total", "rows"}."""
    types = types_by_kind(store)
    pairs = [_typed(r, types) for r in store.rows("eval_pairs", before=before.checkpoint_id, after=after.checkpoint_id, score="strict")]
    turned: Callable[[dict], bool] = {
        "fixed": lambda row: row["score_before"] < RIGHT <= row["score_after"],
        "broken": lambda row: row["score_after"] < RIGHT <= row["score_before"],
    }[which]
    found = [row for row in pairs if turned(row) and error_type in (None, row["error_type"])]
    ids = [row["example_id"] for row in found[offset : offset + limit]]
    cards = {
        row["example_id"]: row for row in store.rows("changed_examples", before=before.checkpoint_id, after=after.checkpoint_id, ids=ids)
    }
    type_of = {row["example_id"]: row["error_type"] for row in found}
    return {"total": len(found), "rows": [{**cards[i], "error_type": type_of[i]} for i in ids]}


def types_by_kind(store: Store) -> dict[str, str]:
    """The error type of each kind of question that doesn't name one itself: what most diagnoses of its failures say."""
    return {row["kind"]: row["error_type"] for row in store.rows("kind_error_types")}


def _typed(row: dict, types: dict[str, str]) -> dict:
    return {**row, "error_type": error_types.of_kind(row["kind"]) or types.get(row["kind"]) or row["tagged"] or OTHER}


def _lines(pairs: list[dict], by: str) -> list[dict]:
    """One line a group, largest first, with p-values adjusted over the groups."""
    lines = [_line(name, group) for name, group in sorted(_grouped(pairs, by).items(), key=lambda item: -len(item[1]))]
    for line, adjusted in zip(lines, intervals.holm([line["p"] for line in lines])):
        line["p_holm"] = adjusted
    return lines


def _line(name: str, pairs: list[dict]) -> dict:
    before = [row["score_before"] for row in pairs]
    after = [row["score_after"] for row in pairs]
    images = [row["image"] for row in pairs]
    difference = intervals.paired_difference(before, after, images)
    discordant = float(np.mean(np.asarray(before) != np.asarray(after)))
    return {
        "name": name,
        "items": len(pairs),
        "images": len(set(images)),
        "before": float(np.mean(before)),
        "after": float(np.mean(after)),
        "difference": difference.value,
        "low": difference.low,
        "high": difference.high,
        "p": difference.p,
        "detectable": intervals.minimum_detectable_difference(len(pairs), max(discordant, 0.02)),
    }


def _gate(lines: list[dict]) -> dict:
    """The release gate: overall and each dataset must be shown to lose at most the margin."""
    not_shown = [line["name"] for line in lines if not intervals.non_inferior(line["low"])]
    return {"passed": not not_shown, "not_shown": not_shown, "margin": intervals.MARGIN}


def _grouped(rows: list[dict], by: str) -> dict[str, list[dict]]:
    groups: dict[str, list[dict]] = defaultdict(list)
    for row in rows:
        groups[row[by]].append(row)
    return dict(sorted(groups.items()))


def _mean(rows: list[dict]) -> float | None:
    return float(np.mean([row["score_before"] for row in rows])) if rows else None
