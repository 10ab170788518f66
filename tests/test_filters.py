"""The filters that look at pictures and words, on real pictures, and the rules that all filters share."""

import io
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from curation.filters._alike import Neighbours, Pictures, question_similarity, words
from curation.filters._base import FilterContext, FilterInput, passes
from data import scenes
from data.images import ImageInfo, ImageStore, hamming
from data.registry import FILTERS


def scene(seed: int) -> Image.Image:
    return scenes.draw(scenes.random_things(random.Random(seed), 2))


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def store(tmp_path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def item(number: int, info: ImageInfo | None, question="What color is the circle?", answer="red", **more) -> FilterInput:
    picture = {"image": info.sha256, "phash": info.phash} if info else {}
    return FilterInput(
        number, 0, question, answer, **({"dataset": "d", "metric": "exact_match", "answer_form": "one word"} | picture | more)
    )


def written(path: Path, rows: list[dict]) -> Path:
    types = {"image": pa.string(), "phash": pa.uint64(), "question": pa.string()}
    table = pa.Table.from_pylist(rows)
    columns = [table[name].cast(types.get(name, table[name].type)) for name in table.column_names]
    pq.write_table(pa.table(dict(zip(table.column_names, columns))), path)
    return path


def duplicates(tmp_path, items: list[FilterInput]):
    rows = [{"sample_id": i.sample_id, "image": i.image, "phash": i.phash, "question": i.question, "answer": i.answer} for i in items]
    plugin = FILTERS.make("duplicate")
    plugin.setup(FilterContext(tmp_path / "images", samples_parquet=written(tmp_path / "samples.parquet", rows)))
    return {verdict.sample_id: verdict for verdict in plugin(items)}


def leaks(tmp_path, examples: list[tuple[ImageInfo, str]], items: list[FilterInput]):
    rows = [
        {"example_id": i, "image": info.sha256, "phash": info.phash, "question": question, "golds": ["red"]}
        for i, (info, question) in enumerate(examples)
    ]
    plugin = FILTERS.make("leakage")
    plugin.setup(FilterContext(tmp_path / "images", eval_parquet=written(tmp_path / "eval.parquet", rows)))
    return list(plugin(items))


def test_passes():
    assert passes(3, 3, "at_least") is True
    assert passes(2.9, 3, "at_least") is False
    assert passes(0.95, 0.95, "at_most") is True
    assert passes(0.951, 0.95, "at_most") is False
    assert passes(None, 0.5, "at_most") is None


def test_of_duplicates_the_first_is_kept(tmp_path, store):
    one, other = store.add(encoded(scene(1))), store.add(encoded(scene(2)))
    copy = store.add(encoded(scene(1), "JPEG", quality=90))
    verdicts = duplicates(
        tmp_path,
        [
            item(1, one),
            item(2, one),
            item(3, one, question="what color is the Circle"),
            item(4, copy),
            item(5, other),
            item(6, one, answer="blue"),
            item(7, one, question="What color is the square?"),
            item(8, None),
        ],
    )
    assert {number: verdict.score and round(verdict.score, 1) for number, verdict in verdicts.items() if number not in (4, 6)} == {
        1: 0, 2: 1, 3: 1, 5: 0, 7: 0.8, 8: None,
    }  # fmt: skip
    assert 0.95 < verdicts[4].score < 1
    assert verdicts[6].score < 0.5
    assert "like sample 1" in verdicts[3].reason
    assert "no picture yet" in verdicts[8].error


def test_a_question_and_its_negation_are_no_duplicates(tmp_path, store):
    info = store.add(encoded(scene(3)))
    verdicts = duplicates(tmp_path, [item(1, info, "Is there a red circle?", "yes"), item(2, info, "Is there not a red circle?", "no")])
    assert passes(verdicts[2].score, 0.95, "at_most")


def test_leakage_needs_picture_and_question_alike(tmp_path, store):
    seen, other = store.add(encoded(scene(4))), store.add(encoded(scene(5)))
    again = store.add(encoded(scene(4).resize((128, 128)), "JPEG", quality=85))
    question = "What color is the circle?"
    exact, reworded, near, elsewhere, new = leaks(
        tmp_path,
        [(seen, question)],
        [
            item(1, seen, "what color is the circle", "blue"),
            item(2, seen, "Is there a square?"),
            item(3, again, question),
            item(4, other, question),
            item(5, other, "How many?"),
        ],
    )
    assert exact.score == 1
    assert "the same picture and question as eval example 0" in exact.reason
    assert reworded.score < 0.5
    assert 0.95 < near.score <= 1
    assert elsewhere.score < 0.95
    assert new.score == 0


def test_a_picture_that_is_gone_fails_its_own_sample_only(tmp_path, store):
    there, gone = store.add(encoded(scene(6))), store.add(encoded(scene(7)))
    store.path(gone.sha256).unlink()
    quality = FILTERS.make("image_quality")
    quality.setup(FilterContext(store.root))
    lost, kept = quality([item(1, gone), item(2, there)])
    assert (lost.score, kept.score) == (None, 1)
    assert "no picture" in lost.error


@pytest.mark.parametrize(
    ("picture", "score", "word"),
    [
        (scene(8), 1, "64 x 64"),
        (scene(8).resize((16, 24)), 0.5, "16 x 24"),
        (Image.new("RGB", (64, 64), "white"), 0, "contrast 0.0"),
        (scenes.draw(scenes.random_things(random.Random(1), 1, blur=scenes.HEAVY_BLUR)), 1, "contrast"),
    ],
)
def test_image_quality(store, picture, score, word):
    quality = FILTERS.make("image_quality")
    quality.setup(FilterContext(store.root))
    (verdict,) = quality([item(1, store.add(encoded(picture)))])
    assert verdict.score == score
    assert word in verdict.reason


def test_a_picture_that_was_damaged_on_disk_scores_0(store):
    info = store.add(encoded(scene(9)))
    store.path(info.sha256).write_bytes(b"\x89PNG\r\n\x1a\n")
    quality = FILTERS.make("image_quality")
    quality.setup(FilterContext(store.root))
    (verdict,) = quality([item(1, info)])
    assert (verdict.score, verdict.error) == (0, None)


CHOICES = {"choices": ("red", "blue", "green"), "metric": "multiple_choice"}


@pytest.mark.parametrize(
    ("answer", "more", "problem"),
    [
        ("red", {}, None),
        ("U.S.A.", {}, None),
        ("3.5 m", {}, None),
        ("no", {}, None),
        ("B", CHOICES, None),
        ("  ", {}, "empty"),
        ("The answer is red.", {}, "a sentence, where only “red.”"),
        ("It is red", {}, "a sentence"),
        ("red.", {}, "ends in punctuation"),
        ("Yes", {}, "written “yes”"),
        ("one two three four five six seven eight nine", {}, "9 words"),
        ("red\nblue", {}, "several lines"),
        ("what color is the circle", {}, "repeats the question"),
        ("b", CHOICES, "not one of the letters A, B, C"),
        ("D", CHOICES, "not one of the letters"),
        ("blue", CHOICES, "not one of the letters"),
        ("A", {"metric": "multiple_choice"}, "0 choices"),
        ("A", {"choices": ("red", "Red."), "metric": "multiple_choice"}, "two choices are the same"),
    ],
)
def test_answer_style(tmp_path, answer, more, problem):
    style = FILTERS.make("answer_style")
    style.setup(FilterContext(tmp_path))
    (verdict,) = style([item(1, None, answer=answer, **more)])
    assert verdict.score == (0 if problem else 1)
    assert (problem or "fits") in verdict.reason


def test_without_a_frontier_the_filters_that_ask_one_say_so(tmp_path):
    for name in ("judge", "agreement"):
        with pytest.raises(ValueError, match=f"filter {name} asks a frontier model, but none is set"):
            FILTERS.make(name).setup(FilterContext(tmp_path))


def test_one_word_makes_another_question():
    assert question_similarity(words("Is there a red circle?"), words("is there a red, circle")) == 1
    for other in ("Is there a blue circle?", "Is there not a red circle?", "Is there no red circle?"):
        assert question_similarity(words("Is there a red circle?"), words(other)) < 0.9


@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=60), st.integers(0, 2**64 - 1), st.integers(0, 8), st.sets(st.integers(0, 63), max_size=9)
)
def test_neighbours_finds_just_those_within_the_radius(hashes, value, radius, flipped):
    hashes.append(value ^ sum(1 << bit for bit in flipped))
    found = Neighbours(np.array(hashes, dtype=np.uint64), radius).near(value)
    assert list(found) == [i for i, other in enumerate(hashes) if hamming(value, other) <= radius]


def test_neighbours_of_nothing():
    assert len(Neighbours(np.array([], dtype=np.uint64), 4).near(7)) == 0


def test_copies_are_told_from_other_scenes(store):
    """Compressed or resized copies are at least 0.95 alike; of 300 other scenes hardly any is."""
    infos = [store.add(encoded(scene(seed))) for seed in range(300)]
    pictures = Pictures(store.root)
    for seed in range(20):
        for copy in (encoded(scene(seed), "JPEG", quality=75), encoded(scene(seed).resize((100, 100), Image.Resampling.BICUBIC))):
            assert pictures.similarity(infos[seed].sha256, store.add(copy).sha256) > 0.95
    likeness = [pictures.similarity(infos[0].sha256, other.sha256) for other in infos[1:]]
    assert max(likeness) < 0.95
