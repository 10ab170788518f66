"""Finetuning a tiny LLaVA of random weights: the loss curve, stopping and going on, labels, preflight, rounds, command line."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tests.support.tiny_llava as tiny_llava
from data.records import Checkpoint
from models.finetune import RECIPES, BadRun, Diverged, PreflightFailed, Recipe, RunSpec, Stopped, finetune, preflight, write_rows

RECIPE = Recipe(epochs=5, learning_rate=1e-2, lora_dropout=0.1, save_every=5, dev_every=10)
# Loss at steps 1, 5, 10, 15, 20 of RECIPE with seed 3 (torch 2.13, CPU). Floating point differs between processors by far
# less than the tolerance; a change beyond it is a change of the training, to be explained in the commit that makes it.
GOLDEN, TOLERANCE = {1: 6.7155, 5: 3.2349, 10: 1.304, 15: 1.0217, 20: 0.9251}, 0.02


@pytest.fixture(scope="session")
def base(tmp_path_factory) -> Path:
    return tiny_llava.build(tmp_path_factory.mktemp("tiny") / "base")


@pytest.fixture
def make_run(base, tmp_path):
    """Makes a run folder of 64 training and 16 dev rows."""
    train, dev = tiny_llava.rows(tmp_path / "images", 64), tiny_llava.rows(tmp_path / "images", 16, seed=9)

    def make(name="run", recipe=RECIPE, train=train, dev=dev, adapter=None, seed=3) -> Path:
        folder = tmp_path / name
        RunSpec(checkpoint=Checkpoint("base", "llava", str(base), adapter), recipe=recipe, seed=seed).write(folder)
        write_rows(folder / "train.parquet", train)
        write_rows(folder / "dev.parquet", dev)
        return folder

    make.rows = train
    return make


def never() -> bool:
    return False


def losses(folder: Path) -> dict[int, float]:
    return dict(json.loads((folder / "result.json").read_text())["losses"])


def events(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def test_golden_loss_curve_and_events(make_run):
    folder, reported = make_run(), []
    assert finetune(folder, reported.append, never) == folder / "adapter"
    curve = losses(folder)
    assert {step: curve[step] for step in GOLDEN} == pytest.approx(GOLDEN, abs=TOLERANCE)
    assert reported[0]["event"] == "preflight" and all(check["ok"] for check in reported[0]["checks"])
    steps = [event for event in reported if event["event"] == "progress" and "loss" in event]
    assert [event["done"] for event in steps] == list(range(1, 21)) and {event["total"] for event in steps} == {20}
    assert steps[-1].keys() >= {"loss", "learning_rate", "grad_norm", "samples_per_s", "memory_mb", "time"}
    dev = [event["dev_loss"] for event in reported if "dev_loss" in event]
    assert len(dev) == 3 and dev[-1] < dev[0] / 3  # at steps 0, 10 and 20
    result = json.loads((folder / "result.json").read_text())
    assert result["rows"] == {"sample": 48, "replay": 16} and result["steps"] == 20
    assert (folder / "adapter" / "adapter_model.safetensors").exists() and not (folder / "steps").exists()
    card = (folder / "adapter" / "README.md").read_text()
    assert hashlib.sha256((folder / "train.parquet").read_bytes()).hexdigest() in card and "48 sample" not in card.split("| Rows |")[0]
    assert "| Rows | 16 replay, 48 sample; 16 held out |" in card and '"learning_rate": 0.01' in card and "library_name" in card
    count = len(reported)
    assert finetune(folder, reported.append, never) == folder / "adapter" and len(reported) == count  # nothing left to do


def poisoned(monkeypatch, after_step: int) -> None:
    """From now on a weight of the LoRA is no number after that step."""
    from transformers import TrainerCallback

    import models.finetuning.training as training

    class Poison(TrainerCallback):
        def on_step_end(self, args, state, control, model, **kwargs):
            if state.global_step == after_step:
                next(weight for weight in model.parameters() if weight.requires_grad).data.view(-1)[0] = float("nan")

    whole = training.build_trainer

    def build_trainer(*arguments):
        trainer = whole(*arguments)
        trainer.add_callback(Poison())
        return trainer

    monkeypatch.setattr(training, "build_trainer", build_trainer)


def test_a_run_that_diverges_stops_at_that_step_and_names_its_rows(make_run, monkeypatch):
    folder = make_run()
    poisoned(monkeypatch, 7)
    with pytest.raises(
        Diverged, match=r"gradient of step 8 is no number, and the step was not taken. Its rows: (\S+, ){7}\S+ and 8 more"
    ) as told:
        finetune(folder, lambda event: None, never)
    assert "Snapshot step 5 is kept" in str(told.value) and not (folder / "adapter").exists()
    named = str(told.value).partition("rows: ")[2].partition(" and")[0].split(", ")
    assert set(named) <= {row["id"] for row in make_run.rows}


def test_weights_that_are_no_numbers_at_the_end_are_never_an_adapter(make_run, monkeypatch):
    folder = make_run()
    poisoned(monkeypatch, 20)
    with pytest.raises(Diverged, match=r"1 of [0-9,]+ weights are no numbers after the last step, and no adapter was written"):
        finetune(folder, lambda event: None, never)
    assert not (folder / "adapter").exists() and not (folder / "result.json").exists()


def test_stopped_run_goes_on_as_if_it_had_not_been(make_run):
    whole, halves = make_run("whole"), make_run("halves")
    finetune(whole, lambda event: None, never)
    answers = iter([False] * 6 + [True])
    with pytest.raises(Stopped, match="step 7 of 20"):
        finetune(halves, lambda event: None, lambda: next(answers))
    assert not (halves / "adapter").exists()
    (halves / "steps" / "checkpoint-9").mkdir()
    (halves / "steps" / "checkpoint-9" / "trainer_state.json").write_text('{"torn')  # killed while saving
    reported = []
    finetune(halves, reported.append, never)
    assert losses(halves) == pytest.approx(losses(whole), abs=1e-5)
    assert reported[0] == {"event": "message", "text": "goes on from snapshot step 7"}


def test_seed_decides(make_run):
    short = RECIPE.model_copy(update={"max_steps": 3})
    folders = [make_run(name, recipe=short, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    for folder in folders:
        finetune(folder, lambda event: None, never)
    assert losses(folders[0]) == pytest.approx(losses(folders[1]), abs=1e-6)
    assert losses(folders[0]) != losses(folders[2])
    assert list(losses(folders[0])) == [1, 2, 3]


def test_next_round_continues_the_adapter(make_run):
    first = make_run("first")
    finetune(first, lambda event: None, never)
    second = make_run("second", adapter=str(first / "adapter"), recipe=Recipe(r=4, alpha=4, epochs=1, learning_rate=1e-4))
    reported = []
    finetune(second, reported.append, never)
    assert losses(second)[1] < losses(first)[1] / 3  # begins where the first round ended
    config = json.loads((second / "adapter" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"]) == (16, 32)  # the adapter's own shape
    messages = [event["text"] for event in reported if event["event"] == "message"]
    assert any("continues the adapter" in text and "r=4" in text for text in messages)


@pytest.fixture(scope="session")
def collator(base):
    from data.registry import BASELINES
    from models.finetuning.batches import Collator

    model, processor = BASELINES.make("llava", {"model": str(base)}).load()
    return Collator(processor, model)


words = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_characters="<>\x85\xa0"), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(words, words), min_size=1, max_size=4))
def test_labels_are_the_answer_and_its_end(collator, tmp_path_factory, pairs):
    picture = tiny_llava.rows(Path(tmp_path_factory.getbasetemp()) / "label-images", 1)[0]["image_path"]
    batch = collator([{"id": str(i), "image_path": picture, "text": q, "answer": a} for i, (q, a) in enumerate(pairs)])
    tokenizer = collator.processor.tokenizer
    for (_, answer), labels, ids, mask in zip(pairs, batch["labels"], batch["input_ids"], batch["attention_mask"]):
        learnt = labels != -100
        assert tokenizer.decode(labels[learnt]) == f" {answer}</s>"
        assert (labels[learnt] == ids[learnt]).all() and mask[learnt].all()
        length = int(mask.sum())
        assert mask[:length].all() and learnt[:length].nonzero().max() == length - 1  # padded right, the end is learnt


def failed(folder: Path) -> dict[str, str]:
    return {check.name: check.detail for check in preflight(folder) if not check.ok}


def test_preflight_passes_and_changes_nothing(make_run):
    folder = make_run()
    before = sorted(path.name for path in folder.iterdir())
    checks = {check.name: check for check in preflight(folder)}
    assert list(checks) == ["rows", "dev rows", "length", "labels", "image tokens", "one step", "adapter", "estimate"]
    assert all(check.ok for check in checks.values())
    assert checks["image tokens"].detail == "64 image tokens, 64 image features, 16 images"
    assert "20 steps" in checks["estimate"].detail
    assert sorted(path.name for path in folder.iterdir()) == before


def test_preflight_restores_the_weights(make_run):
    from models.finetuning.preflight import run_checks
    from models.finetuning.spec import Run
    from models.finetuning.trainable import load

    run = Run.read(make_run())
    model, processor = load(run.spec, lambda event: None)
    before = {name: value.clone() for name, value in model.named_parameters()}
    run_checks(run, model, processor, 1, 1)
    assert all(value.equal(before[name]) for name, value in model.named_parameters())


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        ({"image_path": "/nowhere/1.png"}, "rows", "no image at /nowhere/1.png"),
        ({"answer": " "}, "rows", "no answer"),
        ({"text": ""}, "rows", "no question"),
        ({"text": "long " * 3000}, "length", "max_length is 2048"),
    ],
)
def test_preflight_names_the_row_that_stops_the_run(make_run, change, name, words):
    folder = make_run(train=[*make_run.rows, {**make_run.rows[0], "id": "the-bad-one", **change}])
    details = failed(folder)
    assert list(details) == [name] and "the-bad-one" in details[name] and words in details[name]
    reported = []
    with pytest.raises(PreflightFailed, match="the-bad-one"):
        finetune(folder, reported.append, never)
    assert reported[-1]["event"] == "preflight" and not (folder / "steps").exists()


def test_preflight_finds_a_picture_that_is_none(make_run, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    folder = make_run(train=[{**make_run.rows[0], "image_path": str(tmp_path / "broken.png")}])
    assert "broken.png" in failed(folder)["length"]


def test_preflight_finds_image_tokens_that_do_not_match(make_run, base, tmp_path):
    import shutil

    wrong = shutil.copytree(base, tmp_path / "wrong")
    path = wrong / "processor_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "num_additional_image_tokens": 0}))
    folder = make_run()
    spec = RunSpec.read(folder)
    RunSpec(checkpoint=Checkpoint("wrong", "llava", str(wrong)), recipe=spec.recipe).write(folder)
    assert failed(folder) == {"image tokens": "48 image tokens, 64 image features, 16 images"}


def test_no_rows_and_bad_folders_are_refused_by_name(make_run, tmp_path):
    assert "is empty" in failed(make_run(train=[]))["rows"]
    with pytest.raises(BadRun, match=r"run\.json: no such file"):
        preflight(tmp_path / "nothing")
    folder = make_run()
    (folder / "dev.parquet").unlink()
    with pytest.raises(BadRun, match=r"dev\.parquet: no such file"):
        preflight(folder)
    (folder / "run.json").write_text('{"checkpoint": 3}')
    with pytest.raises(BadRun, match=r"run.json: (.|\n)*checkpoint"):
        preflight(folder)


def test_dev_may_be_empty(make_run):
    folder = make_run(dev=[], recipe=RECIPE.model_copy(update={"max_steps": 2}))
    finetune(folder, lambda event: None, never)
    assert json.loads((folder / "result.json").read_text())["dev_losses"] == []


def test_recipes_keep_the_global_batch():
    recipe = RECIPES["llava-1.5"]
    assert [recipe.accumulation(devices) for devices in (1, 2, 8)] == [8, 4, 1]
    assert (recipe.r, recipe.alpha, recipe.learning_rate, recipe.projector_learning_rate) == (128, 256, 2e-4, 2e-5)
    assert all(field.description for field in Recipe.model_fields.values())


def test_accumulation_and_recomputed_activations_do_not_change_the_curve(make_run):
    plain = make_run("plain", recipe=Recipe(max_steps=4, learning_rate=1e-2))
    other = make_run("other", recipe=Recipe(max_steps=4, learning_rate=1e-2, device_batch_size=4, activation_checkpointing=True))
    for folder in (plain, other):
        finetune(folder, lambda event: None, never)
    assert losses(other) == pytest.approx(losses(plain), abs=1e-3)


def test_projector_has_its_own_learning_rate(make_run):
    from models.finetuning.spec import Run
    from models.finetuning.trainable import load
    from models.finetuning.training import build_trainer

    folder = make_run(recipe=Recipe(learning_rate=2e-4, projector_learning_rate=2e-5))
    run = Run.read(folder)
    model, processor = load(run.spec, lambda event: None)
    optimiser = build_trainer(run, model, processor, lambda event: None, never).create_optimizer()
    assert [group["lr"] for group in optimiser.param_groups] == [2e-4, 2e-5]
    assert sum(len(group["params"]) for group in optimiser.param_groups) == sum(p.requires_grad for p in model.parameters())


def launch(folder: Path, *flags: str) -> subprocess.Popen:
    root = Path(__file__).parents[3]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "models.finetune", str(folder), *flags]
    return subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_command_line_stops_on_sigterm_and_goes_on(make_run):
    folder = make_run(recipe=Recipe(epochs=1000, learning_rate=1e-3, save_every=10_000, dev_every=10_000))
    child = launch(folder)
    for line in child.stdout:  # ends when the child does
        if '"loss"' in line:
            child.send_signal(signal.SIGTERM)
            break
    child.communicate(timeout=150)
    assert child.returncode == 3
    step = max(event["done"] for event in events(folder) if event["event"] == "progress")
    assert [path.name for path in (folder / "steps").iterdir()] == [f"checkpoint-{step}"]
    spec = json.loads((folder / "run.json").read_text())
    spec["recipe"]["max_steps"] = step + 2
    (folder / "run.json").write_text(json.dumps(spec))
    (folder / "stop").touch()  # left over: launching again means to go on
    with (folder / "events.jsonl").open("a") as file:
        file.write('{"event": "prog')  # torn by a kill
    again = launch(folder)
    _, errors = again.communicate(timeout=150)
    assert again.returncode == 0, errors
    assert events(folder)[-1]["done"] == step + 2
    assert (folder / "adapter" / "adapter_model.safetensors").exists()


def test_command_line_preflight_prints_checks_and_a_bad_folder_its_reason(make_run, tmp_path):
    good, bad = launch(make_run(), "--preflight"), launch(tmp_path / "nothing")
    out, errors = good.communicate(timeout=150)
    assert good.returncode == 0, errors
    assert all(check["ok"] for check in json.loads(out))
    _, errors = bad.communicate(timeout=150)
    assert bad.returncode == 1 and errors.strip().endswith("train.parquet and dev.parquet: launch the finetune again")
