"""How answers are scored: VQA accuracy, ANLS, multiple choice and exact match, as the standard harnesses define them.

Every metric gives two scores from 0 to 1. *Strict* is the published definition. *Lenient* also takes an answer that
is right in another form ("The answer is red." for red), and is never below strict: the two differ where the scorer,
not the model, fails.
"""

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

from rapidfuzz.distance import Levenshtein

from data.records import Metric

METRICS: tuple[Metric, ...] = get_args(Metric)
ANLS_THRESHOLD = 0.5  # a similarity below it counts as 0
MATCHES_NEEDED = 3  # annotators who must agree for a full score
LLAVA_OPTIONS = 5  # LLaVA's evaluator knows the letters A to E, however many choices there are

_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_ARTICLES = {"a", "an", "the"}
_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {"none": "0"} | {word: str(i) for i, word in enumerate(_NUMBER_WORDS)}
# The contractions that the EvalAI processor restores where exactly one of their apostrophes was left out.
_WITH_APOSTROPHE = """
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've he's
    how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've o'clock
    oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd
    someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've there're there's they'd
    they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's where'd where's
    where've who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't wouldn't've y'all y'all'll
    y'all'd've you'd you'd've you'll you're you've
"""
_CONTRACTIONS = {
    word[:i] + word[i + 1 :]: word for word in _WITH_APOSTROPHE.split() for i, character in enumerate(word) if character == "'"
} | {"somebody'd": "somebodyd"}  # the wrong way round in the original: kept, so that figures can be compared

