"""Questions put in words: for each skill some ways to ask, and the seed question's own way with other things in it."""

import re
from dataclasses import dataclass, replace

from models.pocket.teacher import words as w
from models.pocket.teacher.exchanged import exchanged
from models.pocket.teacher.questions import ENDS, Question, Ref
from models.pocket.teacher.reading import parse

_PHOTO = re.compile(r"\b(photo|image|picture|scene|chart)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Manner:
    """How a seed question is written: its words, whether it begins with a small letter, and what it calls the picture."""

    seed: str = ""
    small: bool = False
    photo: str = "photo"

    @classmethod
    def of(cls, seed: str) -> "Manner":
        named = _PHOTO.search(seed)
        small = seed[:1].islower()
        return cls(seed, small, named[1].lower() if named else "image" if small else "photo")


def ways(question: Question, manner: Manner) -> list[str]:
    """Texts that ask the question, each of which reads back as that very question; the seed's way first if it has one."""
    texts = [text for text in [_like(question, manner), *_texts(question, manner.photo)] if text and parse(text) == question]
    return [text[:1].lower() + text[1:] if manner.small else text for text in dict.fromkeys(texts)]


def own_way(question: Question, manner: Manner) -> list[str]:
    """The text that asks the question in the seed's own words; none where these can't ask it."""
    text = _like(question, manner)
    return [text] if text and parse(text) == question else []


def thing(ref: Ref, noun: str = "object") -> str:
    """ "small red circle", "red object", "object on the left"."""
    return " ".join(word for word in (ref.size, ref.colour, ref.shape or noun) if word) + at(ref)


_AT = {"left": " on the left", "right": " on the right", "top": " at the top", "bottom": " at the bottom"}


def at(ref: Ref) -> str:
    return _AT.get(ref.side or "", "")


def _like(question: Question, manner: Manner) -> str | None:
    """The seed question about other things of the same sort: its color and shape words exchanged, its articles mended."""
    seed = parse(manner.seed)
    if (
        seed is None
        or (seed.ref.colour is None) != (question.ref.colour is None)
        or (seed.ref.shape is None) != (question.ref.shape is None)
    ):
        return None
    if seed.skill != question.skill:
        return None
    if question.other or seed.other or {seed.ref.side, question.ref.side} & set(ENDS):
        return exchanged(manner.seed, seed, question)
    text = manner.seed
    for old, new in ((seed.ref.colour, question.ref.colour), (seed.ref.shape, question.ref.shape)):
        if old and new:
            text = re.sub(rf"\b{old}\b", new, text, count=1, flags=re.IGNORECASE)
    if seed.unit != question.unit:
        text = text.replace(seed.unit, question.unit)
    return re.sub(r"\b(a|an) (?=(\w))", lambda m: "an " if m[2].lower() in "aeiou" else "a ", text)


def _texts(q: Question, photo: str) -> list[str]:
    if q.bars:
        return _bar_texts(q, photo)
    return _WORDS[q.skill](q, photo)


def _shape(q: Question, photo: str) -> list[str]:
    if q.relation:
        return [
            f"What shape is the object {_to(q.stands)} the {thing(q.second)}?",
            f"Which shape is {_to(q.stands)} the {thing(q.second)}?",
        ]
    if q.ref.is_bare:
        return [
            "What shape is the object?",
            "Which shape is shown?",
            f"What shape is in the {photo}?",
            f"Which shape does the {photo} show?",
        ]
    if q.ref.side in ENDS:
        return [f"What shape is the {_ended(q.ref)}?"]
    named = thing(q.ref)
    texts = [f"What shape is the {named}?", f"Which shape does the {named} have?", f"What is the shape of the {named}?"]
    return [*texts, f"Which shape is {q.ref.colour}?"] if q.ref == Ref(q.ref.colour) else texts


def _colour(q: Question, photo: str) -> list[str]:
    if q.relation:
        return [f"What color is the object {_to(q.stands)} the {thing(q.second)}?"]
    if q.ref.side in ENDS:
        return [f"What color is the {_ended(q.ref)}?"]
    named = thing(q.ref)
    return [f"What color is the {named}?", f"Which color does the {named} have?", f"What is the color of the {named}?"]


def _size(q: Question, photo: str) -> list[str]:
    if q.relation:
        return [f"What size is the object {_to(q.stands)} the {thing(q.second)}?"]
    if q.ref.side in ENDS:
        return [f"What size is the {_ended(q.ref)}?"]
    return [f"What size is the {thing(q.ref)}?", f"Is the {thing(q.ref)} small or large?"]


def _existence(q: Question, photo: str) -> list[str]:
    described = w.article(thing(q.ref, "shape"))
    bare = described.partition(" ")[2]
    if q.relation:
        return [f"Is there {'not ' if q.negated else ''}{described} {_to(q.stands)} the {thing(q.second)}?"]
    if q.negated:
        return [
            f"Is there not {described}?",
            f"Does the {photo} not contain {described}?",
            f"Is no {bare} present?",
            f"Is there no {bare} in the {photo}?",
        ]
    return [f"Is there {described}?", f"Does the {photo} contain {described}?", f"Is {described} present?", f"Can you see {described}?"]


def _verify(q: Question, photo: str) -> list[str]:
    if q.second.side:
        return [f"Is the {thing(q.ref)} {'not ' if q.negated else ''}{_in_half(q.second.side)} of the {photo}?"]
    claim = q.second.colour or q.second.size or w.article(q.second.shape or "object")
    return [f"Is the {thing(q.ref)} {'not ' if q.negated else ''}{claim}?"]


def _count(q: Question, photo: str) -> list[str]:
    if q.skill == "count-colours":
        return ["How many different colors are there?", "How many different colors do the objects have?"]
    if q.skill == "count-shapes":
        return ["How many different shapes are there?", f"How many different shapes does the {photo} show?"]
    if q.relation:
        many = thing(q.ref) + "s"
        verb = "have" if q.relation.startswith("same") else "are"
        return [f"How many {many} {verb} {_to(q.stands)} the {thing(q.second)}?"]
    if q.other:
        return [f"How many objects are there besides the {thing(q.second)}?"]
    many = thing(replace(q.ref, side=None)) + "s"
    texts = [f"How many {many} are there{at(q.ref)}?", f"How many {many} can you see{at(q.ref)}?"]
    if q.ref.is_bare:
        texts += [
            f"How many objects does the {photo} show?",
            "How many shapes can you see?",
            "How many shapes are there?",
            f"How many things are in the {photo}?",
        ]
    return texts


def _place(q: Question, photo: str) -> list[str]:
    named = thing(q.ref)
    if q.skill == "left-right":
        return [f"Is the {named} on the left or on the right?", f"Is the {named} on the left or the right of the {photo}?"]
    return [f"Is the {named} at the top or at the bottom?", f"Is the {named} at the top or the bottom of the {photo}?"]


def _relation(q: Question, photo: str) -> list[str]:
    if q.skill == "relation" and q.relation in ("nearest", "furthest"):
        return [f"Is the {thing(q.ref)} {'not ' if q.negated else ''}the {_to(q.stands)} the {thing(q.second)}?"]
    if q.skill == "same":
        return [f"Does the {thing(q.ref)} {'not ' if q.negated else ''}have {_to(q.stands)} the {thing(q.second)}?"]
    if q.skill == "relation":
        return [f"Is the {thing(q.ref)} {'not ' if q.negated else ''}{_to(q.stands)} the {thing(q.second)}?"]
    pair = "left or right of" if q.relation == "left-right" else "above or below"
    return [f"Is the {thing(q.ref)} {pair} the {thing(q.second)}?"]


def _sides(q: Question, photo: str) -> list[str]:
    named = thing(q.ref, "shape")
    return [
        f"How many {q.unit} does the {named} have?",
        f"What is the number of {q.unit} of the {named}?",
    ]


def _more(q: Question, photo: str) -> list[str]:
    """As the readers take it: more circles than squares."""
    one, other = thing(q.ref) + "s", thing(q.second) + "s"
    there = "Are there not" if q.negated else "Are there"
    if q.relation == "as many":
        return [f"{there} as many {one} as {other}?"]
    return [f"{there} {q.stands} {one} than {other}?"]


def _in_half(side: str) -> str:
    return f"in the {side} half"


def _ended(ref: Ref) -> str:
    return f"{ref.side} {thing(replace(ref, side=None))}"


def _to(relation: str) -> str:
    if relation.startswith("same "):
        return f"the {relation.replace('colour', 'color')} as"
    return {
        "left": "left of",
        "right": "right of",
        "nearest": "nearest to",
        "furthest": "furthest from",
        "larger": "larger than",
        "smaller": "smaller than",
    }.get(relation, relation)


_WORDS = {
    "shape": _shape,
    "colour": _colour,
    "size": _size,
    "existence": _existence,
    "verify": _verify,
    **dict.fromkeys(("count", "count-colours", "count-shapes"), _count),
    **dict.fromkeys(("left-right", "top-bottom"), _place),
    **dict.fromkeys(("relation", "relation-choice", "same"), _relation),
    "more": _more,
    "sides": _sides,
}


def _bar_texts(q: Question, photo: str) -> list[str]:
    high, low = ("tallest", "highest") if q.highest else ("shortest", "lowest")
    described = f"{q.ref.colour} bar"
    if q.skill == "bar-rank":
        return _rank_texts(q, high, low)
    if q.skill == "bar-place":
        end = "from the right" if q.nth < 0 else "from the left"
        nth = list(w.ORDINALS)[-1 - q.nth if q.nth < 0 else q.nth]
        ends = {
            0: ["What color is the first bar?", "What color is the leftmost bar?"],
            -1: ["What color is the last bar?", "What color is the rightmost bar?"],
        }
        return ends.get(q.nth, []) + [f"What color is the {nth} bar {end}?"] + ([f"What color is the {nth} bar?"] if q.nth > 0 else [])
    if q.skill == "bar-next":
        return [f"What color is the bar {_to(q.stands)} the {described}?"]
    if q.skill == "bar-compare":
        return [f"Is the {described} {'taller' if q.highest else 'shorter'} than the {q.second.colour} bar?"]
    if q.skill == "bar-verify":
        return [f"Is the {described} {'not ' if q.negated else ''}the {high} one?"]
    if q.skill == "existence":
        return [
            f"Is there {'not ' if q.negated else ''}{w.article(described)}?",
            f"Does the chart {'not ' if q.negated else ''}contain {w.article(described)}?",
        ]
    return ["How many bars are there?", "How many bars does the chart have?"] if q.ref.is_bare else [f"How many {described}s are there?"]


def _rank_texts(q: Question, high: str, low: str) -> list[str]:
    nth = "" if q.nth == 0 else list(w.ORDINALS)[q.nth] + " "
    out = [colour[1:] for colour in q.among if colour[0] == "-"]
    if out:
        named = " and ".join(out)
        bars = "bar" if len(out) == 1 else "bars"
        return [
            f"Leaving out the {named} {bars}, which bar is the {nth}{high}?",
            f"What color is the {nth}{low} bar, leaving out the {named} {bars}?",
        ]
    if len(q.among) == 2:
        comparative = "taller" if q.highest else "shorter"
        return [f"Which bar is {comparative}, the {q.among[0]} or the {q.among[1]} one?"]
    if q.among:
        listed = ", ".join(q.among[:-1]) + f" or {q.among[-1]}"
        return [f"Which bar is the {nth}{high}: {listed}?", f"Which bar is the {nth}{low}: {listed}?"]
    return [f"Which bar is the {nth}{high}?", f"What color is the {nth}{low} bar?"]
