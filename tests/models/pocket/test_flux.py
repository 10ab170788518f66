"""pocket-flux: its words, its lessons, its training step, and the committed weights."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.registry import IMAGE_GENERATORS
from data.scenes import caption, draw, random_things
from models import pocket
from models.pocket.flux_data import crowded_scene, pool, prompt, training_scene
from models.pocket.flux_measure import faithfulness
from models.pocket.flux_parts import TEXT_LENGTH, WORDS, pack, tokenizer
from models.pocket.flux_words import KINDS, reading


@pytest.fixture(scope="module")
def words():
    return tokenizer()


@pytest.mark.parametrize(
    "same",
    [
        "A LARGE red circle, left of a small blue square!",
        "a photo of a large red circle to the left of a small blue square, plain light background",
        "One big red disc; it is left of one tiny blue square (no text, no shadow)",
    ],
)
def test_what_a_prompt_says_besides_the_scene_makes_no_difference(words, same):
    assert words.tokenize(same) == words.tokenize("a large red circle left of a small blue square")


@given(st.text(max_size=200))
def test_any_prompt_becomes_known_words(words, text):
    ids = words(text, padding="max_length", max_length=TEXT_LENGTH, truncation=True)["input_ids"]
    assert len(ids) == TEXT_LENGTH and words.unk_token_id not in ids and words.eos_token_id in ids


@given(st.integers(0, 10_000))
def test_every_lesson_fits_the_tokenizer_and_keeps_its_objects(words, seed):
    rng = random.Random(seed)
    scene = training_scene(rng)
    tokens = words.tokenize(prompt(scene, rng))
    assert len(tokens) < TEXT_LENGTH and set(tokens) <= set(WORDS)
    wanted = sorted(word for thing in scene.things for word in (thing.shape, thing.colour))
    assert sorted(t for t in tokens if t in wanted) == wanted
    assert ("blurry" in tokens) == bool(scene.blur)


def test_lessons_follow_from_their_seed():
    one, same, other = pool(20, 1), pool(20, 1), pool(20, 2)
    assert one.prompts == same.prompts != other.prompts
    assert (one.pixels == same.pixels).all() and one.pixels.shape == (20, 3, 64, 64)
    assert len(crowded_scene(random.Random(1)).things) == 4


def test_reading_names_each_words_object():
    told = reading(["blurry", "large", "red", "circle", "left", "blue", "square", "small", "green", "pentagon"])
    assert [number for number, _ in told] == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert [thing for _, thing in told][:1] == [[1, 1, 2, 1]]  # red, circle, large, on the left
    assert told[5][1] == [3, 3, 0, 2] and told[-1][1] == [2, 4, 1, 0]  # an unsaid size, no side


@given(st.integers(0, 10_000))
def test_reading_gives_back_the_scene(words, seed):
    rng = random.Random(seed)
    scene = random_things(rng)
    told = dict(reading(words.tokenize(caption(scene))))
    found = [(KINDS[0][c - 1], KINDS[1][s - 1], KINDS[2][z - 1]) for c, s, z, _ in (told[i] for i in sorted(told))]
    assert found == [(thing.colour, thing.shape, thing.size) for thing in scene.things]


def test_tokens_are_packed_as_the_pipeline_packs_them():
    import torch
    from diffusers import FluxPipeline

    latents = torch.randn(2, 16, 8, 8)
    assert torch.equal(pack(latents), FluxPipeline._pack_latents(latents, 2, 16, 8, 8))


def test_the_measure_tells_each_kind_of_mistake():
    scene = next(s for s in (random_things(random.Random(i), 2) for i in range(99)) if s.things[0].x < 30 < s.things[1].x)
    one, other = scene.things
    assert faithfulness([scene], [(other, one)]).whole == 1
    swapped = replace(one, x=other.x), replace(other, x=one.x)
    mistakes = {
        "count": (one,),
        "colours": (replace(one, colour="blue" if one.colour != "blue" else "red"), other),
        "shapes": (replace(one, shape="circle" if one.shape != "circle" else "square"), other),
        "sizes": (replace(one, size="small" if one.size == "large" else "large"), other),
        "relation": swapped,
    }
    for field, seen in mistakes.items():
        found = faithfulness([scene], [seen])
        assert getattr(found, field) == 0 == found.whole, field


def test_a_few_steps_of_training_learn_and_resume_exactly(tmp_path):
    import torch

    from models.pocket.flux_flow import Plan, Trainer, token_ids

    torch.set_num_threads(1)
    plan = Plan(steps=12, batch=8, warmup=2)
    latents, ids = torch.randn(8, 16, 8, 8), token_ids(["a large red circle"] * 8)
    trainer = Trainer(plan)
    losses = [trainer.learn(latents, ids) for _ in range(8)]
    trainer.save(tmp_path / "flow.pt")
    losses += [trainer.learn(latents, ids) for _ in range(4)]
    assert np.mean(losses[-4:]) < losses[0]
    again = Trainer(plan)
    again.load(tmp_path / "flow.pt")
    assert [again.learn(latents, ids) for _ in range(4)] == losses[8:]
    assert all(torch.equal(a, b) for a, b in zip(again.average, trainer.average))


# --- the committed weights ---


def test_the_committed_folder_is_small():
    assert sum(file.stat().st_size for file in pocket.folder("pocket-flux").rglob("*") if file.is_file()) < 30e6


def test_it_is_a_flux_pipeline_that_knows_its_settings():
    generator = IMAGE_GENERATORS.make("diffusers", {"device": "cpu"})
    recipe = generator.recipe()
    assert recipe["model"] == "pocket-flux" and (recipe["width"], recipe["height"]) == (64, 64)
    assert type(generator._pipeline).__name__ == "FluxPipeline"


def test_single_objects_come_out_in_their_colour():
    """A floor far below the card's figures: the pixels of the object's own colour outweigh all other colours."""
    from data.scenes import COLOURS

    scenes = [random_things(random.Random(900 + i), 1) for i in range(24)]
    pictures = IMAGE_GENERATORS.make("diffusers", {"device": "cpu"}).draw([caption(s) for s in scenes], range(24))
    palette = np.array(list(COLOURS.values()))
    right = 0
    for scene, picture in zip(scenes, pictures):
        pixels = np.asarray(picture).reshape(-1, 3).astype(int)
        coloured = pixels[pixels.max(1) - pixels.min(1) > 60]
        nearest = np.abs(coloured[:, None] - palette).sum(-1).argmin(1)
        drawn = np.asarray(draw(scene)).reshape(-1, 3).astype(int)
        expected = (drawn.max(1) - drawn.min(1) > 60).sum()
        own = (nearest == list(COLOURS).index(scene.things[0].colour)).sum()
        right += own > 0.8 * len(coloured) and 0.6 < own / expected < 1.6
    assert right >= 18
