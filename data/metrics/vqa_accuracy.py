"""VQA accuracy: how many of the annotators gave the answer (VQA v2, VizWiz, OK-VQA, TextVQA)."""

from collections.abc import Sequence

from data.metrics.base import Corpus, Measure
from data.metrics.exact_match import exact_match
from data.metrics.normalising import normalise

MATCHES_NEEDED = 3  # other annotators who must agree for a full score


def vqa_accuracy(prediction: str, golds: Sequence[str], needed: int = MATCHES_NEEDED) -> float:
    """Mean over the annotators left out of min(1, matches among the others / 3), Antol et al., arXiv 1505.00468.

    Agrees with lmms-eval's `ok_vqa_process_results` (and its vizwiz_vqa, textvqa and vqav2, which are the same) for any
    number of golds: ten golds of which k match give 0, .3, .6, .9, 1, 1, ...; with one gold nothing can score, with two at
    most 1/3, with three 2/3. Such a dataset is better scored by exact match.
    """
    answer = normalise(prediction)
    matches = [normalise(gold) == answer for gold in golds]
    total = sum(matches)
    return sum(min(1.0, (total - match) / needed) for match in matches) / len(golds)


class VqaAccuracy(Measure):
    name = "vqa_accuracy"
    title = "VQA accuracy"
    definition = "Mean over the annotators left out of min(1, matches among the others / 3), after EvalAI's normalisation."
    harness = "lmms-eval 0.7.3, ok_vqa_process_results"
    answer_form = "one short answer: a single word or phrase, in lower case"

    def strict(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> float:
        return vqa_accuracy(prediction, golds)

    def value_of(self, form: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> float:
        """With fewer than four golds it is enough to agree with all others; with one, to give it."""
        if len(golds) == 1:
            return exact_match(form, golds)
        return vqa_accuracy(form, golds, min(MATCHES_NEEDED, len(golds) - 1))

    def golds_of(self, answer: str) -> list[str]:
        return [answer] * (MATCHES_NEEDED + 1)

    def best_possible(self, golds: int) -> float:
        return vqa_accuracy("alike", ["alike"] * golds)
