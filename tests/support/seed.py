"""A store filled with one and a half rounds of drawn failures, for tests of the pages and for looking at them.

    python -m tests.support.seed --serve --port 7901          # pages on a seeded workspace
    python -m tests.support.seed --serve --failures 100000    # and on a large one

Everything is drawn from a seed: scenes, questions, wrong answers, diagnoses, clusters, samples, verdicts, reviews.
"""

import argparse
import random
import tempfile
from pathlib import Path

from curation.error_types import of_kind
from data.images import ImageStore
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace
from tests.support.seed_questions import KINDS, PICTURES, Kind, Pictures, Question, ask

FILTERS = (
    ("judge", 3.0, "at_least"),
    ("agreement", 0.6, "at_least"),
    ("needs_image", 0.5, "at_most"),
    ("not_already_known", 0.8, "at_most"),
    ("duplicate", 0.9, "at_most"),
    ("leakage", 0.9, "at_most"),
    ("answer_style", 1.0, "at_least"),
    ("image_quality", 1.0, "at_least"),
)
DATASETS = (
    ("pocket-photo", "vqa_accuracy"),
    ("pocket-chart", "anls"),
    ("pocket-quiz", "multiple_choice"),
    ("pocket-knowledge", "vqa_accuracy"),
)


def seeded_store(
    folder: Path, failures: int = 600, samples: int = 300, seed: int = 7, clustered: bool = True
) -> tuple[Store, ImageStore, Workspace]:
    """A workspace in `folder` with that many failures and samples; without clusters and map if not `clustered`."""
    rng = random.Random(seed)
    workspace = Workspace(Path(folder)).create()
    store, images = Store(workspace.store, workspace.backups), ImageStore(workspace.images)
    pictures = Pictures(images, rng, min(PICTURES, max(60, failures // 2)))
    with store.write() as write:
        write.insert("image", pictures.rows)
        write.insert("dataset", [_dataset(name, metric) for name, metric in DATASETS])
        base = _inserted(write, "checkpoint", [_checkpoint("pocket-llava", None)], "checkpoint_id")[0]
        tuned = _inserted(write, "checkpoint", [_checkpoint("run 1", base)], "checkpoint_id")[0]
        write.insert("round", [{"round": 1, "checkpoint_id": base}])
        jobs = _inserted(write, "job", _jobs(failures, samples), "job_id")
        rows = _examples(write, pictures, rng, base, tuned, failures)
        diagnoses = _diagnoses(write, rows, rng, jobs[1])
        if clustered:
            _clusters(write, rows, diagnoses, rng, jobs[2])
        _samples(write, rows, diagnoses, pictures, rng, samples, jobs)
        run = {
            "round": 1,
            "parent": base,
            "job_id": jobs[6],
            "options": {"epochs": 5, "learning_rate": 1e-3},
            "samples": samples // 3,
            "replay": 100,
        }
        write.insert("run", [{**run, "checkpoint_id": tuned}])
        write.insert(
            "row_error",
            [{"job_id": jobs[3], "key": "f12", "error": 'reply is not JSON: expected {"samples": …}', "reply": "Sure! Here are"}],
        )
    store.checkpoint()
    return store, images, workspace


def _inserted(write: Transaction, table: str, rows: list[dict], column: str) -> list[int]:
    """The ids that the rows got, in the rows' order: they are given in order, but RETURNING tells them in any."""
    return sorted(write.insert(table, rows, column))


def _dataset(name: str, metric: str) -> dict:
    return {
        "name": name,
        "title": name,
        "format": "pocket_vqa",
        "metric": metric,
        "threshold": 0.5,
        "prompt_suffix": "Answer with one word.",
        "answer_form": "one word",
        "source": "drawn",
        "licence": "Apache-2.0",
    }


def _checkpoint(name: str, parent: int | None) -> dict:
    return {
        "name": name,
        "baseline": "llava",
        "model": "pocket-llava",
        "adapter": "adapter" if parent else None,
        "options": {},
        "parent": parent,
    }


def _jobs(failures: int, samples: int) -> list[dict]:
    stages = (
        ("evaluate", "gpu", failures * 2),
        ("diagnose", "api", failures),
        ("cluster", "cpu", failures),
        ("generate", "api", samples),
        ("draw", "gpu", samples),
        ("filter", "api", samples * 8),
        ("finetune", "gpu", 300),
    )
    spend = {"diagnose": failures * 0.0016, "generate": samples * 0.002, "filter": samples * 0.001}
    return [
        {
            "stage": stage,
            "options": {},
            "round": 1,
            "lane": lane,
            "status": "done",
            "total": total,
            "done": total,
            "failed": 0,
            "spend_usd": spend.get(stage),
            "author": "reviewer",
            "seconds": total / 40,
        }
        for stage, lane, total in stages
    ]


def _examples(write: Transaction, pictures: Pictures, rng: random.Random, base: int, tuned: int, failures: int) -> list[dict]:
    """Train and eval examples with predictions; returns the failures: rows with kind, question and failure_id."""
    asked: list[tuple[str, Kind, Question, bool]] = []
    failed = 0
    while failed < failures:
        kind = rng.choices(KINDS, [kind.weight for kind in KINDS])[0]
        fails = rng.random() < kind.failed * 0.62
        failed += fails
        asked.append(("train", kind, ask(kind, pictures, rng), fails))
    for _ in range(min(len(asked) // 2, 2000)):
        kind = rng.choices(KINDS, [kind.weight for kind in KINDS])[0]
        asked.append(("eval", kind, ask(kind, pictures, rng), rng.random() < kind.failed * 0.62))
    examples = [
        {
            "dataset": kind.dataset,
            "external_id": f"{number:06d}",
            "split": split,
            "image": pictures.shas[question.scene],
            "question": question.question,
            "choices": question.choices,
            "golds": [question.gold],
            "kind": kind.name,
        }
        for number, (split, kind, question, _) in enumerate(asked)
    ]
    ids = _inserted(write, "example", examples, "example_id")
    predictions, rows = [], []
    for example_id, (split, _, question, fails) in zip(ids, asked):
        predictions.append(_prediction(base, example_id, question, fails))
        if split == "eval":
            predictions.append(_prediction(tuned, example_id, question, rng.random() < (0.2 if fails else 0.04)))
    write.insert("prediction", predictions)
    write.run("failures_from_predictions", checkpoint_id=base)
    write.touch_failures()
    failure_ids = {row["example_id"]: row["failure_id"] for row in write.run("failure_ids", round=1)}
    for example_id, (split, kind, question, _) in zip(ids, asked):
        if split == "train":
            rows.append({"example_id": example_id, "kind": kind, "question": question, "failure_id": failure_ids.get(example_id)})
    return rows


def _prediction(checkpoint: int, example_id: int, question: Question, fails: bool) -> dict:
    score = 0.0 if fails else 1.0
    return {
        "checkpoint_id": checkpoint,
        "example_id": example_id,
        "answer": question.wrong if fails else question.gold,
        "strict": score,
        "lenient": score,
    }


def _diagnoses(write: Transaction, rows: list[dict], rng: random.Random, job_id: int) -> dict[int, int]:
    """Diagnoses of nine in ten failures, and triage of a few; returns diagnosis ids by failure id."""
    made, triage = [], []
    for row in rows:
        if row["failure_id"] is None or rng.random() < 0.1:
            continue
        kind, question = row["kind"], row["question"]
        label_error, stumped = rng.random() < 0.02, rng.random() < 0.06
        made.append(
            {
                "failure_id": row["failure_id"],
                "description": f"A small drawing. {kind.title}.",
                "key_elements": [question.gold, f"word “{question.question.split()[2]}”"],
                "faulty_reasoning": f"{kind.title}: it answers “{question.wrong}” where “{question.gold}” is plain to see.",
                "error_type": "label-error" if label_error else of_kind(kind.name),
                "own_answer": question.wrong if stumped else question.gold,
                "own_score": 0.0 if stumped else 1.0,
                "gold_looks_wrong": label_error,
                "right_but_misformatted": rng.random() < 0.01,
                "confidence": round(rng.uniform(0.6, 0.99), 2),
                "frontier": "pocket-teacher",
                "replies": ["{}"],
                "job_id": job_id,
            }
        )
        if rng.random() < 0.03:
            label = "label error" if label_error else rng.choice(("model error", "model error", "scorer artefact"))
            event = f"seed-{row['failure_id']}"
            triage.append({"failure_id": row["failure_id"], "label": label, "error_type": None, "reviewer": "ada", "event_id": event})
    ids = _inserted(write, "diagnosis", made, "diagnosis_id")
    write.insert("triage", triage)
    return {row["failure_id"]: diagnosis_id for row, diagnosis_id in zip(made, ids)}


def _clusters(write: Transaction, rows: list[dict], diagnoses: dict[int, int], rng: random.Random, job_id: int) -> None:
    """A cluster a kind, a blob or two of it on the map, and every train example assigned to its kind's cluster."""
    clusters = [{"round": 1, "error_type": of_kind(kind.name), "title": kind.title, "job_id": job_id, "name": kind.name} for kind in KINDS]
    ids = dict(zip((kind.name for kind in KINDS), _inserted(write, "cluster", clusters, "cluster_id")))
    centres = {kind.name: [(rng.uniform(-9, 9), rng.uniform(-7, 7)) for _ in range(1 + (kind.weight > 15))] for kind in KINDS}
    places = []
    for row in rows:
        name = row["kind"].name
        if row["failure_id"] in diagnoses:
            (x, y), dx, dy = rng.choice(centres[name]), rng.gauss(0, 0.8), rng.gauss(0, 0.7)
            place = {"x": x + dx, "y": y + dy, "distance": (dx * dx + dy * dy) ** 0.5, "job_id": job_id}
            places.append({"failure_id": row["failure_id"], "cluster_id": ids[name], **place})
    write.insert("place", places)
    assigned = [{"example_id": row["example_id"], "round": 1, "kind": row["kind"]} for row in rows]
    extra = [{"error_type": of_kind(row["kind"].name), "cluster_id": ids[row["kind"].name], "job_id": job_id} for row in assigned]
    write.insert("assignment", [{k: v for k, v in row.items() if k != "kind"} | more for row, more in zip(assigned, extra)])


def _samples(
    write, rows: list[dict], diagnoses: dict[int, int], pictures: Pictures, rng: random.Random, count: int, jobs: list[int]
) -> None:
    """Samples of both routes; most are drawn and filtered, some reviewed by two people who seldom disagree."""
    settings = [
        {
            "filter": name,
            "bit": bit,
            "enabled": name != "needs_image",
            "threshold": threshold,
            "comparison": comparison,
            "author": "built-in",
        }
        for bit, (name, threshold, comparison) in enumerate(FILTERS)
    ]
    write.insert("filter_setting", settings)
    origins = [row for row in rows if row["failure_id"] in diagnoses]
    asked, samples = [], []
    for number in range(count):
        origin = rng.choice(origins)
        question = ask(origin["kind"], pictures, rng)
        route = rng.choice(("same_image", "new_image", "new_image"))
        image = pictures.shas[question.scene]
        asked.append(image)
        samples.append(
            {
                "key": f"seed-{number}",
                "round": 1,
                "failure_id": origin["failure_id"],
                "diagnosis_id": diagnoses[origin["failure_id"]],
                "dataset": origin["kind"].dataset,
                "error_type": of_kind(origin["kind"].name),
                "route": route,
                "question": question.question,
                "choices": question.choices,
                "answer": question.gold if rng.random() < 0.85 else question.wrong,
                "image": image if route == "same_image" else None,
                "image_prompt": None if route == "same_image" else "a large red circle and a small blue square on a light background",
                "seed": None if route == "same_image" else rng.randrange(10**6),
                "frontier": "pocket-teacher",
                "replies": ["{}"],
                "job_id": jobs[3],
            }
        )
    ids = _inserted(write, "sample", samples, "sample_id")
    drawn = [i for i, sample in enumerate(samples) if sample["route"] == "new_image" and rng.random() < 0.92]
    recipe = {"steps": 8, "guidance": 0.0, "pipeline": "pocket-flux"}
    drawing = {"generator": "pocket-flux", "recipe": recipe, "job_id": jobs[4]}
    write.insert("drawing", [{"sample_id": ids[i], "image": asked[i], "seed": samples[i]["seed"], **drawing} for i in drawn])
    seen = [i for i, sample in enumerate(samples) if sample["route"] == "same_image" or i in set(drawn)]
    verdicts = [_verdict(ids[i], name, rng, jobs[5]) for i in seen if rng.random() < 0.93 for name, _, _ in FILTERS]
    write.insert("verdict", verdicts)
    reviewed = [(i, who) for i in seen if rng.random() < 0.35 for who in (("ada", "grace") if rng.random() < 0.1 else ("ada",))]
    reviews = [
        {
            "sample_id": ids[i],
            "revision": 0,
            "action": "approve" if rng.random() < 0.85 else "reject",
            "reason": None,
            "reviewer": who,
            "event_id": f"seed-{i}-{who}",
        }
        for i, who in reviewed
    ]
    write.insert("review", reviews)
    write.touch(ids)


def _verdict(sample_id: int, name: str, rng: random.Random, job_id: int) -> dict:
    passes = rng.random() < 0.93
    scores = {
        "judge": (3.0, float(rng.randint(1, 2))),
        "agreement": (rng.choice((0.67, 1.0)), 0.33),
        "duplicate": (round(rng.uniform(0.1, 0.8), 2), round(rng.uniform(0.92, 1), 2)),
        "leakage": (round(rng.uniform(0, 0.6), 2), 1.0),
        "needs_image": (0.0, 1.0),
        "not_already_known": (0.0, 1.0),
    }
    score = scores.get(name, (1.0, 0.0))[0 if passes else 1]
    reason = (
        {"judge": "correct, clear", "duplicate": "nearest is sample 101"}.get(name, "as it should be")
        if passes
        else f"{name}: not good enough"
    )
    return {
        "sample_id": sample_id,
        "revision": 0,
        "filter": name,
        "version": 1,
        "score": score,
        "reason": reason,
        "error": None,
        "job_id": job_id,
    }


def serve(failures: int, samples: int, port: int, folder: Path, clustered: bool = True) -> None:
    """The pages on a seeded workspace (kept in `folder` if it is there already)."""
    import uvicorn

    from curation.config import Settings
    from curation.jobs.manager import JobManager
    from curation.stages import stage_class
    from curation.ui.server.app import create_app

    if (folder / "store.duckdb").exists():
        workspace = Workspace(folder)
        store = Store(workspace.store)
    else:
        store, _, workspace = seeded_store(folder, failures, samples, clustered=clustered)
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(port=port, reviewer="ada"))
    app.state.services.search.refresh_soon()
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", action="store_true", help="serve the pages on it")
    parser.add_argument("--port", type=int, default=7901)
    parser.add_argument("--failures", type=int, default=600)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--bare", action="store_true", help="without clusters and map")
    parser.add_argument("--folder", type=Path, default=None, help="where the workspace is made; a temporary folder by default")
    given = parser.parse_args()
    where = given.folder or Path(tempfile.mkdtemp(prefix="mistakebook-seed-")) / "seeded"
    print(f"workspace {where}")
    if given.serve:
        serve(given.failures, given.samples, given.port, where, not given.bare)
    else:
        seeded_store(where, given.failures, given.samples, clustered=not given.bare)[0].close()
