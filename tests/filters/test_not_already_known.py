"""not_already_known with the real pocket-llava: what it answers rightly fails, what it gets wrong passes."""

from dataclasses import replace

import pytest

from curation.checkpoints import make_baseline
from curation.filtering.base import FilterContext, FilterInput, passes
from data.images import ImageStore
from data.question_text import full_text
from data.records import Ask, Checkpoint
from data.registry import FILTERS
from tests.support.pocket_items import pocket_items

POCKET = Checkpoint("pocket-llava", "llava", "pocket-llava")


def open_pocket(temperature: float):
    return POCKET.name, make_baseline(replace(POCKET, options={"temperature": temperature} if temperature else {}))


@pytest.fixture(scope="module")
def items(tmp_path_factory) -> tuple[ImageStore, list[FilterInput]]:
    return pocket_items(tmp_path_factory.mktemp("pictures"), ("photo", "quiz"), 24)


def verdicts(store, items, **options):
    plugin = FILTERS.make("not_already_known", options)
    plugin.setup(FilterContext(store.root, open_baseline=open_pocket))
    return plugin, list(plugin(items))


def test_what_the_checkpoint_answers_rightly_is_known(items):
    store, samples = items
    plugin, found = verdicts(store, samples)
    answers = open_pocket(0.0)[1].answer([Ask("", full_text(i.question, i.choices, i.prompt_suffix), i.image_path) for i in samples])
    assert all(f"“{answer}”" in verdict.reason for answer, verdict in zip(answers, found))
    known = [item for item, verdict in zip(samples, found) if not passes(verdict.score, plugin.threshold, plugin.comparison)]
    assert 5 < len(known) < len(samples) - 5, "pocket-llava knows some and fails some"
    assert {verdict.score for verdict in found} == {0, 1}
    _, wrong = verdicts(store, [replace(item, answer="Z" if item.choices else "nothing") for item in known])
    assert {verdict.score for verdict in wrong} == {0}


def test_several_answers_give_a_rate_and_the_same_one_again(items):
    store, samples = items
    some = samples[::2]
    _, found = verdicts(store, some, k=6, temperature=2.0)
    assert any(0 < verdict.score < 1 for verdict in found), "at a high temperature answers differ"
    assert all(round(verdict.score * 6, 6).is_integer() for verdict in found)
    assert verdicts(store, some, k=6, temperature=2.0)[1] == found


def test_answers_in_small_batches_are_drawn_anew_for_each(items):
    _, samples = items
    baseline = make_baseline(replace(POCKET, options={"temperature": 2.0, "batch_size": 2}))
    pairs = []
    for item in samples[::6]:
        answers = baseline.answer([Ask("", full_text(item.question, item.choices, item.prompt_suffix), item.image_path)] * 8)
        pairs.append({tuple(answers[start : start + 2]) for start in range(0, 8, 2)})
    assert any(len(distinct) > 1 for distinct in pairs)


def test_a_contrast_may_be_known(items):
    store, samples = items
    plugin, found = verdicts(store, [replace(item, contrast=True) for item in samples])
    assert all(passes(verdict.score, plugin.threshold, plugin.comparison) and "contrast" in verdict.reason for verdict in found)


def test_a_rate_at_the_edge_is_named(items):
    store, samples = items
    _, found = verdicts(store, samples, k=6, temperature=2.0)
    assert {"at the edge" in verdict.reason for verdict in found} == {True, False}
    assert all(("at the edge" in verdict.reason) == (0.3 <= verdict.score <= 0.8) for verdict in found)


def test_without_a_picture_or_a_checkpoint(items):
    store, samples = items
    _, (lost, undrawn, there) = verdicts(
        store, [replace(samples[0], image_path="/no/such/picture"), replace(samples[1], image_path=None), samples[2]]
    )
    assert {lost.sample_id, undrawn.sample_id} == {0, 1}
    assert lost.error
    assert undrawn.error
    assert there.score is not None
    with pytest.raises(ValueError, match="needs the round's checkpoint"):
        FILTERS.make("not_already_known").setup(FilterContext(store.root))
