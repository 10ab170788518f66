"""Answering a question from what was seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import hypot

from data.scenes import OBJECT_LIMIT, SIZE
from models.pocket.teacher import words as w
from models.pocket.teacher.charts import Bar
from models.pocket.teacher.eyes import LARGE, Object, Seen
from models.pocket.teacher.questions import ENDS, Question, Ref

SURE = 0.9  # from here on the eye contradicts others
DOUBTFUL = 0.8  # below it vouches for nothing
CLOSE_CALL = 0.75  # of an answer that a pixel would change: given, but no sample is made of it
LEVEL = 2.0  # pixels by which two bars or places must differ to be told apart
LEVEL_AMONG_MANY = 0.8  # ... where more things than a built-in scene has lie closer together
AWAY = ("nearest", "furthest")
ALIKE: dict[str, Callable[[Object], str]] = {
    "same shape": lambda thing: thing.shape,
    "same colour": lambda thing: thing.colour,
    "same size": lambda thing: thing.size,
}
_END_FIRST: dict[str, Callable[[Object], float]] = {
    "leftmost": lambda thing: thing.x,
    "rightmost": lambda thing: -thing.x,
    "topmost": lambda thing: thing.y,
    "bottommost": lambda thing: -thing.y,
}


@dataclass(frozen=True)
class Answer:
    """`text` in the plainest form; `why` in one clause; `confidence` from 0 to 1."""

    text: str
    confidence: float
    why: str

    @property
    def is_none(self) -> bool:
        return self.text == w.UNANSWERABLE


def answer(question: Question, seen: Seen) -> Answer:
    """What the picture says; "unanswerable" where it doesn't determine an answer."""
    if seen.confidence < 0.3:
        return Answer(w.UNANSWERABLE, 0.1, "the picture is no drawn scene")
    if question.bars:
        return _of_bars(question, seen.bars)
    if seen.bars:
        return _of_chart_things(question, seen)
    if seen.blurred and _needs_shape(question, seen):
        return Answer(w.UNANSWERABLE, 0.95, "the photo is too blurred to tell shapes")
    found = _READERS[question.skill](question, seen)
    if not _names_colours(question):
        return found
    return replace(found, confidence=min([found.confidence, *(thing.colour_confidence for thing in seen.things)]))


def _names_colours(question: Question) -> bool:
    refs = [ref for ref in (question.ref, question.other) if ref]
    return question.skill in ("colour", "count-colours") or any(ref.colour for ref in refs)


def name(thing: Object) -> str:
    """The thing's shape as its benchmark calls it: easy-VQA has no squares, only rectangles."""
    return "rectangle" if thing.shape == "square" and thing.flat else thing.shape


def matching(things: tuple[Object, ...], ref: Ref) -> list[Object]:
    """The things that the words fit. A square is a rectangle too."""
    kept = [
        thing
        for thing in things
        if ref.colour in (None, thing.colour)
        and (ref.shape in (None, thing.shape) or (ref.shape == "rectangle" and thing.shape == "square"))
        and (ref.size not in w.SIZES or ref.size == thing.size)
        and (ref.side is None or ref.side in ENDS or _is_at(thing, ref.side))
    ]
    if ref.side in ENDS and kept:
        kept = [min(kept, key=_END_FIRST[ref.side])]
    if ref.size in ("largest", "smallest") and kept:
        kept = [(max if ref.size == "largest" else min)(kept, key=lambda thing: thing.radius)]
    return kept


def stands(one: Object, relation: str, other: Object, level: float = LEVEL) -> bool:
    """Whether `one` is left, right, above or below of `other`, larger or smaller, by more than `level` pixels; or alike in a property."""
    if relation in ALIKE:
        return ALIKE[relation](one) == ALIKE[relation](other)
    apart = {
        "left": other.x - one.x,
        "right": one.x - other.x,
        "above": other.y - one.y,
        "below": one.y - other.y,
        "larger": one.radius - other.radius,
        "smaller": other.radius - one.radius,
    }
    return apart[relation] > level


