"""The parts of pocket-flux: a real `FluxPipeline` of a few million parameters that draws 64 x 64 pixel scenes.

Everything is the stock class of FLUX.1 (AutoencoderKL, FluxTransformer2DModel, CLIP and T5 text encoders,
flow-matching Euler scheduler), only small. The tokenizer knows the words of scenes and drops all others, so
that "a large red circle, plain light background" and "large red circle" are the same prompt.
"""

from typing import Any

from data.scenes import COLOURS, RADII, SHAPES, SIZE

TEXT_LENGTH = 12  # tokens: three objects, "blurry" and the end fit
LATENT_CHANNELS = 16
SHIFT = 3.0  # of noise levels: what is drawn where is settled between 0.7 and 1, where few would fall otherwise
GRID = SIZE // 16  # packed latents: 4 x 4 tokens of 64 numbers
WORDS = (*COLOURS, *SHAPES, *RADII, "left", "right", "above", "below", "blurry")
SYNONYMS = {
    "large": "big|huge|bigger|larger",
    "small": "tiny|little|smaller",
    "above": "over|atop|on top of",
    "below": "under|underneath|beneath",
    "blurry": "blurred|defocused|out-of-focus",
    "purple": "violet",
    "circle": "disc|disk",
}


def tokenizer():
    """A word-level tokenizer of the words of scenes; case, punctuation and every other word are dropped."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ("<pad>", "</s>", "<unk>")
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate((*special, *WORDS))}, unk_token="<unk>"))
    synonyms = [normalizers.Replace(Regex(rf"\b(?:{others})\b"), word) for word, others in SYNONYMS.items()]
    drop_signs = normalizers.Replace(Regex(r"[^a-z]+"), " ")
    drop_unknown = normalizers.Replace(Regex(rf"\b(?!(?:{'|'.join(WORDS)})\b)[a-z]+\b"), " ")
    core.normalizer = normalizers.Sequence([normalizers.Lowercase(), *synonyms, drop_signs, drop_unknown])
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    names = dict(zip(("pad_token", "eos_token", "unk_token"), special))
    return PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=TEXT_LENGTH, padding_side="right", **names)


def build_vae():
    """An untrained autoencoder: 64 x 64 x 3 pixels to 8 x 8 x 16 latents and back."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        block_out_channels=[16, 32, 64, 96],
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=SIZE,
        mid_block_add_attention=False,
        use_quant_conv=False,
        use_post_quant_conv=False,
        shift_factor=0.0,
        scaling_factor=1.0,
    )


def build_denoiser(words) -> dict[str, Any]:
    """Untrained transformer and text encoders, named as FluxPipeline's arguments."""
    from diffusers import FluxTransformer2DModel
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

    ids = {"pad_token_id": words.pad_token_id, "eos_token_id": words.eos_token_id, "vocab_size": len(words)}
    clip = CLIPTextConfig(
        hidden_size=96,
        intermediate_size=192,
        num_hidden_layers=2,
        num_attention_heads=3,
        max_position_embeddings=TEXT_LENGTH,
        bos_token_id=None,
        **ids,
    )
    t5 = T5Config(d_model=128, d_kv=32, num_heads=4, d_ff=256, num_layers=2, dropout_rate=0.0, feed_forward_proj="gated-gelu", **ids)
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=LATENT_CHANNELS * 4,
        num_layers=2,
        num_single_layers=4,
        attention_head_dim=32,
        num_attention_heads=6,
        joint_attention_dim=128,
        pooled_projection_dim=96,
        guidance_embeds=False,
        axes_dims_rope=(8, 12, 12),
    )
    return {"transformer": transformer, "text_encoder": CLIPTextModel(clip), "text_encoder_2": T5EncoderModel(t5)}


def assemble(vae, denoiser: dict[str, Any], words):
    """A FluxPipeline of the given parts."""
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline

    scheduler = FlowMatchEulerDiscreteScheduler(shift=SHIFT)
    return FluxPipeline(scheduler=scheduler, vae=vae, tokenizer=words, tokenizer_2=words, **denoiser)


def pack(latents):
    """(n, 16, 8, 8) latents to (n, 16, 64) tokens, as FluxPipeline packs them."""
    n = latents.shape[0]
    return latents.view(n, LATENT_CHANNELS, GRID, 2, GRID, 2).permute(0, 2, 4, 1, 3, 5).reshape(n, GRID * GRID, LATENT_CHANNELS * 4)
