"""judge and agreement with pocket-teacher, which looks at the pixels: right answers pass, wrong ones fail."""

from collections import Counter
from dataclasses import replace

import pytest

from curation.filtering.base import FilterContext, FilterInput, passes
from data import scenes
from data.images import ImageStore
from data.registry import FILTERS
from models.frontier.client import OpenAICompatible
from tests.support.pocket_items import pocket_items

SORTS = (
    list(scenes.COLOURS),
    [*scenes.SHAPES, "unanswerable"],
    list("ABC"),
    list("123456"),
    ["left", "right"],
    ["top", "bottom"],
    ["yes", "no"],
)


@pytest.fixture(scope="module")
def items(tmp_path_factory) -> tuple[ImageStore, list[FilterInput]]:
    """30 dev questions of each family of PocketVQA as samples with right answers."""
    return pocket_items(tmp_path_factory.mktemp("pictures"), ("photo", "chart", "quiz", "knowledge"), 30)


@pytest.mark.parametrize("name", ["judge", "agreement"])
def test_right_answers_pass_and_wrong_ones_fail(tmp_path, items, name):
    store, right = items
    wrong = [replace(item, answer=next(other for other in _sort(item.answer) if other != item.answer)) for item in right]
    client = OpenAICompatible(OpenAICompatible.Options(endpoint="pocket-teacher", model="pocket-teacher"))
    with client.open(tmp_path / "journal.sqlite") as frontier:
        plugin = FILTERS.make(name)
        plugin.setup(FilterContext(store.root, frontier))
        for batch, expected in ((right, True), (wrong, False)):
            verdicts = list(plugin(batch))
            passed = Counter(passes(verdict.score, plugin.threshold, plugin.comparison) for verdict in verdicts)
            assert len(verdicts) == len(batch) == 120
            assert passed[expected] >= 0.95 * len(batch), (passed, [verdict for verdict in verdicts if verdict.error][:3])


def _sort(answer: str) -> list[str]:
    """Answers of the same sort: colours for a colour, letters for a letter."""
    return next(sort for sort in SORTS if answer in sort)


def asked(number: int, question: str, answer: str, **more) -> FilterInput:
    return FilterInput(number, 0, question, answer, **({"dataset": "d", "metric": "exact_match", "answer_form": "one word"} | more))


def test_what_the_words_give_away_needs_no_picture(tmp_path):
    """Named shapes have their corners whatever is shown; what is asked of the picture is guessed by lot, and one of two says nothing."""
    quiz = {"metric": "multiple_choice", "choices": ("3", "4", "6")}
    given = [asked(1, "How many sides does a hexagon have?", "6"), asked(2, "How many corners does a triangle have?", "A", **quiz)]
    fair = [asked(100 + i, f"What color is the shape{' there' * (i % 7)}?", colour) for i, colour in enumerate([*scenes.COLOURS] * 4)]
    binary = [asked(200 + i, f"Is there a {colour} circle?", "yes") for i, colour in enumerate(scenes.COLOURS)]
    client = OpenAICompatible(OpenAICompatible.Options(endpoint="pocket-teacher", model="pocket-teacher"))
    with client.open(tmp_path / "journal.sqlite") as frontier:
        plugin = FILTERS.make("needs_image")
        plugin.setup(FilterContext(tmp_path, frontier))
        verdicts = {verdict.sample_id: verdict for verdict in plugin([*given, *fair, *binary])}
    assert [verdicts[i].score for i in (1, 2)] == [1, 1], verdicts[2].reason
    assert "3 of 3 guesses without the image are right" in verdicts[1].reason
    lucky = [verdicts[item.sample_id].score > plugin.threshold for item in fair]
    assert sum(lucky) < len(lucky) / 5
    assert any(verdicts[item.sample_id].score > 0 for item in fair), "some guesses are right: they are real ones"
    assert {verdicts[item.sample_id].score for item in binary} == {0}, "a habit of saying yes is no knowledge"
