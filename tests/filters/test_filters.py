"""The filters that look at pictures and words, on real pictures, and the rules that all filters share."""

import io
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rapidfuzz.distance import Levenshtein

from curation.filtering.base import FilterContext, FilterInput, passes
from curation.filtering.similarity import Hashes, Thumbnails, most_alike, question_similarity, thumbnails_alike, words
from data import scenes
from data.images import ImageInfo, ImageStore
from data.metrics import normalise
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
    first, other = store.add(encoded(scene(1))), store.add(encoded(scene(2)))
    copy = store.add(encoded(scene(1), "JPEG", quality=90))
    verdicts = duplicates(
        tmp_path,
        [
            item(1, first),
            item(2, first),
            item(3, first, question="what color is the Circle"),
            item(4, copy),
            item(5, other),
            item(6, first, answer="blue"),
            item(7, first, question="What color is the square?"),
            item(8, None),
        ],
    )
    assert {number: verdict.score and round(verdict.score, 1) for number, verdict in verdicts.items() if number not in (4, 6)} == {
        1: 0, 2: 1, 3: 1, 5: 0, 7: 0.8, 8: None,
    }  # fmt: skip
    assert 0.95 < verdicts[4].score < 1
    assert verdicts[6].score < 0.5
    assert "similar to sample 1" in verdicts[3].reason
    assert "no image yet" in verdicts[8].error


def test_pictures_of_one_proposal_by_other_seeds_are_no_duplicates_unless_they_look_alike(tmp_path, store):
    """With images_per_prompt above 1 samples have the same words; their pictures decide."""

    def drawn(circle, square, background=(240, 236, 228)):
        things = scenes.Thing("circle", "red", "large", *circle), scenes.Thing("square", "blue", "small", *square)
        return scenes.Scene(background, things)

    seeds = [drawn((17, 17), (47, 47)), drawn((16, 45), (46, 18)), drawn((18, 18), (48, 16)), drawn((15, 30), (45, 33), (214, 226, 240))]
    assert {scenes.caption(scene) for scene in seeds} == {"a large red circle left of a small blue square"}
    again = drawn((17.2, 17), (47, 47.2))
    items = [item(i, store.add(encoded(scenes.draw(scene)))) for i, scene in enumerate([*seeds, again], 1)]
    passed = {number: passes(verdict.score, 0.95, "at_most") for number, verdict in duplicates(tmp_path, items).items()}
    assert passed == {1: True, 2: True, 3: True, 4: True, 5: False}


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
    assert "same image and question as eval example 0" in exact.reason
    assert reworded.score < 0.5
    assert 0.95 < near.score <= 1
    assert elsewhere.score < 0.95
    assert new.score == 0


def test_a_picture_that_is_gone_fails_its_own_sample_only(tmp_path, store):
    present, gone = store.add(encoded(scene(6))), store.add(encoded(scene(7)))
    store.path(gone.sha256).unlink()
    quality = FILTERS.make("image_quality")
    quality.setup(FilterContext(store.root))
    lost, kept = quality([item(1, gone), item(2, present)])
    assert (lost.score, kept.score) == (None, 1)
    assert "is missing from" in lost.error


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
        with pytest.raises(ValueError, match=f"filter {name} needs a frontier model, but none is configured"):
            FILTERS.make(name).setup(FilterContext(tmp_path))


def test_one_word_makes_another_question():
    assert question_similarity(words("Is there a red circle?"), words("is there a red, circle")) == 1
    for other in ("Is there a blue circle?", "Is there not a red circle?", "Is there no red circle?"):
        assert question_similarity(words("Is there a red circle?"), words(other)) < 0.9


@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=60),
    st.integers(0, 2**64 - 1),
    st.integers(0, 16),
    st.sets(st.integers(0, 63), max_size=17),
)
def test_hashes_finds_just_those_within_the_radius(hashes, value, radius, flipped):
    hashes.append(value ^ sum(1 << bit for bit in flipped))
    (found,) = Hashes(np.array(hashes, dtype=np.uint64), radius).near(np.array([value], np.uint64))
    assert list(found) == [i for i, other in enumerate(hashes) if (value ^ other).bit_count() <= radius]


def test_near_nothing_and_nothing_asked():
    assert [len(places) for places in Hashes(np.array([], dtype=np.uint64), 4).near(np.array([7, 8], np.uint64))] == [0, 0]
    assert Hashes(np.array([7], dtype=np.uint64), 4).near(np.array([], np.uint64)) == []


@given(st.integers(0, 2**32 - 1), st.integers(0, 255))
def test_the_bound_of_likeness_is_one(seed, spread):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (64, 3), np.uint8)
    others = np.clip(pixels + rng.integers(-spread, spread + 1, (8, 64, 3)), 0, 255).astype(np.uint8)
    assert (thumbnails_alike(pixels, others) <= most_alike(pixels, others) + 1e-6).all()


