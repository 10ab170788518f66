"""Testing a checkpoint before anything long: a process of its own loads it, asks it, takes a LoRA step and says what that takes."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from curation.checkpoints import IMPORTED
from curation.try_it.answerer import FOLDER, CannotAnswer
from data.machine import HOUSE
from data.question_text import full_text
from data.records import Checkpoint, Record
from data.store import Store
from data.workspace import Workspace
from models.checkpoint_test import STEPS

PATIENCE = 3600.0  # seconds; a hub name is downloaded first
QUESTION = "What color is this? Answer with one word."


@dataclass(frozen=True)
class Tried(Record):
    """One thing that was tried: its name (of `models.checkpoint_test.STEPS`), whether it went well, what came out or what to do."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class CheckpointTested(Record):
    """What came out of testing a checkpoint: the first thing that fails is the last."""

    checkpoint: str
    ok: bool
    findings: list[Tried]


@dataclass(frozen=True)
class FirstExample(Record):
    """An example to ask: its picture, and what its dataset's questions are sent with."""

    image: str
    question: str
    choices: tuple[str, ...]
    prompt_suffix: str


def examined(store: Store, workspace: Workspace, checkpoint: Checkpoint) -> CheckpointTested:
    """Loads and asks a checkpoint (added or not) about an example of the workspace, or about a drawn picture where there is none."""
    if checkpoint.baseline == IMPORTED:
        raise CannotAnswer(f"only answers of {checkpoint.name} were imported; there is nothing to test")
    folder = workspace.root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    text, picture = _question(store, workspace)
    asked = json.dumps({"checkpoint": checkpoint.to_row(), "text": text, "image_path": str(picture)})
    with (folder / "test.log").open("wb") as log:
        command, pipe = [sys.executable, "-m", "models.checkpoint_test"], subprocess.PIPE
        child = subprocess.Popen(command, cwd=HOUSE, stdin=pipe, stdout=pipe, stderr=log, text=True)
        try:
            lines, _ = child.communicate(asked, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            lines, _ = child.communicate()
    findings = [Tried.from_row(json.loads(line)) for line in lines.splitlines() if line.endswith("}")]
    if len(findings) < len(STEPS) and all(finding.ok for finding in findings):
        text = f"the process ended (out of memory, perhaps) with status {child.returncode}; its log: {folder / 'test.log'}"
        findings.append(Tried(STEPS[len(findings)], False, text))
    return CheckpointTested(checkpoint.name, all(finding.ok for finding in findings), findings)


def _question(store: Store, workspace: Workspace) -> tuple[str, Path]:
    from data.images import ImageStore

    if example := store.row("test_example", FirstExample):
        return full_text(example.question, example.choices, example.prompt_suffix), ImageStore(workspace.images).path(example.image)
    from PIL import Image

    path = workspace.root / FOLDER / "test.png"
    Image.new("RGB", (336, 336), (200, 30, 30)).save(path)
    return QUESTION, path
