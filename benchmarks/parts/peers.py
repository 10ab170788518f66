"""Other tools on the same work, each in a virtual environment of its own under build/peers; why one could not be run, where it couldn't."""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.parts.work import make_pictures
from data.store import Store

HOUSE = Path(__file__).parents[2]
ENVIRONMENTS = HOUSE / "build" / "peers"
INSTALL_SECONDS, RUN_SECONDS = 900, 900
NOT_RUN = {
    "fiftyone": "its server needs MongoDB, which its package fetches from MongoDB's own site while it is installed; only package "
    "registries can be reached here (fiftyone/db/bin/exception.txt of its environment: Name or service not known)",
    "argilla": "its server needs Elasticsearch or OpenSearch running beside it; neither comes from a package registry",
    "label-studio": "not tried: its pages hold one task each, there is no page of 60 nor facet counts to compare",
}


def lightly_studio(path: Path, count: int, pictures: int) -> dict[str, Any]:
    """LightlyStudio on the first samples of a store that no process has open, and on pictures; {"not_run": why} where it can't be had."""
    try:
        python = environment("lightly", "lightly-studio", *_torch_pins())
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            store = Store(path)
            rows = store.rows("review_next", order="oldest", limit=count)
            pages = store.rows("review_cards", sample_ids=[row["sample_id"] for row in rows])
            store.close()
            columns = {field: [page[field] for page in pages] for field in ("status", "error_type")}
            pq.write_table(pa.table(columns), folder / "samples.parquet")
            make_pictures(folder, pictures)
            script = HOUSE / "benchmarks" / "peers" / "with_lightly_studio.py"
            done = subprocess.run([python, script, folder], cwd=folder, capture_output=True, text=True, timeout=RUN_SECONDS)
            if done.returncode:
                raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
            return json.loads(done.stdout.strip().rpartition("\n")[2])
    except (subprocess.SubprocessError, OSError, RuntimeError) as error:
        return {"not_run": f"{type(error).__name__}: {error}"[:500]}


@dataclass(frozen=True)
class PeerServer:
    """A peer's server that answers at `address`; `known` is what it said of itself."""

    address: str
    process: subprocess.Popen
    known: dict[str, Any]


@contextmanager
def lightly_server(count: int) -> Iterator[PeerServer]:
    """LightlyStudio's own server on so many samples. Raises subprocess.SubprocessError, OSError or RuntimeError where it can't be had."""
    python = environment("lightly", "lightly-studio", *_torch_pins())
    script = HOUSE / "benchmarks" / "peers" / "serve_lightly_studio.py"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [python, script, folder, str(count), str(port)]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            line = next((line for line in process.stdout if line.startswith("{")), None)
            if line is None:
                raise RuntimeError(f"LightlyStudio's server ended with exit code {process.wait()}")
            for _ in range(300):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.1)
            yield PeerServer(f"http://127.0.0.1:{port}", process, json.loads(line))
        finally:
            process.kill()
            process.wait()


def _torch_pins() -> list[str]:
    """torchvision that fits the torch of this environment, which the peer's environment sees (2 GB need not be fetched twice)."""
    import torch

    major, minor = torch.__version__.split(".")[:2]
    return [f"torchvision==0.{int(minor) + 15}.*"] if major == "2" else []


def environment(name: str, *packages: str, shared: bool = True) -> Path:
    """The Python of the peer's environment, made when it is missing; a `shared` one sees this environment's packages too.

    Raises subprocess.SubprocessError or OSError where that fails.
    """
    folder = ENVIRONMENTS / name
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists() and not (folder / "lib").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, timeout=120)
            if shared:
                ours, theirs = (next(Path(prefix, "lib").glob("python3*/site-packages")) for prefix in (sys.prefix, folder))
                (theirs / "zz_ours.pth").write_text(f"{ours}\n", encoding="utf-8")
            install = [python, "-m", "pip", "install", "--quiet", *packages]
            subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_SECONDS)
            ready.touch()
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return python
