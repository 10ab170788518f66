"""The app and pocket-teacher as processes of their own, as a person starts them: to be killed, started again, looked at in a browser."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.jobs.job_folder import JobFolder
from curation.workspaces import owner
from data.files import read_lines
from data.workspace import Workspace

HOUSE = Path(__file__).parents[2]
PATIENCE = 300  # seconds; a busy machine is no reason to fail


def until(true: Callable[[], object], what: str, seconds: float = PATIENCE, every: float = 0.1):
    """Waits until something holds and returns it; fails saying what did not come."""
    end = time.monotonic() + seconds
    while not (answer := true()):
        assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
        time.sleep(every)
    return answer


class App:
    """`python app.py` on a workspace of its own home."""

    def __init__(self, workspace: Workspace, *flags: str, headless: bool = True):
        self.workspace = workspace
        self.log = workspace.root.parent / "app.log"
        self._flags = [*(["--headless"] if headless else []), "--workspace", workspace.name, "--port", "0", *flags]
        self.start()

    def start(self) -> None:
        """Starts it (again) and waits until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(app_command(*self._flags), cwd=HOUSE, env=self._environment(), stdout=log, stderr=log)
        until(self._is_up, "the app's start")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "MISTAKEBOOK_HOME": str(self.workspace.root.parent)}

    def _is_up(self) -> bool:
        assert self.process.poll() is None, f"the app ended by itself:\n{self.log.read_text()[-2000:]}"
        running = owner.find(self.workspace)
        self.owner = running if running and running.pid == self.process.pid else None
        return self.owner is not None

    def kill(self) -> None:
        """As a crash of the machine would: no handler runs."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)

    def get(self, path: str):
        return self.owner.request("GET", path)

    def post(self, path: str, body: dict | None = None, reviewer: str | None = "ada"):
        return self.owner.request("POST", path, body or {}, reviewer=reviewer)

    def launch(self, stage: str, options: dict) -> int:
        return self.post("/api/jobs", {"stage": stage, "options": options})["job_id"]

    def job(self, job_id: int) -> dict:
        return self.get(f"/api/jobs/{job_id}")

    def files(self, job_id: int) -> JobFolder:
        return JobFolder(self.workspace.job(job_id))

    def events(self, job_id: int, kind: str) -> list[dict]:
        """What a job's child and the app have noted of one kind, oldest first."""
        return [event for event in read_lines(self.files(job_id).events, 0)[0] if event["event"] == kind]

    def child(self, job_id: int) -> int:
        """The process of a job's latest child."""
        return self.events(job_id, "start")[-1]["pid"]

    def ended(self, job_id: int) -> dict:
        """Waits until a job has ended or rests; returns it."""
        return until(lambda: (job := self.job(job_id))["status"] not in ("queued", "running") and job, f"the end of job {job_id}")


@contextmanager
def app(workspace: Workspace, *flags: str, headless: bool = True) -> Iterator[App]:
    """A running app; stopped when the block ends, with the jobs it runs."""
    running = App(workspace, *flags, headless=headless)
    try:
        yield running
    finally:
        running.stop()


def app_command(*flags: str) -> list[str]:
    return [sys.executable, "app.py", *flags]


def is_alive(pid: int) -> bool:
    """Whether a process runs (a zombie doesn't)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextmanager
def held(pid: int) -> Iterator[None]:
    """A process that stands still meanwhile, so that what is to happen in the middle of its work does, however busy the machine is."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if is_alive(pid):
            os.kill(pid, signal.SIGCONT)


class Teacher:
    """pocket-teacher as an endpoint that belongs to somebody else; `asked` is what it has answered."""

    def __init__(self, address: str, log: Path, pid: int):
        self.address, self._log, self.pid = address, log, pid

    def asked(self) -> list[dict]:
        """Whole lines only: the teacher may be writing the last one."""
        text = self._log.read_text() if self._log.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


@contextmanager
def teacher(log: Path, latency: float) -> Iterator[Teacher]:
    command = [sys.executable, "-m", "models.pocket.teacher", "--port", "0", "--latency", str(latency), "--log", str(log)]
    process = subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True)
    try:
        port = json.loads(process.stdout.readline())["port"]
        yield Teacher(f"http://127.0.0.1:{port}/v1", log, process.pid)
    finally:
        process.kill()
        process.wait()
