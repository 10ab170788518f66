"""A guess without a picture: what the question's words determine, else one of the answers that such questions have, by lot."""

import random

from data.scenes import COLOURS, SHAPES
from models.pocket.teacher import words as w
from models.pocket.teacher.answers import Answer, as_letter
from models.pocket.teacher.questions import Question

YES_NO = ("existence", "verify", "relation", "same", "more", "bar-compare", "bar-verify")
USUAL = {  # skill: answers, the usual ones as often as they are usual
    "shape": tuple(SHAPES),
    "size": w.SIZES,
    "count": ("1", "1", "1", "2", "2", "3", "4"),
    "count-colours": ("1", "2", "2", "3"),
    "count-shapes": ("1", "2", "2", "3"),
    "left-right": ("left", "right"),
    "top-bottom": ("top", "bottom"),
    "sides": ("3", "4", "5", "6"),
}


def guess(question: Question, choices: tuple[str, ...], salt: str) -> Answer:
    """An answer; sure (1) only where the words determine it: a named shape has its corners whatever the picture shows."""
    rng = random.Random(salt)
    if question.skill == "sides" and question.ref.shape:
        known = Answer(str(w.CORNERS[question.ref.shape]), 1.0, f"a {question.ref.shape} has so many {question.unit}")
        return as_letter(known, choices) if choices else known
    if choices:
        return Answer(rng.choice([chr(65 + i) for i in range(len(choices))]), 1 / len(choices), "one of the options")
    usual = _usual(question)
    answer = rng.choice(usual)
    return Answer(answer, min(usual.count(answer) / len(usual), 0.5), "such questions often have this answer")


def _usual(question: Question) -> tuple[str, ...]:
    if question.skill in YES_NO:
        return ("yes", "no")
    if question.skill == "relation-choice":
        return ("left", "right") if question.relation == "left-right" else ("above", "below")
    named = tuple(colour for colour in question.among if not colour.startswith("-"))
    return named or USUAL.get(question.skill) or tuple(COLOURS)
