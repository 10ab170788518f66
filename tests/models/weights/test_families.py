"""Every family by the same rules: it loads, is asked as its own template has it, alone and together, sees a picture as one vector,
and trains on its answers alone. Tiny checkpoints of the real classes (tests/support/families)."""

import json
from functools import cache

import numpy as np
import pytest
from PIL import Image

from data.records import Ask, Checkpoint
from data.registry import BASELINES
from models.finetune import Recipe, RunSpec, finetune, write_rows
from tests.support import families

QUESTIONS = ["What?", "What color is this? Answer with one word. Really? Really?", "How many shapes are there?"]


def skip_without_torchvision(family):
    if family in families.NEEDS_TORCHVISION and not families.HAS_TORCHVISION:
        pytest.skip(f"{family}: its processor needs torchvision, which isn't installed")


@pytest.fixture(params=families.FAMILIES)
def family(request):
    skip_without_torchvision(request.param)
    return request.param


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Of different shapes: some families cut the first into tiles."""
    folder = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0).integers(0, 255, (60, 100, 3), dtype=np.uint8)
    made = [Image.fromarray(noise), Image.new("RGB", (40, 90), (0, 200, 0)), Image.new("RGB", (64, 64), (200, 0, 0))]
    paths = [folder / f"{i}.png" for i in range(len(made))]
    for picture, path in zip(made, paths):
        picture.save(path)
    return [str(path) for path in paths]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A family's baseline, built and loaded once."""

    @cache
    def load(family):
        folder = families.build(family, tmp_path_factory.mktemp(family))
        baseline = BASELINES.make("image_text_to_text", {"model": str(folder), "max_new_tokens": 6})
        baseline.warm_up()
        return baseline

    return load


def as_templated(chat, picture, question):
    """What transformers itself makes of a conversation: its own template, tokenised once."""
    content = [{"type": "image", "image": Image.open(picture)}, {"type": "text", "text": question}]
    return chat.processor.apply_chat_template(
        [{"role": "user", "content": content}],
        chat_template=chat.template,
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        **({"image_token": chat.image_token} if "image_token" in chat.template else {}),
    )


def test_asked_as_its_own_template_has_it(family, loaded, pictures):
    baseline = loaded(family)
    chat = baseline.chat
    ours = chat.inputs([baseline.picture(path) for path in pictures], [chat.prompt(question) for question in QUESTIONS])
    for row, mask, path, question in zip(ours["input_ids"], ours["attention_mask"], pictures, QUESTIONS):
        ids = row[mask.bool()].tolist()
        assert ids == as_templated(chat, path, question)["input_ids"][0].tolist()
        assert ids.count(chat.tokenizer.bos_token_id) <= 1


def test_together_as_one_by_one(family, loaded, pictures):
    """In a batch, with padding, the answers are those of plain `generate` on each question alone."""
    import torch

    baseline = loaded(family)
    model, processor = baseline._loaded
    alone, first = [], []
    for path, question in zip(pictures, QUESTIONS):
        inputs = as_templated(baseline.chat, path, question)
        inputs.pop("labels", None)
        output = model.generate(**inputs, max_new_tokens=6, do_sample=False)
        with torch.no_grad():
            first.append(model(**inputs).logits[:, -1])
        alone.append(processor.batch_decode(output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)[0].strip())
    asks = [Ask(str(i), question, path) for i, (path, question) in enumerate(zip(pictures, QUESTIONS))]
    assert baseline.answer(asks) == alone
    chat = baseline.chat
    with torch.no_grad():
        last = model(**chat.inputs([baseline.picture(p) for p in pictures], [chat.prompt(q) for q in QUESTIONS])).logits[:, -1]
    assert torch.allclose(last, torch.cat(first), atol=1e-3)
    assert not torch.allclose(last[0], last[1], atol=1e-2), "what comes first depends on the question, else this shows nothing"


def test_one_vector_a_picture(family, loaded, pictures, tmp_path):
    baseline = loaded(family)
    vectors = baseline.embed_images(pictures)
    assert len(vectors) == len(pictures) and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert len({tuple(np.round(vector, 4)) for vector in vectors}) == len(pictures)
    copy = tmp_path / "copy.png"
    Image.open(pictures[0]).save(copy)
    assert np.allclose(baseline.embed_images([copy])[0], vectors[0], atol=1e-5)
    assert np.allclose(baseline.embed_images(pictures[::-1]), vectors[::-1], atol=1e-5)


def test_control_tokens_of_people_are_text(family, loaded, pictures):
    """A question about `<image>` or an end token has one picture and no end in it."""
    baseline = loaded(family)
    chat = baseline.chat
    nasty = " ".join(chat.control_tokens) + f" and {chat.image_token}"
    plain, odd = (chat.inputs([baseline.picture(pictures[2])], [chat.prompt(text)])["input_ids"][0].tolist() for text in ("What?", nasty))
    special = {token for token, added in chat.tokenizer.added_tokens_decoder.items() if added.content in chat.control_tokens}
    assert [i for i in odd if i in special] == [i for i in plain if i in special]
    answers = baseline.answer([Ask("0", nasty, pictures[2])])
    assert isinstance(answers[0], str)


