"""`mistakebook checkpoints`: added, listed and removed without a browser; what is needed is kept."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import tests.support.tiny_llava as tiny_llava
from curation import checkpoints
from curation.checkpoints import BadCheckpoint
from curation.workspaces import owner
from data.records import Checkpoint
from data.workspace import Workspace
from models.checkpoint_test import STEPS
from models.weights.files import BadWeights
from tests.support.seed import seeded_store

HOUSE = Path(__file__).parents[2]


def mistakebook(*arguments, check=True):
    command = [sys.executable, "-m", "curation.cli", *map(str, arguments), "--workspace", "w"]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, timeout=240, env={**os.environ, "COLUMNS": "200"})
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_llava.build(tmp_path_factory.mktemp("tiny") / "base")


@pytest.fixture
def here(home):
    workspace = Workspace(home / "w")
    yield workspace
    if (noted := owner.read(workspace)) and noted.is_alive():
        os.kill(noted.pid, signal.SIGTERM)


def test_a_checkpoint_is_added_listed_and_removed(here, base, tmp_path):
    assert "mistakebook checkpoints add NAME --model" in mistakebook("checkpoints").stdout
    assert "which weights? --model" in mistakebook("checkpoints", "add", "mine", check=False).stderr
    broken = Path(shutil.copytree(base, tmp_path / "broken"))
    (broken / "model.safetensors").unlink()
    refused = mistakebook("checkpoints", "add", "mine", "--model", broken, check=False)
    assert refused.returncode == 1 and "there is no model.safetensors" in refused.stderr
    added = json.loads(mistakebook("checkpoints", "add", "mine", "--model", base, "--max-new-tokens", "4", "--json").stdout)
    assert added["name"] == "mine"
    (row,) = json.loads(mistakebook("checkpoints", "list", "--json").stdout)
    assert (row["model"], row["baseline"], row["options"]) == (str(base), "image_text_to_text", {"max_new_tokens": 4})
    assert "mine" in mistakebook("checkpoints").stdout
    tested = json.loads(mistakebook("checkpoints", "test", "mine", "--json").stdout)
    assert tested["ok"] and [finding["name"] for finding in tested["findings"]] == list(STEPS)
    (broken / "model.safetensors").write_bytes((base / "model.safetensors").read_bytes())
    (broken / "chat_template.jinja").unlink()
    failed = mistakebook("checkpoints", "test", "--model", broken, check=False)
    assert failed.returncode == 1 and "FAIL  template" in failed.stdout and "has no chat template" in failed.stdout
    assert mistakebook("checkpoints", "test", "--model", broken, "--template", "LLaVA-1.5").returncode == 0
    assert "already" in mistakebook("checkpoints", "add", "mine", "--model", base, check=False).stderr
    assert "removed" in mistakebook("checkpoints", "remove", "mine").stdout
    assert json.loads(mistakebook("checkpoints", "--json").stdout) == []
    assert (base / "model.safetensors").exists()


def test_what_is_needed_is_kept_and_predictions_go_on_request_alone(workspace):
    store, _, _ = seeded_store(workspace.root, 12, samples=4)
    try:
        current = checkpoints.find(store)
        with pytest.raises(BadCheckpoint, match=r"round\(s\) started from it"):
            checkpoints.remove_checkpoint(store, current.name, with_predictions=True)
        other = checkpoints.register(store, Checkpoint("other", "llava", "pocket-llava"))
        example = store.rows("examples_of_dataset", dataset="pocket-photo")[0]
        answer = {"checkpoint_id": other, "example_id": example["example_id"], "answer": "x", "strict": 0.0, "lenient": 0.0}
        with store.write() as write:
            write.insert("prediction", [answer])
        with pytest.raises(BadCheckpoint, match=r"1 predictions; .* checkpoints remove other --predictions"):
            checkpoints.remove_checkpoint(store, "other")
        assert checkpoints.remove_checkpoint(store, "other", with_predictions=True).predictions == 1
        assert "other" not in checkpoints.askable(store)
    finally:
        store.close()


def test_an_adapter_of_another_base_is_refused(store, base, tmp_path):
    import torch
    from safetensors.torch import save_file

    adapter = tmp_path / "adapter"
    adapter.mkdir()
    save_file({"x": torch.zeros(1)}, adapter / "adapter_model.safetensors")
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "llava-hf/llava-1.5-13b-hf"}))
    with pytest.raises(BadCheckpoint, match=r"was trained on llava-hf/llava-1\.5-13b-hf, not on .*base: give that model"):
        checkpoints.add_checkpoint(store, "a", "llava", str(base), str(adapter), {})
    with pytest.raises(BadWeights, match="not a folder"):
        checkpoints.add_checkpoint(store, "a", "llava", "/nowhere/at/all", None, {})
    assert checkpoints.listed(store) == []
