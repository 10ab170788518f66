"""The seed's own words about other things: each color, shape and size that it names exchanged for the new question's, its relation too."""

import re

from models.pocket.teacher import words as w
from models.pocket.teacher.questions import Question, Ref

_WORD = re.compile(r"[A-Za-z]+")
_TURNED = (  # ways to say a relation, each beside its opposite in the same manner
    ("nearest to", "furthest from"),
    ("closest to", "farthest from"),
    ("closest to", "farthest away from"),
    ("nearest to", "furthest away from"),
    ("nearest", "furthest"),
    ("closest", "farthest"),
    ("leftmost", "rightmost"),
    ("topmost", "bottommost"),
    ("uppermost", "lowermost"),
    ("left", "right"),
    ("upper", "lower"),
    ("top", "bottom"),
    ("above", "below"),
    ("larger", "smaller"),
    ("bigger", "smaller"),
    ("more", "fewer"),
)


def exchanged(text: str, seed: Question, question: Question) -> str | None:
    """The text of `seed` asking `question`; None where they don't name things by the same properties.

    Whether it really reads as the question is for the caller to check.
    """
    pending: list[tuple[str, str]] = []
    for old, new in ((seed.ref, question.ref), (seed.other or Ref(), question.other or Ref())):
        for field in ("colour", "shape", "size"):
            before, after = getattr(old, field), getattr(new, field)
            if (before is None) != (after is None):
                return None
            if before:
                pending.append((before, after))

    def put(found: re.Match) -> str:
        word = found[0].lower()
        meant = w.colour_of(word) or w.shape_of(word) or w.size_of(word)
        place = next((i for i, (before, _) in enumerate(pending) if before == meant), None)
        if meant is None or place is None:
            return found[0]
        before, after = pending.pop(place)
        return found[0] if before == after else after + ("s" if word == before + "s" else "")

    made = _WORD.sub(put, text)
    if pending:
        return None
    turned = (seed.relation, seed.ref.side, seed.other.side if seed.other else None) != (
        question.relation,
        question.ref.side,
        question.other.side if question.other else None,
    )
    made = _turned(made) if turned else made
    return re.sub(r"\b(a|an) (?=(\w))", lambda m: "an " if m[2].lower() in "aeiou" else "a ", made)


def _turned(text: str) -> str:
    """With the first relation that it names turned into its opposite."""
    for pair in _TURNED:
        for one, other in (pair, pair[::-1]):
            if re.search(rf"\b{one}\b", text):
                return re.sub(rf"\b{one}\b", other, text, count=1)
    return text
