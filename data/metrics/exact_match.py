"""Exact match: the built-in benchmark's metric, and that of any dataset with one short answer."""

from collections.abc import Sequence

from data.metrics.base import Corpus, Measure
from data.metrics.normalising import normalise


def exact_match(prediction: str, golds: Sequence[str]) -> float:
    """1 if the normalised prediction is one of the normalised golds, as lmms-eval's `EvalAIAnswerProcessor` normalises them."""
    answer = normalise(prediction)
    return float(any(normalise(gold) == answer for gold in golds))


class ExactMatch(Measure):
    name = "exact_match"
    title = "Exact match"
    definition = "1 if the answer is one of the golds, after EvalAI's normalisation."
    harness = "lmms-eval 0.7.3, EvalAIAnswerProcessor on both sides"

    def strict(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> float:
        return exact_match(prediction, golds)
