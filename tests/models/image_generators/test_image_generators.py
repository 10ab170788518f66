"""Image generators: real pipelines made small, and a real HTTP server on loopback."""

import base64
import io
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from data.registry import IMAGE_GENERATORS
from models.frontier import FrontierStopped
from models.image_generators import DrawError, GeneratorContext

PROMPTS = ["a large red circle", "a small blue square left of a large green hexagon", "a small yellow pentagon"]


@pytest.mark.parametrize("name", IMAGE_GENERATORS.names())
def test_every_generator_describes_its_options_and_refuses_unknown_ones(name):
    options = IMAGE_GENERATORS.load(name).Options
    assert all(field.description for field in options.model_fields.values())
    with pytest.raises(ValidationError):
        options(stepz=3)


# --- Diffusers ---


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """Folders of small pipelines with random weights: FLUX without and with embedded guidance, Stable Diffusion."""
    import torch
    from diffusers import DDIMScheduler, FluxTransformer2DModel, StableDiffusionPipeline, UNet2DConditionModel

    from models.pocket.flux_parts import assemble, build_denoiser, build_vae, tokenizer

    torch.manual_seed(3)
    root, words, vae = tmp_path_factory.mktemp("pipelines"), tokenizer(), build_vae()
    parts = build_denoiser(words)
    assemble(vae, parts, words).save_pretrained(root / "schnell")
    guided = FluxTransformer2DModel.from_config(dict(parts["transformer"].config) | {"guidance_embeds": True})
    assemble(vae, parts | {"transformer": guided}, words).save_pretrained(root / "dev")
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=16,
        out_channels=16,
        layers_per_block=1,
        block_out_channels=(16, 16),
        norm_num_groups=8,
        cross_attention_dim=parts["text_encoder"].config.hidden_size,
        attention_head_dim=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    StableDiffusionPipeline(
        vae=vae,
        text_encoder=parts["text_encoder"],
        tokenizer=words,
        unet=unet,
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(root / "diffusion")
    return root


def diffusers(folder, **options):
    return IMAGE_GENERATORS.make("diffusers", {"model": str(folder), "device": "cpu", **options})


def gap(one: Image.Image, other: Image.Image) -> int:
    """Largest difference of two pictures, 0 to 255."""
    return int(np.abs(np.asarray(one).astype(int) - np.asarray(other).astype(int)).max())


def test_a_picture_depends_on_its_prompt_and_seed_and_not_on_its_batch(untrained):
    together = diffusers(untrained / "schnell", batch_size=3).draw(PROMPTS, [5, 6, 7])
    alone = diffusers(untrained / "schnell", batch_size=1).draw(PROMPTS[::-1], [7, 6, 5])[::-1]
    assert all(gap(a, b) <= 1 for a, b in zip(together, alone))  # sums in another order: one level at most
    other = diffusers(untrained / "schnell").draw(PROMPTS, [15, 16, 17])
    assert all(gap(a, b) > 8 for a, b in zip(together, other))


@pytest.mark.parametrize(("name", "steps", "guidance"), [("schnell", 4, 0.0), ("dev", 28, 3.5), ("diffusion", 50, 7.5)])
def test_settings_left_empty_are_what_suits_the_model(untrained, name, steps, guidance):
    generator = diffusers(untrained / name)
    recipe = generator.recipe()
    expected = {"generator": "diffusers", "model": str(untrained / name), "steps": steps, "guidance": guidance, "width": 64, "height": 64}
    assert recipe == recipe | expected and recipe["dtype"] == "float32" and recipe["negative_prompt"] is None


@pytest.mark.parametrize("name", ["dev", "diffusion"])
def test_given_settings_are_used_and_recorded(untrained, name):
    generator = diffusers(untrained / name, steps=2, guidance=2.5, width=96, height=32)
    recipe = generator.recipe()
    assert (recipe["steps"], recipe["guidance"]) == (2, 2.5)
    assert generator.draw(PROMPTS[:1], [1])[0].size == (recipe["width"], recipe["height"]) == (96, 32)


@pytest.mark.parametrize("name", ["schnell", "diffusion"])
def test_guidance_and_steps_change_the_picture(untrained, name):
    plain, guided, longer = (
        diffusers(untrained / name, **options).draw(PROMPTS[:1], [1])[0]
        for options in ({"steps": 2, "guidance": 1.0}, {"steps": 2, "guidance": 20.0}, {"steps": 4, "guidance": 1.0})
    )
    assert gap(plain, guided) > 2 and gap(plain, longer) > 2


def test_a_prompt_beyond_the_tokenizers_length_is_cut_and_drawn(untrained):
    long = "a large red circle and a small blue square " * 50
    assert all(isinstance(p, Image.Image) for p in diffusers(untrained / "schnell").draw([long, "", "café 😀 <b>%s</b>"], [1, 2, 3]))


def test_one_prompt_that_fails_does_not_lose_the_others(untrained):
    drawn = diffusers(untrained / "schnell", batch_size=3).draw(PROMPTS, [1, 2**70, 3])
    assert [type(picture) for picture in drawn] == [Image.Image, DrawError, Image.Image]
    assert PROMPTS[1] in str(drawn[1])


def test_as_many_seeds_as_prompts(untrained):
    with pytest.raises(ValueError, match="shorter"):
        diffusers(untrained / "schnell").draw(PROMPTS, [1])


def test_a_missing_model_says_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DrawError, match=r"no-such-model.*model_index.json.*pocket-flux"):
        diffusers(tmp_path / "no-such-model").draw(PROMPTS, [1, 2, 3])


