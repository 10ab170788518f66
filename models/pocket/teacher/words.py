"""The words that pocket-teacher knows: colours, shapes, sizes, numbers; and when two answers mean the same."""

import re

from data.scenes import SIDES

PALETTE = {  # name: the RGB values it is drawn with, PocketVQA's first where it has the colour, then easy-VQA's
    "red": ((216, 52, 43), (255, 0, 0)),
    "green": ((42, 161, 72), (0, 255, 0)),
    "blue": ((47, 91, 216), (0, 0, 255)),
    "yellow": ((232, 194, 31), (255, 255, 0)),
    "purple": ((142, 63, 176),),
    "orange": ((240, 128, 20),),
    "black": ((0, 0, 0),),
    "gray": ((128, 128, 128),),
    "teal": ((0, 128, 128),),
    "brown": ((165, 42, 42),),
}
COLOURS = tuple(PALETTE)
SHAPES = (*SIDES, "rectangle")
CORNERS = {**SIDES, "rectangle": 4}
SIZES = ("small", "large")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4}
UNANSWERABLE = "unanswerable"

_COLOUR_WORDS = {**{c: c for c in COLOURS}, "grey": "gray", "violet": "purple"}
_SHAPE_WORDS = {
    **{s: s for s in SHAPES},
    **{s + "s": s for s in SHAPES},
    "disc": "circle",
    "disk": "circle",
    "box": "square",
    "boxes": "square",
}
_SIZE_WORDS = {"small": "small", "little": "small", "tiny": "small", "large": "large", "big": "large"}
_ARTICLES = {"a", "an", "the"}
_NONE = {"", "unanswerable", "unclear", "unknown", "cannot", "impossible", "insufficient"}
_YES = {"yes": "yes", "yeah": "yes", "true": "yes", "no": "no", "nope": "no", "false": "no"}
_PLACES = {
    **{w: w for w in ("left", "right", "top", "bottom", "above", "below")},
    "upper": "top",
    "lower": "bottom",
    "under": "below",
    "beneath": "below",
    "over": "above",
}


def tokens(text: str) -> list[str]:
    """Lower-case words and numbers; "isn't" becomes "is", "not".

    >>> tokens("Isn't there a grey circle?")
    ['is', 'not', 'there', 'a', 'grey', 'circle']
    """
    lowered = text.lower().replace("’", "'").replace("cannot", "can not").replace("can't", "can not").replace("n't", " not")
    return re.findall(r"[a-z]+|\d+", lowered)


def colour_of(word: str) -> str | None:
    return _COLOUR_WORDS.get(word)


def shape_of(word: str) -> str | None:
    return _SHAPE_WORDS.get(word)


def size_of(word: str) -> str | None:
    return _SIZE_WORDS.get(word)


def number_of(word: str) -> int | None:
    """ "3" and "three" are 3; None if it is no number up to ten."""
    if word.isdecimal() and len(word) <= 2:
        return int(word)
    return NUMBERS.index(word) if word in NUMBERS else None


def meaning(text: str) -> str:
    """One word for what a short answer means, so that two answers can be compared; "" if it says nothing known.

    >>> [meaning(t) for t in ("The answer is three.", "3 red circles", "a Red circle", "the red one", "can't tell", "Grey")]
    ['3', '3', 'red circle', 'red', 'unanswerable', 'gray']
    """
    words = [word for word in tokens(text) if word not in _ARTICLES]
    known: list[str] = []
    for word in words:
        found = meaning_of_word(word)
        if found and found not in known and not (word == "one" and known):
            known.append(found)
    if known:
        return known[0] if known[0].isdecimal() else " ".join(known)
    if set(words) & _NONE or {"not", "tell"} <= set(words) or not words:
        return UNANSWERABLE if words else ""
    return " ".join(words)


def meaning_of_word(word: str) -> str | None:
    """The known word that this one stands for, numbers as digits; None if it isn't known."""
    number = number_of(word)
    if number is not None:
        return str(number)
    for table in (_COLOUR_WORDS, _SHAPE_WORDS, _SIZE_WORDS, _YES, _PLACES):
        if word in table:
            return table[word]
    return UNANSWERABLE if word == UNANSWERABLE else None


def classes(answer: str) -> str:
    """What sort of answer this is: colour, shape, number, yes-no, place, size, unanswerable or other."""
    word = meaning(answer)
    tests = (
        ("colour", COLOURS),
        ("shape", SHAPES),
        ("yes-no", ("yes", "no")),
        ("place", tuple(_PLACES.values())),
        ("size", SIZES),
        ("unanswerable", (UNANSWERABLE,)),
    )
    return "number" if word.isdecimal() else next((name for name, members in tests if word in members), "other")


def article(words: str) -> str:
    """ "an orange square", "a red circle"."""
    return f"{'an' if words[:1] in 'aeiou' else 'a'} {words}"


def spelt(number: int) -> str:
    return NUMBERS[number] if 0 <= number < len(NUMBERS) else str(number)
