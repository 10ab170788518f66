"""The store at the paper's scale: pages, facets, decisions, bulk, opening, import and memory, beside a lower bound and a peer.

    python -m benchmarks.store                                  # 553,992 samples; the workspace is made first if it isn't there
    python -m benchmarks.store --samples 20000 --no-peers --json

Everything runs on a copy. The lower bound is a bare DuckDB table with the same columns and straight SQL (benchmarks/parts/plain.py).
The peer runs with fewer samples where all of them would take it too long; beside it stand the figures of this store at that size.
`cpu_ms` is the median processor time: what is left of a figure when others have the machine busy.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import workspace as made
from benchmarks.parts import peers, plain
from benchmarks.parts.machine import machine
from benchmarks.parts.work import figures
from data import workspace as workspaces
from data.store import Store
from data.workspace import Workspace

TARGETS = {
    "page": 20,
    "facets": 50,
    "decision": 30,
    "overrule": 30,
    "bulk": 1000,
    "preview": 1000,
    "undo": 1000,
    "open": 2000,
    "jump": 500,
    "import": 2300,
}
PEER_SAMPLES = 50_000


def source(count: int, folder: Path | None) -> Path:
    """The store of a workspace with so many samples: the one in the folder, or <MISTAKEBOOK_HOME>/full, made where it is missing."""
    folder = folder or workspaces.home() / ("full" if count == made.SAMPLES else f"full-{count}")
    if not Workspace(folder).store.exists():
        failures = max(40, round(count * made.FAILURES / made.SAMPLES))
        made.make(folder, count, failures, say=lambda text: print(f"  making {folder}: {text}", file=sys.stderr))
    return Workspace(folder).store


def copied(store: Path, folder: Path) -> Path:
    """A copy of a store, in a workspace of its own under `folder`; brought up to date."""
    target = Workspace(folder).create().store
    shutil.copyfile(store, target)
    target.chmod(0o644)
    Store(target).close()
    return target


def measure(count: int, folder: Path | None, with_peers: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=source(count, folder).parent.parent) as name:
        scratch = Path(name)
        bulk, pictures = min(50_000, count // 4), min(10_000, count)
        store = copied(source(count, folder), scratch / "ours")
        ours = figures(store, bulk, pictures)
        asked = [sys.executable, "-m", "benchmarks.parts.app_memory", str(store.parent)]
        memory = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip().rpartition("\n")[2]
        measured: dict[str, Any] = {"plain DuckDB": plain.figures(store, scratch / "plain.duckdb", bulk)}
        if with_peers:
            size = min(PEER_SAMPLES, count)
            measured["lightly-studio"] = peers.lightly_studio(store, size, pictures)
            if size < count and "not_run" not in measured["lightly-studio"]:
                small = copied(source(size, None), scratch / "small")
                measured["this store at the peer's size"] = figures(small, min(50_000, size), pictures)
            measured |= {name: {"not_run": why} for name, why in peers.NOT_RUN.items()}
    names = {"bulk": "bulk_50k", "import": "import_10k"}
    return {
        "samples": ours["samples"],
        "p95_ms": {names.get(name, name): value for name, value in ours["p95_ms"].items()},
        "cpu_ms": {names.get(name, name): value for name, value in ours["cpu_ms"].items()},
        "bulk_rows": ours["bulk_rows"],
        "import_rows": ours["import_rows"],
        "memory_mb": json.loads(memory)["peak_mb"],
        "peers": measured,
        "machine": machine(),
    }


def table(result: dict[str, Any]) -> str:
    """The figures as text: a line a kind of work, a column a tool."""
    names = {"bulk_50k": f"bulk of {result['bulk_rows']:,}", "import_10k": f"import of {result['import_rows']:,}"}
    ran = {name: peer for name, peer in result["peers"].items() if "not_run" not in peer}
    lines = [f"{'p95, ms':22}{'target':>8}{'ours':>10}{'(cpu)':>10}" + "".join(f"{name:>32}" for name in ran)]
    lines.append(f"{'samples':22}{'':8}{result['samples']:>10,}{'':10}" + "".join(f"{peer['samples']:>32,}" for peer in ran.values()))
    for name, value in result["p95_ms"].items():
        key = name.partition("_")[0]
        others = "".join(f"{peer['p95_ms'].get(key, '-'):>32}" for peer in ran.values())
        lines.append(f"{names.get(name, name):22}{TARGETS[key]:>8}{value:>10}{result['cpu_ms'][name]:>10}{others}")
    lines.append(f"{'memory of the app, MB':22}{1000:>8}{result['memory_mb']:>10}")
    lines += [f"not run: {name}: {peer['not_run']}" for name, peer in result["peers"].items() if "not_run" in peer]
    about = result["machine"]
    lines.append(f"{about['processor']}, {about['cores']} cores, {about['memory_gb']} GB, load {about['load']}, DuckDB {about['duckdb']}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=made.SAMPLES)
    parser.add_argument("--folder", type=Path, help="an existing workspace; it is copied, not changed")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--json", action="store_true", help="a word to other benchmarks: the last line is JSON with and without it")
    arguments = parser.parse_args()
    result = measure(arguments.samples, arguments.folder, not arguments.no_peers)
    print(table(result))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
