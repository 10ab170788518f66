"""Checkpoints written out: the adapter with its card, merged weights with their measured error, and what is refused."""

import shutil
from collections import namedtuple

import pytest
import yaml

from curation import checkpoints
from curation.exports import adapter_facts
from curation.exports.card import model_card
from curation.jobs.manager import JobManager
from curation.results import comparison
from curation.stage import NothingToDo
from curation.stages import export_checkpoint, stage_class
from data.export_folder import MANIFEST, BadExportFolder
from data.images import ImageStore
from data.records import Ask, Checkpoint
from models.weights import merging
from tests.support import tiny_llava
from tests.support.seed import seeded_store

PATIENCE = 240  # seconds for a job on a busy machine
NAME = "org/run 2"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A seeded workspace with a tiny LLaVA and a LoRA of random weights as a further checkpoint."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    root = tmp_path_factory.mktemp("checkpoint")
    base, adapter = tiny_llava.build(root / "base"), root / "adapter"
    model = AutoModelForImageTextToText.from_pretrained(base)
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj", "up_proj"], init_lora_weights=False)
    get_peft_model(model, config).save_pretrained(adapter)
    store, _, workspace = seeded_store(root / "w", failures=60, samples=60)
    checkpoints.register(store, Checkpoint(NAME, "llava", str(base), str(adapter)))
    tuned = checkpoints.find(store, "run 1")
    with store.write() as write:
        samples = store.rows("samples_to_train", round=1)[:10]
        write.insert("run_sample", [{"run_id": 1, "sample_id": row["sample_id"], "revision": row["revision"]} for row in samples])
    yield store, workspace, JobManager(store, workspace, stage_class), base, adapter, tuned
    store.close()


def written(world, status="done", **options):
    job = world[2].wait(world[2].launch("export_checkpoint", {"checkpoint": NAME, **options}, "ada"), PATIENCE)
    assert job.status == status, job.message
    return job


def card(folder) -> tuple[dict, str]:
    front, text = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)[1:]
    return yaml.safe_load(front), text


def logits(model, world, picture_count=3):
    """Logits of a model to the first examples, as the tiny LLaVA's own processor asks them."""
    import torch

    from models.baselines.llava import Llava

    store, workspace, _, base = world[:4]
    baseline = Llava(Llava.Options(model=str(base), device="cpu", dtype="float32"))
    rows = store.rows("examples_for_merge", limit=picture_count)
    pictures = [baseline.picture(ImageStore(workspace.images).path(row["image"])) for row in rows]
    inputs = baseline.chat.inputs(pictures, [baseline.chat.prompt(row["question"]) for row in rows])
    with torch.no_grad():
        return model(**inputs).logits.float()[inputs["attention_mask"].bool()]


def test_an_adapter_with_its_card_loads_with_peft_alone(world, tmp_path):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText

    job = written(world, folder=str(tmp_path / "out"))
    assert job.message == f"adapter of {NAME} written to {tmp_path / 'out'}"
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        MANIFEST,
    }
    front, text = card(tmp_path / "out")
    assert front["base_model"] == str(world[3]) and front["library_name"] == "peft"
    assert "Not measured: it has no parent in this workspace" in text
    load = AutoModelForImageTextToText.from_pretrained
    ours = PeftModel.from_pretrained(load(world[3]), tmp_path / "out").eval()
    theirs = PeftModel.from_pretrained(load(world[3]), world[4]).eval()
    assert torch.equal(logits(ours, world), logits(theirs, world))