# --- OpenAI-compatible servers ---


class Server(BaseHTTPRequestHandler):
    """Answers by what the prompt says: a picture whose colour is the seed, or the named fault."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            server.seen.append({"path": self.path, "key": self.headers["Authorization"], **body})
            times = server.tries[body["prompt"]] = server.tries[body["prompt"]] + 1
        prompt = body["prompt"]
        if prompt == "refused":
            return self.reply(400, {"error": {"message": "content policy violation", "type": "invalid_request_error"}})
        if prompt == "busy" and times < 3:
            return self.reply(429, {"error": {"message": "slow down"}}, {"Retry-After": "0"})
        if prompt == "broken":
            return self.reply(500, {"error": {"message": "out of memory"}}, {"Retry-After": "0"})
        if prompt == "url":
            return self.reply(200, {"created": 1, "data": [{"url": "http://other.invalid/x.png"}]})
        if prompt == "empty":
            return self.reply(200, {"created": 1, "data": []})
        if prompt == "no base64":
            return self.reply(200, {"created": 1, "data": [{"b64_json": "!!!!"}]})
        if prompt == "no picture":
            return self.reply(200, {"created": 1, "data": [{"b64_json": base64.b64encode(b"hello").decode()}]})
        width, height = map(int, body["size"].split("x"))
        buffer = io.BytesIO()
        Image.new("RGB", (width, height), (body.get("seed", 0), 0, 0)).save(buffer, "PNG")
        return self.reply(200, {"created": 1, "data": [{"b64_json": base64.b64encode(buffer.getvalue()).decode()}]})

    def reply(self, status, content, headers=()):
        data = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **dict(headers)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("PICTURE_KEY", "secret-key")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.lock, server.seen, server.tries = threading.Lock(), [], Counter()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def openai_images(tmp_path):
    def made(server, **options):
        address = f"http://127.0.0.1:{server.server_port}/v1"
        generator = IMAGE_GENERATORS.make("openai_images", {"base_url": address, "api_key_env": "PICTURE_KEY", "model": "tiny", **options})
        generator.open(GeneratorContext(tmp_path / "replies.sqlite", tmp_path / "images"))
        return generator

    return made


def pictures(drawn):
    """What was drawn, decoded; errors as they are."""
    return [Image.open(io.BytesIO(content)).convert("RGB") if isinstance(content, bytes) else content for content in drawn]


def test_pictures_come_back_in_order_with_their_seeds(server, openai_images):
    generator = openai_images(server, size="32x48", send_seed=True, workers=4)
    drawn = pictures(generator.draw([f"picture {i}" for i in range(12)], range(12)))
    assert [picture.getpixel((0, 0))[0] for picture in drawn] == list(range(12))
    assert {picture.size for picture in drawn} == {(32, 48)}
    asked = server.seen[0]
    assert (asked["path"], asked["key"]) == ("/v1/images/generations", "Bearer secret-key")
    assert (asked["model"], asked["size"], asked["n"], asked["response_format"]) == ("tiny", "32x48", 1, "b64_json")
    assert generator.recipe()["width"] == 32 and "secret-key" not in json.dumps(generator.recipe())


def test_what_openai_itself_refuses_is_not_sent(server, openai_images):
    openai_images(server, model="gpt-image-1", size="32x32").draw(["a picture"], [9])
    assert not {"response_format", "seed", "quality"} & set(server.seen[0])


def test_faults_are_told_apart_and_lose_nothing_else(server, openai_images):
    prompts = ["refused", "fine", "url", "empty", "no base64", "no picture", "broken", "busy"]
    drawn = dict(zip(prompts, pictures(openai_images(server, size="32x32", retries=2).draw(prompts, range(8)))))
    assert isinstance(drawn["fine"], Image.Image) and isinstance(drawn["busy"], Image.Image)
    errors = {prompt: str(error) for prompt, error in drawn.items() if isinstance(error, DrawError)}
    assert len(errors) == 6
    assert "content policy violation" in errors["refused"] and "reword" in errors["refused"]
    assert "over https" in errors["url"] and "no image" in errors["empty"] and "base64" in errors["no base64"]
    assert "not an image of a known format" in errors["no picture"]
    assert "out of memory" in errors["broken"] and server.tries["broken"] == 3
    assert server.tries["refused"] == 1


def test_a_server_that_is_not_there(server, openai_images):
    generator = openai_images(server, base_url="http://127.0.0.1:9/v1", retries=0)
    assert "can't be reached" in str(generator.draw(["x"], [1])[0])


def test_a_missing_key_names_its_variable(server, openai_images):
    with pytest.raises(FrontierStopped, match=r"NO_SUCH_KEY is neither in the environment .* nor in keys\.json"):
        openai_images(server, api_key_env="NO_SUCH_KEY").draw(["x"], [1])
