"""The skill that a question needs, in a short phrase: "shortest bar", "counting three", "negated question about presence".

Finer than an error type: what a model can do (the tallest bar) and what it can't (the shortest) are two skills.
"""

import re
from dataclasses import replace

from models.pocket.teacher import among_several
from models.pocket.teacher import words as w
from models.pocket.teacher.answers import name, the_one
from models.pocket.teacher.eyes import Object, Seen
from models.pocket.teacher.questions import Question, Ref

OTHER = "another skill"
_PLAIN = {
    "shape": "naming a shape",
    "colour": "naming a color",
    "size": "telling small from large",
    "existence": "telling whether a thing is there",
    "verify": "checking a color or shape",
    "count-colours": "counting colors",
    "count-shapes": "counting kinds of shapes",
    "left-right": "telling left from right",
    "top-bottom": "telling top from bottom",
    "relation": "telling how two things stand",
    "bar-compare": "comparing two bars",
    "bar-verify": "checking which bar is the extreme",
    "bar-next": "finding the bar beside another",
}
_NEGATED = {
    "existence": "negated question about presence",
    "verify": "negated question about a color or shape",
    "relation": "negated question about places",
}
_ENDS = {0: "first bar", -1: "last bar"}


def skill(question: Question, seen: Seen, answer: str, choices: tuple[str, ...] = ()) -> str:
    """The phrase for a question whose right answer on this picture is `answer`, in the plainest form or, with choices, the letter."""
    if choices:
        return f"answering with option {answer}" if re.fullmatch("[A-Z]", answer) else "answering with an option's letter"
    if answer == w.UNANSWERABLE:
        return "noticing that a blurred photo can't tell" if seen.blurred else "noticing that the picture doesn't tell"
    if among_several.is_such(question, seen):
        return ("negated question: " if question.negated else "") + among_several.phrase(question)
    if question.negated and question.skill in _NEGATED:
        return _NEGATED[question.skill]
    if question.skill == "count":
        narrowed = question.ref != Ref() or question.other is not None
        return f"counting {_spelt(answer)}" + (" of a sort" if narrowed else "")
    if question.skill == "sides":
        meant = the_one(question, seen, question.ref)
        return f"sides of a {name(meant)}" if isinstance(meant, Object) else "sides of a shape"
    if question.skill == "relation-choice":
        return f"telling {question.relation.replace('-', ' from ')} of two things" if question.relation else _PLAIN["relation"]
    if question.skill == "bar-rank":
        return _rank(question)
    if question.skill == "bar-place":
        return _ENDS.get(question.nth, f"{_nth(-1 - question.nth)} bar from the right" if question.nth < 0 else f"{_nth(question.nth)} bar")
    return _PLAIN[question.skill]


def kind(question: Question, choices: tuple[str, ...] = ()) -> str:
    """The phrase for what a question asks, whatever its picture and answer: that of `skill`, without the number or letter."""
    if question.skill == "count" and not question.relation:
        narrowed = question.ref != Ref() or question.other is not None
        found = "counting bars" if question.bars else "counting things of a sort" if narrowed else "counting things"
    elif question.skill == "sides":
        found = "sides of a shape"
    elif question.relation and question.relation in ("left", "right", "above", "below") and question.skill in ("shape", "colour", "size"):
        found = among_several.phrase(question)
    else:
        found = skill(replace(question, negated=False), Seen(), "")
    found = f"negated question: {found}" if question.negated else found
    return f"choosing an option: {found}" if choices else found


def same(one: str, other: str) -> bool:
    """Whether two phrases name one skill: the same but for letters' size and blanks; sides are corners."""
    return _plain(one) == _plain(other)


def choose(phrase: str, offered: list[str]) -> str:
    """Of the phrases offered the one that means this skill; OTHER if none does."""
    return next((one for one in offered if same(one, phrase)), OTHER)


def _plain(text: str) -> str:
    return re.sub(r"\b(corners|sides)\b", "sides", " ".join(text.lower().split()))


def _rank(question: Question) -> str:
    extreme = "tallest" if question.highest else "shortest"
    if question.nth:
        return f"{_nth(question.nth)} {extreme} bar"
    if len(question.among) == 2 and not question.among[0].startswith("-"):
        return ("taller" if question.highest else "shorter") + " of two bars"
    return f"{extreme} bar" + (" among some" if question.among else "")


def _nth(place: int) -> str:
    ordinals = list(w.ORDINALS)
    return ordinals[place] if place < len(ordinals) else f"{place + 1}th"


def _spelt(answer: str) -> str:
    return w.spelt(int(answer)) if answer.isdecimal() else answer