def related(found: Sequence[Object], relation: str, others: Sequence[Object], seen: Seen) -> list[Object]:
    """Those of the things found that stand so to one of the others; of nearest and furthest the one that does, if it is clear."""
    if relation not in AWAY:
        level = LEVEL_AMONG_MANY if len(seen.things) > OBJECT_LIMIT else LEVEL
        return [thing for thing in found if any(thing is not other and stands(thing, relation, other, level) for other in others)]
    if len(others) != 1:
        return []
    order = sorted((thing for thing in seen.things if thing is not others[0]), key=lambda thing: _apart_by(thing, others[0]))
    order = order if relation == "nearest" else order[::-1]
    order = [thing for thing in order if thing in found]
    clear = len(order) == 1 or (order and abs(_apart_by(order[0], others[0]) - _apart_by(order[1], others[0])) > LEVEL)
    return order[:1] if clear else order[:2]


def _apart_by(one: Object, other: Object) -> float:
    """Pixels between two centres."""
    return hypot(one.x - other.x, one.y - other.y)


def as_letter(found: Answer, choices: tuple[str, ...]) -> Answer:
    """The letter of the choice that means the answer."""
    for i, choice in enumerate(choices):
        if same(found.text, choice):
            return Answer(chr(65 + i), found.confidence, f"{found.why}, which is option {chr(65 + i)}")
    return Answer(w.UNANSWERABLE, found.confidence * 0.5, f"{found.why}, which is none of the options")


def same(one: str, other: str) -> bool:
    """Whether two answers mean the same; a square and a rectangle don't."""
    return w.meaning(one) == w.meaning(other)


def _is_at(thing: Object, side: str) -> bool:
    return {"left": thing.x < SIZE / 2, "right": thing.x >= SIZE / 2, "top": thing.y < SIZE / 2, "bottom": thing.y >= SIZE / 2}[side]


def _needs_shape(question: Question, seen: Seen) -> bool:
    """In a blurred picture: does the answer hang on a shape or size? A color that isn't there settles it without."""
    if question.skill in ("shape", "size", "sides", "count-shapes", "verify"):
        return True
    refs = [ref for ref in (question.ref, question.other) if ref]
    shapely = any(ref.shape or ref.size for ref in refs)
    if question.skill == "existence":
        return shapely and bool(matching(seen.things, Ref(question.ref.colour)))
    return shapely


def the_one(question: Question, seen: Seen, ref: Ref) -> Object | Answer:
    """The one thing meant by `ref`, or why there is none."""
    found = matching(seen.things, ref)
    if question.relation and question.skill in ("colour", "shape", "size") and question.other and ref is question.ref:
        found = related(found, question.relation, matching(seen.things, question.other), seen)
    if not found:
        return Answer(w.UNANSWERABLE, 0.8, f"no {ref.words} is to be seen")
    if len(found) > 1:
        return Answer(w.UNANSWERABLE, 0.5, f"there are {w.spelt(len(found))} of “{ref.words}”")
    return found[0]


def _attribute(question: Question, seen: Seen) -> Answer:
    read = {"shape": name, "colour": lambda thing: thing.colour, "size": lambda thing: thing.size}[question.skill]
    thing = the_one(question, seen, question.ref)
    if isinstance(thing, Answer):
        values = {read(thing) for thing in matching(seen.things, question.ref)}
        if question.relation in AWAY:  # two are as near: an answer only where they are alike in what is asked
            values = {read(one) for one in related(seen.things, question.relation, matching(seen.things, question.second), seen)}
            return Answer(values.pop(), 0.85, "the two that are as near are alike") if len(values) == 1 else thing
        if len(values) != 1 or question.relation:
            return thing
        return Answer(values.pop(), 0.85, f"all of “{question.ref.words}” are alike")
    confidence = {"shape": thing.confidence, "colour": 0.97, "size": min(0.5 + abs(thing.radius - LARGE) / 2, 0.97)}[question.skill]
    return Answer(read(thing), confidence, f"the {question.ref.words} is a {thing.words}")


def _existence(question: Question, seen: Seen) -> Answer:
    found = matching(seen.things, question.ref)
    if question.relation:
        found = related(found, question.relation, matching(seen.things, question.second), seen)
    text = "yes" if bool(found) != question.negated else "no"
    near = found or [thing for thing in seen.things if question.ref.colour in (None, thing.colour)]
    confidence = min((thing.confidence for thing in near), default=1.0) if question.ref.shape else 0.97
    there = f"a {found[0].words} is there" if found else f"no {question.ref.words} is there"
    return Answer(text, confidence, there)


