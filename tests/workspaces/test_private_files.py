"""Homes are their owner's alone, and doctor says where one isn't."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.workspace import Workspace
from tests.support.running_app import app

HOUSE = Path(__file__).parents[2]


def open_to_others(folder):
    return [path for path in [folder, *folder.rglob("*")] if not path.is_symlink() and path.stat().st_mode & 0o077]


@pytest.mark.timeout(300)
def test_what_the_app_writes_only_its_owner_may_read(tmp_path):
    before = os.umask(0o022)
    try:
        workspace = Workspace(tmp_path / "home" / "mine")
        workspace.root.parent.mkdir(mode=0o700)
        with app(workspace) as running:
            running.post("/api/settings/backup")
            assert open_to_others(workspace.root) == []
    finally:
        os.umask(before)
    made = Workspace(tmp_path / "new" / "other").create()
    assert made.root.parent.stat().st_mode & 0o777 == 0o700 == made.root.stat().st_mode & 0o777


def test_doctor_warns_of_an_open_home(tmp_path):
    workspace = Workspace(tmp_path / "home" / "built-in").create()
    environment = {**os.environ, "MISTAKEBOOK_HOME": str(workspace.root.parent)}

    def permissions():
        line = [sys.executable, "-m", "curation.cli", "doctor", "--json"]
        done = subprocess.run(line, cwd=HOUSE, env=environment, capture_output=True, text=True, timeout=240)
        return next(finding for finding in json.loads(done.stdout) if finding["what"] == "permissions")

    assert permissions()["ok"]
    workspace.root.parent.chmod(0o755)
    found = permissions()
    assert not found["ok"] and "chmod -R go-rwx" in found["way_out"]
