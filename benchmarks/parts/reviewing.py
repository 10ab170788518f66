"""Fills a workspace with two million review events: single and bulk decisions, edits, undos; and with runs and paid replies."""

from datetime import timedelta

import numpy as np
import pyarrow as pa

from benchmarks.parts.samples import FILTERS, _verdicts
from benchmarks.parts.world import REVIEW_DAYS, ROUND_DAYS, ROUNDS, START, World, coded, constant, moments
from curation.review.decisions import REASONS

EVENTS_A_SAMPLE = 2_000_000 / 553_992
REVIEWED = 0.6  # of the drawn samples
REVIEWERS = ("ada", "grace", "chidi", "farah", "igor", "lena", "noor", "priya")
BULK_SHARE = 0.45  # of the events
BULK_SIZE = 4_000  # samples, on average
ACTIONS = ("approve", "reject", "reset", "edit", "undo")
APPROVE, REJECT, RESET, EDIT, UNDO = range(5)


def fill(world: World) -> None:
    """Events in the order of time. Each sample has an opinion that most of its reviewers share."""
    rng, mine = world.rng, world.samples
    count = len(mine["sample_id"])
    events = round(EVENTS_A_SAMPLE * count)
    drawn = np.flatnonzero(mine["drawn"])
    opinion = np.where(rng.random(count) < np.where(mine["flawed"], 0.25, 0.93), APPROVE, REJECT)
    reviewed = rng.permutation(drawn)[: max(4, int(len(drawn) * REVIEWED))]
    reviewed = reviewed[np.argsort(opinion[reviewed], kind="stable")]  # so that a bulk decision is nearly always everyone's opinion

    undos = events // 50
    bulk, sample, when, reviewer, action = _decisions(events - undos, reviewed, opinion, rng)
    edits = _edits(bulk, sample, when, action, rng)
    order = np.argsort(when, kind="stable")
    bulk, sample, when, reviewer, action = (values[order] for values in (bulk, sample, when, reviewer, action))
    undone = np.sort(rng.choice(np.flatnonzero(action != EDIT), undos, replace=False))

    total = len(sample) + undos
    times = np.concatenate([when, when[undone] + 1e-4])
    order = np.argsort(times, kind="stable")
    position = np.empty(total, np.int64)
    position[order] = np.arange(total)
    source = np.concatenate([np.arange(len(sample)), undone])[order]  # the event that a row is, or takes back
    is_undo = order >= len(sample)
    revision = _revisions(sample, action)
    days = REVIEW_DAYS[0] + times[order] * (REVIEW_DAYS[1] - REVIEW_DAYS[0])
    with world.store.write() as write:
        first = write.reserve("review_ids", total)
        batches = int(bulk.max()) if len(bulk) else 0
        first_batch = write.reserve("batch_ids", max(1, batches))
        of_bulk, codes = bulk[source], np.where(is_undo, UNDO, action[source])
        rejected = codes == REJECT
        review = {
            "review_id": first + np.arange(total),
            "sample_id": mine["sample_id"][sample[source]],
            "revision": revision[source].astype(np.int32),
            "action": coded(codes, ACTIONS),
            "reason": coded(np.where(rejected, rng.integers(0, len(REASONS), total), len(REASONS)), [*REASONS, None]),
            "reviewer": coded(reviewer[source], REVIEWERS),
            "batch_id": pa.array(first_batch + of_bulk - 1, mask=(of_bulk == 0) | is_undo),
            "undoes": pa.array(first + position[source], mask=~is_undo),
            "event_id": _event_ids(np.where(is_undo, 0, of_bulk), rng),
            "created_at": moments(days),
        }
        write.load("review", pa.table(review))
        _write_revisions(world, write, sample[edits := np.flatnonzero(action == EDIT)], revision[edits], reviewer[edits], when[edits])
    judged = np.unique(sample[edits])[::2]
    job = world.job("filter", 3, "api", len(judged), again=True)
    for name in FILTERS:
        _verdicts(world, name, judged, np.full(len(judged), job), np.full(len(judged), REVIEW_DAYS[1]), revision=1)