def _verify(question: Question, seen: Seen) -> Answer:
    thing = the_one(question, seen, question.ref)
    if isinstance(thing, Answer):
        return thing
    fits = bool(matching((thing,), question.second))
    if question.second.side:
        off = (thing.x if question.second.side in ("left", "right") else thing.y) - SIZE / 2
        where = f"the {thing.words} is at ({thing.x:.0f}, {thing.y:.0f}) of {SIZE} x {SIZE}"
        return Answer("yes" if fits != question.negated else "no", min(0.5 + abs(off) / 10, 0.97), where)
    return Answer("yes" if fits != question.negated else "no", thing.confidence, f"it is a {thing.words}")


def _count(question: Question, seen: Seen) -> Answer:
    found = matching(seen.things, question.ref)
    if question.other is not None:
        others = matching(seen.things, question.other)
        apart = [thing for thing in found if thing not in others]
        found = related(found, question.relation, others, seen) if question.relation else apart
    confidence = 0.5 if seen.blurred else min((t.confidence for t in seen.things), default=1.0) if question.ref.shape else 0.95
    if question.relation in ("left", "right", "above", "below") and len(seen.things) > OBJECT_LIMIT and _level_with(question, seen):
        confidence = min(confidence, CLOSE_CALL)
    return Answer(str(len(found)), confidence, f"there {_are(len(found))} of “{question.ref.words}”")


def _level_with(question: Question, seen: Seen) -> bool:
    """Whether a thing is so level with the one that is counted beside that another eye may count otherwise."""
    across = question.relation in ("left", "right")
    at = lambda thing: thing.x if across else thing.y  # noqa: E731
    others = matching(seen.things, question.second)
    return any(thing is not other and abs(at(thing) - at(other)) <= LEVEL for thing in seen.things for other in others)


def _are(count: int) -> str:
    return "is one" if count == 1 else f"are {w.spelt(count)}"


def _count_distinct(question: Question, seen: Seen) -> Answer:
    colours = question.skill == "count-colours"
    found = {thing.colour if colours else name(thing) for thing in matching(seen.things, question.ref)}
    return Answer(str(len(found)), 0.9, f"{', '.join(sorted(found)) or 'nothing'} can be seen")


def _side(question: Question, seen: Seen) -> Answer:
    thing = the_one(question, seen, question.ref)
    if isinstance(thing, Answer):
        return thing
    across = question.skill == "left-right"
    off = (thing.x if across else thing.y) - SIZE / 2
    text = (("left", "right") if across else ("top", "bottom"))[off > 0]
    return Answer(text, min(0.5 + abs(off) / 10, 0.97), f"the {thing.words} is at ({thing.x:.0f}, {thing.y:.0f}) of {SIZE} x {SIZE}")


def _relation(question: Question, seen: Seen) -> Answer:
    thing, other = the_one(question, seen, question.ref), the_one(question, seen, question.second)
    if isinstance(thing, Answer):
        return thing
    if isinstance(other, Answer):
        return other
    where = f"the {thing.words} is at ({thing.x:.0f}, {thing.y:.0f}), the {other.words} at ({other.x:.0f}, {other.y:.0f})"
    if question.relation in AWAY:
        holds = related(seen.things, question.stands, [other], seen) == [thing]
        return Answer("yes" if holds != question.negated else "no", 0.9, where)
    if question.skill in ("relation", "same"):
        return Answer("yes" if stands(thing, question.stands, other) != question.negated else "no", 0.95, where)
    pair = ("left", "right") if question.relation == "left-right" else ("above", "below")
    for text in pair:
        if stands(thing, text, other):
            return Answer(text, 0.95, where)
    return Answer(w.UNANSWERABLE, 0.5, where + ", too level to tell")


def _more(question: Question, seen: Seen) -> Answer:
    one, other = (len(matching(seen.things, ref)) for ref in (question.ref, question.second))
    holds = {"more": one > other, "fewer": one < other, "as many": one == other}[question.stands]
    confidence = min((thing.confidence for thing in seen.things), default=1.0)
    why = f"{w.spelt(one)} of “{question.ref.words}”, {w.spelt(other)} of “{question.second.words}”"
    return Answer("yes" if holds != question.negated else "no", confidence, why)


