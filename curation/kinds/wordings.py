"""Questions that differ only in the things that they name have one wording: "what color is the … item".

Which words are such is learnt from the questions alone, in any language that puts blanks between words: words that stand for each other
in the same places, and whose exchange doesn't change what sort of answer comes out.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SLOT = "…"
LEARNT_FROM = 20_000  # different questions, from everywhere in the list
LEAST_FILLERS = 3  # different words in one place: with two ("nearest", "furthest") what is asked may differ
LEAST_PLACES = 2  # that two words share: in one place alone "first", "tallest" and "red" stand for each other
SHARED_PLACES = 0.3  # Jaccard index of the places of two words from which they stand for each other
SHARED_ANSWERS = 0.3  # overlap of their answers below which they ask for different things ("color", "shape")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


@dataclass(frozen=True)
class Worded:
    """A question and its gold answer; None where that is not to be looked at, as of eval examples."""

    question: str
    answer: str | None


def words(question: str) -> list[str]:
    return _WORD.findall(question.lower())


def slot_words(questions: Iterable[Worded]) -> frozenset[str]:
    """The words that only say which thing is meant.

    >>> texts = [f"{a} {c} item" for a in ("what color is the", "name the color of the") for c in ("red", "green", "blue")]
    >>> asked = [Worded(text, None) for text in texts]
    >>> sorted(slot_words(asked))
    ['blue', 'green', 'red']
    """
    fillers: dict[tuple[str, ...], set[str]] = defaultdict(set)
    answers: dict[tuple[tuple[str, ...], str], Counter[str]] = defaultdict(Counter)
    for asked in questions:
        split = words(asked.question)
        for i, word in enumerate(split):
            place = (*split[:i], SLOT, *split[i + 1 :])
            fillers[place].add(word)
            if asked.answer is not None:
                answers[place, word][asked.answer.lower()] += 1
    places: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for place, found in fillers.items():
        if len(found) >= LEAST_FILLERS:
            for word in found:
                places[word].add(place)
    return frozenset(word for word in places if len(_standing_for(word, places, fillers, answers)) >= LEAST_FILLERS)


def _standing_for(
    word: str,
    places: dict[str, set[tuple[str, ...]]],
    fillers: dict[tuple[str, ...], set[str]],
    answers: dict[tuple[tuple[str, ...], str], Counter[str]],
) -> set[str]:
    """The words that a word can be exchanged for, itself among them."""
    own = places[word]
    replacements = set()
    for other in {other for place in own for other in fillers[place]}:
        shared = own & places[other]
        enough = max(LEAST_PLACES, SHARED_PLACES * len(own | places[other]))
        if len(shared) >= enough and _same_sort(word, other, shared, answers):
            replacements.add(other)
    return replacements


def _same_sort(one: str, other: str, shared: set[tuple[str, ...]], answers: dict[tuple[tuple[str, ...], str], Counter[str]]) -> bool:
    """Whether the two words' answers in the places that they share are of one sort, as far as any are known."""
    first, second = (sum((answers[place, word] for place in shared if (place, word) in answers), Counter()) for word in (one, other))
    if one == other or min(first.total(), second.total()) < LEAST_FILLERS:
        return True
    overlap = sum(min(first[answer] / first.total(), second[answer] / second.total()) for answer in first)
    return overlap >= SHARED_ANSWERS


def wording(question: str, slots: frozenset[str]) -> str:
    """The question's words with SLOT for those that only say which thing is meant.

    >>> wording("What color is the red item?", frozenset({"red", "blue"}))
    'what color is the … item'
    """
    return " ".join(SLOT if word in slots else word for word in words(question))


def wordings(asked: Sequence[Worded]) -> list[str]:
    """The wording of each question."""
    distinct = list(dict.fromkeys(asked))
    step = max(1, len(distinct) // LEARNT_FROM)
    slots = slot_words(distinct[::step])
    known: dict[str, str] = {}
    return [known.setdefault(example.question, wording(example.question, slots)) for example in asked]
