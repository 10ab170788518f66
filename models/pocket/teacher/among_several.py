"""Questions that hang on several things of a picture: what is nearest, how many are alike, which half one lies in.

Which questions practise the same need on a scene; what the need is called; what the opposite is. The built-in benchmarks ask none of these.
"""

from dataclasses import replace
from itertools import permutations

from data.scenes import OBJECT_LIMIT
from models.pocket.teacher.answers import AWAY, matching, name
from models.pocket.teacher.eyes import Object, Seen
from models.pocket.teacher.questions import ENDS, Question, Ref

_AXES = (("left", "right"), ("top", "bottom"))
_END_AXES = (("leftmost", "rightmost"), ("topmost", "bottommost"))
_ATTRIBUTES = {"shape": "shape", "colour": "color", "size": "size"}
_PLACES = ("left", "right", "above", "below")
_OPPOSITE = {"nearest": "furthest", "furthest": "nearest", **{a: b for pair in _END_AXES for a, b in (pair, pair[::-1])}}


def is_such(question: Question, seen: Seen | None = None) -> bool:
    """Whether a question hangs on several things. One that points at a thing by its neighbour does only among many."""
    if question.bars:
        return False
    if question.skill in ("same", "more") or question.ref.side in ENDS or half_of(question):
        return True
    if question.relation in _PLACES:
        return question.skill in ("count", "existence", "relation") or (seen is not None and is_crowd(seen))
    return question.relation is not None and question.skill != "relation-choice"


def is_crowd(seen: Seen) -> bool:
    """Whether a scene shows more than the built-in ones do."""
    return len(seen.things) > OBJECT_LIMIT


def half_of(question: Question) -> str | None:
    """The side, where a question asks whether a thing lies in a half of the picture."""
    return question.other.side if question.skill == "verify" and question.other else None


def error_types(question: Question) -> tuple[str, ...]:
    """The error types that a wrong answer to such a question most likely has, the likeliest first; none for a question of another sort."""
    places = question.relation in (*_PLACES, *AWAY) or question.ref.side is not None or half_of(question) is not None
    if question.skill == "count" and question.relation:
        return ("counting", "spatial" if places else "comparison")
    if question.skill in ("same", "more") or question.relation in ("larger", "smaller"):
        return ("comparison",)
    if places and not question.bars and question.skill in ("shape", "colour", "size", "existence", "verify", "relation"):
        return ("spatial",)
    return ("comparison",) if question.relation and question.relation.startswith("same") else ()


def phrase(question: Question) -> str:
    """What such a question needs, in a few words; the same for all questions that differ only in the things that they name."""
    wanted, relation = _ATTRIBUTES.get(question.skill), question.relation
    if question.skill == "same":
        return f"comparing the {_property(question)} of two things"
    if question.skill == "more":
        return "comparing two counts"
    if side := half_of(question):
        return "checking the half, left or right" if side in _AXES[0] else "checking the half, top or bottom"
    if question.ref.side in ENDS and not relation:
        return f"{wanted} of the {question.ref.side} thing" if wanted else f"pointing at the {question.ref.side} thing"
    if question.skill == "count":
        if relation in _PLACES:
            return f"counting things {_to(relation)} another"
        return (
            f"counting things {relation} than another"
            if relation in ("larger", "smaller")
            else f"counting things of the {_alike(question)}"
        )
    if relation in AWAY:
        return f"{wanted} of the {relation} thing" if wanted else f"checking which thing is {relation}"
    if question.skill == "relation":
        return "comparing two sizes" if relation in ("larger", "smaller") else "telling how two things stand"
    place = f"{_to(relation)} another" if relation in _PLACES else f"of the {_alike(question)} as another"
    return f"{wanted} of the thing {place}" if wanted else f"telling whether a thing is {place}"


def opposite(question: Question) -> Question | None:
    """The furthest for the nearest, the rightmost for the leftmost; None where there is no question of another need."""
    if question.relation in AWAY and question.skill in _ATTRIBUTES:
        return replace(question, relation=_OPPOSITE[question.relation])
    if question.ref.side in ENDS and not question.relation:
        return replace(question, ref=replace(question.ref, side=_OPPOSITE[question.ref.side]))
    return None


def alike(seed: Question, seen: Seen) -> list[Question]:
    """Questions of the same need about all the things of a scene, which are named by what the seed names its own by."""
    if seed.ref.side in ENDS and not seed.relation:
        axis = next(pair for pair in _END_AXES if seed.ref.side in pair)
        return [replace(seed, ref=replace(seed.ref, side=end)) for end in axis]
    if half_of(seed):
        axis = next(pair for pair in _AXES if half_of(seed) in pair)
        return [replace(seed, ref=ref, other=Ref(side=side)) for ref in _names(seed.ref, seen) for side in axis]
    if seed.skill == "more":
        return [replace(seed, ref=one, other=other) for one, other in permutations(_sorts(seed.ref, seen), 2)]
    if seed.skill in ("relation", "same"):
        things = permutations(seen.things, 2)
        pairs = [(_name(seed.ref, one, seen), _name(seed.other or Ref(), other, seen)) for one, other in things]
        return [replace(seed, ref=one, other=other) for one, other in pairs if one and other]
    if seed.other is None:
        return []
    subjects = [seed.ref] if seed.ref.is_bare else [seed.ref, *_sorts(seed.ref, seen)]
    return [replace(seed, ref=subject, other=other) for subject in dict.fromkeys(subjects) for other in _names(seed.second, seen)]


def _names(like: Ref, seen: Seen) -> list[Ref]:
    return [ref for thing in seen.things if (ref := _name(like, thing, seen))]


def _name(like: Ref, thing: Object, seen: Seen) -> Ref | None:
    """Words that pick out one thing: by the properties that the seed uses, else by others; None if none do."""
    own = tuple(field for field in ("colour", "shape", "size") if getattr(like, field))
    for fields in (own, ("colour",), ("colour", "shape")):
        ref = Ref(**{field: _property_of(thing, field) for field in fields})
        if fields and len(matching(seen.things, ref)) == 1:
            return ref
    return None


def _sorts(like: Ref, seen: Seen) -> list[Ref]:
    """The sorts of things in a scene by the properties that the seed names: its colors, its shapes."""
    fields = [field for field in ("colour", "shape", "size") if getattr(like, field)]
    return list(dict.fromkeys(Ref(**{field: _property_of(thing, field) for field in fields}) for thing in seen.things))


def _property_of(thing: Object, field: str) -> str:
    found: str = name(thing) if field == "shape" else getattr(thing, field)
    return found


def _property(question: Question) -> str:
    return (question.relation or "").removeprefix("same ").replace("colour", "color")


def _alike(question: Question) -> str:
    return f"same {_property(question)}"


def _to(relation: str | None) -> str:
    return {"left": "left of", "right": "right of"}.get(relation or "", relation or "")
