"""`mistakebook doctor`: what this machine has, what is missing, and how to fix it. Starts no app and changes nothing."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from curation.commands.app_client import find_workspace
from curation.commands.flags import parser
from curation.commands.output import show
from curation.config import variables
from curation.frontier.client import open_client
from curation.frontier.options import POCKET_TEACHER, FrontierOptions
from curation.workspaces import backup_manifest, backups, damage, owner
from data.machine import HOUSE
from data.picture_specs.spec import PictureSpec
from data.registry import IMAGE_GENERATORS
from data.workspace import Workspace

DISK_NEEDED = 2 * 2**30  # bytes
POCKET = HOUSE / "models" / "pocket"
TORCH = """
import json, torch
gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
print(json.dumps({"torch": torch.__version__, "gpus": gpus, "mps": torch.backends.mps.is_available(), "threads": torch.get_num_threads()}))
"""


@dataclass(frozen=True)
class Finding:
    what: str
    ok: bool
    detail: str
    way_out: str = ""


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, "Checks python, packages, disk, GPU, the renderer, the workspace, its owner, endpoints and built-in weights.")
    made.add_argument("--call", action="store_true", help="also make one small call to the frontier endpoint (paid)")
    given = made.parse_args(arguments)
    workspace = find_workspace(given.workspace)
    findings = list(_findings(workspace, given.call))
    show([asdict(finding) for finding in findings], given.json, lambda: "\n".join(_line(finding) for finding in findings))
    return 0 if all(finding.ok for finding in findings) else 1


def _line(finding: Finding) -> str:
    way_out = f"\n       → {finding.way_out}" if finding.way_out and not finding.ok else ""
    return f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what}: {finding.detail}{way_out}"


def _findings(workspace: Workspace, call: bool) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= (3, 11), f"{version} at {sys.executable}", "use Python 3.11 or newer")
    yield _packages()
    yield _disk(workspace)
    yield _accelerator()
    yield _weights()
    yield _renderer()
    yield _workspace(workspace)
    yield _permissions(workspace)
    yield from _damages(workspace)
    yield from _backup(workspace)
    yield _endpoint(workspace, call)


def _packages() -> Finding:
    from packaging.requirements import Requirement

    try:
        needed = [Requirement(text) for text in importlib.metadata.requires("mistakebook") or []]
    except importlib.metadata.PackageNotFoundError:
        return Finding("packages", False, "mistakebook itself is not installed here", "run: make run (or pip install -e .)")
    bad = []
    for requirement in needed:
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            installed = None
        if installed is None or not requirement.specifier.contains(installed, prereleases=True):
            bad.append(f"{requirement} (found {installed or 'none'})")
    return Finding(
        "packages", not bad, ", ".join(bad) or f"all {len(needed)} installed", "run: make run, or pip install -r requirements.lock"
    )


def _disk(workspace: Workspace) -> Finding:
    folder = next(path for path in (workspace.root, *workspace.root.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    writable = os.access(folder, os.W_OK)
    detail = f"{free / 2**30:.1f} GB free at {folder}" + ("" if writable else ", which can't be written to")
    return Finding("disk", free > DISK_NEEDED and writable, detail, "free some space, or set MISTAKEBOOK_HOME to another disk")


def _accelerator() -> Finding:
    """Asked in a child process: importing torch takes seconds and hundreds of megabytes."""
    done = subprocess.run([sys.executable, "-c", TORCH], capture_output=True, text=True, timeout=120)
    if done.returncode:
        return Finding("torch", False, done.stderr.strip().rpartition("\n")[2], "run: pip install -r requirements.lock")
    versions = json.loads(done.stdout)
    device = ", ".join(versions["gpus"]) or (
        "Apple GPU" if versions["mps"] else f"no GPU, {versions['threads']} threads (the built-in models need none)"
    )
    return Finding("torch", True, f"{versions['torch']}; {device}")


def _weights() -> Finding:
    files = sorted(POCKET.rglob("*.safetensors"))
    size = sum(path.stat().st_size for path in files) / 2**20
    detail = f"{len(files)} files, {size:.0f} MB in {POCKET}"
    return Finding("built-in weights", bool(files), detail, "git checkout models/pocket restores them; the scripts there train them")


def _renderer() -> Finding:
    """Charts, tables, documents and diagrams are rendered in a child process: a small table is."""
    renderer = IMAGE_GENERATORS.make("rendered")
    spec = PictureSpec(kind="table", columns=["city", "n"], rows=[["Bodø", 3]])
    (picture,) = renderer.draw([spec.model_dump_json()], [0])
    renderer.close()
    detail = f"{renderer.recipe()['renderer']}, rendered a table" if isinstance(picture, bytes) else str(picture)
    return Finding("renderer of specs", isinstance(picture, bytes), detail, "run: pip install -r requirements.lock")


def _workspace(workspace: Workspace) -> Finding:
    noted = owner.read(workspace)
    if not workspace.store.exists():
        return Finding("workspace", True, f"{workspace.name} does not exist yet; the first command or `mistakebook serve` creates it")
    if not (noted and noted.is_alive()):
        return Finding("workspace", True, f"{workspace.root}, not open in any app")
    if noted.answers(workspace):
        return Finding("workspace", True, f"{workspace.root}, open in process {noted.pid} at {noted.address}")
    return Finding("workspace", False, f"process {noted.pid} holds it but does not answer at {noted.address}", f"stop it: kill {noted.pid}")


def _damages(workspace: Workspace) -> Iterator[Finding]:
    """Damaged logs that were found when the store was opened."""
    for damaged in damage.damages(workspace):
        read = f" (read by {damaged.read_by})" if damaged.read_by else ""
        yield Finding("store", bool(damaged.read_by), damaged.text + read, "look at the pages, then press “I have read this” there")


def _permissions(workspace: Workspace) -> Finding:
    """Whether others on this machine can read what is kept: homes that an earlier version made are open to them."""
    home = workspace.root.parent
    kept = [path for path in (home, workspace.root, workspace.store, home / "users.json", workspace.root / "keys.json") if path.exists()]
    reached = [path for path in kept if path.stat().st_mode & 0o077] if home.exists() and home.stat().st_mode & 0o077 else []
    told = f"others on this machine can enter {', '.join(map(str, reached))}" if reached else f"only its owner may read {home}"
    return Finding("permissions", not reached, told, f"chmod -R go-rwx {home}")


def _backup(workspace: Workspace) -> Iterator[Finding]:
    """How old the newest backup is, and whether people's decisions are newer by more than a day beyond the schedule."""
    if not workspace.store.exists():
        return
    latest, hours = backups.newest(workspace), variables().backup_hours
    made = (latest / backup_manifest.NAME).stat().st_mtime if latest else None
    journal = workspace.reviews
    decided = journal.stat().st_mtime if journal.exists() and journal.stat().st_size else None
    age = f"{_ago(time.time() - made)} old" if made is not None and latest else "there is none"
    late = decided is not None and (made is None or decided - made > 3600 * (hours + 24))
    how = f"automatic every {hours:g} h while the app runs" if hours else "automatic backups are off"
    detail = f"{latest.name}, {age}; {how}" if latest else f"{age}; {how}"
    yield Finding("newest backup", not late, detail, f"decisions are newer: mistakebook backup --workspace {workspace.name}")


