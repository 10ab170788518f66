"""What a metric is: one file of this folder holds one, as a class below `Measure`; `data/metrics/__init__.py` lists them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from data.metrics.reading import look_alike, readings
from data.records import Metric

SHORT_ANSWER = "Answer the question using a single word or phrase."
LETTER = "Answer with the option's letter from the given choices directly."


class Corpus(Protocol):
    """Document frequencies of the n-grams in all captions of a split (data/metrics/cider_corpus.py)."""

    def weight(self, ngram: str) -> float:
        """The n-gram's inverse document frequency, log(N / max(1, n)), at least 0."""


@dataclass(frozen=True)
class Score:
    """Both scores of a prediction, from 0 to 1, and what the lenient one took for the answer.

    `read` is empty (None) where nothing in the prediction could be read as an answer. It takes no part in comparisons.
    """

    strict: float
    lenient: float
    read: str | None = field(default=None, compare=False)


class Measure(ABC):
    """A metric. `strict` is the published definition, `harness` the code that it agrees with on every pair of
    tests/data/metrics/golden; `lenient` also takes what a person would accept."""

    name: ClassVar[Metric]
    title: ClassVar[str]
    definition: ClassVar[str]  # one sentence, for forms and docs
    harness: ClassVar[str]  # the published code that `strict` agrees with
    prompt_suffix: ClassVar[str] = SHORT_ANSWER  # METHOD.md "Metrics"
    answer_form: ClassVar[str] = "one short answer: a single word or phrase"  # what a sample's answer must look like
    threshold: ClassVar[float] = 0.5  # below it a prediction is a failure, unless the dataset says otherwise
    wants_choices: ClassVar[bool] = False  # golds are letters of the example's choices
    wants_corpus: ClassVar[bool] = False  # a score depends on all golds of the split
    once: ClassVar[Metric | None] = None  # asked once for each rotation of the choices; this metric scores one of the answers

    @abstractmethod
    def strict(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> float:
        """The published score, from 0 to 1."""

    def lenient(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> tuple[float, str | None]:
        """The best score of the ways to read the prediction, and the way that reached it."""
        plain = [look_alike(gold) for gold in golds]
        best, read = 0.0, None
        for form in self.forms(prediction, plain):
            value = self.value_of(form, plain, choices, corpus)
            if read is None or value >= best:  # of equals the last: the one that was read furthest
                best, read = value, form
        return best, read

    def value_of(self, form: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> float:
        """The score of one way to read a prediction."""
        return self.strict(form, golds, choices, corpus)

    def forms(self, prediction: str, golds: Sequence[str]) -> list[str]:
        """The ways to read a prediction, from the prediction itself to its bare answer; none if it holds no answer."""
        return list(readings(prediction))

    def golds_of(self, answer: str) -> list[str]:
        """One answer as golds: as many annotators as it takes for a full score."""
        return [answer]

    def best_possible(self, golds: int) -> float:
        """The most that any answer to an example with so many golds can score."""
        return 1.0
