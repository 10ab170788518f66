"""Each family of text-to-image pipelines, real and made small: saved, loaded as a big one is, drawn with what its makers advise."""

import numpy as np
import pytest
from PIL import Image

from data.registry import IMAGE_GENERATORS

PROMPTS = ["a large red circle", "a small blue square"]
pytestmark = pytest.mark.timeout(300)


def clip(torch, projection=False):
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    from models.pocket.flux_parts import tokenizer

    words = tokenizer()
    config = CLIPTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, projection_dim=16,
        max_position_embeddings=words.model_max_length, bos_token_id=0, eos_token_id=2, pad_token_id=1,
    )  # fmt: skip
    return words, (CLIPTextModelWithProjection if projection else CLIPTextModel)(config)


def vae(torch, channels=4):
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(8, 8), norm_num_groups=4, latent_channels=channels, sample_size=32, layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        scaling_factor=0.3, shift_factor=0.1,
    )  # fmt: skip


def sdxl(torch):
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel

    words, one = clip(torch)
    _, two = clip(torch, projection=True)
    unet = UNet2DConditionModel(
        sample_size=16, layers_per_block=1, block_out_channels=(8, 16), norm_num_groups=4, attention_head_dim=(2, 4),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32, use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 1), projection_class_embeddings_input_dim=6 * 8 + 16,
    )  # fmt: skip
    return StableDiffusionXLPipeline(
        vae=vae(torch), text_encoder=one, text_encoder_2=two, tokenizer=words, tokenizer_2=words, unet=unet,
        scheduler=EulerDiscreteScheduler(), add_watermarker=False,
    )  # fmt: skip


def sd3(torch):
    from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline
    from transformers import T5Config, T5EncoderModel

    words, one = clip(torch, projection=True)
    _, two = clip(torch, projection=True)
    transformer = SD3Transformer2DModel(
        sample_size=16, patch_size=2, in_channels=4, num_layers=1, attention_head_dim=8, num_attention_heads=2,
        joint_attention_dim=32, caption_projection_dim=16, pooled_projection_dim=32, out_channels=4,
    )  # fmt: skip
    t5 = T5Config(vocab_size=len(words), d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    return StableDiffusion3Pipeline(
        transformer=transformer, scheduler=FlowMatchEulerDiscreteScheduler(), vae=vae(torch), text_encoder=one, tokenizer=words,
        text_encoder_2=two, tokenizer_2=words, text_encoder_3=T5EncoderModel(t5), tokenizer_3=words,
    )  # fmt: skip


def chat_words():
    """A tokenizer with a chat template, as language models that encode prompts have."""
    from transformers import PreTrainedTokenizerFast

    from models.pocket.flux_parts import tokenizer

    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer().backend_tokenizer, pad_token="<pad>", eos_token="</s>", model_max_length=512
    )
    made.chat_template = "{% for m in messages %}{{ m['content'] }} {% endfor %}"
    return made


def z_image(torch):
    from diffusers import FlowMatchEulerDiscreteScheduler, ZImagePipeline, ZImageTransformer2DModel
    from transformers import Qwen3Config, Qwen3Model

    words = chat_words()
    config = Qwen3Config(
        vocab_size=len(words) + 8, hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=512,
    )  # fmt: skip
    text = Qwen3Model(config)
    transformer = ZImageTransformer2DModel(
        all_patch_size=(2,), all_f_patch_size=(1,), in_channels=16, dim=32, n_layers=1, n_refiner_layers=1, n_heads=1, n_kv_heads=1,
        cap_feat_dim=32, axes_dims=[8, 12, 12], axes_lens=[256, 64, 64],
    )  # fmt: skip
    with torch.no_grad():  # made empty: padding has no values until weights are loaded
        transformer.x_pad_token.zero_()
        transformer.cap_pad_token.zero_()
    return ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), vae=vae(torch, 16), text_encoder=text, tokenizer=words, transformer=transformer
    )


FAMILIES = {  # what a call has to be given where nothing is: name: (maker, steps, guidance)
    "sdxl-base": (sdxl, 30, 6.0),
    "sdxl-turbo": (sdxl, 1, 0.0),
    "stable-diffusion-3-medium": (sd3, 28, 7.0),
    "stable-diffusion-3.5-medium": (sd3, 40, 4.5),
    "stable-diffusion-3.5-large": (sd3, 28, 3.5),
    "stable-diffusion-3.5-large-turbo": (sd3, 4, 0.0),
    "z-image-turbo": (z_image, 9, 0.0),
    "z-image": (z_image, 50, 4.0),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Folders of the small pipelines, by family."""
    import torch

    torch.manual_seed(0)
    root, folders, made = tmp_path_factory.mktemp("families"), {}, {}
    for name, (make, *_) in FAMILIES.items():
        folders[name] = root / name
        if make not in made:
            made[make] = make(torch)
        made[make].save_pretrained(folders[name])
    return folders


def generator(folder, **options):
    return IMAGE_GENERATORS.make("diffusers", {"model": str(folder), "device": "cpu", **options})


@pytest.mark.parametrize("name", FAMILIES)
def test_settings_left_empty_are_what_the_makers_advise(saved, name):
    _, steps, guidance = FAMILIES[name]
    made = generator(saved[name])
    recipe = made.recipe()
    assert (recipe["steps"], recipe["guidance"], recipe["width"], recipe["height"]) == (steps, guidance, 32, 32)
    if name == "stable-diffusion-3-medium":  # as long as its T5 reads, 256 tokens at most
        assert made._settings["max_sequence_length"] == min(256, made._pipeline.tokenizer_3.model_max_length)


@pytest.mark.parametrize("name", ["sdxl-base", "stable-diffusion-3-medium", "z-image-turbo"])
def test_each_family_draws_by_prompt_and_seed_not_by_batch(saved, name):
    together = generator(saved[name], steps=2, batch_size=2).draw(PROMPTS, [3, 4])
    assert [picture.size for picture in together] == [(32, 32)] * 2, together
    alone = generator(saved[name], steps=2, low_memory=True).draw(PROMPTS[::-1], [4, 3])[::-1]
    for joint, other in zip(together, alone):
        assert np.abs(np.asarray(joint, int) - np.asarray(other, int)).max() <= 2
    assert np.any(np.asarray(generator(saved[name], steps=2).draw(PROMPTS[:1], [9])[0]) != np.asarray(together[0]))


@pytest.mark.parametrize("name", ["sdxl-base", "stable-diffusion-3-medium", "z-image"])
def test_what_is_not_wanted_is_sent_and_recorded(saved, name):
    plain, told = (generator(saved[name], steps=2, guidance=5.0, **more) for more in ({}, {"negative_prompt": "a small blue square"}))
    assert told.recipe()["negative_prompt"] == "a small blue square" and plain.recipe()["negative_prompt"] is None
    first, other = plain.draw(PROMPTS, [1, 2]), told.draw(PROMPTS, [1, 2])
    assert all(isinstance(picture, Image.Image) for picture in (*first, *other)), (first, other)
    assert any(np.any(np.asarray(a) != np.asarray(b)) for a, b in zip(first, other))
