"""A store with eval examples and what checkpoints answered of them, by hand: what the tests of results look into."""

from collections.abc import Mapping, Sequence
from typing import Any

from curation import checkpoints
from data.records import Checkpoint
from data.store import Store


def add_examples(store: Store, rows: Sequence[Mapping[str, Any]], dataset: str = "d") -> list[int]:
    """Eval examples of a dataset; a row may have question, gold(s), kind, image. Returns their ids."""
    with store.write() as write:
        about = {"metric": "exact_match", "threshold": 0.5, "prompt_suffix": "", "answer_form": "one word"}
        write.insert("dataset", [{"name": dataset, **about}], key=("name",))
        made = [
            {
                "dataset": dataset,
                "external_id": f"{row.get('split', 'eval')}-{number}",
                "split": row.get("split", "eval"),
                "image": row.get("image", f"{dataset}-{number}"),
                "question": row.get("question", "What color is it?"),
                "choices": [],
                "golds": row.get("golds", [row.get("gold", "red")]),
                "kind": row.get("kind"),
            }
            for number, row in enumerate(rows)
        ]
        return sorted(write.insert("example", made, returning="example_id"))


def add_answers(
    store: Store, name: str, scores: Mapping[int, float], parent: str | None = None, run_round: int | None = None
) -> Checkpoint:
    """A checkpoint with these strict (and lenient) scores by example; with a run of a round where `run_round` is given."""
    above = checkpoints.find(store, parent).checkpoint_id if parent else None
    checkpoints.register(store, Checkpoint(name, "imported", name), above)
    made = checkpoints.find(store, name)
    rows = [
        {
            "checkpoint_id": made.checkpoint_id,
            "example_id": example_id,
            "answer": "right" if score >= 0.5 else "wrong",
            "strict": score,
            "lenient": score,
        }
        for example_id, score in scores.items()
    ]
    with store.write() as write:
        write.insert("prediction", rows)
        if run_round is not None:
            run: dict[str, Any] = {
                "round": run_round,
                "parent": above,
                "job_id": 1000 + (made.checkpoint_id or 0),
                "options": {},
                "samples": 0,
                "replay": 0,
            }
            write.insert("run", [{**run, "checkpoint_id": made.checkpoint_id}])
    return made
