"""What an eval split can show at all, said before money is spent: minimum detectable differences by group.

A gain that is smaller than what so many examples would show is bought blind. The share of examples that change (discordance) and how
much images tie their examples together (design effect) are those of the latest comparison of the workspace, where there is one; else a
stated default. The formula is Connor's (curation/statistics/intervals.py), with a power of 80 % at the 5 % level.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation import checkpoints
from curation.results.eval_set import EvalSet, Grouping, Score, eval_set, scores
from curation.results.lines import LEAST_DISCORDANT
from curation.statistics.intervals import design_effect, minimum_detectable_difference
from data.records import Checkpoint, Record
from data.store import Store

DISCORDANT = 0.2  # share of examples that a round is taken to change, where none has been measured
FEWEST = 30  # pairs of a group, below which the discordance of all examples is taken


@dataclass(frozen=True)
class Detectable(Record):
    """A group of eval examples: differences below `detectable` would not be shown (80 % power)."""

    name: str
    items: int
    images: int
    discordant: float
    design_effect: float
    detectable: float


@dataclass(frozen=True)
class Ahead(Record):
    """`source` says where discordance and design effect come from: the pair that was compared, or the default."""

    examples: int
    overall: Detectable
    by_dataset: list[Detectable]
    by_error_type: list[Detectable]
    source: str
    text: str


def ahead(store: Store, score: Score = "strict") -> Ahead | None:
    """What the eval examples that the workspace holds would show; None while it holds none."""
    examples = eval_set(store, checkpoints.current_round(store))
    if not len(examples.ids):
        return None
    pair = _latest_pair(store)
    old, new = (scores(store, examples, checkpoint, score) for checkpoint in pair) if pair else (None, None)
    everything = np.arange(len(examples.ids))
    known = _known(examples, everything, old, new) or (DISCORDANT, 1.0)

    def made(name: str, rows: np.ndarray) -> Detectable:
        discordant, effect = (_known(examples, rows, old, new) if name != "overall" else None) or known
        images = len(np.unique(examples.images[rows]))
        shown = minimum_detectable_difference(len(rows), max(discordant, LEAST_DISCORDANT), effect)
        return Detectable(name, len(rows), images, discordant, effect, shown)

    def table(by: Grouping) -> list[Detectable]:
        return [made(name, rows) for name, rows in sorted(examples.groups(by, everything).items(), key=lambda item: -len(item[1]))]

    overall, types = made("overall", everything), table("error_type")
    changed = f"{overall.discordant:.0%} of the answers change"
    source = f"{pair[0].name} → {pair[1].name}: {changed}" if pair and old is not None else f"assumed: {changed}"
    return Ahead(len(examples.ids), overall, table("dataset"), types, source, _in_words(overall, types))


def _known(found: EvalSet, rows: np.ndarray, old: np.ndarray | None, new: np.ndarray | None) -> tuple[float, float] | None:
    """Discordance and design effect of a group in the pair compared; None where it holds too few examples."""
    if old is None or new is None:
        return None
    both = rows[np.isfinite(old[rows]) & np.isfinite(new[rows])]
    if len(both) < FEWEST:
        return None
    return float(np.mean(old[both] != new[both])), design_effect(old[both], new[both], found.images[both])


def _latest_pair(store: Store) -> tuple[Checkpoint, Checkpoint] | None:
    """The latest checkpoint that was trained here and answered eval, and what it was trained from."""
    row = store.row("latest_compared_pair")
    return (checkpoints.find(store, row["before"]), checkpoints.find(store, row["after"])) if row else None


def _in_words(overall: Detectable, types: Sequence[Detectable]) -> str:
    text = f"On {overall.items:,} eval examples a difference below {100 * overall.detectable:.1f} points would not be shown"
    coarse = max(types, key=lambda one: one.detectable, default=None)
    if coarse is None or coarse.detectable <= overall.detectable:
        return f"{text}."
    return f"{text}; of {coarse.name} ({coarse.items:,} examples) none below {100 * coarse.detectable:.1f} points."