@pytest.mark.parametrize("dtype", ["as_base", "bfloat16"])
def test_merged_weights_answer_as_base_and_adapter_within_the_error_that_the_card_states(world, tmp_path, dtype):
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText, AutoProcessor

    job = written(world, form="merged", dtype=dtype, folder=str(tmp_path))
    load = AutoModelForImageTextToText.from_pretrained
    merged = load(tmp_path, dtype="float32").eval()
    both = PeftModel.from_pretrained(load(world[3]), world[4]).eval()
    error = (logits(merged, world) - logits(both, world)).abs().max().item()
    plain = (logits(load(world[3]).eval(), world) - logits(both, world)).abs().max().item()
    front, text = card(tmp_path)
    stated = float(text.split("| Merge error | ")[1].split(":")[0])
    assert front["base_model_relation"] == "finetune" and "lora" not in front["tags"]
    assert f"largest logit error {stated:.2e} on 8 examples" in job.message
    assert error < plain / 20 and stated < plain / 20  # the adapter is in it
    assert (stated < 1e-4) if dtype == "as_base" else (stated > 1e-4 and "the rest is rounding to bfloat16" in text)
    assert str(load(tmp_path, dtype="auto").dtype) == ("torch.float32" if dtype == "as_base" else "torch.bfloat16")
    assert AutoProcessor.from_pretrained(tmp_path).chat_template == tiny_llava.CHAT
    assert not (tmp_path / "adapter_config.json").exists()
    checkpoints.described("again", "llava", str(tmp_path), None, {})  # it can be added as a checkpoint


def test_the_card_has_the_table_of_results_and_what_was_lost(world):
    store, tuned = world[0], world[5]
    facts = adapter_facts.gather(store, tuned)
    text = model_card(facts, {"epochs": 5}, None)
    compared = comparison.compare(store, checkpoints.find(store, "pocket-llava"), tuned)
    for line in [compared.overall, *compared.by_dataset]:
        assert f"| {line.before:.3f} | {line.after:.3f} | {line.difference:+.3f} [{line.low:+.3f}, {line.high:+.3f}] |" in text
    worse = [line for line in [*compared.by_dataset, *compared.by_error_type] if line.high < 0]
    assert text.count("- ") >= len(worse) and f"{compared.overall.broken} examples that were right before are wrong now" in text
    assert facts.snapshot and facts.snapshot in text and "SHA-256" in text
    samples = store.rows("samples_of_checkpoint", adapter_facts.TrainedSample, checkpoint_id=tuned.checkpoint_id)
    assert len(samples) == 10 and adapter_facts.content_hash(samples[::-1]) == facts.snapshot
    assert adapter_facts.content_hash(samples[:9]) != facts.snapshot


def test_a_checkpoint_without_adapter_is_refused(world):
    for name, reason in (("pocket-llava", "its weights are those of pocket-llava"), ("gone", "no checkpoint 'gone'")):
        with pytest.raises(NothingToDo, match=reason):
            world[2].launch("export_checkpoint", {"checkpoint": name}, "ada")


def test_a_name_with_slashes_is_no_path(world):
    written(world)
    assert (world[1].root / "exports" / "org-run 2-adapter" / "adapter_config.json").is_file()


def merge_here(world, folder):
    store, workspace, _, base, adapter, _ = world
    options = export_checkpoint.CheckpointExportOptions(checkpoint=NAME, form="merged", folder=folder)
    checkpoint = Checkpoint(NAME, "llava", str(base), str(adapter))
    asks = [Ask.from_row(row) for row in export_checkpoint._asks(store, workspace)]
    facts = adapter_facts.gather(store, checkpoint)
    return export_checkpoint._write_merged(checkpoint, facts, folder, options, [ask.to_row() for ask in asks], lambda text: None)


def test_a_disk_or_memory_that_is_too_small_is_told_before_anything_is_loaded(world, tmp_path, monkeypatch):
    usage, memory = namedtuple("usage", "total used free"), namedtuple("memory", "available")
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: usage(2**30, 2**30, 1000))
        with pytest.raises(BadExportFolder, match="is too full: about"):
            merge_here(world, tmp_path / "out")
    with monkeypatch.context() as patched:
        patched.setattr("psutil.virtual_memory", lambda: memory(1000))
        with pytest.raises(merging.NoRoom, match=r"merging in float32 needs about .* GiB of memory"):
            merge_here(world, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_merge_that_fails_leaves_nothing(world, tmp_path, monkeypatch):
    from transformers import PreTrainedModel

    def full(self, folder, **_):
        (tmp_path / "seen").touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PreTrainedModel, "save_pretrained", full)
    with pytest.raises(OSError, match="No space left"):
        merge_here(world, tmp_path / "out")
    assert (tmp_path / "seen").exists() and not (tmp_path / "out").exists()