_LEAD = re.compile(
    r"^\s*(?:(?:so|well),?\s+)?(?:(?:the\s+)?(?:correct\s+|right\s+|final\s+)?(?:answer|option|choice)\s*(?:is\b|:)"
    r"|answer\s*:|(?:it|this|that)(?:\s+is|'s)\b|there\s+(?:is|are)\b)\s*:?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Score:
    strict: float
    lenient: float


def score(metric: Metric, prediction: str, golds: Sequence[str], choices: Sequence[str] = ()) -> Score:
    """Both scores of one prediction. Multiple choice takes golds as letters; the others ignore `choices`.

    Raises ValueError if there are no golds or the metric is unknown.

    >>> score("vqa_accuracy", "The answer is red.", ["red"] * 10)
    Score(strict=0.0, lenient=1.0)
    """
    if not golds:
        raise ValueError("the example has no gold answer; scoring needs at least one: correct it and import the dataset again")
    if metric == "multiple_choice":
        return _multiple_choice(prediction, golds, choices)
    if metric not in _MEASURES:
        raise ValueError(f"unknown metric {metric!r}; there are: {', '.join(METRICS)}")
    strict = _MEASURES[metric](prediction, golds)
    return Score(strict, max([strict, *(_MEASURES[metric](form, golds) for form in _other_forms(prediction, golds))]))


@lru_cache(maxsize=100_000)  # the same golds come again and again
def normalise(answer: str) -> str:
    """An answer as the EvalAI processor compares it (lmms-eval's `EvalAIAnswerProcessor`, LLaVA's m4c evaluator).

    Unlike the script published with VQA v2, golds that are all alike are normalised too.

    >>> normalise("The two  red-ish circles.")
    '2 red ish circles'
    """
    text = answer.lower().replace(",", "").replace("?", "").replace("'s", " 's").strip()
    text = text.replace("\n", " ").replace("\t", " ").strip()
    # The original also deletes punctuation if a digit-comma-digit is present; commas are gone by now, so it never is.
    spaced = text
    for mark in filter(text.__contains__, _PUNCTUATION):
        spaced = spaced.replace(mark, "" if f"{mark} " in text or f" {mark}" in text else " ")
    spaced = re.sub(r"\.(?!\d)", "", spaced)
    words = [_NUMBERS.get(word, word) for word in spaced.split()]
    return " ".join(_CONTRACTIONS.get(word, word) for word in words if word not in _ARTICLES)


def vqa_accuracy(prediction: str, golds: Sequence[str]) -> float:
    """Mean over the annotators left out of min(1, matches among the others / 3), Antol et al., arXiv 1505.00468.

    With ten golds k matches give 0, .3, .6, .9, 1, 1, ... With two or three golds all the others must match (the
    published 3 could not be reached); one gold is an exact match. Both are ours.
    """
    answer = normalise(prediction)
    matches = [normalise(gold) == answer for gold in golds]
    if len(golds) == 1:
        return float(matches[0])
    needed = min(MATCHES_NEEDED, len(golds) - 1)
    total = sum(matches)
    return sum(min(1.0, (total - match) / needed) for match in matches) / len(golds)


def anls(prediction: str, golds: Sequence[str]) -> float:
    """Average normalised Levenshtein similarity of one answer: its best gold counts (Biten et al., arXiv 1907.00490).

    The distance is taken on lower-cased text with single spaces, divided by the longer of the two raw lengths.
    """
    best = max(_similarity(prediction, gold) for gold in golds)
    return best if best >= ANLS_THRESHOLD else 0.0


def exact_match(prediction: str, golds: Sequence[str]) -> float:
    """1 if the normalised prediction is one of the normalised golds."""
    answer = normalise(prediction)
    return float(any(normalise(gold) == answer for gold in golds))


_MEASURES = {"vqa_accuracy": vqa_accuracy, "anls": anls, "exact_match": exact_match}


def chosen_letter(prediction: str, choices: Sequence[str]) -> str | None:
    """The option that LLaVA's ScienceQA evaluator reads from an answer: "B", "B. ..." or "... The answer is B".

    Like the original it takes the capital after "The answer is " even if a word goes on from it.
    """
    letters = string.ascii_uppercase[: max(len(choices), LLAVA_OPTIONS)]
    text = prediction.replace("\n", ". ")
    if len(text.strip()) == 1 and text.strip() in letters:
        return text.strip()
    if text[:1] and text[:1] in letters and text[1:3] == ". ":
        return text[0]
    match = re.search(f"The answer is ([{letters}])\\.", text) or re.search(f"The answer is ([{letters}])", text)
    return match.group(1) if match else None


def lenient_letter(prediction: str, choices: Sequence[str]) -> str | None:
    """The option meant: a letter in either case, "(B)", "B.", "B) its text", or the text of exactly one option."""
    letters = string.ascii_uppercase[: len(choices)]
    for form in (prediction, without_lead_in(prediction)):
        bare = form.strip().strip("\"'*").strip()
        letter = re.fullmatch(r"\(?([A-Za-z])\)?[.:]?", bare)
        if letter and letter.group(1).upper() in letters:
            return letter.group(1).upper()
        named = [letters[i] for i, choice in enumerate(choices) if normalise(choice) and normalise(choice) == normalise(bare)]
        if len(named) == 1:
            return named[0]
        both = re.fullmatch(r"\(?([A-Za-z])[).:]\s*(.+)", bare, re.DOTALL)
        if both and both.group(1).upper() in letters:
            at = letters.index(both.group(1).upper())
            if normalise(both.group(2)) == normalise(choices[at]):
                return letters[at]
    return None


def without_lead_in(answer: str) -> str:
    """An answer without words like "The answer is", "Answer:", "It is" or "There are" before it.

    >>> without_lead_in("The answer is red.")
    'red.'
    """
    return _LEAD.sub("", answer)


def _multiple_choice(prediction: str, golds: Sequence[str], choices: Sequence[str]) -> Score:
    allowed = {gold.strip().upper() for gold in golds} & set(string.ascii_uppercase[: len(choices)])
    strict = float(chosen_letter(prediction, choices) in allowed)
    return Score(strict, max(strict, float(lenient_letter(prediction, choices) in allowed)))


def _similarity(prediction: str, gold: str) -> float:
    length = max(len(prediction), len(gold))
    if length == 0:
        return 1.0
    distance = Levenshtein.distance(" ".join(prediction.lower().split()), " ".join(gold.lower().split()))
    return 1 - distance / length


def _other_forms(prediction: str, golds: Sequence[str]) -> list[str]:
    """The prediction without a lead-in, quotes and full stop, and the gold that this comes to once normalised."""
    bare = without_lead_in(prediction).strip().strip("\"'*").strip().rstrip(".!").strip()
    return [bare, *(gold for gold in golds if normalise(gold) and normalise(gold) == normalise(bare))]
