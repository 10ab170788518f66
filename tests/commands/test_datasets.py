"""`mistakebook import --format auto` and `datasets`, as a person types them: one app behind all of these tests."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from curation.workspaces import owner
from data.workspace import Workspace
from tests.support import official_layouts as official
from tests.support.running_app import until

pytestmark = pytest.mark.timeout(600)
HOUSE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def mistakebook(tmp_path_factory):
    """Runs a command on a workspace of its own."""
    home = tmp_path_factory.mktemp("home")
    env = {**os.environ, "COLUMNS": "200", "MISTAKEBOOK_HOME": str(home)}

    def run(*arguments, check=True):
        command = [sys.executable, "-m", "curation.cli", *map(str, arguments), "--workspace", "w"]
        done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, timeout=240, env=env)
        assert not check or done.returncode == 0, done.stderr
        return done

    yield run
    if noted := owner.read(Workspace(home / "w")):
        os.kill(noted.pid, signal.SIGTERM)
        until(lambda: not noted.is_alive(), "the app's end")


@pytest.fixture(scope="module")
def vizwiz(mistakebook, tmp_path_factory):
    """VizWiz as it is distributed, imported."""
    folder = official.vizwiz(tmp_path_factory.mktemp("vizwiz"))
    done = mistakebook("import", "--format", "auto", "--source", f"path={folder}", "--json")
    assert "read as vizwiz: Annotations/test.json" in done.stderr and "3 left out: no answers" in done.stderr
    return json.loads(done.stdout)


def test_the_list_says_what_was_read_and_what_was_left_out(mistakebook, vizwiz):
    (listed,) = [dataset for dataset in json.loads(mistakebook("datasets", "list", "--json").stdout) if dataset["name"] == "vizwiz"]
    assert (listed["format"], listed["metric"], listed["skipped"]) == ("vizwiz", "vqa_accuracy", {"no answers": 3})
    assert (sum(listed["splits"].values()), listed["splits"]["eval"]) == (5, 2)
    assert "3 no answers" in mistakebook("datasets").stdout
    left_out = json.loads(mistakebook("datasets", "show", "vizwiz", "--skipped", "--json").stdout)
    assert [row["reason"] for row in left_out] == ["no answers"] * 3 and all(".json:" in row["source"] for row in left_out)


def test_items_are_shown(mistakebook, vizwiz):
    items = json.loads(mistakebook("datasets", "show", "vizwiz", "--split", "eval", "--json").stdout)
    assert [item["id"] for item in items] == ["VizWiz_val_00000001.jpg", "VizWiz_val_00000003.jpg"]
    assert items[0]["golds"] == ["cup"] * 9 + [""] and items[0]["width"] == 24
    assert "no dataset 'coco'" in mistakebook("datasets", "show", "coco", check=False).stderr
    assert "name a dataset" in mistakebook("datasets", "show", check=False).stderr


def test_all_errors_are_there_where_nothing_was_usable(mistakebook, tmp_path):
    rows = [{"id": i, "image": f"{i}.png", "question": "q", "answer": "x"} for i in range(4)]
    path = official.put(tmp_path / "bad.jsonl", "\n".join(["{", *map(json.dumps, rows)]))
    done = mistakebook("import", "--format", "auto", "--source", f"path={path}", "--json", check=False)
    assert done.returncode == 1
    job = json.loads(done.stdout)
    assert (job["status"], job["failed"]) == ("failed", 6) and "no usable example in it (5 bad lines, the first:" in job["message"]
    errors = {error["key"] for error in json.loads(mistakebook("jobs", "errors", job["job_id"], "--json").stdout)}
    assert errors == {"bad", *(f"{path}:{line}" for line in range(1, 6))}
    assert "bad" not in {dataset["name"] for dataset in json.loads(mistakebook("datasets", "--json").stdout)}


def test_a_look_before_the_import_says_layout_and_what_is_left_out(tmp_path):
    from curation.imports.preview import preview

    found = preview("auto", {"path": str(official.scienceqa(tmp_path)), "dev_share": 0})
    assert found.layout.startswith("read as scienceqa: problems.json") and found.skipped == {"no picture": 2}
    assert [row.external_id for row in found.rows] == ["1", "3", "4"] and found.bad == []


@pytest.fixture(scope="module")
def own_columns(tmp_path_factory):
    """A table whose columns have names of their own, and a row without its picture."""
    folder = tmp_path_factory.mktemp("own")
    for number in range(2):
        official.put(folder / f"{number}.png", official.picture(number))
    official.put(folder / "shop.csv", "nr;shot;Q;gold\n1;0.png;What is it?;bus\n2;1.png;How many?;3\n3;gone.png;Where?;here\n")
    return folder


def test_a_preview_shows_rows_beside_items_and_imports_nothing(mistakebook, own_columns):
    path = own_columns / "shop.csv"
    asked = ["--source", f"path={path}", "--map", "image=shot", "question=Q", "--map", "answers=gold"]
    words = mistakebook("datasets", "preview", *asked).stdout
    assert "read as csv: shop.csv" in words and "image=shot, question=Q, answers=gold" in words
    assert "row   nr: 1 · shot: 0.png · Q: What is it? · gold: bus" in words and "item  2 · train · What is it? · golds: bus" in words
    assert "of all 3 rows: 2 would be imported (2 train), 1 can't be used" in words and "shop.csv:4" in words
    seen = json.loads(mistakebook("datasets", "preview", *asked, "--json").stdout)
    assert seen["mapping"] == {"image": "shot", "question": "Q", "answers": "gold"} and len(seen["raw"]) == 3
    refused = mistakebook("datasets", "preview", "--source", f"path={path}", "--map", "question=QQ", "image=shot", check=False)
    assert refused.returncode == 1 and "no column 'QQ' for question (did you mean 'Q'?); there are: nr, shot, Q, gold" in refused.stdout
    assert "shop" not in {dataset["name"] for dataset in json.loads(mistakebook("datasets", "--json").stdout)}


def test_an_import_takes_the_mapping_and_a_path_from_here(mistakebook, own_columns):
    path = os.path.relpath(own_columns / "shop.csv", HOUSE)
    mapped = ["--map", "image=shot", "question=Q", "answers=gold", "id=nr"]
    done = mistakebook("import", "--format", "auto", "--source", f"path={path}", *mapped, "--json")
    assert json.loads(done.stdout)["status"] == "done"
    items = json.loads(mistakebook("datasets", "show", "shop", "--json").stdout)
    assert [(item["id"], item["question"], item["golds"]) for item in items] == [
        ("1", "What is it?", ["bus"]),
        ("2", "How many?", ["3"]),
    ]


def test_a_dataset_is_removed_restored_and_renamed(mistakebook, own_columns):
    mapped = ["--map", "image=shot", "question=Q", "answers=gold", "id=nr"]
    mistakebook("import", "--format", "auto", "--source", f"path={own_columns / 'shop.csv'}", "name=kiosk", *mapped)

    def names():
        return {dataset["name"] for dataset in json.loads(mistakebook("datasets", "--json").stdout)}

    done = mistakebook("datasets", "remove", "kiosk", "--reviewer", "ada").stdout
    assert "removed kiosk: 2 examples. Nothing was deleted; to bring it back: mistakebook datasets restore kiosk" in done
    assert "kiosk" not in names()
    (removed,) = json.loads(mistakebook("datasets", "removed", "--json").stdout)
    assert (removed["name"], removed["author"], removed["examples"]) == ("kiosk", "ada", 2)
    refused = mistakebook("import", "--format", "auto", "--source", f"path={own_columns / 'shop.csv'}", "name=kiosk", *mapped, check=False)
    assert refused.returncode == 1 and "datasets restore kiosk" in refused.stderr
    mistakebook("datasets", "restore", "kiosk")
    assert "kiosk is called stand now: 2 examples" in mistakebook("datasets", "rename", "kiosk", "stand").stdout
    assert names() & {"kiosk", "stand"} == {"stand"}
    assert [item["id"] for item in json.loads(mistakebook("datasets", "show", "stand", "--json").stdout)] == ["1", "2"]
    assert "give its new name too" in mistakebook("datasets", "rename", "stand", check=False).stderr
