"""judge and agreement with pocket-teacher, which looks at the pixels: right answers pass, wrong ones fail."""

from collections import Counter
from dataclasses import replace

import pytest

from curation.filters._base import FilterContext, FilterInput, passes
from data import scenes
from data.images import ImageStore
from data.registry import DATASETS, FILTERS, FRONTIER

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
    store, found = ImageStore(tmp_path_factory.mktemp("pictures")), []
    for family in ("photo", "chart", "quiz", "knowledge"):
        plugin = DATASETS.make("pocket_vqa", {"family": family, "train": 0, "dev": 30, "eval": 0})
        about = plugin.about()
        for example in plugin.read():
            image = store.add(example.picture).sha256
            row = {"sample_id": len(found), "revision": 0, "answer": example.golds[0], "image": image, "image_path": str(store.path(image))}
            found.append(FilterInput.from_row(about.to_row() | example.to_row() | row | {"dataset": about.name}))
    return store, found


@pytest.mark.parametrize("name", ["judge", "agreement"])
def test_right_answers_pass_and_wrong_ones_fail(tmp_path, items, name):
    store, right = items
    wrong = [replace(item, answer=next(other for other in _sort(item.answer) if other != item.answer)) for item in right]
    client = FRONTIER.make("openai_compatible", {"endpoint": "pocket-teacher", "model": "pocket-teacher"})
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
