"""A workspace at the paper's scale: 100,000 failures to explore, 553,992 samples to review, two million review events.

    python -m benchmarks.workspace                                       # <MISTAKEBOOK_HOME>/full
    python -m benchmarks.workspace --samples 20000 --failures 4000 --out FOLDER

Everything is drawn from a seed and goes through the tables of the store; the state of each sample is derived by the store's own query.
Pictures are real and shared by hash; questions fit their pictures; scores, decisions and texts are made up.
"""

import argparse
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.parts import failures, reviewing, samples
from benchmarks.parts.machine import machine, peak_mb
from benchmarks.parts.pool import make_pool
from benchmarks.parts.world import World
from data import workspace as workspaces
from data.store import Store
from data.workspace import Workspace

SAMPLES, FAILURES, PICTURES = 553_992, 100_000, 3_000
TABLES = (
    "image", "example", "prediction", "failure", "diagnosis", "triage", "cluster", "place", "assignment", "sample", "drawing", "revision",
    "verdict", "review", "run_sample", "reply",
)  # fmt: skip


def make(
    folder: Path, sample_count: int, failure_count: int, seed: int = 5, say: Callable[[str], None] = lambda text: None
) -> dict[str, float]:
    """Fills a new folder; returns the seconds of each step. Raises FileExistsError if there is a store already."""
    workspace = Workspace(folder).create()
    if workspace.store.exists():
        raise FileExistsError(f"{workspace.store} exists; name another folder with --out, or delete this one")
    seconds: dict[str, float] = {}

    def step(name: str, work: Callable, *arguments):
        started = time.monotonic()
        result = work(*arguments)
        seconds[name] = round(time.monotonic() - started, 1)
        say(f"{name}: {seconds[name]} s")
        return result

    pictures = min(PICTURES, max(24, sample_count // 20))
    pool = step("pictures", make_pool, workspace.images, pictures, seed)
    store = Store(workspace.store, workspace.backups)
    world = World(store, pool, np.random.default_rng(seed))
    try:
        step("examples and failures", failures.fill, world, failure_count)
        step("samples", samples.fill, world, sample_count)
        step("verdicts", samples.judge, world)
        step("reviews", reviewing.fill, world)
        step("states", store.rebuild_states)
        step("runs and replies", reviewing.train, world)
        step("checkpoint", store.checkpoint)
    finally:
        store.close()
    return seconds


def counts(folder: Path) -> dict[str, int]:
    """Rows of the tables, and samples by status."""
    store = Store(Workspace(folder).store)
    try:
        return store.table_counts(TABLES) | {f"samples {row['status']}": row["count"] for row in store.rows("sample_statuses")}
    finally:
        store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--failures", type=int, default=FAILURES, help="failures of the latest round")
    parser.add_argument("--out", type=Path, help="a new folder; <MISTAKEBOOK_HOME>/full unless given")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--again", action="store_true", help="delete what is in the folder first")
    parser.add_argument("--json", action="store_true", help="only the last line")
    arguments = parser.parse_args()
    folder = arguments.out or workspaces.home() / "full"
    say = (lambda text: None) if arguments.json else lambda text: print(text, flush=True)
    if arguments.again:
        shutil.rmtree(folder, ignore_errors=True)
    steps: dict[str, float] = {}
    if Workspace(folder).store.exists():
        say(f"{folder} is there already (--again makes it anew)")
    else:
        steps = make(folder, arguments.samples, arguments.failures, arguments.seed, say)
    seconds = round(sum(steps.values()), 1)
    figures = counts(folder)
    for name, count in figures.items():
        say(f"{name:24}{count:>12,}")
    store_mb = round(Workspace(folder).store.stat().st_size / 2**20)
    say(f"{folder}: {seconds} s, store {store_mb} MB")
    result = {
        "seconds": seconds,
        "steps": steps,
        "counts": figures,
        "folder": str(folder),
        "store_mb": store_mb,
        "peak_mb": round(peak_mb()),
    }
    print(json.dumps({**result, "machine": machine()}))


if __name__ == "__main__":
    main()