def test_three_steps_and_the_adapter_is_as_plain_peft_has_it(family, loaded, pictures, tmp_path):
    """The preflight passes; LoRA sits on all linear layers of language model and connector alone; peft loads the adapter to the same."""
    import torch
    from peft import PeftModel
    from safetensors import safe_open

    baseline = loaded(family)
    base = baseline.options.model
    rows = [
        {"source": "sample", "id": str(i), "image_path": pictures[i % 3], "text": QUESTIONS[i % 3], "answer": "red green"} for i in range(4)
    ]
    recipe = Recipe(max_steps=3, batch_size=2, device_batch_size=2, learning_rate=1e-2, lora_dropout=0.1, projector_learning_rate=1e-3)
    folder = tmp_path / "run"
    RunSpec(checkpoint=Checkpoint("base", "image_text_to_text", base), recipe=recipe).write(folder)
    write_rows(folder / "train.parquet", rows)
    write_rows(folder / "dev.parquet", [])
    events = []
    adapter = finetune(folder, events.append, lambda: False)
    checks = {check["name"]: check for check in next(event for event in events if event["event"] == "preflight")["checks"]}
    assert all(check["ok"] for check in checks.values())
    assert "red green" in checks["labels"]["detail"]

    model, _ = baseline._loaded
    parts = baseline.lora_targets()
    with safe_open(adapter / "adapter_model.safetensors", "pt") as file:
        trained = {name.removeprefix("base_model.model.").partition(".lora_")[0].removesuffix(".base_layer") for name in list(file.keys())}
    assert set(parts.modules) <= trained
    assert {name for name in trained if name not in parts.modules} == {name.rpartition(".")[0] for name in parts.matrices}
    linear = {name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    decoder = next(name for name, module in model.named_modules() if module is model.get_decoder())
    assert {name for name in linear if name.startswith(decoder)} == set(parts.language)
    assert parts.connector or parts.connector_matrices

    asks = [Ask(str(i), question, path) for i, (path, question) in enumerate(zip(pictures, QUESTIONS))]
    adapted = BASELINES.make("image_text_to_text", {"model": base, "adapter": str(adapter), "max_new_tokens": 6})
    inputs = as_templated(baseline.chat, pictures[0], QUESTIONS[0])
    inputs.pop("labels", None)
    with torch.no_grad():
        ours = adapted._loaded[0](**inputs).logits
        before = model(**inputs).logits
        fresh, _ = baseline.load()
        plain = PeftModel.from_pretrained(fresh, str(adapter)).eval()(**inputs).logits
    assert torch.allclose(ours, plain, atol=1e-4) and not torch.allclose(ours, before, atol=1e-4)
    assert all(isinstance(answer, str) for answer in adapted.answer(asks))
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == base


@pytest.fixture
def prepared(loaded, pictures, tmp_path):
    """A family's run, its model with a new LoRA, its processor."""
    from models.finetuning.spec import Run
    from models.finetuning.trainable import load

    def prepare(family):
        rows = [{"source": "sample", "id": "0", "image_path": pictures[0], "text": QUESTIONS[0], "answer": "red green"}]
        recipe = Recipe(max_steps=1, learning_rate=2e-4, projector_learning_rate=2e-5)
        base = Checkpoint("base", "image_text_to_text", loaded(family).options.model)
        RunSpec(checkpoint=base, recipe=recipe).write(tmp_path / family)
        for name, some in (("train", rows), ("dev", [])):
            write_rows(tmp_path / family / f"{name}.parquet", some)
        run = Run.read(tmp_path / family)
        return run, *load(run.spec, lambda event: None)

    return prepare


@pytest.mark.parametrize("family", ["qwen3_vl", "gemma3", "idefics3", "glm4v"])
def test_the_connector_has_its_own_learning_rate_whatever_it_is_called(family, loaded, prepared):
    from models.finetuning.training import build_trainer

    run, model, processor = prepared(family)
    optimiser = build_trainer(run, model, processor, lambda event: None, lambda: False).create_optimizer()
    parts = loaded(family).lora_targets()
    names = {id(p): name for name, p in model.named_parameters()}
    language, connector = ([names[id(p)] for p in group["params"]] for group in optimiser.param_groups)
    assert [group["lr"] for group in optimiser.param_groups] == [2e-4, 2e-5]
    assert len(connector) == 2 * (len(parts.connector) + len(parts.connector_matrices)) and not any(
        "language_model" in n for n in connector
    )
    assert len(language) == 2 * len(parts.language)


@pytest.mark.parametrize("off", ["first", "last", "more"])
def test_a_mask_that_is_off_by_a_token_does_not_pass(off, prepared, monkeypatch):
    from models.finetuning.batches import Collator
    from models.finetuning.preflight import run_checks

    run, model, processor = prepared("qwen2_vl")
    ids = Collator.answer_ids
    wrong = {"first": lambda found: found[1:], "last": lambda found: found[:-1], "more": lambda found: [*found, found[0]]}[off]
    monkeypatch.setattr(Collator, "answer_ids", lambda *given: wrong(ids(*given)))
    assert [check.name for check in run_checks(run, model, processor, 1, 1) if not check.ok] == ["labels"]
