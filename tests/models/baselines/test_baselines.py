"""Baselines of transformers, on a LLaVA of the real classes with random weights: asking, embedding, LoRA targets, adapters."""

import numpy as np
import pytest
from PIL import Image

import tests.support.tiny_llava as tiny_llava
from data.records import Ask
from data.registry import BASELINES, UnknownPlugin
from models import pocket
from models.baselines.llava import Llava
from models.weights.files import BadWeights
from models.weights.loading import locate
from models.weights.parts import parts_of


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(tiny_llava.build(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def asks(tmp_path_factory):
    """Questions of very different lengths, so that padding has work to do."""
    rows = tiny_llava.rows(tmp_path_factory.mktemp("pictures"), 7)
    return [Ask(row["id"], row["text"] + " Really?" * (3 * i), row["image_path"]) for i, row in enumerate(rows)]


@pytest.mark.parametrize("plugin", ["llava", "image_text_to_text"])
def test_batches_change_nothing(plugin, weights, asks):
    """Left padding is masked and positions are shifted: one by one or seven at once, the answers are the same."""
    alone = BASELINES.make(plugin, {"model": weights, "batch_size": 1, "max_new_tokens": 6}).answer(asks)
    together = BASELINES.make(plugin, {"model": weights, "batch_size": 7, "max_new_tokens": 6}).answer(asks)
    assert alone == together
    assert len(set(alone)) > 1, "the answers must depend on the question, else this shows nothing"


def test_a_bad_picture_fails_its_own_row(weights, asks, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    rows = [asks[0], Ask("broken", "What?", str(broken)), Ask("gone", "What?", str(tmp_path / "gone.png")), asks[1]]
    baseline = Llava(Llava.Options(model=weights, batch_size=2, max_new_tokens=4))
    answers = baseline.answer(rows)
    assert isinstance(answers[1], Exception) and isinstance(answers[2], Exception)
    assert [answers[0], answers[3]] == baseline.answer([asks[0], asks[1]])


def test_no_rows(weights):
    assert Llava(Llava.Options(model=weights)).answer([]) == []


def test_embeddings_are_of_the_vision_tower(weights, asks, tmp_path):
    """Length 1, whatever the batch; alike for alike pictures; and not changed by what a finetune trains."""
    import torch

    paths = [ask.image_path for ask in asks]
    baseline = Llava(Llava.Options(model=weights, batch_size=3))
    vectors = baseline.embed_images(paths)
    assert vectors.shape == (7, 32) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors, Llava(Llava.Options(model=weights, batch_size=7)).embed_images(paths), atol=1e-5)
    copy = tmp_path / "copy.png"
    Image.open(paths[0]).save(copy)
    assert np.allclose(baseline.embed_images([copy])[0], vectors[0], atol=1e-5)
    changed = Llava(Llava.Options(model=weights))
    model, _ = changed._loaded
    with torch.no_grad():
        model.model.multi_modal_projector.linear_1.weight.zero_()
    assert np.allclose(changed.embed_images(paths), vectors, atol=1e-5)


def test_an_adapter_is_merged(weights, asks, tmp_path):
    import torch
    from peft import LoraConfig, get_peft_model

    baseline = Llava(Llava.Options(model=weights, max_new_tokens=6))
    before = baseline.answer(asks)
    torch.manual_seed(0)
    targets = baseline.lora_targets().modules
    model = get_peft_model(baseline.load()[0], LoraConfig(r=4, target_modules=targets, init_lora_weights=False))
    model.save_pretrained(tmp_path / "adapter")
    adapted = Llava(Llava.Options(model=weights, adapter=str(tmp_path / "adapter"), max_new_tokens=6))
    assert adapted.answer(asks) != before
    merged = adapted.load()[0]
    assert not [name for name, _ in merged.named_parameters() if "lora" in name]


FAMILIES = {  # a family that transformers knows: where its LoRA goes, and what it never touches
    "llava": ("model.language_model.", "model.multi_modal_projector.", "model.vision_tower."),
    "llava_next": ("model.language_model.", "model.multi_modal_projector.", "model.vision_tower."),
    "idefics2": ("model.text_model.", "model.connector.", "model.vision_model."),
    "idefics3": ("model.text_model.", "model.connector.", "model.vision_model."),
    "smolvlm": ("model.text_model.", "model.connector.", "model.vision_model."),
    "qwen2_5_vl": ("model.language_model.", "model.visual.merger.", "model.visual.blocks."),
    "qwen3_vl": ("model.language_model.", ("model.visual.merger.", "model.visual.deepstack_merger_list."), "model.visual.blocks."),
    "qwen3_omni_moe_thinker": ("model.language_model.", "model.visual.merger", ("model.visual.blocks.", "model.audio_tower.")),
    "glm4v_moe": ("model.language_model.", "model.visual.merger.", "model.visual.blocks."),
    "internvl": ("model.language_model.", "model.multi_modal_projector.", "model.vision_tower."),
    "paligemma": ("model.language_model.", "model.multi_modal_projector.", "model.vision_tower."),
    "kimi_k25": ("model.language_model.", "model.mm_projector.", "model.vision_tower."),
    "deepseek_vl_hybrid": ("model.language_model.", "model.aligner.", ("model.vision_model.", "model.high_res_vision_model.")),
    "video_llava": ("model.language_model.", "model.multi_modal_projector.", ("model.image_tower.", "model.video_tower.")),
    "llama4": ("language_model.", "multi_modal_projector.", "vision_model."),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_parts_of_real_architectures(family):
    """All linear layers of the language model and of the connector; none of a tower, nor the output layer. At real size, without memory."""
    import torch
    from transformers import CONFIG_MAPPING, AutoModelForImageTextToText

    language, connector, tower = FAMILIES[family]
    config = CONFIG_MAPPING[family]()
    config.get_text_config().num_hidden_layers = 4  # the real sides of a layer, but fewer of them
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config)
    parts = parts_of(model)
    linear = {name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear) and not name.endswith("lm_head")}
    assert set(parts.language) == {name for name in linear if name.startswith(language)}
    assert set(parts.connector) == {name for name in linear if name.startswith(connector)} != set()
    assert set(parts.tower) == {name for name in linear if name.startswith(tower)} != set()
    assert all(name.startswith(language) and ".experts." in name for name in parts.language_matrices)
    assert parts.is_connector(f"base_model.model.{parts.connector[0]}.lora_A.default.weight")
    assert not parts.is_connector(f"base_model.model.{parts.language[0]}.lora_A.default.weight")


def test_names():
    assert locate("pocket-llava") == pocket.folder("pocket-llava")
    with pytest.raises(BadWeights, match="is not on this machine and can't be downloaded"):
        locate("llava-hf/llava-1.5-7b-hf")  # HF_HUB_OFFLINE
    with pytest.raises(UnknownPlugin, match="there are: image_text_to_text, llava"):
        BASELINES.load("lava")
