"""Three or more checkpoints on the eval examples that all of them have answered, each against the first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.results import lines
from curation.results.coverage import Coverage, coverage
from curation.results.eval_set import EvalSet, Grouping, Score, eval_set, scores
from curation.results.lines import Line
from data.errors import MistakebookError
from data.records import Checkpoint, Record
from data.store import Store

FEWEST, MOST = 2, 12  # checkpoints
TABLES: tuple[Grouping, ...] = ("dataset", "error_type", "kind", "cluster", "slice")


class CantCompare(MistakebookError):
    """The chosen checkpoints can't be put side by side; the text says what to choose."""


@dataclass(frozen=True)
class Cell(Record):
    """One checkpoint on one group; the difference is to the first checkpoint (None in its own column)."""

    accuracy: float
    balanced: float
    difference: float | None
    low: float | None
    high: float | None
    p_holm: float | None  # adjusted over the groups and checkpoints of the table
    learnt: str | None


@dataclass(frozen=True)
class GroupRow(Record):
    """A group of examples, a cell a checkpoint in their order."""

    name: str
    items: int
    images: int
    majority: float
    balanced_majority: float
    cells: list[Cell]


@dataclass(frozen=True)
class SideBySide(Record):
    checkpoints: list[str]
    score: Score
    coverage: Coverage
    overall: GroupRow
    tables: dict[str, list[GroupRow]]
    left_out: dict[str, int]


def side_by_side(store: Store, chosen: Sequence[Checkpoint], score: Score = "strict") -> SideBySide:
    """Every table of the comparison for several checkpoints; differences are paired and clustered by image, as for two.

    Raises CantCompare where a checkpoint is named twice, there are too few or too many, or no example was answered by all.
    """
    names = [checkpoint.name for checkpoint in chosen]
    if len(set(names)) < len(names):
        raise CantCompare(f"a checkpoint is named twice: {', '.join(names)}; name each once")
    if not FEWEST <= len(names) <= MOST:
        raise CantCompare(f"{len(names)} checkpoints were named; side by side are {FEWEST} to {MOST}")
    examples = eval_set(store, store.one("round_of_pair", int, before=chosen[0].checkpoint_id, after=chosen[-1].checkpoint_id))
    values = [scores(store, examples, checkpoint, score) for checkpoint in chosen]
    covered = coverage(names, values)
    if not covered.compared:
        counts = ", ".join(f"{row.checkpoint} {row.answered:,}" for row in covered.by_checkpoint)
        raise CantCompare(f"no eval example was answered by all of them (answered: {counts}); evaluate all on the eval split first")
    everywhere = np.isfinite(np.stack(values)).all(axis=0)
    values = [np.where(everywhere, scored, np.nan) for scored in values]
    tables: dict[str, list[GroupRow]] = {}
    left_out: dict[str, int] = {}
    for by in TABLES:
        tables[by], left_out[by] = _table(examples, by, values)
    (overall,) = _rows({"overall": np.arange(len(examples.ids))}, examples, values)
    return SideBySide(names, score, covered, overall, tables, {by: count for by, count in left_out.items() if count})


def _table(found: EvalSet, by: Grouping, values: Sequence[np.ndarray]) -> tuple[list[GroupRow], int]:
    groups = found.groups(by, np.arange(len(found.ids)))
    least = lines.SUPPORT if by == "slice" else 1
    sizes = {name: int(np.isfinite(values[0][rows]).sum()) for name, rows in groups.items()}
    kept = sorted((name for name in groups if sizes[name] >= least), key=lambda name: -sizes[name])[: lines.MOST]
    return _rows({name: groups[name] for name in kept}, found, values), len(groups) - len(kept)


def _rows(groups: dict[str, np.ndarray], found: EvalSet, values: Sequence[np.ndarray]) -> list[GroupRow]:
    """One row a group; p-values are adjusted over all cells."""
    first, *others = values
    made = {name: [lines.line(name, found, rows, first, other) for other in others] for name, rows in groups.items()}
    flat = [line for group in made.values() for line in group if line]
    adjusted = iter(lines.adjusted(flat))
    return [_row([next(adjusted) for line in group if line]) for group in made.values() if all(group)]


def _row(group: Sequence[Line]) -> GroupRow:
    first = group[0]
    own = Cell(first.before, first.balanced_before, None, None, None, None, None)
    cells = [Cell(c.after, c.balanced_after, c.difference, c.low, c.high, c.p_holm, c.learnt) for c in group]
    return GroupRow(first.name, first.items, first.images, first.majority, first.balanced_majority, [own, *cells])