def _ago(seconds: float) -> str:
    hours = max(0.0, seconds) / 3600
    return f"{hours * 60:.0f} min" if hours < 1 else f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"


def _endpoint(workspace: Workspace, call: bool) -> Finding:
    options = FrontierOptions()
    what = f"frontier endpoint {options.endpoint}, model {options.model}"
    if call or options.endpoint == POCKET_TEACHER:
        with tempfile.TemporaryDirectory() as folder:  # a workspace that isn't there yet is not made
            here = workspace if workspace.root.exists() else Workspace(Path(folder))
            with open_client(options, here) as client:
                outcome = client.test()
        return Finding(what, not outcome.startswith("Failed"), outcome, "check address, model name and key; Data & models tests them too")
    key = "set" if os.environ.get(options.api_key_env) or (workspace.root / "keys.json").exists() else "not set"
    try:
        urllib.request.urlopen(f"{options.endpoint.rstrip('/')}/models", timeout=10).close()
        reached = "reached"
    except urllib.error.HTTPError as error:
        reached = f"reached (HTTP {error.code} without a key)"
    except (OSError, ValueError) as error:
        return Finding(what, False, f"not reached: {error}; key {key}", "check OPENAI_BASE_URL and the network")
    return Finding(what, True, f"{reached}; key {key}; test the model with --call")
