"""Merged weights of every family: loaded again, they answer as base and adapter do, also where experts are fused and weights tied."""

import numpy as np
import pytest
from PIL import Image

from data.records import Ask, Checkpoint
from models.weights import merging
from models.weights.files import check_model
from tests.support import families

QUESTIONS = ("What?", "What color is this? Answer with one word.")


@pytest.mark.parametrize("family", families.FAMILIES)
def test_merged_weights_are_base_and_adapter(family, tmp_path):
    if family in families.NEEDS_TORCHVISION and not families.HAS_TORCHVISION:
        pytest.skip(f"{family}: its processor needs torchvision, which isn't installed")
    import torch
    from peft import LoraConfig, get_peft_model

    from data.registry import BASELINES

    base, adapter, out = families.build(family, tmp_path / "base"), tmp_path / "adapter", tmp_path / "out"
    baseline = BASELINES.make("image_text_to_text", {"model": str(base), "device": "cpu"})
    parts = baseline.lora_targets()
    model, _ = baseline.load()
    torch.manual_seed(1)
    config = LoraConfig(r=2, target_modules=parts.modules, target_parameters=parts.matrices or None, init_lora_weights=False)
    get_peft_model(model, config).save_pretrained(adapter)
    picture = tmp_path / "picture.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 100, 3), dtype=np.uint8)).save(picture)
    asks = [Ask(str(number), text, str(picture)) for number, text in enumerate(QUESTIONS)]
    out.mkdir()
    found = merging.merge(Checkpoint("tuned", "image_text_to_text", str(base), str(adapter)), asks, out, "float32")
    check_model(out)
    assert found.largest_error < 1e-3 * max(1.0, found.largest_logit) and found.same_choice > 0.99, found
    assert found.parameters > 0 and found.examples == 2
    plain = BASELINES.make("image_text_to_text", {"model": str(base), "device": "cpu"}).answer(asks)
    merged = BASELINES.make("image_text_to_text", {"model": str(out), "device": "cpu"}).answer(asks)
    assert not [answer for answer in [*plain, *merged] if isinstance(answer, Exception)]
