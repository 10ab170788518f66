"""Families whose vision tower holds the connector, and those with mixtures of experts: Qwen-VL, GLM-V, Kimi, MiniCPM-V."""

from tests.support.families import templates
from tests.support.families.parts import Made, llama_like, maker, siglip_like, tokenizer

MROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}


def _qwen(config_class, model_class, processor, vision, patch_size):
    from transformers import Qwen2VLImageProcessorPil

    special = ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    texts = tokenizer(special, bos=None, eos="<|im_end|>", pad="<|endoftext|>")
    ids = texts.convert_tokens_to_ids
    config = config_class(
        vision_config=vision,
        text_config=llama_like(texts, rope_parameters=MROPE),
        image_token_id=ids("<|image_pad|>"),
        video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"),
        vision_end_token_id=ids("<|vision_end|>"),
    )
    side = patch_size * 2
    images = Qwen2VLImageProcessorPil(
        patch_size=patch_size, merge_size=2, temporal_patch_size=2, size={"shortest_edge": side**2, "longest_edge": 16 * side**2}
    )
    return Made(model_class(config), texts, images, processor, templates.QWEN, ends=["<|endoftext|>"], video={"merge_size": 2})


@maker
def qwen2_vl():
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    vision = {"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2, "patch_size": 8, "spatial_merge_size": 2}
    return _qwen(Qwen2VLConfig, Qwen2VLForConditionalGeneration, "Qwen2VLProcessor", vision, 8)


@maker
def qwen2_5_vl():
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    vision = {"depth": 2, "hidden_size": 32, "out_hidden_size": 32, "intermediate_size": 48, "num_heads": 2, "patch_size": 8}
    vision |= {"window_size": 32, "fullatt_block_indexes": [1]}
    return _qwen(Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, "Qwen2_5_VLProcessor", vision, 8)


QWEN3_VISION = {
    "depth": 2,
    "hidden_size": 32,
    "out_hidden_size": 32,
    "intermediate_size": 48,
    "num_heads": 2,
    "patch_size": 8,
    "num_position_embeddings": 16,
    "deepstack_visual_indexes": [0],
}


@maker
def qwen3_vl():
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    return _qwen(Qwen3VLConfig, Qwen3VLForConditionalGeneration, "Qwen3VLProcessor", QWEN3_VISION, 8)


@maker
def qwen3_vl_moe():
    from transformers import Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration

    made = _qwen(Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration, "Qwen3VLProcessor", QWEN3_VISION, 8)
    text = made.model.config.text_config
    text.num_experts, text.num_experts_per_tok, text.moe_intermediate_size, text.decoder_sparse_step = 4, 2, 16, 1
    made.model = Qwen3VLMoeForConditionalGeneration(made.model.config)
    return made


GLM_TOKENS = ["[gMASK]", "<sop>", "<|user|>", "<|assistant|>", "<|begin_of_image|>", "<|end_of_image|>", "<|image|>", "<|video|>"]
GLM_TOKENS += ["<|begin_of_video|>", "<|end_of_video|>"]


def _glm(config_class, model_class, image_processor_class, processor, template):
    texts = tokenizer(GLM_TOKENS, bos=None, eos="<|endoftext|>", pad="<|pad|>", plain=["<think>", "</think>"])
    ids = texts.convert_tokens_to_ids
    vision = {
        "depth": 1,
        "hidden_size": 32,
        "num_heads": 2,
        "image_size": 32,
        "patch_size": 8,
        "out_hidden_size": 32,
        "intermediate_size": 48,
    }
    config = config_class(
        vision_config=vision,
        text_config=llama_like(texts, rope_parameters=MROPE | {"partial_rotary_factor": 1.0}),
        image_token_id=ids("<|image|>"),
        video_token_id=ids("<|video|>"),
        image_start_token_id=ids("<|begin_of_image|>"),
        image_end_token_id=ids("<|end_of_image|>"),
        video_start_token_id=ids("<|begin_of_video|>"),
        video_end_token_id=ids("<|end_of_video|>"),
    )
    images = image_processor_class(patch_size=8, merge_size=2, size={"shortest_edge": 2 * 16**2, "longest_edge": 32 * 16**2})
    return Made(model_class(config), texts, images, processor, template, ends=["<|user|>"], video={"merge_size": 2})


@maker
def glm4v():
    from transformers import Glm4vConfig, Glm4vForConditionalGeneration, Glm4vImageProcessorPil

    return _glm(Glm4vConfig, Glm4vForConditionalGeneration, Glm4vImageProcessorPil, "Glm4vProcessor", templates.GLM)


@maker
def glm46v():
    from transformers import Glm46VConfig, Glm46VForConditionalGeneration, Glm46VImageProcessorPil

    return _glm(Glm46VConfig, Glm46VForConditionalGeneration, Glm46VImageProcessorPil, "Glm46VProcessor", templates.GLM46)


@maker
def kimi_k25():
    from transformers import DeepseekV3Config, Kimi_K25Config, Kimi_K25ForConditionalGeneration, Kimi_K25ImageProcessor

    media = ["<|media_begin|>", "<|media_content|>", "<|media_end|>", "<|media_pad|>", "<|kimi_k25_video_placeholder|>"]
    special = ["<|im_user|>", "<|im_assistant|>", "<|im_middle|>", "<|im_end|>", *media]
    texts = tokenizer(special, bos="[BOS]", eos="<|im_end|>", pad="[PAD]", plain=["<think>", "</think>"])
    ids = texts.convert_tokens_to_ids
    text = llama_like(texts, num_hidden_layers=2, num_key_value_heads=2) | {
        "q_lora_rank": 16,
        "kv_lora_rank": 16,
        "qk_rope_head_dim": 8,
        "qk_nope_head_dim": 8,
        "v_head_dim": 16,
        "n_routed_experts": 4,
        "num_experts_per_tok": 2,
        "n_group": 1,
        "topk_group": 1,
        "moe_intermediate_size": 16,
        "first_k_dense_replace": 1,
    }
    text.pop("head_dim")
    vision = siglip_like(pos_emb_height=8, pos_emb_width=8)
    vision.pop("image_size")
    config = Kimi_K25Config(
        vision_config=vision,
        text_config=DeepseekV3Config(**text).to_dict(),
        projection_hidden_size=32,
        image_token_id=ids("<|media_pad|>"),
        video_token_id=ids("<|kimi_k25_video_placeholder|>"),
        vision_start_token_id=ids("<|media_begin|>"),
        vision_end_token_id=ids("<|media_end|>"),
    )
    images = Kimi_K25ImageProcessor(patch_size=8, merge_size=2, size={"max_height": 64, "max_width": 64})
    return Made(Kimi_K25ForConditionalGeneration(config), texts, images, "Kimi_K25Processor", templates.KIMI, video={"merge_size": 2})


@maker
def minicpmv4_6():
    from transformers import MiniCPMV4_6Config, MiniCPMV4_6ForConditionalGeneration, MiniCPMV4_6ImageProcessorPil
    from transformers.models.minicpmv4_6.configuration_minicpmv4_6 import MiniCPMV4_6VisionConfig

    names = {
        "image_token": "<|image_pad|>",
        "video_token": "<|video_pad|>",
        "image_start_token": "<image>",
        "image_end_token": "</image>",
        "slice_start_token": "<slice>",
        "slice_end_token": "</slice>",
        "image_id_start_token": "<image_id>",
        "image_id_end_token": "</image_id>",
    }
    special = [*names.values(), "<|im_start|>", "<|im_end|>"]
    texts = tokenizer(special, bos=None, eos="<|im_end|>", pad="<|endoftext|>", plain=["<think>", "</think>"], **names)
    text = llama_like(texts, num_hidden_layers=2, layer_types=["linear_attention", "full_attention"]) | {
        "model_type": "qwen3_5_text",
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 2,
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
        "rope_parameters": MROPE | {"partial_rotary_factor": 1.0, "mrope_interleaved": True},
    }
    config = MiniCPMV4_6Config(
        vision_config=MiniCPMV4_6VisionConfig(**siglip_like(image_size=112, num_hidden_layers=2, insert_layer_id=0)).to_dict(),
        text_config=text,
        insert_layer_id=0,
        image_size=112,
        image_token_id=texts.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=texts.convert_tokens_to_ids("<|video_pad|>"),
    )
    images = MiniCPMV4_6ImageProcessorPil(patch_size=8, scale_resolution=64, max_slice_nums=2)
    model = MiniCPMV4_6ForConditionalGeneration(config)
    return Made(model, texts, images, "MiniCPMV4_6Processor", templates.MINICPM, video={"slice_mode": False, "downsample_mode": "16x"})