def _decisions(count: int, reviewed: np.ndarray, opinion: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Bulk number (0: a single decision), sample, time from 0 to 1, reviewer and action of each event."""
    in_bulk = int(count * BULK_SHARE)
    size = min(BULK_SIZE, len(reviewed))
    batch = 1 + np.arange(in_bulk) // size
    sample = np.concatenate([np.resize(reviewed, in_bulk), rng.choice(reviewed, count - in_bulk)])  # a batch never holds a sample twice
    batches = int(batch[-1])
    bulk = np.concatenate([batch, np.zeros(count - in_bulk, np.int64)])
    when = np.concatenate([np.sort(rng.random(batches))[batch - 1], rng.random(count - in_bulk)])
    likes = rng.integers(0, len(REVIEWERS), len(opinion))  # each sample has one reviewer, now and then another
    reviewer = np.where(rng.random(count) < 0.9, likes[sample], (likes[sample] + 1) % len(REVIEWERS))
    of_batch, bulk_action = (
        rng.integers(0, len(REVIEWERS), batches),
        opinion[sample[np.minimum(np.arange(batches) * size + size // 3, in_bulk - 1)]],
    )
    action = np.where(rng.random(count) < 0.985, opinion[sample], rng.choice([APPROVE, REJECT, RESET], count))
    reviewer[:in_bulk], action[:in_bulk] = of_batch[batch - 1], bulk_action[batch - 1]
    when[:in_bulk] *= 0.5  # bulk first, a closer look later
    return bulk, sample, when, reviewer, action


def _edits(bulk: np.ndarray, sample: np.ndarray, when: np.ndarray, action: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turns one single decision of a few samples into an edit, in place; returns which."""
    single = np.flatnonzero((bulk == 0) & (when > 0.55))
    _, one_each = np.unique(sample[single], return_index=True)
    chosen = single[rng.permutation(one_each)[: len(action) // 100]]
    action[chosen] = EDIT
    return chosen


def _revisions(sample: np.ndarray, action: np.ndarray) -> np.ndarray:
    """The revision that each event names: 1 from a sample's edit on (events stand in the order of time)."""
    edited = np.full(int(sample.max()) + 1, len(sample), np.int64)
    edits = np.flatnonzero(action == EDIT)
    edited[sample[edits]] = edits
    return (np.arange(len(sample)) >= edited[sample]).astype(np.int64)


def _event_ids(bulk: np.ndarray, rng: np.random.Generator) -> pa.Array:
    """As browsers make them, one each, or one a bulk decision."""
    halves = rng.integers(0, 2**63, (len(bulk), 2))
    shared = rng.integers(0, 2**63, (int(bulk.max()) + 1 if len(bulk) else 1, 2))
    halves = np.where(bulk[:, None] > 0, shared[bulk], halves)
    return pa.array([f"{high:016x}{low:016x}" for high, low in halves.tolist()])


def _write_revisions(world: World, write, sample: np.ndarray, revision: np.ndarray, reviewer: np.ndarray, when: np.ndarray) -> None:
    row = world.rng.integers(0, len(world.pool.question), len(sample))
    edited = {
        "sample_id": world.samples["sample_id"][sample],
        "revision": revision.astype(np.int32),
        "question": pa.array([f"Look closely: {world.pool.question[place]}" for place in row], pa.string()),
        "choices": pa.array([world.pool.choices[place] for place in row], pa.list_(pa.string())),
        "answer": pa.array(world.pool.gold[row], pa.string()),
        "reviewer": coded(reviewer, REVIEWERS),
        "created_at": moments(REVIEW_DAYS[0] + when * (REVIEW_DAYS[1] - REVIEW_DAYS[0])),
    }
    write.load("revision", pa.table(edited))


def train(world: World) -> None:
    """A run for each checkpoint that a later round starts from, on a snapshot of approved samples; and a log of paid replies."""
    rng = world.rng
    for round_ in ROUNDS[:-1]:
        frozen = [row["sample_id"] for row in world.store.rows("samples_to_train", round=round_) if row["round"] == round_][:20_000]
        job = world.job("finetune", round_, "gpu", 1)
        row = {
            "round": round_,
            "parent": world.checkpoints[round_ - 1],
            "job_id": job,
            "options": {"epochs": 3},
            "samples": len(frozen),
            "replay": len(frozen),
            "checkpoint_id": world.checkpoints[round_],
            "created_at": START + timedelta(days=ROUND_DAYS[round_] - 1),
        }
        with world.store.write() as write:
            (run_id,) = write.insert("run", [row], "run_id")
            snapshot = {
                "run_id": np.full(len(frozen), run_id),
                "sample_id": np.array(frozen, np.int64),
                "revision": np.zeros(len(frozen), np.int32),
            }
            write.load("run_sample", pa.table(snapshot))
    count = max(10, len(world.samples["sample_id"]) // 10)
    purposes, stage = ("blind", "diagnose", "generate", "judge"), ("diagnose", "diagnose", "generate", "filter")
    purpose, round_ = rng.integers(0, 4, count), rng.choice(ROUNDS, count)
    jobs = np.array([[world.jobs[name, r, False] for r in ROUNDS] for name in stage])
    prompt, completion = rng.integers(300, 900, count), rng.integers(20, 260, count)
    reply = {
        "key": pa.array([f"{number:064x}" for number in rng.integers(0, 2**63, count).tolist()]),
        "job_id": jobs[purpose, round_ - 1],
        "endpoint": constant("built-in", count),
        "model": constant("pocket-teacher", count),
        "purpose": coded(purpose, purposes),
        "body": constant('{"choices": [{"message": {"content": "{}"}}]}', count),
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "cached_tokens": np.zeros(count, np.int64),
        "cost_usd": (prompt * 0.4 + completion * 1.6) / 1e6,
        "seconds": rng.gamma(3, 0.4, count),
        "created_at": moments(np.array(ROUND_DAYS)[round_ - 1] + 0.5),
    }
    with world.store.write() as write:
        write.load("reply", pa.table(reply))
