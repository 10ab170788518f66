"""What went wrong in an answer: the slip that explains it best, named concretely, and the error type that it belongs to."""

import re

from models.pocket.teacher import among_several, skills
from models.pocket.teacher import words as w
from models.pocket.teacher.answers import AWAY, SURE, Answer, matching, ranked
from models.pocket.teacher.eyes import Seen
from models.pocket.teacher.questions import Question
from models.pocket.teacher.wire import ApiError, Task

_OPPOSITES = {"left": "right", "right": "left", "top": "bottom", "bottom": "top", "above": "below", "below": "above"}
_FORMS = {  # the sort of answer that each skill asks for
    "shape": "shape",
    "colour": "colour",
    "size": "size",
    "left-right": "place",
    "top-bottom": "place",
    "relation-choice": "place",
    **dict.fromkeys(("existence", "verify", "relation", "same", "more", "bar-compare", "bar-verify"), "yes-no"),
    **dict.fromkeys(("count", "count-colours", "count-shapes", "sides"), "number"),
    **dict.fromkeys(("bar-rank", "bar-place", "bar-next"), "colour"),
}
_ASKED = {"colour": "a color", "shape": "a shape", "size": "a size", "place": "a place", "yes-no": "yes or no", "number": "a number"}


def diagnosis(task: Task, question: Question, own: Answer, wanted: tuple[str, ...]) -> dict:
    """The fields of the reply. `wanted` are the error types that fit the question."""
    golds, given = golds_of(task.fields.get("Gold answer", "")), task.fields.get("Model's answer", "").strip()
    choices, seen = task.choices, task.shown
    gold_wrong = bool(golds) and own.confidence >= SURE and not any(means(gold, own.text, choices) for gold in golds)
    misformatted = bool(golds) and any(means(given, gold, choices) for gold in golds)
    truth = own.text if own.confidence >= SURE or not golds else normal(golds[0], choices)
    if misformatted:
        reasoning = f"Says {given!r}, which means the same as {golds[0]!r} but is written otherwise."
        wanted = ("scorer-artefact", "instruction-or-format", *wanted)
    elif gold_wrong and means(given, own.text, choices):
        reasoning = f"There is no slip: {given!r} is what the picture shows; the gold answer {golds[0]!r} is not."
    else:
        reasoning = _capital(_slip(question, seen, choices, normal(given, choices), truth, given) + ".")
    if gold_wrong:
        wanted = ("label-error", *wanted)
    elif not misformatted and w.UNANSWERABLE in (truth, normal(given, choices)):
        wanted = ("unanswerable", *wanted)
    return {
        "description": seen.words,
        "key_elements": _key_elements(question, seen, choices),
        "faulty_reasoning": reasoning,
        "error_type": choose_type(wanted, task.error_types),
        "skill": skills.skill(question, seen, truth, choices),
        "gold_looks_wrong": gold_wrong,
        "right_but_misformatted": misformatted,
        "confidence": round(min(0.95, 0.4 + 0.6 * own.confidence), 2),
    }


def choose_type(wanted: tuple[str, ...], offered: list[str]) -> str:
    """The first wanted type that is offered, else the first offered of any sort. Raises ApiError if none is offered."""
    if not offered:
        raise ApiError(422, "the request names no error types; list them in lines “- name: definition”", "error_types_missing", "messages")
    by_name = {name.lower().replace("_", "-"): name for name in offered}
    return next((by_name[name] for name in wanted if name in by_name), offered[0])


def golds_of(text: str) -> list[str]:
    """The gold answers in a prompt's line, however they were joined: "3 / three", "['3', 'three']", "red (7), orange (3)".

    >>> golds_of("A"), golds_of("3 / three"), golds_of('["red", "dark red"]')
    (['A'], ['3', 'three'], ['red', 'dark red'])
    """
    bare = re.sub(r"^[(\[](.*)[)\]]$", r"\1", text.strip(), flags=re.DOTALL)
    parts = re.split(r"\s*(?:/|\||;|,|\n)\s*", bare)
    cleaned = (re.sub(r"\s*(?:\(\s*[x×]?\d+\s*[x×]?\s*\)|[x×]\d+)$", "", part).strip().strip("'\"“”") for part in parts)
    return list(dict.fromkeys(part for part in cleaned if part))


def normal(text: str, choices: tuple[str, ...]) -> str:
    """An answer's meaning in one word; with choices the letter, if one is meant."""
    if not choices:
        return w.meaning(text)
    letter = re.match(r"\s*(?:the answer is\s+|option\s+)?\(?([A-Za-z])\)?(?:[.):\s]|$)", text, re.IGNORECASE)
    if letter and ord(letter[1].upper()) - 65 < len(choices):
        return letter[1].upper()
    fits = [chr(65 + i) for i, choice in enumerate(choices) if w.meaning(choice) == w.meaning(text)]
    return fits[0] if len(fits) == 1 else w.meaning(text)


def means(one: str, other: str, choices: tuple[str, ...]) -> bool:
    return bool(one.strip()) and normal(one, choices) == normal(other, choices)


def _slip(question: Question, seen: Seen, choices: tuple[str, ...], given: str, truth: str, raw: str) -> str:
    """The most likely slip, as a clause that begins with a verb."""
    if not raw:
        return "gives no answer at all"
    if choices:
        return _letter_slip(choices, given, truth, raw)
    if truth == w.UNANSWERABLE:
        why = "although the photo is too blurred to tell" if seen.blurred else "although the picture doesn't determine an answer"
        return f"answers {given!r} {why}"
    if given == w.UNANSWERABLE:
        return f"says unanswerable although the picture is clear: the answer is {truth}"
    form = _FORMS[question.skill]
    if w.classes(given) != form:
        return f"answers {raw[:60]!r} where {_ASKED[form]} is asked for"
    if question.negated:
        return "ignores “not” and answers the affirmative form"
    if among_several.is_such(question, seen) and w.classes(truth) == form:
        return _needed_slip(question, given, truth)
    named = _SLIPS.get(question.skill, _plain_slip) if w.classes(truth) == form else _plain_slip
    return named(question, seen, given, truth)


