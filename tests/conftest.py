"""What many tests need: a workspace of their own, and its store."""

import os
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ["MISTAKEBOOK_FOLDERS"] = tempfile.gettempdir()  # where tests write what pages then read

import pytest
from hypothesis import settings

from data.store import Store
from data.workspace import Workspace
from tests.support.checked_rows import check_rows

check_rows()


settings.register_profile("any machine", deadline=None)  # a slow machine is no fault
settings.load_profile("any machine")


# Files whose tests take longest, which begin first: at the end the workers of `make test` have short ones left (pytest --durations=40).
LONGEST = (
    "stages/test_experiment.py",
    "ui/test_walk.py",
    "models/pocket/test_llava.py",
    "jobs/test_kill9.py",
    "commands/test_cli.py",
    "commands/test_experiment.py",
    "stages/test_stages.py",
    "models/frontier/test_chaos.py",
    "workspaces/test_damage.py",
    "stages/test_generate_untargeted.py",
    "jobs/test_kill_rounds.py",
)


def pytest_collection_modifyitems(items):
    names = [f"tests/{name}" for name in LONGEST]
    order = {name: place for place, name in enumerate(names)}
    items.sort(key=lambda item: order.get(item.nodeid.partition("::")[0], len(order)))


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A MISTAKEBOOK_HOME of the test's own."""
    monkeypatch.setenv("MISTAKEBOOK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "home" / "test").create()


@pytest.fixture
def store(workspace):
    opened = Store(workspace.store, workspace.backups)
    yield opened
    opened.close()
