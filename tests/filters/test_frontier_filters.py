"""The filters that ask a frontier model, over real HTTP: agreement, repeats, failing replies, stopping."""

import io
import random
import re

import pytest

from curation.filtering.base import FilterContext, FilterInput, passes
from data import scenes
from data.images import ImageStore
from data.registry import FILTERS
from tests.support.frontier_world import chaos, client


def drawn(store: ImageStore, count: int) -> list[FilterInput]:
    items = []
    for i in range(count):
        buffer = io.BytesIO()
        scenes.draw(scenes.random_things(random.Random(i))).save(buffer, "PNG")
        image = store.add(buffer.getvalue()).sha256
        items.append(FilterInput(i, 0, f"Question {i}?", "red", "d", "exact_match", "one word", (), image, str(store.path(image))))
    return items


def set_up(name: str, frontier, store: ImageStore, **options):
    plugin = FILTERS.make(name, options)
    plugin.setup(FilterContext(store.root, frontier))
    return plugin


def test_agreement_compares_with_what_the_frontier_says(tmp_path):
    store = ImageStore(tmp_path / "images")
    undrawn = FilterInput(99, 0, "What?", "red", "d", "exact_match", "one word")
    with chaos() as server, client(server, tmp_path / "journal.sqlite") as frontier:
        agreement = set_up("agreement", frontier, store)
        items = drawn(store, 8)
        first = {verdict.sample_id: verdict for verdict in agreement([*items, undrawn])}
        assert [first[i].score for i in range(8)] == [0] * 8
        assert (first[99].score, "no image yet" in first[99].error) == (None, True)
        quoted = re.search("the frontier says “(.+)”", first[3].reason).group(1)
        (second,) = agreement([FilterInput(**{**vars(items[3]), "answer": quoted.upper(), "revision": 1})])
        assert (second.score, second.revision, second.filter) == (1, 1, "agreement")
        assert server.log()["calls"] == 8, "the same question is bought once: the proposed answer isn't in it"


def test_agreement_of_several_answers_asks_several_times(tmp_path):
    store = ImageStore(tmp_path / "images")
    with chaos() as server, client(server, tmp_path / "journal.sqlite") as frontier:
        verdicts = list(set_up("agreement", frontier, store, k=3)(drawn(store, 4)))
        assert sorted(verdict.sample_id for verdict in verdicts) == [0, 1, 2, 3]
        assert all("0 of 3 agree" in verdict.reason for verdict in verdicts)
        assert server.log()["calls"] == 12


@pytest.mark.parametrize("name", ["judge", "agreement"])
def test_a_reply_that_never_fits_is_an_error_and_no_score(tmp_path, name):
    store = ImageStore(tmp_path / "images")
    with chaos(wrong_schema=1.0) as server, client(server, tmp_path / "journal.sqlite") as frontier:
        verdicts = list(set_up(name, frontier, store)(drawn(store, 3)))
        assert [verdict.score for verdict in verdicts] == [None] * 3
        assert all(verdict.error and passes(verdict.score, 3, "at_least") is None for verdict in verdicts)


def test_when_told_to_stop_the_rest_gets_no_verdict(tmp_path):
    store, seen = ImageStore(tmp_path / "images"), []
    with chaos(latency_s=0.05) as server, client(server, tmp_path / "journal.sqlite", concurrency=2) as frontier:
        agreement = FILTERS.make("agreement")
        agreement.setup(FilterContext(store.root, frontier, should_stop=lambda: len(seen) >= 4))
        for verdict in agreement(drawn(store, 60)):
            seen.append(verdict)
    assert 4 <= len(seen) < 60
