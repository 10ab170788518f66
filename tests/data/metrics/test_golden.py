"""Every metric against 3,000 random pairs and the scores that a published harness gave them (make_golden.py)."""

import gzip
import json
from pathlib import Path

import pytest

from data.metrics import METRICS, circular_answer, measure, normalise
from data.metrics.caption_words import caption_words
from data.metrics.cider import SCALE
from data.metrics.cider_corpus import CiderCorpus

GOLDEN = Path(__file__).parent / "golden"


def pairs(metric):
    with gzip.open(GOLDEN / f"{metric}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.mark.parametrize("metric", METRICS)
def test_strict_agrees_with_the_published_harness_on_every_pair(metric):
    asked = pairs(metric)
    definition = measure(metric)
    corpus = CiderCorpus(pair["golds"] for pair in asked) if definition.wants_corpus else None
    wrong = []
    for pair in asked:
        prediction = circular_answer(pair["predictions"]) if definition.once else pair["prediction"]
        score = definition.strict(prediction, pair["golds"], pair.get("choices", ()), corpus)
        if score * (SCALE if definition.wants_corpus else 1) != pytest.approx(pair["score"], abs=1e-9):
            wrong.append((prediction, pair["golds"], pair.get("choices"), pair["score"], score))
    assert len(asked) == 3000 and definition.harness
    assert not wrong, f"{len(wrong)} of {len(asked)} differ: (prediction, golds, choices, theirs, ours) {wrong[:3]}"
    scores = [pair["score"] for pair in asked]
    assert max(map(scores.count, set(scores))) / len(scores) < 0.95, "pairs that nearly all score alike show little"


def test_text_is_normalised_as_the_evalai_processor_does():
    assert [pair["prediction"] for pair in pairs("exact_match") if normalise(pair["prediction"]) != pair["normal"]] == []


def test_captions_are_cut_into_words_as_stanfords_tokenizer_does():
    captions = [
        (text, words)
        for pair in pairs("cider")
        for text, words in [(pair["prediction"], pair["words"]), *zip(pair["golds"], pair["gold_words"])]
    ]
    wrong = [(text, words, " ".join(caption_words(text))) for text, words in captions if " ".join(caption_words(text)) != words]
    assert len(captions) > 10_000
    assert not wrong, f"{len(wrong)} of {len(captions)} differ: {wrong[:5]}"
