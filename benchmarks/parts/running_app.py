"""The app as a process of its own, and a benchmark of it: on a copy of a workspace, or on one that is made for it."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import workspace as full
from benchmarks.parts.machine import machine
from data.workspace import Workspace

HOUSE = Path(__file__).parents[2]
REVIEWER = "benchmark"
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run")


class App:
    """`python app.py` on a workspace folder; `address` once it answers, after `start_seconds`."""

    def __init__(self, folder: Path):
        environment = {**os.environ, "MISTAKEBOOK_HOME": str(folder.parent), "HF_HUB_OFFLINE": "1"}
        command = [sys.executable, "app.py", "--workspace", folder.name, "--port", "0", "--json", "--reviewer", REVIEWER]
        started = time.monotonic()
        self.process = subprocess.Popen(command, cwd=HOUSE, env=environment, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the app did not start on {folder}; see what it said above")
        self.address = json.loads(line)["address"]
        self.start_seconds = time.monotonic() - started

    def post(self, path: str, body: dict) -> Any:
        head = {"Content-Type": "application/json", "Origin": self.address}
        request = urllib.request.Request(f"{self.address}/api/{path}", json.dumps(body).encode(), head)
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return round(int(status.partition("VmRSS:")[2].split()[0]) / 1024, 1)

    def processor_seconds(self) -> float:
        return processor_seconds(self.process.pid)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def processor_seconds(pid: int) -> float:
    """What a process has used of the processor so far, its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def chromium() -> str:
    """Where Chromium is; ends the benchmark, loudly, where there is none."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not browser:
        print("SKIPPED: this benchmark needs Chromium: apt-get install chromium", file=sys.stderr)
        print(json.dumps({"skipped": "no Chromium", "machine": machine()}))
        sys.exit(0)
    return browser


@contextmanager
def measured(workspace: Path | None, samples: int, prepare: Callable[[Path], None] | None = None) -> Iterator[App]:
    """The app on a copy of a workspace, or on one that is made for it; `prepare` is given the home before it starts."""
    with tempfile.TemporaryDirectory(prefix="mistakebook-", dir=workspace and workspace.parent) as name:
        folder = Path(name) / "measured"
        if workspace:
            _copy(workspace, folder)
        else:
            full.make(folder, samples, max(400, samples // 5))
        if prepare:
            prepare(Path(name))
        app = App(folder)
        try:
            yield app
        finally:
            app.stop()


def main(about: str, measure: Callable[[App], dict[str, Any]], words: dict[str, str]) -> None:
    """The command line of a benchmark: `measure` gives a figure for each of `words`. Prints a table, and JSON as the last line."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, help="folder of a workspace; a copy of it is measured")
    parser.add_argument("--samples", type=int, default=20_000, help="of the workspace that is made where none is named")
    parser.add_argument("--json", action="store_true", help="kept for uniformity: the last line is JSON in any case")
    arguments = parser.parse_args()
    chromium()
    with measured(arguments.workspace, arguments.samples) as app:
        figures = measure(app)
    print(f"workspace: {arguments.workspace or f'{arguments.samples:,} samples, made for this'}")
    for key, text in words.items():
        print(f"{text:64} {figures[key]:>10,}")
    print(json.dumps({**figures, "machine": machine()}))


def _copy(source: Path, folder: Path) -> None:
    """The workspace again, to be written to: pictures are hard links."""
    workspace, copy = Workspace(source), Workspace(folder).create()
    shutil.rmtree(copy.images)
    shutil.copytree(workspace.images, copy.images, copy_function=os.link)
    for path in source.glob(f"{workspace.store.name}*"):
        shutil.copy2(path, copy.root / path.name)
