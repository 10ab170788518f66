"""pocket-teacher's eye: what it sees in drawn, wavering, blurred and hopeless pictures."""

import io
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from data.scenes import HEAVY_BLUR, caption, draw, random_chart, random_things
from models.pocket.teacher.blobs import label
from models.pocket.teacher.eyes import see
from models.pocket.teacher.faithful import faithful, read_prompt
from tests.support.teacher_world import shifted, wobbly


def looks(things) -> list[tuple[str, str, str]]:
    return sorted((thing.shape, thing.colour, thing.size) for thing in things)


def test_sees_shape_colour_size_and_place_of_everything():
    rng, right = random.Random(1), 0
    for _ in range(300):
        scene = random_things(rng)
        seen = see(draw(scene))
        if looks(seen.things) != looks(scene.things):
            continue
        right += 1
        for thing in scene.things:
            nearest = min(seen.things, key=lambda one: abs(one.x - thing.x) + abs(one.y - thing.y))
            assert abs(nearest.x - thing.x) < 1 and abs(nearest.y - thing.y) < 2.5  # a triangle's centre of mass is lower
    assert right >= 297


def test_sees_what_a_small_diffusion_model_might_draw():
    rng, counts = random.Random(2), [0, 0, 0]
    for i in range(200):
        scene = random_things(rng)
        mild, worse = see(wobbly(draw(scene), i)), see(wobbly(draw(scene), i, warp=0.8, blur=0.8))
        counts[0] += looks(mild.things) == looks(scene.things)
        counts[1] += looks(worse.things) == looks(scene.things)
        counts[2] += sorted(t.colour for t in worse.things) == sorted(t.colour for t in scene.things)
    assert counts[0] >= 190 and counts[1] >= 170 and counts[2] >= 190, counts


def test_is_sure_only_where_it_is_right():
    """Of shapes that it is 90 % sure of, at least 90 % are right, on pictures that it doesn't do well on."""
    rng, sure, right = random.Random(3), 0, 0
    for i in range(300):
        scene = random_things(rng, 1)
        seen = see(wobbly(draw(scene), i, warp=1.2, noise=8, blur=1.0)).things
        if len(seen) == 1 and seen[0].confidence >= 0.9:
            sure, right = sure + 1, right + (seen[0].shape == scene.things[0].shape)
    assert sure > 100 and right / sure >= 0.9, (sure, right)


def test_reads_bars_from_the_left_with_their_heights():
    rng = random.Random(4)
    for _ in range(100):
        scene = random_chart(rng)
        seen = see(draw(scene))
        assert not seen.things and [bar.colour for bar in seen.bars] == [bar.colour for bar in scene.bars]
        assert all(abs(bar.height - told.height) < 2 for bar, told in zip(seen.bars, scene.bars))


def test_knows_blur_and_still_sees_the_colour():
    rng = random.Random(5)
    for _ in range(100):
        scene = random_things(rng, 1, blur=HEAVY_BLUR)
        seen = see(draw(scene))
        assert seen.blurred and [thing.colour for thing in seen.things] == [scene.things[0].colour]
        assert seen.things[0].shape == "unclear"


def test_a_moved_thing_is_the_same_thing():
    rng = random.Random(6)
    for _ in range(100):
        scene = random_things(rng, 1)
        assert looks(see(draw(shifted(scene, rng.uniform(-4, 4), rng.uniform(-4, 4)))).things) == looks(scene.things)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
@pytest.mark.parametrize("side", [48, 64, 500, 4096])
def test_any_size_and_mode(mode, side):
    if side == 4096 and mode == "CMYK":
        pytest.skip("one huge mode is enough")
    picture = Image.new("RGB", (side, side), (245, 245, 245))
    ImageDraw.Draw(picture).ellipse([0.2 * side, 0.2 * side, 0.55 * side, 0.55 * side], fill=(47, 91, 216))
    (thing,) = see(picture.quantize(16) if mode == "P" else picture.convert(mode)).things
    assert (thing.shape, thing.colour, thing.size) == ("circle", "blue", "large") and abs(thing.x - 24) < 1


def test_a_transparent_background_is_white_and_a_tall_picture_is_no_trouble():
    picture = Image.new("RGBA", (64, 128), (0, 0, 0, 0))
    ImageDraw.Draw(picture).rectangle([10, 10, 40, 40], fill=(216, 52, 43, 255))
    assert looks(see(picture).things) == [("square", "red", "small")]  # the picture is shrunk to half


