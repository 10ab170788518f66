"""Fills a workspace with examples, predictions of three checkpoints, failures, diagnoses, clusters and the map."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.parts.pool import KINDS, openings
from benchmarks.parts.world import ROUND_DAYS, ROUNDS, World, coded, constant, lists, moments, single, texts
from curation.error_types import of_kind

METRICS = {"pocket-photo": "vqa_accuracy", "pocket-chart": "anls", "pocket-quiz": "multiple_choice", "pocket-knowledge": "vqa_accuracy"}
NAMES = list(METRICS)
ERROR_TYPES = [of_kind(kind.name) for kind in KINDS]
OF_DATASET = np.array([NAMES.index(kind.dataset) for kind in KINDS])
WEIGHTS = np.array([kind.weight for kind in KINDS]) / sum(kind.weight for kind in KINDS)
FAILED = np.array([kind.failed for kind in KINDS])
EARLIER = 0.15  # share of the examples that earlier rounds mined
CAUSES = (
    "It follows the most frequent answer",
    "It looks at the wrong object",
    "It reads only the first half of the question",
    "It names what is nearest",
    "It is led by the background",
    "It repeats a word of the question",
    "It never weighs the second object",
    "It treats the picture as typical",
)
SHOWS = ("The picture shows", "One can see", "Plainly visible:", "What matters here is", "The scene holds", "In view:")
HINTS = (
    "and the rest of the picture is not looked at",
    "although nothing hides it",
    "even where contrast is high",
    "more so near the edge",
    "as it also does in other pictures of this kind",
    "and it says so with confidence",
    "which a second look would mend",
    "at any size",
)


def fill(world: World, count: int) -> None:
    """`count` failures in the latest round, a part as many in those before it."""
    rng, store, pool = world.rng, world.store, world.pool
    train = int(count / float(WEIGHTS @ FAILED) * 1.05) + 10
    held_out = train // 12
    total = train + held_out
    kinds = rng.choice(len(KINDS), total, p=WEIGHTS)
    rows = pool.of_kinds(kinds, rng)
    with store.write() as write:
        write.insert("image", pool.images)
        write.insert("dataset", [_dataset(name, metric) for name, metric in METRICS.items()])
        first = write.reserve("example_ids", total)
        ids = first + np.arange(total)
        question = pc.binary_join_element_wise(texts(openings(total, rng)), texts(pool.question[rows]), ", ")
        shas = [row["image"] for row in pool.images]
        example = {
            "example_id": ids,
            "dataset": coded(OF_DATASET[kinds], NAMES),
            "external_id": pa.array([f"{number:07d}" for number in range(total)]),
            "split": coded((np.arange(total) >= train).astype(int), ["train", "eval"]),
            "image": coded(pool.scene[rows], shas),
            "question": question,
            "choices": lists(pool.choices, rows),
            "golds": single(texts(pool.gold[rows])),
            "kind": coded(kinds, [kind.name for kind in KINDS]),
            "created_at": moments(np.zeros(total)),
        }
        write.load("example", pa.table(example))
    _checkpoints(world)
    fails = _failing(kinds[:train], count, rng)
    earlier = np.arange(train) < train * EARLIER
    for round_ in ROUNDS:
        mined = np.ones(train, bool) if round_ == ROUNDS[-1] else earlier
        failed_before = (rng.random(train) < FAILED[kinds[:train]] * (1.25 - 0.1 * round_)) & earlier
        wrong = failed_before if round_ < ROUNDS[-1] else fails
        eval_wrong = rng.random(held_out) < FAILED[kinds[train:]] * (1.1 - 0.12 * round_)
        asked = np.concatenate([np.flatnonzero(mined), np.arange(train, total)])
        _predictions(world, round_, ids, rows, asked, np.concatenate([wrong, eval_wrong])[asked])
        known = store.columns("failure_ids", round=round_)
        place = np.asarray(known["example_id"]) - first
        _diagnose(world, round_, np.asarray(known["failure_id"]), kinds[place], rows[place])
        _cluster(world, round_, ids, kinds, kinds[place])


def _failing(kinds: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Which train examples fail: just `count`, those of difficult kinds more often."""
    chance = rng.random(len(kinds)) ** (1 / (FAILED[kinds] / (1 - FAILED[kinds])))
    fails = np.zeros(len(kinds), bool)
    fails[np.argpartition(-chance, count)[:count]] = True
    return fails


