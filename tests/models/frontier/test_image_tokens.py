"""Tokens of images by their vendors' documentation, and what calls make of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.frontier.image_tokens import FAMILIES, likely_image_tokens, most_image_tokens, useful_pixels
from tests.support.frontier_world import chaos, client, priced, requests


@pytest.mark.parametrize(
    ("model", "width", "height", "detail", "tokens"),
    [
        ("gpt-4o", 1024, 1024, "high", 765),  # OpenAI's own examples
        ("gpt-4o", 2048, 4096, None, 1105),
        ("gpt-4o", 4096, 8192, "low", 85),
        ("openai/gpt-4o-mini", 512, 512, None, 8500),
        ("gpt-5", 512, 512, None, 210),
        ("gpt-4.1-mini", 1024, 1024, None, 1659),
        ("o4-mini", 1800, 2400, None, 2642),
        ("anthropic/claude-sonnet-4", 1000, 1000, None, 1334),  # Anthropic's
        ("gemini-2.5-flash", 384, 384, None, 258),
        ("gemini-2.5-flash", 960, 540, None, 1548),  # Google's
        ("Qwen/Qwen2.5-VL-7B-Instruct", 280, 280, None, 100),
        ("llava", 280, 280, None, None),
    ],
)
def test_documented_counts(model, width, height, detail, tokens):
    assert likely_image_tokens(model, width, height, detail) == tokens


@given(st.sampled_from([family.name.pattern for family in FAMILIES]), st.integers(1, 3000), st.integers(1, 3000))
def test_the_worst_case_is_above_the_likely_one(pattern, width, height):
    for model in ("gpt-4o-mini", "gpt-4o", "claude-x", "gemini-x", "qwen2-vl", "unknown", pattern):
        assert most_image_tokens(model, width, height, None) >= (likely_image_tokens(model, width, height, None) or 1)


def test_a_model_gets_no_more_pixels_than_it_makes_use_of(tmp_path):
    Image.effect_noise((2000, 1000), 50).save(tmp_path / "large.png")
    images = (str(tmp_path / "large.png"),) * 2
    sizes = {}
    with chaos() as server:
        for model in ("claude-x", "some-vlm"):
            with client(server, tmp_path / "journal.sqlite", model=model) as frontier:
                assert all(outcome.parsed for outcome in frontier.ask_all(requests(1, images)))
        for body in server.log()["bodies"]:
            parts = [part["image_url"]["url"] for part in body["messages"][-1]["content"] if part["type"] == "image_url"]
            assert len(parts) == 2, "several images in one message"
            sizes[body["model"]] = len(parts[0])
    assert sizes["claude-x"] < 0.7 * sizes["some-vlm"]
    assert useful_pixels("claude-x") == 1_200_000 and useful_pixels("some-vlm") == 2_000_000


def test_the_estimate_knows_a_models_images(tmp_path):
    priced(tmp_path)
    (tmp_path / "prices.json").write_text(
        '{"models": {"gpt-4o-mini": {"input": 1.0, "output": 0.0}, "some-vlm": {"input": 1.0, "output": 0.0}}}'
    )
    Image.new("RGB", (512, 512)).save(tmp_path / "red.png")
    high, low = {}, {}
    for model in ("gpt-4o-mini", "some-vlm"):
        with client("http://127.0.0.1:9/v1", tmp_path / "journal.sqlite", model=model) as frontier:
            _, low[model], high[model] = frontier.estimate(requests(1, (str(tmp_path / "red.png"),)), 1)
    assert low["gpt-4o-mini"] < 8500 / 1e6 < high["gpt-4o-mini"] < 2 * low["gpt-4o-mini"]
    assert high["some-vlm"] < low["gpt-4o-mini"]
