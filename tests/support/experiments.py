"""An experiment whose runs were drawn, not trained: answers by chance, each arm with a gain of its own. For reports and pages."""

import random

from data.store import Store

ARMS = ("none", "replay", "real", "real_failures", "targeted", "untargeted", "unfiltered")
GAINS = {"none": 0.0, "replay": 0.01, "real": 0.16, "real_failures": 0.24, "targeted": 0.2, "untargeted": 0.1, "unfiltered": 0.12}
SAMPLES = 40


def drawn_experiment(
    store: Store,
    seeds: tuple[int, ...] = (1, 2, 3),
    diverged: tuple[str, int] | None = None,
    missing: tuple[str, int] | None = None,
    status: str = "done",
    unasked: int = 0,
) -> int:
    """Inserts it into a seeded store; returns its job. A run may have diverged, one be missing, some examples be unasked in one."""
    rng = random.Random(5)
    examples = store.rows("experiment_eval", datasets=None, limit=None)
    planned = [(arm, seed) for arm in ARMS for seed in (seeds if arm != "none" else (0,))]
    plan = {
        "checkpoint": "pocket-llava",
        "arms": [{"arm": arm, "title": arm, "about": "", "have": 90, "short": 0} for arm in ARMS],
        "asked": 50,
        "samples": SAMPLES,
        "runs": len(planned),
        "batch_size": 16,
        "eval": len(examples),
    }
    job = {"stage": "experiment", "options": {"n": 50}, "round": 1, "lane": "gpu", "status": status, "total": len(planned)}
    with store.write() as write:
        (job_id,) = write.insert("job", [{**job, "done": len(planned), "author": "ada", "seconds": 900.0}], returning="job_id")
        counts = {"samples": SAMPLES, "replay": 120, "steps": 60}
        row = {"job_id": job_id, "round": 1, "checkpoint_id": 1, "arms": list(ARMS), "seeds": list(seeds), **counts, "plan": plan}
        write.insert("experiment", [row])
        hard = {example["example_id"]: rng.random() for example in examples}
        for arm, seed in planned:
            if (arm, seed) == missing:
                continue
            which = {"job_id": job_id, "arm": arm, "seed": seed}
            bad = (arm, seed) == diverged
            chance = 0.45 + GAINS[arm] - 0.3 * bad
            facts = {"first_loss": 1.2, "last_loss": 3.4 if bad else 0.3, "train_seconds": 80.0, "eval_seconds": 9.0, "threads": 1}
            told = "the loss rose from 1.200 to 3.400" if bad else None
            write.insert("experiment_run", [{**which, **counts, "diverged": told, **facts}])
            answers = []
            for place, example in enumerate(examples):
                right = float(rng.random() < 0.5 * chance + 0.5 * (hard[example["example_id"]] < chance))
                given = {"answer": example["golds"][0] if right else "no", "strict": right, "lenient": right, "error": None}
                if (arm, seed) == ("real", seeds[0]) and place < unasked:
                    given = {"answer": None, "strict": None, "lenient": None, "error": "its picture can't be read"}
                answers.append({**which, "example_id": example["example_id"], **given})
            write.insert("experiment_answer", answers)
        if missing:
            error = {"job_id": job_id, "key": f"{missing[0]}/{missing[1]}", "error": "its process was killed by signal 9 (out of memory?)"}
            write.insert("row_error", [error])
    return job_id
