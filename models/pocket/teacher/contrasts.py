"""The opposite of a question: what a model mixes it up with, asked of the same picture."""

from dataclasses import replace

from models.pocket.teacher import among_several
from models.pocket.teacher.questions import Question

_TURNED = {"left": "right", "right": "left", "above": "below", "below": "above"}
_OTHER_AXIS = {"left-right": "top-bottom", "top-bottom": "left-right"}


def opposite(question: Question) -> Question | None:
    """The plain twin of a negated question and the reverse, the shortest bar for the tallest; None if there is none.

    >>> opposite(Question("bar-rank", bars=True, highest=False)).highest
    True
    """
    if not question.negated and among_several.is_such(question) and question.skill != "relation":
        return among_several.opposite(question)
    if question.negated or question.skill in ("existence", "verify", "relation"):
        return replace(question, negated=not question.negated)
    if question.skill in ("bar-rank", "bar-compare", "bar-verify"):
        return replace(question, highest=not question.highest)
    if question.skill == "bar-place":
        return replace(question, nth=-1 - question.nth)
    if question.skill == "bar-next":
        return replace(question, relation=_TURNED[question.stands])
    if question.skill in _OTHER_AXIS:
        return replace(question, skill=_OTHER_AXIS[question.skill])
    return None
