"""`mistakebook results` and `error-types` against the routes of an app: what they print, what they refuse, how they end."""

import json

import pytest
from pydantic import TypeAdapter

from curation.cli import main
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support.answers import add_answers
from tests.support.page_api import client_of
from tests.support.seed import seeded_store


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("commands") / "seeded", 200, samples=60)
    eval_ids = store.columns("eval_examples", round=1)["example_id"].tolist()
    add_answers(store, "run 2", {i: float(k % 5 != 0) for k, i in enumerate(eval_ids) if k % 4}, "run 1")
    yield create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada")), store
    store.close()


@pytest.fixture
def command(world, monkeypatch, capsys):
    """Runs a command on the app's routes; returns its status and what it printed."""
    client = client_of(world[0])

    class Direct:
        def __init__(self, name, reviewer=None):
            pass

        def get(self, path, as_):
            return self._read(client.get(path), as_)

        def post(self, path, body, as_):
            return self._read(client.post(path, json=body), as_)

        def _read(self, answer, as_):
            if answer.status_code != 200:
                from curation.commands.app_client import CommandFailed

                raise CommandFailed(answer.json()["error"])
            return TypeAdapter(as_).validate_python(answer.json())

    for module in ("results", "error_types"):
        monkeypatch.setattr(f"curation.commands.{module}.App", Direct)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        captured = capsys.readouterr()
        return ended.value.code, captured.out + captured.err

    return run


def test_two_checkpoints_with_balanced_majority_and_what_one_only_answered(command):
    status, text = command("results", "run 1", "run 2", "--by", "kind", "cluster")
    assert status == 0 and "answered by one only (run 1)" in text and "balanced_after" in text and "majority" in text
    assert "by kind" in text and "in no cluster" in text and "release gate: not shown" in text
    status, text = command("results", "run 1", "run 2", "--json")
    printed = json.loads(text)
    assert printed["coverage"]["compared"] == printed["examples"] == printed["overall"]["items"]


def test_three_side_by_side(command):
    status, text = command("results", "pocket-llava", "run 1", "run 2")
    assert (
        status == 0 and "answered by some, not by all" in text and "differences are to pocket-llava" in text and "run 2 difference" in text
    )
    status, text = command("results", "run 1", "run 1", "run 2")
    assert status == 1 and "named twice" in text
    status, text = command("results", "run 1", "run 2", "pocket-llava", "--gate")
    assert status == 1 and "this compares two" in text


def test_what_can_be_shown_is_said_before_anything_is_spent(command):
    status, text = command("results", "--mdd")
    assert status == 0 and "eval examples a difference below" in text and "run 1 → run 2" in text and "design_effect" in text


def test_the_gate_ends_with_its_verdict_and_takes_another_rule(command):
    status, text = command("results", "pocket-llava", "run 1", "--gate", "--margin", "0.01", "--groups", "overall")
    assert status == 0 and "release gate pass (at most 1 points lost, overall" in text
    status, text = command("results", "run 1", "pocket-llava", "--gate")
    assert status == 1 and "not shown for overall" in text


def test_returns_and_the_split_of_the_next_samples(command, world):
    status, text = command("results", "pocket-llava", "run 1", "--returns")
    assert status == 0 and "per_dollar_low" in text and "in no cluster" in text
    status, text = command("results", "pocket-llava", "run 1", "--split", "120", "--accept")
    assert status == 0 and "recommended split of 120 samples" in text and "for launches of generate" in text
    status, text = command("results", "pocket-llava", "run 1", "--split", "120", "--quota", "counting=70", "negation=50", "--json")
    assert json.loads(text)["accepted"]["quotas"] == {"counting": 70, "negation": 50}
    status, text = command("results", "--split", "9", "--quota", "counting:70")
    assert status == 1 and "expected TYPE=SAMPLES" in text
    assert command("results", "--clear-split")[1] == "generate goes without quotas\n"


def test_error_types_are_listed_edited_and_refused(command):
    status, text = command("error-types")
    assert status == 0 and text.startswith("version 1") and "counts three cups as two" in text
    status, text = command(
        "error-types", "add", "hue", "--definition", "The hue is wrong.", "--example", "teal for blue", "--colour", "#00aaff"
    )
    assert (status, text) == (0, "version 2: hue added\n")
    status, text = command("error-types", "merge", "hue", "--into", "attribute")
    assert status == 0 and "hue merged into attribute; nothing carried along" in text
    status, text = command("error-types", "hide", "hue")
    assert status == 1 and "'hue' is called 'attribute' now" in text
    assert "hue → attribute" in command("error-types")[1] and "hue added" in command("error-types", "history")[1]