@pytest.mark.parametrize("make", [np.zeros, np.ones])
def test_an_empty_picture_holds_nothing(make):
    assert see(Image.fromarray((make((64, 64, 3)) * 250).astype(np.uint8))).things == ()


def test_a_photograph_is_no_drawn_scene():
    noise = np.random.default_rng(0).integers(0, 255, (80, 80, 3), dtype=np.uint8)
    seen = see(Image.fromarray(noise).resize((300, 300), Image.Resampling.BICUBIC))
    assert seen.confidence < 0.3 and not seen.things


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from(["RGB", "L", "1", "I;16", "RGBA", "LA"]), st.integers(0, 2**32 - 1))
def test_stands_any_pixels(width, height, mode, seed):
    rng = np.random.default_rng(seed)
    raw = rng.integers(0, 256, width * height * 4, dtype=np.uint8).tobytes()
    picture = Image.frombytes(mode, (width, height), raw[: len(Image.new(mode, (width, height)).tobytes())])
    seen = see(picture)
    assert 0 <= seen.confidence <= 1 and isinstance(seen.words, str)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.floats(0.05, 0.9), st.booleans(), st.integers(0, 2**32 - 1))
def test_labels_connected_parts_as_scipy_does(height, width, share, diagonal, seed):
    from scipy import ndimage

    mask = np.random.default_rng(seed).random((height, width)) < share
    labels, count = label(mask, diagonal)
    expected, number = ndimage.label(mask, np.ones((3, 3)) if diagonal else None)
    pairs = set(zip(labels.ravel().tolist(), expected.ravel().tolist()))
    assert count == number == len(pairs - {(0, 0)}) and all((a == 0) == (b == 0) for a, b in pairs)


def test_a_faithful_picture_is_told_from_others():
    rng, right, wrong = random.Random(7), 0, 0
    for _ in range(150):
        scene = random_things(rng, rng.randint(1, 3), blur=rng.choice((0, 0, 0, HEAVY_BLUR)))
        if scene.blur:
            scene = replace(scene, things=scene.things[:1])
        picture, prompt = draw(scene), caption(scene) + ", plain light background"
        right += faithful(picture, prompt)
        other = caption(replace(random_things(rng, len(scene.things)), blur=scene.blur))
        told, others = read_prompt(prompt), read_prompt(other)
        same = told == others or (scene.blur and told.things[0][1] == others.things[0][1])  # a blurred one only shows its color
        wrong += faithful(picture, other) and not same
    assert right >= 149 and wrong == 0


def test_a_relation_must_hold_and_a_prompt_must_name_something():
    scene = random_things(random.Random(8), 2)
    words = caption(scene)
    turned = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
    relation = next(name for name in turned if name in words)
    assert faithful(draw(scene), words) and not faithful(draw(scene), words.replace(relation, turned[relation]))
    with pytest.raises(ValueError, match="no colored shape"):
        faithful(draw(scene), "a cat on a mat")


def test_a_picture_read_from_a_file_is_seen_as_well():
    scene = random_things(random.Random(9), 2)
    for kind, options in (("PNG", {}), ("JPEG", {"quality": 90}), ("WEBP", {"lossless": True}), ("BMP", {})):
        buffer = io.BytesIO()
        draw(scene).save(buffer, kind, **options)
        assert looks(see(Image.open(buffer)).things) == looks(scene.things), kind


def test_colours_that_run_into_each_other_are_one_doubtful_thing():
    picture = Image.new("RGB", (256, 256), (240, 240, 240))
    ImageDraw.Draw(picture).ellipse([30, 30, 120, 120], fill=(42, 161, 72))
    half = picture.copy()
    ImageDraw.Draw(half).ellipse([30, 30, 120, 120], fill=(47, 91, 216))
    picture.paste(half.crop((0, 80, 256, 256)), (0, 80))
    (thing,) = see(picture.resize((64, 64), Image.Resampling.LANCZOS)).things
    assert thing.shape == "circle" and thing.colour in ("green", "blue") and thing.colour_confidence < 0.8
    assert not faithful(picture, f"a large {thing.colour} circle")


def test_two_things_that_touch_are_two():
    picture = Image.new("RGB", (64, 64), (240, 240, 240))
    pen = ImageDraw.Draw(picture)
    pen.rectangle([10, 20, 30, 40], fill=(42, 161, 72))
    pen.ellipse([28, 18, 52, 42], fill=(216, 52, 43))
    assert looks(see(picture).things) == [("circle", "red", "large"), ("square", "green", "large")]
