"""Fills a workspace with samples, their drawings and the verdicts of five filters."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.parts.failures import ERROR_TYPES, NAMES, OF_DATASET
from benchmarks.parts.pool import openings
from benchmarks.parts.world import ROUND_DAYS, ROUND_SHARES, ROUNDS, World, coded, constant, lists, moments, texts
from curation.filtering.settings import add_default_settings
from data.transaction import Transaction

ROUTES = ("same_image", "new_image", "by_hand")
FILTERS = ("judge", "agreement", "answer_style", "duplicate", "leakage")  # the others are switched off
REDRAWN_AFTER, JUDGED_AGAIN_AFTER = 58.0, 58.5  # days; a few pictures are drawn anew, and half of those judged again
GOOD = {
    "judge": ("correct and clear", "the answer can be seen", "fits the picture", "one right answer"),
    "agreement": ("two of three answers agree", "all answers agree"),
    "answer_style": ("one word", "a number", "the letter of a choice"),
    "duplicate": ("nothing like it", "a like picture with another question"),
    "leakage": ("no eval item is near", "same layout, other colours"),
}
BAD = {
    "judge": ("the answer is not in the picture", "two answers fit", "the question names an object that is not there"),
    "agreement": ("answers differ", "nobody gives the proposed answer"),
    "answer_style": ("a whole sentence", "not a letter of the choices"),
    "duplicate": ("the same picture and question as another sample",),
    "leakage": ("the same picture and question as an eval item",),
}


def fill(world: World, count: int) -> None:
    """Samples of all rounds, four in five on new pictures, nearly all of which are drawn."""
    rng, pool, store = world.rng, world.pool, world.store
    rounds = np.sort(rng.choice(ROUNDS, count, p=ROUND_SHARES))
    route = rng.choice(3, count, p=[0.28, 0.705, 0.015])
    failure, diagnosis, origin = np.zeros((3, count), np.int64)
    for round_ in ROUNDS:
        mine, known = np.flatnonzero(rounds == round_), world.failures[round_ - 1]
        chosen = np.sort(rng.choice(np.flatnonzero(known["diagnosis_id"]), len(mine)))  # samples of a failure come together
        failure[mine], diagnosis[mine], origin[mine] = known["failure_id"][chosen], known["diagnosis_id"][chosen], known["row"][chosen]
    kind = pool.kind[origin]
    row = np.where(
        route == 1, pool.of_kinds(kind, rng), pool.like(origin, rng)
    )  # the same picture, or the same kind of question on a new one
    shas = [image["image"] for image in pool.images]
    drawn = (route == 1) & (rng.random(count) < 0.97)
    question = pc.binary_join_element_wise(texts(openings(count, rng)), texts(pool.question[row]), ", ")
    flawed = rng.random(count) < 0.1
    types = sorted(set(ERROR_TYPES))
    error_type = np.array([types.index(name) for name in ERROR_TYPES])[kind]
    jobs = {stage: [world.job(stage, r, lane, int((rounds == r).sum()), usd * int((rounds == r).sum())) for r in ROUNDS]
            for stage, lane, usd in (("generate", "api", 0.0021), ("draw", "gpu", 0.0), ("filter", "api", 0.0012))}  # fmt: skip
    made = np.array(ROUND_DAYS)[rounds - 1] + 0.5 + rng.random(count) / 10
    has_origin = (route != 2) | (rng.random(count) < 0.5)
    new = route == 1
    with store.write() as write:
        first = write.reserve("sample_ids", count)
        ids = first + np.arange(count)
        sample = {
            "sample_id": ids,
            "key": pa.array([f"{r}/{f}/{number}" for number, (r, f) in enumerate(zip(rounds, failure))]),
            "round": rounds.astype(np.int32),
            "failure_id": pa.array(failure, mask=~has_origin),
            "diagnosis_id": pa.array(diagnosis, mask=~has_origin),
            "dataset": coded(OF_DATASET[kind], NAMES),
            "error_type": coded(error_type, types),
            "route": coded(route, ROUTES),
            "question": question,
            "choices": lists(pool.choices, row),
            "answer": texts(np.where(flawed, pool.wrong[row], pool.gold[row])),
            "image": coded(np.where(new, len(shas), pool.scene[row]), [*shas, None]),
            "image_prompt": coded(np.where(new, pool.scene[row], len(shas)), [*pool.captions, None]),
            "seed": pa.array(rng.integers(0, 2**31, count), mask=~new),
            "frontier": coded((route == 2).astype(int), ["pocket-teacher", None]),
            "job_id": pa.array(np.array(jobs["generate"])[rounds - 1], mask=route == 2),
            "created_at": moments(made),
        }
        write.load("sample", pa.table(sample))
        world.samples = {"sample_id": ids, "round": rounds, "drawn": drawn | (route != 1), "flawed": flawed, "made": made}
        _draw(world, write, np.flatnonzero(drawn), pool.scene[row[drawn]], np.array(jobs["draw"])[rounds[drawn] - 1], made[drawn] + 0.2)
    add_default_settings(store, "built-in")
    for setting in store.rows("filters"):
        if setting["filter"] not in FILTERS:
            _switch_off(world, setting)


def _switch_off(world: World, setting: dict) -> None:
    """Switches a filter off without deriving states, which comes last."""
    row = {name: setting[name] for name in ("filter", "bit", "threshold", "comparison")}
    with world.store.write() as write:
        write.insert("filter_setting", [{**row, "enabled": False, "author": "ada"}])


def _draw(world: World, write: Transaction, samples: np.ndarray, scenes: np.ndarray, jobs: np.ndarray, days: np.ndarray) -> None:
    count = len(samples)
    drawing = {
        "sample_id": world.samples["sample_id"][samples],
        "image": coded(scenes, [image["image"] for image in world.pool.images]),
        "generator": constant("pocket-flux", count),
        "seed": world.rng.integers(0, 2**31, count),
        "recipe": constant('{"steps": 8, "guidance": 2.5, "pipeline": "pocket-flux"}', count),
        "job_id": jobs,
        "created_at": moments(days),
    }
    write.load("drawing", pa.table(drawing))


def judge(world: World) -> None:
    """Five verdicts each; then some pictures are drawn anew, and half of those are judged again."""
    rng, mine = world.rng, world.samples
    seen = np.flatnonzero(mine["drawn"] & (rng.random(len(mine["drawn"])) < 0.985))
    filter_jobs = np.array([world.jobs["filter", r, False] for r in ROUNDS])
    for name in FILTERS:
        _verdicts(world, name, seen, filter_jobs[mine["round"][seen] - 1], mine["made"][seen] + 0.4)
    again = rng.choice(seen, max(2, len(seen) // 400), replace=False)
    draw_job, judge_job = world.job("draw", 3, "gpu", len(again), again=True), world.job("filter", 3, "api", len(again) // 2, again=True)
    with world.store.write() as write:
        scenes = rng.integers(0, len(world.pool.images), len(again))
        _draw(world, write, again, scenes, np.full(len(again), draw_job), np.full(len(again), REDRAWN_AFTER))
    half = np.sort(again[: len(again) // 2])
    for name in FILTERS:
        _verdicts(world, name, half, np.full(len(half), judge_job), np.full(len(half), JUDGED_AGAIN_AFTER))


def _verdicts(world: World, name: str, samples: np.ndarray, jobs: np.ndarray, days: np.ndarray, revision: int = 0) -> None:
    rng, count = world.rng, len(samples)
    good = rng.random(count) < np.where(world.samples["flawed"][samples], 0.55, 0.965)
    better, worse = {
        "judge": (np.full(count, 3.0), rng.integers(1, 3, count).astype(float)),
        "agreement": (rng.choice([0.67, 1.0], count, p=[0.3, 0.7]), rng.choice([0.0, 0.33], count)),
        "answer_style": (np.ones(count), np.zeros(count)),
        "duplicate": (np.round(rng.beta(3, 3, count) * 0.949, 3), np.round(rng.uniform(0.951, 1, count), 3)),
        "leakage": (np.round(rng.beta(2, 5, count) * 0.949, 3), np.round(rng.uniform(0.951, 1, count), 3)),
    }[name]
    words = GOOD[name] + BAD[name]
    reasons = np.where(good, rng.integers(0, len(GOOD[name]), count), len(GOOD[name]) + rng.integers(0, len(BAD[name]), count))
    with world.store.write() as write:
        first = write.reserve("verdict_ids", count)
        verdict = {
            "verdict_id": first + np.arange(count),
            "sample_id": world.samples["sample_id"][samples],
            "revision": np.full(count, revision, np.int32),
            "filter": constant(name, count),
            "version": np.ones(count, np.int32),
            "score": np.where(good, better, worse),
            "reason": coded(reasons, words),
            "job_id": jobs,
            "created_at": moments(days),
        }
        write.load("verdict", pa.table(verdict))
