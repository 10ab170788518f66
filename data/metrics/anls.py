"""ANLS, average normalised Levenshtein similarity (InfographicVQA, DocVQA)."""

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from data.metrics.base import Corpus, Measure
from data.metrics.normalising import normalise

ANLS_THRESHOLD = 0.5  # a similarity below it counts as 0


def anls(prediction: str, golds: Sequence[str]) -> float:
    """Average normalised Levenshtein similarity of one answer: its best gold counts (Biten et al., arXiv 1907.00490).

    The distance is taken on lower-cased text with single spaces, divided by the longer of the two raw lengths. Agrees with
    lmms-eval's `anls` (VLMEvalKit and the challenge script divide alike), which takes the lengths of the text in capitals:
    "ß" counts twice there, and a letter that grows in lower case ("İ") may cost a little.
    """
    best = max(_similarity(prediction, gold) for gold in golds)
    return best if best >= ANLS_THRESHOLD else 0.0


class Anls(Measure):
    name = "anls"
    title = "ANLS"
    definition = "1 - edit distance / longer length, to the nearest gold; below 0.5 it counts as 0."
    harness = "lmms-eval 0.7.3, anls"
    answer_form = "one short answer: a word, number or phrase as it stands in the image"

    def strict(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> float:
        return anls(prediction, golds)

    def forms(self, prediction: str, golds: Sequence[str]) -> list[str]:
        """Also the gold that the prediction comes to once normalised: "2 apples" for "two apples"."""
        forms = super().forms(prediction, golds)
        same = [gold for gold in golds if forms and normalise(gold) and normalise(gold) == normalise(forms[-1])]
        return [*forms, *same]


def _similarity(prediction: str, gold: str) -> float:
    length = max(len(prediction.upper()), len(gold.upper()))
    if length == 0:
        return 1.0
    return 1 - Levenshtein.distance(" ".join(prediction.lower().split()), " ".join(gold.lower().split())) / length