POOL = ["red circle", "Red, circle?", "is there a red circle", "is there no red circle", "how many circles", "what color is the circle", ""]
DRAWN = st.tuples(st.integers(0, 9), st.sampled_from(POOL), st.sampled_from(["red", "Red.", "reddish", "2", "no"]))


@pytest.fixture(scope="module")
def gallery(tmp_path_factory) -> tuple[ImageStore, list[ImageInfo]]:
    """Ten pictures: scenes, copies of them that are near, and one of another layout whose hash is near by force."""
    store = ImageStore(tmp_path_factory.mktemp("gallery") / "images")
    plain = [store.add(encoded(scene(seed))) for seed in range(4)]
    copies = [store.add(encoded(scene(seed), "JPEG", quality=quality)) for seed in range(2) for quality in (60, 90)]
    forced = [replace(store.add(encoded(scene(50 + i))), phash=plain[i].phash ^ 5) for i in range(2)]
    return store, [*plain, *copies, *forced]


def brute_force(store, item, rows, radius, text_of):
    """The largest min(picture, text) over all rows, each compared by itself."""
    best = 0.0
    for info, *row in rows:
        near = info.sha256 == item.image or (info.phash ^ item.phash).bit_count() <= radius
        text = text_of(item, *row)
        if near and text > 0:
            best = max(best, min(text, picture_likeness(store, item.image, info.sha256)))
    return best


def picture_likeness(store: ImageStore, one: str, other: str) -> float:
    if one == other:
        return 1.0
    a, b = (np.asarray(store.open(image).resize((8, 8), Image.Resampling.BILINEAR), np.float64) / 255 for image in (one, other))
    difference = a - b
    return max(0.0, 1 - np.abs(difference - np.median(difference, axis=(0, 1))).max())


@settings(max_examples=60, deadline=None)
@given(st.lists(DRAWN, min_size=1, max_size=25), st.lists(DRAWN, min_size=1, max_size=12), st.integers(0, 16))
def test_the_index_finds_all_that_comparing_each_with_each_finds(gallery, samples, examples, radius):
    """Recall 1: duplicate and leakage give every sample the score that brute force gives it."""
    store, infos = gallery
    folder = store.root.parent
    items = [item(i, infos[place], question, answer) for i, (place, question, answer) in enumerate(samples)]
    written(
        folder / "samples.parquet",
        [{"sample_id": i.sample_id, "image": i.image, "phash": i.phash, "question": i.question, "answer": i.answer} for i in items],
    )
    written(
        folder / "eval.parquet",
        [
            {"example_id": i, "image": infos[place].sha256, "phash": infos[place].phash, "question": question, "golds": ["x"]}
            for i, (place, question, _) in enumerate(examples)
        ],
    )
    context = FilterContext(store.root, samples_parquet=folder / "samples.parquet", eval_parquet=folder / "eval.parquet")

    def question_alike(one, question, *_):
        return question_similarity(words(one.question), words(question))

    def sample_alike(one, question, answer, number):
        same = Levenshtein.normalized_similarity(normalise(one.answer), normalise(answer))
        return min(question_alike(one, question), same) * (number < one.sample_id)

    against = {
        "leakage": ([(infos[place], question) for place, question, _ in examples], question_alike),
        "duplicate": ([(infos[place], question, answer, i) for i, (place, question, answer) in enumerate(samples)], sample_alike),
    }
    for name, (rows, text_of) in against.items():
        plugin = FILTERS.make(name, {"radius": radius})
        plugin.setup(context)
        verdicts = {verdict.sample_id: verdict for verdict in plugin(items)}
        for judged in items:
            expected = brute_force(store, judged, rows, radius, text_of)
            assert verdicts[judged.sample_id].score == pytest.approx(expected, abs=1e-5), verdicts[judged.sample_id].reason


def test_a_picture_without_a_hash_is_found_by_its_bytes(tmp_path, store):
    info = store.add(encoded(scene(1)))
    rows = [{"example_id": 7, "image": info.sha256, "phash": None, "question": "How many?", "golds": ["2"]}]
    plugin = FILTERS.make("leakage")
    plugin.setup(FilterContext(store.root, eval_parquet=written(tmp_path / "eval.parquet", rows)))
    (verdict,) = plugin([item(1, info, "how many")])
    assert (verdict.score, "eval example 7" in verdict.reason) == (1, True)


def test_copies_are_told_from_other_scenes(store):
    """Compressed or resized copies are at least 0.95 alike; of 300 other scenes hardly any is."""
    infos = [store.add(encoded(scene(seed))) for seed in range(300)]
    all_ = Thumbnails(store.root, [info.sha256 for info in infos])
    for seed in range(20):
        for copy in (encoded(scene(seed), "JPEG", quality=75), encoded(scene(seed).resize((100, 100), Image.Resampling.BICUBIC))):
            assert thumbnails_alike(all_.of(store.add(copy).sha256), all_.at(np.array([seed])))[0] > 0.95
    assert thumbnails_alike(all_.of(infos[0].sha256), all_.at(np.arange(1, 300))).max() < 0.95
