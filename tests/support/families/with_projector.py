"""One function a family: its configuration at the smallest size that its own code takes."""

from tests.support.families import templates
from tests.support.families.parts import Made, llama_like, maker, siglip_like, tokenizer

SQUARE = {"height": 32, "width": 32}


def _clip_llava(config_class, model_class, **more):
    from transformers import CLIPVisionConfig, LlamaConfig

    texts = tokenizer(["<unk>", "<image>"], bos="<s>", eos="</s>", pad="<pad>", adds_bos=True, image_token="<image>")
    config = config_class(
        vision_config=CLIPVisionConfig(**siglip_like(projection_dim=32, num_hidden_layers=2)),
        text_config=LlamaConfig(**llama_like(texts)),
        image_token_index=texts.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        **more,
    )
    return texts, model_class(config)


@maker
def llava():
    from transformers import CLIPImageProcessorPil, LlavaConfig, LlavaForConditionalGeneration

    texts, model = _clip_llava(LlavaConfig, LlavaForConditionalGeneration, image_seq_length=16)
    images = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SQUARE)
    arguments = {"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    return Made(model, texts, images, "LlavaProcessor", templates.LLAVA, arguments)


@maker
def llava_next():
    from transformers import LlavaNextConfig, LlavaNextForConditionalGeneration, LlavaNextImageProcessorPil

    pinpoints = [[32, 64], [64, 32], [64, 64]]
    texts, model = _clip_llava(LlavaNextConfig, LlavaNextForConditionalGeneration, image_grid_pinpoints=pinpoints, image_seq_length=16)
    images = LlavaNextImageProcessorPil(size={"shortest_edge": 32}, crop_size=SQUARE, image_grid_pinpoints=pinpoints)
    arguments = {"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    return Made(model, texts, images, "LlavaNextProcessor", templates.LLAVA_NEXT, arguments)


@maker
def llava_onevision():
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionForConditionalGeneration,
        LlavaOnevisionImageProcessorPil,
        Qwen2Config,
        SiglipVisionConfig,
    )

    special = ["<|im_start|>", "<|im_end|>", "<image>", "<video>"]
    texts = tokenizer(special, bos=None, eos="<|im_end|>", pad="<|endoftext|>", image_token="<image>", video_token="<video>")
    pinpoints = [[32, 32], [32, 64], [64, 32], [64, 64]]
    config = LlavaOnevisionConfig(
        vision_config=SiglipVisionConfig(**siglip_like(vision_use_head=False)),
        text_config=Qwen2Config(**llama_like(texts)),
        image_token_index=texts.convert_tokens_to_ids("<image>"),
        video_token_index=texts.convert_tokens_to_ids("<video>"),
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        image_grid_pinpoints=pinpoints,
    )
    images = LlavaOnevisionImageProcessorPil(size=SQUARE, image_grid_pinpoints=pinpoints)
    arguments = {"num_image_tokens": 16, "vision_feature_select_strategy": "full", "vision_aspect_ratio": "anyres_max_9"}
    model = LlavaOnevisionForConditionalGeneration(config)
    return Made(model, texts, images, "LlavaOnevisionProcessor", templates.ONEVISION, arguments, video={"size": SQUARE})


def _idefics(config_class, model_class, image_processor_class, vision_class, processor, bos, video=None):
    from transformers import LlamaConfig

    tags = [f"<row_{i}_col_{j}>" for i in range(1, 4) for j in range(1, 4)]
    special = ["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>", *tags]
    texts = tokenizer(special, bos=bos, eos="<|eos|>", pad="<pad>", adds_bos=True, image_token="<image>")
    config = config_class(
        vision_config=vision_class(**siglip_like()),
        text_config=LlamaConfig(**llama_like(texts)),
        image_token_id=texts.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=texts.pad_token_id,
    )
    images = image_processor_class(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    template = templates.IDEFICS.replace("BOS", bos)
    return Made(model_class(config), texts, images, processor, template, {"image_seq_len": 4}, ["<end_of_utterance>"], video)


@maker
def idefics3():
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration, Idefics3ImageProcessorPil
    from transformers.models.idefics3.configuration_idefics3 import Idefics3VisionConfig

    return _idefics(
        Idefics3Config,
        Idefics3ForConditionalGeneration,
        Idefics3ImageProcessorPil,
        Idefics3VisionConfig,
        "Idefics3Processor",
        "<|begin_of_text|>",
    )


@maker
def smolvlm():
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration, SmolVLMImageProcessorPil
    from transformers.models.smolvlm.configuration_smolvlm import SmolVLMVisionConfig

    video = {"num_frames": 4, "fps": 1, "size": {"longest_edge": 32}}
    return _idefics(
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessorPil,
        SmolVLMVisionConfig,
        "SmolVLMProcessor",
        "<|im_start|>",
        video,
    )


def _paligemma(text):
    from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration, SiglipImageProcessorPil, SiglipVisionConfig

    texts = tokenizer(["<image>"], bos="<bos>", eos="<eos>", pad="<pad>", adds_bos=True, image_token="<image>")
    config = PaliGemmaConfig(
        vision_config=SiglipVisionConfig(**siglip_like(vision_use_head=False, projection_dim=32)),
        text_config=text(texts),
        image_token_index=texts.convert_tokens_to_ids("<image>"),
        projection_dim=32,
        hidden_size=32,
    )
    images = SiglipImageProcessorPil(size=SQUARE)
    images.image_seq_length = 16
    model = PaliGemmaForConditionalGeneration(config)
    model.resize_token_embeddings(len(texts) + 1152 + 8)  # the processor adds <loc…> and <seg…>
    return Made(model, texts, images, "PaliGemmaProcessor", None)


@maker
def paligemma():
    from transformers import GemmaConfig

    return _paligemma(lambda texts: GemmaConfig(**llama_like(texts)))


@maker
def paligemma2():
    from transformers import Gemma2Config

    return _paligemma(lambda texts: Gemma2Config(**llama_like(texts, query_pre_attn_scalar=16, sliding_window=256)))


@maker
def gemma3():
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Gemma3ImageProcessorPil, Gemma3TextConfig, SiglipVisionConfig

    names = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    special = [*names.values(), "<start_of_turn>", "<end_of_turn>"]
    texts = tokenizer(special, bos="<bos>", eos="<eos>", pad="<pad>", adds_bos=True, plain=["\n\n"], **names)
    config = Gemma3Config(
        vision_config=SiglipVisionConfig(**siglip_like(vision_use_head=False)),
        text_config=Gemma3TextConfig(**llama_like(texts, num_hidden_layers=2, sliding_window=256)),
        mm_tokens_per_image=4,
        boi_token_index=texts.convert_tokens_to_ids("<start_of_image>"),
        eoi_token_index=texts.convert_tokens_to_ids("<end_of_image>"),
        image_token_index=texts.convert_tokens_to_ids("<image_soft_token>"),
    )
    model = Gemma3ForConditionalGeneration(config)
    images = Gemma3ImageProcessorPil(size=SQUARE)
    return Made(model, texts, images, "Gemma3Processor", templates.GEMMA, {"image_seq_length": 4}, ["<end_of_turn>"])


@maker
def internvl():
    from transformers import GotOcr2ImageProcessorPil, InternVLConfig, InternVLForConditionalGeneration, Qwen2Config
    from transformers.models.internvl.configuration_internvl import InternVLVisionConfig

    names = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    special = [*names.values(), "<|im_start|>", "<|im_end|>"]
    texts = tokenizer(special, bos=None, eos="<|im_end|>", pad="<|endoftext|>", **names)
    config = InternVLConfig(
        vision_config=InternVLVisionConfig(**siglip_like(image_size=[32, 32], patch_size=[8, 8])),
        text_config=Qwen2Config(**llama_like(texts)),
        image_token_id=texts.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    images = GotOcr2ImageProcessorPil(size=SQUARE, crop_to_patches=True, min_patches=1, max_patches=4)
    model = InternVLForConditionalGeneration(config)
    return Made(model, texts, images, "InternVLProcessor", templates.INTERNVL, {"image_seq_length": 4}, video={"size": SQUARE})


def _mistral_tokenizer():
    special = ["<unk>", "[INST]", "[/INST]", "[IMG]", "[IMG_BREAK]", "[IMG_END]"]
    return tokenizer(special, bos="<s>", eos="</s>", pad="<pad>", adds_bos=True)


@maker
def pixtral():
    from transformers import LlavaConfig, LlavaForConditionalGeneration, MistralConfig, PixtralImageProcessorPil, PixtralVisionConfig

    texts = _mistral_tokenizer()
    config = LlavaConfig(
        vision_config=PixtralVisionConfig(**siglip_like(image_size=64, head_dim=16)),
        text_config=MistralConfig(**llama_like(texts)),
        image_token_index=texts.convert_tokens_to_ids("[IMG]"),
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
    )
    images = PixtralImageProcessorPil(size={"longest_edge": 64}, patch_size={"height": 8, "width": 8})
    return Made(LlavaForConditionalGeneration(config), texts, images, "PixtralProcessor", templates.MISTRAL, {"patch_size": 8})


@maker
def mistral3():
    from transformers import Mistral3Config, Mistral3ForConditionalGeneration, MistralConfig, PixtralImageProcessorPil, PixtralVisionConfig

    texts = _mistral_tokenizer()
    config = Mistral3Config(
        vision_config=PixtralVisionConfig(**siglip_like(image_size=64, head_dim=16)),
        text_config=MistralConfig(**llama_like(texts)),
        image_token_index=texts.convert_tokens_to_ids("[IMG]"),
        spatial_merge_size=2,
    )
    images = PixtralImageProcessorPil(size={"longest_edge": 64}, patch_size={"height": 8, "width": 8})
    arguments = {"patch_size": 8, "spatial_merge_size": 2}
    return Made(Mistral3ForConditionalGeneration(config), texts, images, "PixtralProcessor", templates.MISTRAL, arguments)


@maker
def molmo2():
    from transformers import Molmo2Config, Molmo2ForConditionalGeneration, Molmo2ImageProcessor

    pieces = ["<im_start>", "<im_end>", "<im_patch>", "<im_col>", "<low_res_im_start>", "<frame_start>", "<frame_end>", "<im_low>"]
    special = ["<|im_start|>", "<|im_end|>", "<|image|>", "<|video|>", *pieces]
    texts = tokenizer(special, bos="<|bos|>", eos="<|im_end|>", pad="<|endoftext|>", image_token="<|image|>", video_token="<|video|>")
    ids = texts.convert_tokens_to_ids
    text = {key: value for key, value in llama_like(texts).items() if key != "num_key_value_heads"} | {"num_key_value_heads": 2}
    config = Molmo2Config(
        vision_config=siglip_like(image_size=[32, 32], num_key_value_heads=2, head_dim=16, num_position_embeddings=16),
        adapter_config={
            "vision_feature_layer": [-1],
            "hidden_size": 32,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "intermediate_size": 48,
            "text_hidden_size": 32,
        },
        text_config=text | {"additional_vocab_size": 8},
        image_start_token_id=ids("<im_start>"),
        low_res_image_start_token_id=ids("<low_res_im_start>"),
        image_end_token_id=ids("<im_end>"),
        image_patch_id=ids("<im_patch>"),
        frame_start_token_id=ids("<frame_start>"),
        frame_end_token_id=ids("<frame_end>"),
    )
    images = Molmo2ImageProcessor(size=SQUARE, patch_size=8, max_crops=4, overlap_margins=[1, 1], pooling_size=[2, 2])
    return Made(Molmo2ForConditionalGeneration(config), texts, images, "Molmo2Processor", templates.MOLMO, video={"size": SQUARE})


@maker
def aya_vision():
    from transformers import AyaVisionConfig, AyaVisionForConditionalGeneration, Cohere2Config, GotOcr2ImageProcessorPil, SiglipVisionConfig

    pieces = [
        "<|START_OF_IMG|>",
        "<|END_OF_IMG|>",
        "<|IMG_PATCH|>",
        "<|IMG_LINE_BREAK|>",
        "TILE_GLOBAL",
        *(f"TILE_{i}" for i in range(1, 5)),
    ]
    turns = ["<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>", "<|START_RESPONSE|>"]
    special = [*turns, "<|END_RESPONSE|>", "<image>", "TILE", *pieces]
    texts = tokenizer(special, bos="<BOS_TOKEN>", eos="<|END_OF_TURN_TOKEN|>", pad="<PAD>", adds_bos=True)
    config = AyaVisionConfig(
        vision_config=SiglipVisionConfig(**siglip_like(vision_use_head=False)),
        text_config=Cohere2Config(**llama_like(texts)),
        image_token_index=texts.convert_tokens_to_ids("<|IMG_PATCH|>"),
        downsample_factor=2,
    )
    images = GotOcr2ImageProcessorPil(size=SQUARE, crop_to_patches=True, min_patches=1, max_patches=4)
    arguments = {"patch_size": 8, "img_size": 32, "downsample_factor": 2}
    return Made(AyaVisionForConditionalGeneration(config), texts, images, "AyaVisionProcessor", templates.AYA, arguments)
