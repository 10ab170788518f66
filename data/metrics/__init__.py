"""How answers are scored, as the standard harnesses define it. One file a metric; its class derives from `Measure` (base.py).

Every metric gives two scores from 0 to 1. *Strict* is the published definition. *Lenient* also takes an answer that
is right in another form ("The answer is red." for red), and is never below strict: the two differ where the scorer,
not the model, fails.
"""

from collections.abc import Sequence
from typing import get_args

from data.metrics.anls import ANLS_THRESHOLD, Anls, anls
from data.metrics.base import LETTER, SHORT_ANSWER, Corpus, Measure, Score
from data.metrics.cider import Cider
from data.metrics.exact_match import ExactMatch, exact_match
from data.metrics.gqa import Gqa, gqa_exact
from data.metrics.mmbench import Mmbench, MmbenchCircular, circular_answer, inferred_letter, rotations
from data.metrics.multiple_choice import LLAVA_OPTIONS, MultipleChoice, chosen_letter
from data.metrics.normalising import normalise
from data.metrics.option_letters import lenient_letter
from data.metrics.reading import look_alike, readings, without_lead_in
from data.metrics.relaxed_accuracy import RelaxedAccuracy, relaxed_accuracy
from data.metrics.vqa_accuracy import MATCHES_NEEDED, VqaAccuracy, vqa_accuracy
from data.records import Metric

__all__ = [
    "ANLS_THRESHOLD",
    "LETTER",
    "LLAVA_OPTIONS",
    "MATCHES_NEEDED",
    "METRICS",
    "SHORT_ANSWER",
    "Corpus",
    "Measure",
    "Score",
    "agreement",
    "anls",
    "best_possible",
    "chosen_letter",
    "circular_answer",
    "exact_match",
    "gqa_exact",
    "inferred_letter",
    "lenient_letter",
    "look_alike",
    "measure",
    "normalise",
    "readings",
    "relaxed_accuracy",
    "rotations",
    "score",
    "score_once",
    "vqa_accuracy",
    "without_lead_in",
]

METRICS: tuple[Metric, ...] = get_args(Metric)

_MEASURES: dict[str, Measure] = {
    one.name: one
    for one in (VqaAccuracy(), Anls(), MultipleChoice(), ExactMatch(), RelaxedAccuracy(), Gqa(), Mmbench(), MmbenchCircular(), Cider())
}


def measure(metric: str) -> Measure:
    """A metric by its name. Raises ValueError with the names there are."""
    if metric not in _MEASURES:
        raise ValueError(f"unknown metric {metric!r}; there are: {', '.join(METRICS)}")
    return _MEASURES[metric]


def score(metric: Metric, prediction: str, golds: Sequence[str], choices: Sequence[str] = (), corpus: Corpus | None = None) -> Score:
    """Both scores of one prediction, and what the lenient one read. Metrics that want choices take golds as letters.

    Raises ValueError if there are no golds or the metric is unknown, TypeError if the prediction is no text: a missing
    answer is not scored as "None".

    >>> score("vqa_accuracy", "The answer is red.", ["red"] * 10)
    Score(strict=0.0, lenient=1.0, read='red')
    """
    if not golds:
        raise ValueError("the example has no gold answer; scoring needs at least one: correct it and import the dataset again")
    if not isinstance(prediction, str):
        raise TypeError(f"an answer has to be text, not {type(prediction).__name__}")
    definition = measure(metric)
    strict = definition.strict(prediction, golds, choices, corpus)
    lenient, read = definition.lenient(prediction, golds, choices, corpus)
    return Score(strict, max(strict, lenient), read)


def score_once(metric: Metric, answer: str, golds: Sequence[str], choices: Sequence[str] = ()) -> Score:
    """The scores of an answer to the question as it stands, also where the metric asks each rotation of the choices."""
    return score(measure(metric).once or metric, answer, golds, choices)


def agreement(metric: Metric, answer: str, other: str, choices: Sequence[str] = ()) -> Score:
    """How far an answer agrees with another one that stands for the golds, as the metric compares an answer with golds.

    >>> agreement("vqa_accuracy", "It is red.", "red").lenient
    1.0
    """
    return score_once(metric, answer, measure(metric).golds_of(other), choices)


def best_possible(metric: Metric, golds: int) -> float:
    """The most that any answer to an example with so many golds can score: VQA accuracy reaches 1 with four annotators only.

    >>> best_possible("vqa_accuracy", 1)
    0.0
    """
    return measure(metric).best_possible(golds)