def _dataset(name: str, metric: str) -> dict:
    about = {
        "prompt_suffix": "Answer with one word.",
        "answer_form": "one word or number, lower case",
        "source": "drawn",
        "licence": "Apache-2.0",
    }
    return {
        "name": name,
        "title": f"PocketVQA {name.partition('-')[2]}",
        "format": "pocket_vqa",
        "metric": metric,
        "threshold": 0.5,
        **about,
    }


def _checkpoints(world: World) -> None:
    with world.store.write() as write:
        for round_ in ROUNDS:
            parent = world.checkpoints[-1] if world.checkpoints else None
            row = {"name": f"round-{round_ - 1}-run" if parent else "pocket-llava", "baseline": "llava", "model": "pocket-llava",
                   "adapter": None, "options": {}, "parent": parent}  # fmt: skip
            world.checkpoints += write.insert("checkpoint", [row], "checkpoint_id")
            write.insert("round", [{"round": round_, "checkpoint_id": world.checkpoints[-1]}])


def _predictions(world: World, round_: int, ids: np.ndarray, rows: np.ndarray, asked: np.ndarray, wrong: np.ndarray) -> None:
    """Answers of the checkpoint that a round starts from; failures follow by the store's own query."""
    rng, pool, count = world.rng, world.pool, len(asked)
    lenient = np.where(wrong, rng.choice([0.0, 0.3, 0.6], count, p=[0.93, 0.04, 0.03]), 1.0)
    answer = np.where(wrong, pool.wrong[rows[asked]], pool.gold[rows[asked]])
    job = world.job("evaluate", round_, "gpu", count)
    checkpoint = world.checkpoints[round_ - 1]
    with world.store.write() as write:
        first = write.reserve("prediction_ids", count)
        prediction = {
            "prediction_id": first + np.arange(count),
            "checkpoint_id": np.full(count, checkpoint),
            "example_id": ids[asked],
            "answer": texts(answer),
            "strict": np.where(wrong, 0.0, 1.0),
            "lenient": lenient,
            "job_id": np.full(count, job),
            "created_at": moments(np.full(count, ROUND_DAYS[round_ - 1] + 0.2)),
        }
        write.load("prediction", pa.table(prediction))
        write.run("failures_from_predictions", checkpoint_id=checkpoint)


def _diagnose(world: World, round_: int, failure_ids: np.ndarray, kinds: np.ndarray, rows: np.ndarray) -> None:
    """Diagnoses of nineteen in twenty failures, and what people said of a few."""
    rng, pool = world.rng, world.pool
    known = rng.random(len(failure_ids)) < 0.95
    ids, kind, row, count = failure_ids[known], kinds[known], rows[known], int(known.sum())
    job = world.job("diagnose", round_, "api", len(failure_ids), round(0.0016 * len(failure_ids), 2))
    label_error, stumped = rng.random(count) < 0.02, rng.random(count) < 0.06
    other = rng.random(count) < 0.05  # the frontier model sees another error type than the dataset's kind says
    types = np.array(sorted({*ERROR_TYPES, "label-error"}), dtype=object)
    code = np.array([list(types).index(name) for name in ERROR_TYPES])[kind]
    code = np.where(label_error, list(types).index("label-error"), np.where(other, rng.integers(0, len(types), count), code))
    titles = [np.array(kind.titles, dtype=object) for kind in KINDS]
    title = np.concatenate(titles)[np.concatenate([[0], np.cumsum([len(t) for t in titles])[:-1]])[kind]
                                   + (rng.random(count) * np.array([len(t) for t in titles])[kind]).astype(int)]  # fmt: skip
    captions = np.array(pool.captions, dtype=object)[pool.scene[row]]
    join = pc.binary_join_element_wise
    parts = zip(_some(CAUSES, count, rng), title, _some(HINTS, count, rng), pool.wrong[row], pool.gold[row])
    faulty = pa.array(
        [f"{cause} ({what[0].lower()}{what[1:]}), {hint}: “{wrong}” for “{gold}”." for cause, what, hint, wrong, gold in parts]
    )
    with world.store.write() as write:
        first = write.reserve("diagnosis_ids", count)
        diagnosis = {
            "diagnosis_id": first + np.arange(count),
            "failure_id": ids,
            "description": join(texts(_some(SHOWS, count, rng)), texts(captions), " "),
            "key_elements": single(texts(pool.gold[row])),
            "faulty_reasoning": faulty,
            "error_type": coded(code, types),
            "own_answer": texts(np.where(stumped, pool.wrong[row], pool.gold[row])),
            "own_score": np.where(stumped, 0.0, 1.0),
            "gold_looks_wrong": label_error,
            "right_but_misformatted": rng.random(count) < 0.01,
            "confidence": np.round(rng.beta(6, 1.6, count), 2),
            "frontier": constant("pocket-teacher", count),
            "job_id": np.full(count, job),
            "created_at": moments(ROUND_DAYS[round_ - 1] + 0.3 + rng.random(count) / 10),
        }
        write.load("diagnosis", pa.table(diagnosis))
        triaged = np.flatnonzero(rng.random(count) < 0.03)
        words = rng.choice(["model error", "label error", "scorer artefact"], len(triaged), p=[0.8, 0.15, 0.05])
        triage = {
            "failure_id": ids[triaged],
            "label": texts(words.astype(object)),
            "reviewer": coded(rng.integers(0, 2, len(triaged)), ["ada", "grace"]),
            "event_id": pa.array([f"triage-{round_}-{number}" for number in ids[triaged]]),
            "created_at": moments(np.full(len(triaged), ROUND_DAYS[round_ - 1] + 1.0)),
        }
        write.load("triage", pa.table(triage))
    made = np.zeros(len(failure_ids), np.int64)
    made[known] = first + np.arange(count)
    world.failures.append({"failure_id": failure_ids, "diagnosis_id": made, "row": rows, "kind": kinds})


