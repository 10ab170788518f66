"""CIDEr-D, for captions: how many n-grams a caption shares with people's, weighed by how rare they are."""

import math
from collections.abc import Sequence

from data.metrics.base import Corpus, Measure
from data.metrics.caption_words import caption_words
from data.metrics.cider_corpus import ngrams

SIGMA = 6.0  # words by which a caption may be longer or shorter, as a standard deviation
SCALE = 10.0  # published figures are this many times the score kept here

Vector = list[dict[str, float]]  # weights of the n-grams, by length


def cider(prediction: str, golds: Sequence[str], corpus: Corpus | None = None) -> float:
    """CIDEr-D of one caption divided by 10, so that it lies between 0 and 1 (Vedantam et al., arXiv 1411.5726).

    Agrees with pycocoevalcap's `Cider` on words of its `PTBTokenizer` (what lmms-eval's coco_cap calls). CIDEr is a figure of a whole
    split: an n-gram is weighed by how few images' captions hold it, over the golds of all its examples. With that corpus
    the mean of the scores of all examples, times 10, is the published CIDEr. Without one all n-grams weigh the same: good
    enough to compare two captions, no figure to publish.
    """
    words = caption_words(prediction)
    vector = _vector(words, corpus)
    return sum(_similarity(vector, len(words), gold, corpus) for gold in golds) / len(golds)


class Cider(Measure):
    name = "cider"
    title = "CIDEr ÷ 10"
    definition = "CIDEr-D with the n-gram weights of the example's split, divided by 10; the mean over a split times 10 is its CIDEr."
    harness = "pycocoevalcap 1.2, PTBTokenizer and Cider"
    prompt_suffix = ""
    answer_form = "one sentence that describes the image"
    threshold = 0.05  # CIDEr 0.5: well below what current models reach on COCO (1.2 to 1.5)
    wants_corpus = True

    def strict(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> float:
        return cider(prediction, golds, corpus)


def _vector(words: Sequence[str], corpus: Corpus | None) -> Vector:
    return [{ngram: count * (corpus.weight(ngram) if corpus else 1.0) for ngram, count in counts.items()} for counts in ngrams(words)]


def _similarity(vector: Vector, length: int, gold: str, corpus: Corpus | None) -> float:
    """Mean cosine over the lengths of n-grams, a repeated n-gram counting as often as in the gold, less for another length."""
    words = caption_words(gold)
    # The original takes the number of pairs of words for the length: one less, except that no words and one are alike.
    delta = max(0, length - 1) - max(0, len(words) - 1)
    total = 0.0
    for ours, theirs in zip(vector, _vector(words, corpus)):
        norms = math.sqrt(sum(w * w for w in ours.values())) * math.sqrt(sum(w * w for w in theirs.values()))
        shared = sum(min(weight, theirs[ngram]) * theirs[ngram] for ngram, weight in ours.items() if ngram in theirs)
        total += shared / norms if norms else shared
    return total / len(vector) * math.exp(-(delta**2) / (2 * SIGMA**2))
