"""Exports of 100,000 samples in every format, as jobs: from the store to a folder that is equal to its list.

    python -m benchmarks.export                                  # a workspace is made first
    python -m benchmarks.export --beside CHECKOUT                # the formats of another checkout on the same rows, in the same run

Whole job: rows read from the store, input written, child started, pictures checked by their hash, files written and moved, results
collected. Again: a second export into the same folder. `--beside` times the formats' `write` alone, here and there in turn.
Every sample has a picture's file of its own in imagefolder; elsewhere those that share a picture share the file.
"""

import argparse
import json
import os
import pickle
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.parts.machine import machine
from benchmarks.workspace import make
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from data.images import ImageStore
from data.records import ExportedSample, SampleStatus
from data.registry import EXPORTS
from data.store import Store
from data.workspace import Workspace

SAMPLES = 100_000
STATUSES = [str(status) for status in SampleStatus if status is not SampleStatus.UNDRAWN]
WRITE_ALONE = """
import json, pickle, sys, time
from pathlib import Path
from data.images import ImageStore
from data.records import ExportedSample
from data.registry import EXPORTS
rows, images, out, names = pickle.load(open(sys.argv[1], "rb")), ImageStore(Path(sys.argv[2])), Path(sys.argv[3]), sys.argv[4].split(",")
samples = [ExportedSample.from_row(row) for row in rows]
seconds = {}
for name in names:
    if name in EXPORTS.names():
        started = time.monotonic()
        EXPORTS.make(name).write(iter(samples), images.path, out / name)
        seconds[name] = round(time.monotonic() - started, 1)
print(json.dumps(seconds))
"""


def jobs_of(store: Store, workspace: Workspace, out: Path, names: list[str]) -> dict[str, dict[str, float]]:
    """Seconds of a whole job and of a second one into the same folder, by format; of the clock, and of the processor (app and child)."""
    jobs = JobManager(store, workspace, stage_class)
    found: dict[str, dict[str, float]] = {}
    for name in names:
        for turn in ("first", "again"):
            started, worked = time.monotonic(), _cpu()
            job = jobs.wait(jobs.launch("export", {"format": name, "folder": str(out / name), "status": STATUSES}, "bench"))
            took = {turn: round(time.monotonic() - started, 1), f"{turn}_cpu": round(_cpu() - worked, 1)}
            found.setdefault(name, {}).update(took)
            print(name, took, job.status, job.message, file=sys.stderr, flush=True)
        shutil.rmtree(out / name)
    jobs.shutdown()
    return found


def _cpu() -> float:
    """Seconds of the processor that this process and its ended children have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def write_alone(store: Store, workspace: Workspace, out: Path, names: list[str], beside: Path) -> dict[str, Any]:
    """Seconds of the formats' `write` alone in this checkout and in another."""
    rows = [vars(sample) for sample in store.rows("samples_to_export", ExportedSample, statuses=STATUSES)]
    kept = out / "rows.pickle"
    kept.write_bytes(pickle.dumps(rows))
    found: dict[str, Any] = {}
    for title, checkout in (("there", beside), ("here", Path(__file__).parents[1])):
        arguments = [str(kept), str(workspace.images), str(out / title), ",".join(names)]
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        done = subprocess.run(
            [sys.executable, "-c", WRITE_ALONE, *arguments], cwd=checkout, env=environment, capture_output=True, text=True
        )
        found[title] = json.loads(done.stdout) if done.returncode == 0 else done.stderr[-500:]
        shutil.rmtree(out / title, ignore_errors=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--formats", nargs="+", choices=EXPORTS.names(), default=EXPORTS.names())
    parser.add_argument("--beside", type=Path, help="another checkout, whose formats write the same rows")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        root = Path(folder)
        made = make(root / "w", given.samples, max(400, given.samples // 50))
        workspace = Workspace(root / "w")
        store = Store(workspace.store)
        images = ImageStore(workspace.images)
        figures = {
            "machine": machine(),
            "samples": store.one("samples_to_export_count", int, statuses=STATUSES),
            "pictures": sum(1 for _ in images.root.rglob("*.*")),
            "made_s": made,
            "write_alone_s": write_alone(store, workspace, root, given.formats, given.beside.resolve()) if given.beside else None,
            "jobs_s": jobs_of(store, workspace, root / "out", given.formats),
        }
        store.close()
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
