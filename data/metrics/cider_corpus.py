"""Document frequencies of the n-grams of a split's captions: what CIDEr weighs them by.

An n-gram is kept as a hash of 64 bits, and only if it occurs in the captions of two images or more: at one the weight is
the same as at none. 590,000 captions come to a few tens of megabytes.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from data.metrics.caption_words import caption_words

if TYPE_CHECKING:
    pass

LONGEST = 4  # n-grams of one to four words


def ngrams(words: Sequence[str]) -> list[Counter[str]]:
    """For each length from 1 to 4 how often each n-gram occurs, its words joined by spaces."""
    return [Counter(" ".join(words[i : i + n]) for i in range(len(words) - n + 1)) for n in range(1, LONGEST + 1)]


class CiderCorpus:
    """How many images' captions hold an n-gram. Built from the golds of all examples of a split, one list a image."""

    def __init__(self, golds: Iterable[Sequence[str]]) -> None:
        import numpy as np

        hashes: list[np.ndarray] = []
        self.images = 0
        for captions in golds:
            self.images += 1
            found = {ngram for caption in captions for counts in ngrams(caption_words(caption)) for ngram in counts}
            hashes.append(np.fromiter(map(_hash, found), np.uint64, len(found)))
        self._hashes, counts = (
            np.unique(np.concatenate(hashes), return_counts=True) if hashes else (np.empty(0, np.uint64), np.empty(0, int))
        )
        self._hashes, self._counts = self._hashes[counts > 1], counts[counts > 1]
        self._log_images = math.log(max(1, self.images))

    def weight(self, ngram: str) -> float:
        """log(images / images whose captions hold the n-gram); one that none holds counts as held by one."""
        key = _hash(ngram)
        at = int(self._hashes.searchsorted(key))
        held = int(self._counts[at]) if at < len(self._hashes) and int(self._hashes[at]) == key else 1
        return self._log_images - math.log(held)


def _hash(ngram: str) -> int:
    return int.from_bytes(blake2b(ngram.encode(), digest_size=8).digest(), "little")