def _cluster(world: World, round_: int, example_ids: np.ndarray, kinds: np.ndarray, failed_kinds: np.ndarray) -> None:
    """A cluster a title, laid out as blobs; every example assigned to one of its kind's clusters."""
    rng, here = world.rng, world.failures[round_ - 1]
    sizes = np.array([len(kind.titles) for kind in KINDS])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    named = [(kind, title) for kind in KINDS for title in kind.titles]
    diagnosed = np.flatnonzero(here["diagnosis_id"])
    job = world.job("cluster", round_, "cpu", len(diagnosed))
    clusters = [
        {"round": round_, "error_type": of_kind(kind.name), "title": title, "job_id": job, "name": f"{kind.name}: {title}"}
        for kind, title in named
    ]
    with world.store.write() as write:
        ids = np.array(sorted(write.insert("cluster", clusters, "cluster_id")))
        share = rng.random(len(example_ids)) ** 1.6  # the first cluster of a kind is the largest
        of_example = starts[kinds] + (share * sizes[kinds]).astype(int)
        of_failure = starts[failed_kinds] + (rng.random(len(failed_kinds)) ** 1.6 * sizes[failed_kinds]).astype(int)
        kind_centres = rng.uniform((-16, -12), (16, 12), (len(KINDS), 2))
        centres = np.repeat(kind_centres, sizes, axis=0) + rng.normal(0, 1.7, (len(named), 2))
        mine = of_failure[diagnosed]
        offset = rng.normal(0, 1, (len(mine), 2)) * rng.uniform(0.4, 1.1, len(named))[mine, None]
        place = (centres[mine] + offset).astype(np.float32)
        laid = {"failure_id": here["failure_id"][diagnosed], "cluster_id": ids[mine], "x": place[:, 0], "y": place[:, 1],
                "distance": np.hypot(*offset.T).astype(np.float32), "job_id": np.full(len(mine), job)}  # fmt: skip
        write.load("place", pa.table(laid))
        count = len(example_ids)
        types = sorted(set(ERROR_TYPES))
        codes = np.array([types.index(name) for name in ERROR_TYPES])
        assigned = {"example_id": example_ids, "round": np.full(count, round_, np.int32), "cluster_id": ids[of_example],
                    "error_type": coded(codes[kinds], types), "job_id": np.full(count, job)}  # fmt: skip
        write.load("assignment", pa.table(assigned))


def _some(choice: tuple[str, ...], count: int, rng: np.random.Generator) -> np.ndarray:
    return np.array(choice, dtype=object)[rng.integers(0, len(choice), count)]
