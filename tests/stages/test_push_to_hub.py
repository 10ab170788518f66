"""Uploads of exports to a hub on loopback, by huggingface_hub itself in a job's child."""

import json
import os

import pytest

from curation import checkpoints
from curation.exports.upload import UploadOptions
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from data.export_folder import MANIFEST
from data.records import Checkpoint
from models.hub import UploadFailed, host
from tests.support import hub_server
from tests.support.seed import seeded_store

PATIENCE = 240  # seconds for a job on a busy machine


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("push")
    store, _, workspace = seeded_store(root / "w", failures=40, samples=40)
    yield store, workspace, JobManager(store, workspace, stage_class), root
    store.close()


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with hub_server.serving() as served:
        for name, value in (
            ("HF_ENDPOINT", served.address),
            ("HF_HUB_OFFLINE", "0"),
            ("HF_HUB_DISABLE_XET", "1"),
            ("HF_HOME", str(tmp_path)),
        ):
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HF_TOKEN", hub_server.TOKEN)
        yield served


def pushed(world, stage="export", ends="done", **options):
    job = world[2].wait(world[2].launch(stage, options, "ada"), PATIENCE)
    assert job.status == ends, (job.message, (world[1].job(job.job_id) / "log.txt").read_text()[-2000:])
    return job


def on_disk(folder) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_dataset_is_uploaded_private_and_made_equal_by_the_next_upload(world, hub, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "mine.txt").write_text("not of the export")
    job = pushed(world, format="imagefolder", folder=str(folder), push_to_hub="ada/samples")
    assert f"uploaded to {hub.address}/datasets/ada/samples" in job.message
    files = on_disk(folder)
    assert files.pop("mine.txt") and hub.repos["datasets/ada/samples"] == files and hub.private["datasets/ada/samples"]
    assert hub.commits == ["Files of an export", "Lists and card of an export"]
    hub.repos["datasets/ada/samples"]["theirs.md"] = b"somebody's"
    sent = len(hub.sent)
    pushed(world, format="trl", folder=str(folder), push_to_hub="ada/samples")
    there = hub.repos["datasets/ada/samples"]
    assert set(there) == {*on_disk(folder), "theirs.md"} - {"mine.txt"} and "metadata.jsonl" not in there and "train.jsonl" in there
    assert len(hub.sent) == sent  # the same pictures under other names: none is sent again


def test_a_broken_upload_is_told_and_resumed_without_sending_twice(world, hub, tmp_path):
    hub.fail_after = 3
    job = pushed(world, ends="failed", format="imagefolder", folder=str(tmp_path / "out"), push_to_hub="ada/broken")
    assert "resume sends what is missing" in job.message and "is whole" in job.message and hub_server.TOKEN not in job.message
    assert (tmp_path / "out" / "metadata.jsonl").is_file() and "README.md" not in hub.repos["datasets/ada/broken"]
    hub.fail_after = None
    world[2].resume(job.job_id)
    assert world[2].wait(job.job_id, PATIENCE).status == "done"
    assert hub.repos["datasets/ada/broken"] == on_disk(tmp_path / "out")
    assert len(hub.sent) == len(set(hub.sent))
    log = "".join(path.read_text(errors="replace") for path in world[1].job(job.job_id).iterdir() if path.is_file())
    assert hub_server.TOKEN not in log


def test_an_adapter_is_uploaded_as_a_model(world, hub, tmp_path):
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    from tests.support import tiny_llava

    base = tiny_llava.build(tmp_path / "base")
    model = get_peft_model(AutoModelForImageTextToText.from_pretrained(base), LoraConfig(r=2, target_modules=["q_proj"]))
    model.save_pretrained(tmp_path / "adapter")
    checkpoints.register(world[0], Checkpoint("lora", "llava", str(base), str(tmp_path / "adapter")))
    out = tmp_path / "out"
    pushed(world, "export_checkpoint", checkpoint="lora", folder=str(out), push_to_hub="ada/lora", private=False)
    assert hub.repos["ada/lora"] == on_disk(out) and "adapter_model.safetensors" in hub.repos["ada/lora"] and not hub.private["ada/lora"]
    assert MANIFEST in hub.repos["ada/lora"] and b"base_model" in hub.repos["ada/lora"]["README.md"]


def test_what_is_wrong_with_token_owner_or_name_is_said(world, hub, tmp_path, monkeypatch):
    given = {"format": "jsonl", "folder": str(tmp_path / "out")}
    job = pushed(world, ends="failed", **given, push_to_hub="grace/samples")
    assert "may not write to grace/samples" in job.message and (tmp_path / "out" / "samples.jsonl").is_file()
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert "doesn't know this HF_TOKEN" in pushed(world, ends="failed", **given, push_to_hub="ada/samples").message
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE is set" in pushed(world, ends="failed", **given, push_to_hub="ada/samples").message
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(UploadFailed, match="neither in the environment"):
        world[2].launch("export", {**given, "push_to_hub": "ada/samples"}, "ada")
    for name in ("../x", "a/b/c", "", "https://elsewhere"):
        with pytest.raises(ValueError, match="push_to_hub"):
            world[2].launch("export", {**given, "push_to_hub": name}, "ada")


def test_the_token_may_lie_in_a_file_that_only_its_owner_reads(world, hub, tmp_path, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    keys = world[1].root / "keys.json"
    keys.write_text(json.dumps({"HF_TOKEN": hub_server.TOKEN}))
    try:
        keys.chmod(0o644)
        with pytest.raises(Exception, match="can be read by other users"):
            world[2].launch("export", {"format": "jsonl", "push_to_hub": "ada/filed"}, "ada")
        keys.chmod(0o600)
        pushed(world, format="jsonl", folder=str(tmp_path / "out"), push_to_hub="ada/filed")
        assert "samples.jsonl" in hub.repos["datasets/ada/filed"]
    finally:
        keys.unlink()


def test_the_machine_that_an_upload_goes_to_is_named(monkeypatch):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert host() == "huggingface.co" and UploadOptions(push_to_hub="a/b").host() == "huggingface.co" and UploadOptions().host() is None
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    assert host() is None and os.environ["HF_ENDPOINT"]
