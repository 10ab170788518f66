"""What the nouns are made of: plain rows in and out, and the closed sets that their fields hold (states: data/statuses.py)."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

Split = Literal["train", "dev", "eval"]
Metric = Literal[
    "vqa_accuracy", "anls", "multiple_choice", "exact_match", "relaxed_accuracy", "gqa", "mmbench", "mmbench_circular", "cider"
]
Route = Literal["same_image", "new_image", "by_hand"]
Lane = Literal["gpu", "api", "cpu"]
Comparison = Literal["at_least", "at_most"]
ReviewAction = Literal["approve", "reject", "reset", "edit", "undo"]
ClusterAction = Literal["rename", "merge", "split", "make", "move", "undo"]


@dataclass(frozen=True)
class Record:
    """Reading from and writing to plain rows (of Parquet or JSON); unknown columns are ignored."""

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        names = {f.name: f.type for f in fields(cls)}
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in row.items() if name in names})

    def to_row(self) -> dict[str, Any]:
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
