"""on_skill with pocket-teacher over HTTP: what practises the failed skill passes, what only shares its topic doesn't."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.error_types import ERROR_TYPES, ErrorType, Taxonomy
from curation.filtering.base import FilterContext, FilterInput, passes
from curation.filters.on_skill import ALIKE, RELATED, SAME, likeness
from curation.prompts.templates import Prompts
from data.images import ImageStore
from data.registry import FILTERS
from data.scenes import draw
from models.frontier.client import OpenAICompatible
from tests.support.frontier_world import chaos
from tests.support.frontier_world import client as chaos_client
from tests.support.teacher_world import CHART, THREE, png

KNOWN = {
    "shortest bar": "comparison",
    "counting three": "counting",
    "negated question about presence": "negation",
    "telling top from bottom": "spatial",
    "sides of a hexagon": "external-knowledge",
    "corners of a hexagon": "external-knowledge",
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> ImageStore:
    return ImageStore(tmp_path_factory.mktemp("pictures") / "images")


def item(store: ImageStore, scene, question: str, answer: str, failed: str, skill: str = "", **more) -> FilterInput:
    image = store.add(png(draw(scene))).sha256
    return FilterInput(
        hash(question) % 10**6, 0, question, answer, "d", "exact_match", "one word", more.pop("choices", ()), image, str(store.path(image)),
        skill=skill or failed, failed_skill=failed, **more)  # fmt: skip


def verdict(tmp_path, store: ImageStore, sample: FilterInput, skills=KNOWN):
    client = OpenAICompatible(OpenAICompatible.Options(endpoint="pocket-teacher", model="pocket-teacher"))
    with client.open(tmp_path / "journal.sqlite") as frontier:
        plugin = FILTERS.make("on_skill")
        plugin.setup(FilterContext(store.root, frontier, skills=skills))
        (found,) = plugin([sample])
    return found, passes(found.score, plugin.threshold, plugin.comparison)


@pytest.mark.parametrize(
    ("scene", "question", "answer", "failed", "more", "expected"),
    [
        (CHART, "Which bar is the lowest?", "red", "shortest bar", {}, True),
        (CHART, "Which bar is the tallest?", "green", "shortest bar", {}, False),
        (CHART, "Which bar is shorter, the red or the blue one?", "red", "shortest bar", {}, False),
        (CHART, "Which bar is the second shortest?", "blue", "shortest bar", {}, False),
        (THREE, "How many shapes can you see?", "3", "counting three", {}, True),
        (THREE, "How many red objects are there?", "1", "counting three", {}, False),
        (THREE, "Is there not a blue circle?", "yes", "negated question about presence", {}, True),
        (THREE, "Is there a blue circle?", "no", "negated question about presence", {}, False),
        (THREE, "Is the red circle at the top or at the bottom?", "top", "telling top from bottom", {}, True),
        (THREE, "Is the red circle on the left or on the right?", "left", "telling top from bottom", {}, False),
        (THREE, "How many corners does the green shape have?", "6", "sides of a hexagon", {}, True),
        (THREE, "How many sides does the blue shape have?", "4", "sides of a hexagon", {}, False),
        (THREE, "What color is the circle?", "C", "answering with option C", {"choices": ("blue", "green", "red")}, True),
        (THREE, "What color is the circle?", "A", "answering with option C", {"choices": ("red", "green", "blue")}, False),
        (THREE, "Who is in the photo?", "Anna", "counting three", {}, False),
    ],
)
def test_only_the_failed_skill_passes(tmp_path, pictures, scene, question, answer, failed, more, expected):
    result, passed = verdict(tmp_path, pictures, item(pictures, scene, question, answer, failed, **more))
    assert passed is expected, result
    assert failed in result.reason and (result.error is None)


def test_a_contrast_must_need_what_it_states_and_that_is_another_skill(tmp_path, pictures):
    contrast = item(pictures, CHART, "Which bar is the tallest?", "green", "shortest bar", "tallest bar", contrast=True)
    assert verdict(tmp_path, pictures, contrast)[1]
    untrue = replace(contrast, question="What color is the first bar?", answer="red")
    result, passed = verdict(tmp_path, pictures, untrue)
    assert passed is False and "not the stated contrast “tallest bar”" in result.reason
    letter = item(pictures, THREE, "What color is the circle?", "A", "answering with option C", "answering with option A",
                  choices=("red", "green", "blue"), contrast=True)  # fmt: skip
    assert verdict(tmp_path, pictures, letter)[1]
    same = replace(contrast, question="Which bar is the lowest?", answer="red", skill="Shortest bar")
    result, passed = verdict(tmp_path, pictures, same)
    assert passed is False and "is no contrast to the failed skill" in result.reason


def test_a_sample_that_states_another_skill_than_failed_is_held_against_the_failed_one(tmp_path, pictures):
    result, passed = verdict(tmp_path, pictures, item(pictures, CHART, "Which bar is the tallest?", "green", "shortest bar", "tallest bar"))
    assert passed is False and "needs “tallest bar”, not the failed skill “shortest bar”" in result.reason


def test_without_a_named_skill_nothing_is_asked_and_the_reason_says_so(tmp_path, pictures):
    sample = replace(item(pictures, THREE, "How many objects are there?", "3", "x"), failed_skill="", skill="")
    plugin = FILTERS.make("on_skill")
    assert plugin.requests(sample, None) == []
    result, passed = verdict(tmp_path, pictures, sample)
    assert passed and "diagnosed before skills were named" in result.reason


def test_no_picture_and_no_usable_reply_are_errors(tmp_path, pictures):
    sample = item(pictures, THREE, "How many objects are there?", "3", "counting three")
    with chaos(wrong_schema=1.0) as server, chaos_client(server, tmp_path / "journal.sqlite") as frontier:
        plugin = FILTERS.make("on_skill")
        plugin.setup(FilterContext(pictures.root, frontier, skills=KNOWN))
        verdicts = {judged.sample_id: judged for judged in plugin([sample, replace(sample, sample_id=-1, image=None, image_path=None)])}
    assert verdicts[sample.sample_id].score is None and verdicts[sample.sample_id].error
    assert "draw it first" in verdicts[-1].error


def test_where_no_skill_is_known_the_workspaces_own_error_types_are_offered(tmp_path, pictures):
    own = Taxonomy(2, (*ERROR_TYPES[:3], ErrorType("lighting", "It is too dark.", "a night scene", "#123456")))
    plugin = FILTERS.make("on_skill", {"offered": 5})
    plugin.setup(FilterContext(tmp_path, frontier=object(), prompts=Prompts(taxonomy=own)))
    offered = plugin.offered(item(pictures, THREE, "How many objects are there?", "3", "number of things"))
    assert set(offered) == {"number of things", "recognition", "attribute", "counting", "lighting"}


def test_the_list_says_neither_what_failed_nor_what_is_stated(pictures):
    plugin = FILTERS.make("on_skill", {"offered": 5})
    plugin.known = {
        **KNOWN,
        "number of things": "counting",
        "Counting three things": "other",
        **{f"skill number {i}": "x" for i in range(90)},
    }
    places = set()
    for i in range(200):
        sample = replace(item(pictures, THREE, "How many objects are there?", "3", "counting three", "counting two"), sample_id=i)
        offered = plugin.offered(sample)
        assert len(offered) == len(set(offered)) == 5 and {"counting three", "counting two"} <= set(offered)
        assert not {"Counting three things", "number of things"} & set(offered), "the same in other words would be right as well"
        places.add(offered.index("counting three"))
        assert plugin.offered(sample) == offered
    assert places == set(range(5))
    plugin.known = {}
    assert len(plugin.offered(sample)) == 5, "the error types stand in where no other skill is known"


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_the_same_both_ways_and_whole_with_itself(one, other):
    assert likeness(one, one) == SAME and likeness(one, other) == likeness(other, one) in (0, RELATED, ALIKE, SAME)
