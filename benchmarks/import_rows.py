"""Time and memory of an import of many rows, as a person types it: the app and the job's child, each at its highest.

    python -m benchmarks.import_rows                                   # 20,000 rows of JSON lines
    python -m benchmarks.import_rows --rows 1000000 --again            # the target: under 1 GB, app and child together; then once more
    python -m benchmarks.import_rows --rows 100000 --beside ../older   # also by another version of this project, in the same minutes

The rows name eight pictures in turn, so that reading, comparing and storing rows is measured and not the decoding of pictures. What
processes hold together is the sum of their proportional set sizes (PSS), for workers share pages with the process they were forked from.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

from benchmarks.parts.machine import machine

PICTURES = 8
EVERY = 0.25  # seconds between two looks at the processes
HOUSE = Path(__file__).parents[1]


def written(folder: Path, count: int) -> Path:
    """A list of so many rows with their pictures."""
    for number in range(PICTURES):
        Image.new("RGB", (32, 32), (30 * number, 90, 200 - 20 * number)).save(folder / f"{number}.png")
    path = folder / "rows.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            row = {
                "id": f"q{number:07d}",
                "image": f"{number % PICTURES}.png",
                "question": f"What is written on the sign of shop number {number} beside the red door on the left?",
                "answers": ["bakery", "the bakery", f"bakery {number % 1000}"],
                "split": "train" if number % 10 else "eval",
            }
            file.write(json.dumps(row) + "\n")
    return path


class Watch(threading.Thread):
    """Looks at all processes whose environment names a home; keeps the highest figures, in MB."""

    def __init__(self, home: Path) -> None:
        super().__init__(daemon=True)
        self._home, self._ended = home, threading.Event()
        self.peak = {"together": 0.0, "app": 0.0, "child": 0.0, "largest worker": 0.0}

    def run(self) -> None:
        while not self._ended.wait(EVERY):
            together = 0.0
            for process in psutil.process_iter():
                with suppress(psutil.Error, OSError):  # it has ended, or is another person's
                    if process.environ().get("MISTAKEBOOK_HOME") == str(self._home) and process.pid != self.command:
                        together += self._looked_at(process)
            self.peak["together"] = max(self.peak["together"], together)

    command = 0  # the process of the command itself, which only waits

    def end(self) -> dict[str, int]:
        self._ended.set()
        self.join()
        return {name: round(value) for name, value in self.peak.items()}

    def _looked_at(self, process: psutil.Process) -> float:
        app = app_of(self._home)
        above = process.ppid()
        name = "app" if process.pid == app else "child" if above == app else "largest worker"
        memory = process.memory_full_info()
        self.peak[name] = max(self.peak[name], memory.rss / 2**20)
        pss: int = memory.pss
        return pss / 2**20


def app_of(home: Path) -> int | None:
    """The process of the app that has the workspace open."""
    try:
        pid: int = json.loads((home / "bench" / "app.json").read_text())["pid"]
    except (OSError, ValueError, KeyError):
        return None
    return pid


def measured(house: Path, path: Path, home: Path, rows: int, again: bool) -> dict[str, Any]:
    """Seconds and highest memory of an import by the version whose source lies in `house`; `again`: of a second import of the same."""
    env = {**os.environ, "MISTAKEBOOK_HOME": str(home), "PYTHONPATH": str(house)}
    figures: dict[str, Any] = {}
    for name in ("first", "again") if again else ("first",):
        command = [sys.executable, "-m", "curation.cli", "import", "--workspace", "bench", "--format", "jsonl", "--source", f"path={path}"]
        watch, began = Watch(home), time.monotonic()
        with subprocess.Popen(command, cwd=house, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as running:
            watch.command = running.pid
            watch.start()
            said = running.communicate()[1]
        seconds = time.monotonic() - began
        figures[name] = {"seconds": round(seconds, 1), "rows_per_s": round(rows / seconds), "mb": watch.end()}
        if running.returncode:
            figures[name]["failed"] = said[-400:]
    _end_app(home)
    return figures


def _end_app(home: Path) -> None:
    """Ends the app that the command started: it would wait a minute for further requests."""
    with suppress(psutil.NoSuchProcess):
        if pid := app_of(home):
            process = psutil.Process(pid)
            process.terminate()
            process.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--again", action="store_true", help="imports the same list a second time")
    parser.add_argument("--beside", type=Path, help="source folder of another version")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"rows": arguments.rows}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = written(folder, arguments.rows)
        for title, house in {"this version": HOUSE, "the other version": arguments.beside}.items():
            if house:
                result[title] = measured(house.resolve(), path, folder / title.replace(" ", "-"), arguments.rows, arguments.again)
                print(f"{title}: {json.dumps(result[title])}", file=sys.stderr)
    print(json.dumps({**result, "machine": machine()}))


if __name__ == "__main__":
    main()