def _letter_slip(choices: tuple[str, ...], given: str, truth: str, raw: str) -> str:
    if len(given) != 1 or not given.isalpha():
        return f"answers {raw[:60]!r} instead of an option's letter"
    right = f"the right option is {truth}" if len(truth) == 1 else "none of the options fits"
    return f"picks {given} although {right}" + (
        f" ({choices[ord(truth) - 65]})" if len(truth) == 1 and ord(truth) - 65 < len(choices) else ""
    )


def _needed_slip(question: Question, given: str, truth: str) -> str:
    """Of a question that hangs on several things: where its need leads astray."""
    needed = among_several.phrase(question)
    other = question.other.words if question.other and not question.other.side else ""
    beside = f" ({other})" if other else ""
    return f"does not manage {needed}{beside}: says {given} although {truth} is right"


def _count_slip(question, seen, given, truth) -> str:
    what = {"count-colours": "color", "count-shapes": "shape"}.get(question.skill, "bar" if question.bars else "object")
    return f"counts {w.spelt(int(truth))} {what}{'s' if truth != '1' else ''} as {w.spelt(int(given))}"


def _sides_slip(question, seen, given, truth) -> str:
    referents = matching(seen.things, question.ref)
    shape = referents[0].shape if len(referents) == 1 else next((s for s, n in w.CORNERS.items() if str(n) == truth), "shape")
    return f"does not know that a {shape} has {w.spelt(int(truth))} {question.unit}, says {w.spelt(int(given))}"


def _rank_slip(question, seen, given, truth) -> str:
    asked, opposite = ("tallest", "shortest") if question.highest else ("shortest", "tallest")
    order = [bar.colour for bar in ranked(seen.bars, question)]
    if given not in order:
        return f"names {given}, a color that no bar asked about has, when asked for the {asked}"
    if order[-1] == given:
        return f"names the {opposite} bar when asked for the {asked}"
    return f"takes the {given} bar for the {asked}, which is the {truth} one"


def _bar_place_slip(question, seen, given, truth) -> str:
    colours = [bar.colour for bar in seen.bars]
    asked = "last" if question.nth == -1 else f"{list(w.ORDINALS)[question.nth]}" if 0 <= question.nth < 5 else "one asked for"
    if given not in colours:
        return f"names {given}, a color that no bar has, when asked for the {asked}"
    place = colours.index(given)
    named = "last" if place == len(colours) - 1 else list(w.ORDINALS)[min(place, 4)]
    return f"names the {named} bar when asked for the {asked}"


def _place_slip(question, seen, given, truth) -> str:
    if _OPPOSITES.get(truth) == given:
        return f"confuses {given} and {truth}: says {given} for {truth}"
    return f"says {given} where {truth} is right"


def _shape_slip(question, seen, given, truth) -> str:
    other = next((thing for thing in seen.things if thing.shape == given), None)
    if other:
        return f"names the shape of another object, the {other.words}, instead of the {truth}"
    return f"takes the {truth} for {w.article(given)}"


def _colour_slip(question, seen, given, truth) -> str:
    other = next((thing for thing in seen.things if thing.colour == given), None)
    if other:
        return f"gives the color of another object, the {other.words}, instead of {truth}"
    return f"reads {truth} as {given}"


def _existence_slip(question, seen, given, truth) -> str:
    what = question.ref.words + (" bar" if question.bars else "")
    if truth == "yes":
        return f"overlooks the {what}"
    partly = [t for t in seen.things if t.colour == question.ref.colour or t.shape == question.ref.shape]
    if partly and not question.bars:
        return f"takes the {partly[0].colour} {partly[0].shape} for the {what} asked about"
    return f"sees {w.article(what)} that is not there"


def _plain_slip(question, seen, given, truth) -> str:
    return f"says {given} although {truth} is right"


_SLIPS = {
    **dict.fromkeys(("count", "count-colours", "count-shapes"), _count_slip),
    "sides": _sides_slip,
    "bar-rank": _rank_slip,
    "bar-place": _bar_place_slip,
    **dict.fromkeys(("left-right", "top-bottom", "relation-choice"), _place_slip),
    "shape": _shape_slip,
    "colour": _colour_slip,
    "existence": _existence_slip,
}


def _key_elements(question: Question, seen: Seen, choices: tuple[str, ...]) -> list[str]:
    """Words and visual elements that the answer hangs on, the words first."""
    found = ["the word “not” or “no”"] if question.negated else []
    if choices:
        found.append(f"the options {', '.join(choices)}")
    if seen.bars:
        found += [f"the height of the {bar.colour} bar" for bar in seen.bars]
        if question.skill == "bar-rank":
            found.insert(0, "the word “" + ("tallest" if question.highest else "shortest") + "”")
        return found
    if seen.blurred:
        found.append("the blur, in which no edge survives")
    if question.relation and among_several.is_such(question, seen):
        found.append(f"the word “{question.relation}”" if question.relation in AWAY else f"how the things stand: {question.relation}")
    if question.skill == "sides":
        found.append("the outline of the shape and its corners")
    referents = matching(seen.things, question.ref) + (matching(seen.things, question.other) if question.other else [])
    chosen = list(dict.fromkeys(referents)) or list(seen.things)
    return found + [f"something {thing.colour}" if thing.shape == "unclear" else f"the {thing.words}" for thing in chosen]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