def _sides(question: Question, seen: Seen) -> Answer:
    thing = the_one(question, seen, question.ref)
    if isinstance(thing, Answer):
        return thing
    return Answer(str(w.CORNERS[thing.shape]), thing.confidence, f"a {thing.shape} has {w.spelt(w.CORNERS[thing.shape])} {question.unit}")


_READERS = {
    **dict.fromkeys(("shape", "colour", "size"), _attribute),
    "existence": _existence,
    "verify": _verify,
    "count": _count,
    **dict.fromkeys(("count-colours", "count-shapes"), _count_distinct),
    **dict.fromkeys(("left-right", "top-bottom"), _side),
    **dict.fromkeys(("relation", "relation-choice", "same"), _relation),
    "more": _more,
    "sides": _sides,
}


def _of_chart_things(question: Question, seen: Seen) -> Answer:
    """Questions that don't say "bar" about a chart: colors are counted and looked for, the rest has no answer."""
    if question.skill == "existence" and question.ref.shape is None:
        return _of_bars(question, seen.bars)
    if question.skill in ("count", "count-colours") and question.ref.shape is None:
        return Answer(str(len(seen.bars)), 0.6, "that many bars are there")
    return Answer(w.UNANSWERABLE, 0.7, "the picture is a bar chart")


def ranked(bars: tuple[Bar, ...], question: Question) -> list[Bar]:
    """The bars asked about, the one that ranks first in front."""
    out = {colour[1:] for colour in question.among if colour[0] == "-"}
    wanted = set(question.among) - {f"-{colour}" for colour in out}
    kept = [bar for bar in bars if bar.colour not in out and (not wanted or bar.colour in wanted)]
    return sorted(kept, key=lambda bar: -bar.height if question.highest else bar.height)


def _of_bars(question: Question, bars: tuple[Bar, ...]) -> Answer:
    if not bars:
        return Answer(w.UNANSWERABLE, 0.8, "the picture shows no bars")
    by_colour = {bar.colour: bar for bar in bars}
    named = by_colour.get(question.ref.colour or "")
    words = ", ".join(f"{bar.colour} {bar.height:.0f}" for bar in bars)
    why = f"the bars from the left are {words} pixels high"
    if question.skill == "count":
        return Answer(str(len(bars) if question.ref.colour is None else int(named is not None)), 0.97, why)
    if question.skill == "existence":
        return Answer("yes" if (named is not None) != question.negated else "no", 0.97, why)
    if question.skill == "bar-rank":
        order = ranked(bars, question)
        missing = [colour for colour in question.among if colour.lstrip("-") not in by_colour]
        if missing or question.nth >= len(order):
            return Answer(w.UNANSWERABLE, 0.8, why)
        return Answer(order[question.nth].colour, _apart(order, question.nth), why)
    if question.skill == "bar-place":
        inside = -len(bars) <= question.nth < len(bars)
        return Answer(bars[question.nth].colour, 0.97, why) if inside else Answer(w.UNANSWERABLE, 0.8, why)
    if named is None:
        return Answer(w.UNANSWERABLE, 0.8, f"there is no {question.ref.colour} bar")
    if question.skill == "bar-next":
        place = bars.index(named) + (1 if question.relation == "right" else -1)
        return Answer(bars[place].colour, 0.97, why) if 0 <= place < len(bars) else Answer(w.UNANSWERABLE, 0.8, why)
    if question.skill == "bar-compare":
        other = by_colour.get(question.second.colour or "")
        if other is None or abs(other.height - named.height) < LEVEL:
            return Answer(w.UNANSWERABLE, 0.6, why)
        holds = (named.height > other.height) == question.highest
        return Answer("yes" if holds != question.negated else "no", 0.97, why)
    order = ranked(bars, question)
    holds = question.nth < len(order) and order[question.nth] == named
    return Answer("yes" if holds != question.negated else "no", _apart(order, min(question.nth, len(order) - 1)), why)


def _apart(order: list[Bar], nth: int) -> float:
    """How sure a rank is: by how many pixels the bar differs from its neighbours in height."""
    gaps = [abs(order[i].height - order[nth].height) for i in (nth - 1, nth + 1) if 0 <= i < len(order)]
    return min(min(gaps, default=LEVEL * 2) / (2 * LEVEL), 0.97)
