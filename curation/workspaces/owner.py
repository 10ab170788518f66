"""The process that owns a workspace's store: how others find it, start it and talk to it.

DuckDB lets one process open the file. That process serves HTTP and writes `<workspace>/app.json` (mode 600) with its
address, pid and token; the command line sends its requests there, and starts a headless owner where there is none.
"""

import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from typing import Any

from data import workspace as workspaces
from data.errors import MistakebookError
from data.machine import HOUSE
from data.processes import Process
from data.workspace import Workspace

START_SECONDS = 60
IDLE_SECONDS = 60  # a headless owner ends itself after so long without requests and jobs


class NoOwner(MistakebookError):
    """No process serves the workspace, and none could be started; the text says why."""


class Refused(MistakebookError):
    """The owner answered with an error; the text is what it says, `status` its HTTP status, `kind` the name of its exception ("": none)."""

    def __init__(self, text: str, status: int, kind: str = ""):
        super().__init__(text)
        self.status, self.kind = status, kind


@dataclass(frozen=True)
class Owner:
    address: str  # http://127.0.0.1:7860
    pid: int
    token: str
    started: float  # of the process, in seconds since 1970
    headless: bool

    def request(self, method: str, path: str, body: Any = None, reviewer: str | None = None, timeout: float = 600) -> Any:
        """Sends JSON to the owner and returns its answer. Raises Refused, or OSError if nothing answers."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if reviewer:
            headers["X-Mistakebook-Reviewer"] = reviewer
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}{path}", content, headers, method=method)
        trusting = ssl._create_unverified_context()  # a certificate bears the name that others use; here the token tells who it is
        handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting))
        opener = urllib.request.build_opener(*handlers)  # never through a proxy: it is this machine
        try:
            with opener.open(request, timeout=timeout) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            text, kind = error.read().decode("utf-8", "replace"), ""
            try:
                answer = json.loads(text)
                text, kind = answer["error"], str(answer.get("kind", ""))
            except (ValueError, KeyError, TypeError, AttributeError):
                text = f"{method} {path}: HTTP {error.code}"
            raise Refused(text, error.code, kind) from error

    def is_alive(self) -> bool:
        """Whether its process is still the one that wrote app.json."""
        return Process(self.pid, self.started).is_alive()

    def answers(self, workspace: Workspace) -> bool:
        """Whether it serves this workspace now."""
        try:
            return self.request("GET", "/api/health", timeout=5)["workspace"] == str(workspace.root)
        except (OSError, Refused, ValueError, KeyError):
            return False


def announce(workspace: Workspace, address: str, token: str, headless: bool) -> None:
    """Writes app.json for this process."""
    here = Process.of()
    workspaces.write_private(workspace.address, asdict(Owner(address, here.pid, token, here.started, headless)))


def withdraw(workspace: Workspace) -> None:
    """Removes app.json if it is this process's."""
    noted = read(workspace)
    if noted and noted.pid == os.getpid():
        workspace.address.unlink(missing_ok=True)


def read(workspace: Workspace) -> Owner | None:
    """What app.json says, whether or not it still holds."""
    try:
        return Owner(**json.loads(workspace.address.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def find(workspace: Workspace) -> Owner | None:
    """The owner, if it is alive and answers."""
    noted = read(workspace)
    return noted if noted and noted.is_alive() and noted.answers(workspace) else None


def ensure(workspace: Workspace, idle_seconds: float = IDLE_SECONDS) -> Owner:
    """The owner; a headless one is started if there is none. Raises NoOwner with the last words of one that didn't start."""
    if owner := find(workspace):
        return owner
    workspace.create()
    log_path = workspace.root / "headless.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "--headless", "--workspace", workspace.name, "--port", "0", "--idle", str(idle_seconds)],
            cwd=HOUSE,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if owner := find(workspace):
            return owner
        if process.poll() is not None and not (noted := read(workspace)) and not (noted and noted.is_alive()):
            break
        time.sleep(0.1)
    words = log_path.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
    raise NoOwner(f"workspace {workspace.name}: no app could be started. {words or f'It printed nothing; see {log_path}'}")


def held_by(workspace: Workspace, detail: str) -> str:
    """Who holds a workspace and what to do; `detail` is what DuckDB says of the lock."""
    noted = read(workspace)
    if noted and noted.is_alive():
        return (
            f"workspace {workspace.name} is open in process {noted.pid} at {noted.address}: "
            f"use that one, or stop it (kill {noted.pid}) and start again"
        )
    return f"workspace {workspace.name} is held by another process: {detail}. Stop it, then start again"
