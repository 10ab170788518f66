"""Text as the EvalAI processor compares it: the normalisation that VQA accuracy and exact match share."""

import re
from functools import lru_cache

_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_ARTICLES = {"a", "an", "the"}
_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {"none": "0"} | {word: str(i) for i, word in enumerate(_NUMBER_WORDS)}
_FULL_STOPS = 32  # the original hands re.UNICODE, which is 32, to `sub` where the count belongs: no more are removed
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


@lru_cache(maxsize=20_000)  # the same golds come again and again
def normalise(answer: str) -> str:
    """An answer as lmms-eval's `EvalAIAnswerProcessor` compares it (LLaVA's m4c evaluator and Pythia have the same code).

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
    spaced = re.sub(r"\.(?!\d)", "", spaced, count=_FULL_STOPS)
    words = [_NUMBERS.get(word, word) for word in spaced.split()]
    return " ".join(_CONTRACTIONS.get(word, word) for word in words if word not in _ARTICLES)
