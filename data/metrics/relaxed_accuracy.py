"""Relaxed accuracy (ChartQA): numbers may be off by 5 %."""

import re
from collections.abc import Sequence

from data.metrics.base import Corpus, Measure

MAX_RELATIVE_CHANGE = 0.05
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")


def relaxed_accuracy(prediction: str, golds: Sequence[str]) -> float:
    """1 if the prediction is a number within 5 % of a gold, or the same text in any case (Masry et al., arXiv 2203.10244).

    Agrees with lmms-eval's `relaxed_correctness` (Qwen-VL and VLMEvalKit have the same code): a percent sign divides by 100, numbers
    are what Python's `float` reads, and a gold of 0 has to be met as text.
    """
    return float(any(_is_close(prediction, gold) for gold in golds))


class RelaxedAccuracy(Measure):
    name = "relaxed_accuracy"
    title = "Relaxed accuracy"
    definition = "1 if the answer is a number within 5 % of the gold, or the same text in any case."
    harness = "lmms-eval 0.7.3, relaxed_correctness"
    answer_form = "one number as the chart shows it, or a single word or phrase"

    def strict(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> float:
        return relaxed_accuracy(prediction, golds)

    def forms(self, prediction: str, golds: Sequence[str]) -> list[str]:
        """Also without commas between thousands, and without a space before the percent sign."""
        forms = super().forms(prediction, golds)
        return list(dict.fromkeys([*forms, *(_THOUSANDS.sub("", form).replace(" %", "%") for form in forms)]))

    def lenient(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> tuple[float, str | None]:
        score, read = super().lenient(prediction, [*golds, *(_THOUSANDS.sub("", gold) for gold in golds)], choices, corpus)
        same = any(prediction.strip().lower() == gold.strip().lower() for gold in golds)  # NaN and infinity, which equal no number
        return (1.0, prediction.strip()) if same and score < 1 else (score, read)


def _is_close(prediction: str, gold: str) -> bool:
    number, target = _number(prediction), _number(gold)
    if number is None or not target:
        return prediction.lower() == gold.lower()
    return abs(number - target) / abs(target) <= MAX_RELATIVE_CHANGE


def _number(text: str) -> float | None:
    try:
        return float(text.rstrip("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None
