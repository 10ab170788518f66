"""GQA: the answer word for word."""

import string
from collections.abc import Sequence

from data.metrics.base import Corpus, Measure

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def gqa_exact(prediction: str, golds: Sequence[str]) -> float:
    """1 if the prediction is a gold, but for case and ASCII punctuation.

    Agrees with lmms-eval's `exact_match` as its task gqa sets it (ignore_case, ignore_punctuation). Articles, spaces and
    number words count, unlike in exact match.
    """
    answer = _plain(prediction)
    return float(any(_plain(gold) == answer for gold in golds))


class Gqa(Measure):
    name = "gqa"
    title = "GQA exact match"
    definition = "1 if the answer is the gold word for word; only case and punctuation don't count."
    harness = "lmms-eval 0.7.3, exact_match of task gqa"

    def strict(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> float:
        return gqa_exact(prediction, golds)


def _plain(text: str) -> str:
    """The original works on NumPy's fixed-width text: what grows in lower case is cut, and NULs at the end are lost."""
    return text.rstrip("\0").lower()[: len(text)].translate(_NO_PUNCTUATION).rstrip("\0")
