"""Which questions practise the skill of a seed question on a given scene; their answers come from what is seen."""

import random
from dataclasses import replace
from itertools import combinations, permutations

from data.scenes import COLOURS as SCENE_COLOURS
from data.scenes import SHAPES as SCENE_SHAPES
from models.pocket.teacher import among_several
from models.pocket.teacher import words as w
from models.pocket.teacher.answers import matching, ranked, the_one
from models.pocket.teacher.eyes import Object, Seen
from models.pocket.teacher.questions import Question, Ref

FLAT_COLOURS = ("red", "green", "blue", "yellow", "black", "gray", "teal", "brown")  # easy-VQA's
FLAT_SHAPES = ("rectangle", "circle", "triangle")


def candidates(seed: Question, seen: Seen, rng: random.Random) -> list[Question]:
    """Questions of the seed's skill about the scene, each fact once; by chance, but mostly the plain ones first."""
    if seed.bars or seen.bars:
        found = _of_bars(seed, seen)
    elif seen.blurred:
        found = _of_blur(seen)
    elif among_several.is_such(seed, seen):
        found = among_several.alike(seed, seen)
    else:
        found = _MAKERS[seed.skill](seed, seen, rng)
    found.sort(key=lambda question: burden(question, seed) + 1.5 * rng.random())
    facts: dict = {}
    for question in found:
        facts.setdefault(fact(question, seen), question)
    return list(facts.values())


def burden(question: Question, seed: Question) -> int:
    """How much else than the seed's skill a question asks: where things stand is more than how they look."""
    if question.relation and question.relation != seed.relation and question.skill != "relation-choice":
        return 3
    if question.ref.side and not seed.ref.side:
        return 2
    named = [(ref.colour is None, ref.shape is None, ref.size is None) for ref in (question.ref, seed.ref)]
    other_sort = question.skill != seed.skill or (question.other is None) != (seed.other is None) or question.nth < -1
    return int(named[0] != named[1]) + int(other_sort)


def fact(question: Question, seen: Seen):
    """What a question is about on this scene: two questions of one fact are paraphrases of each other."""
    if question.skill in ("shape", "colour", "size", "sides", "left-right", "top-bottom") and not among_several.is_such(question, seen):
        referent = the_one(question, seen, question.ref)
        if isinstance(referent, Object):
            return question.skill, question.unit if question.skill == "sides" else None, referent
    if question.skill == "bar-rank":
        return "bar-rank", question.highest, question.nth, frozenset(bar.colour for bar in ranked(seen.bars, question))
    if question.skill == "bar-place" and seen.bars:
        return "bar-place", question.nth % len(seen.bars)
    if question.skill == "bar-next" and seen.bars:
        places = {bar.colour: i for i, bar in enumerate(seen.bars)}
        return "bar-place", places.get(question.ref.colour or "", -9) + (1 if question.relation == "right" else -1)
    return question


def _refs(things: tuple[Object, ...], *fields: str) -> list[Ref]:
    """Ways to name each thing by one or two of these fields, or by its side."""
    chosen = [(field,) for field in fields] + list(combinations(fields, 2))
    refs = [Ref(**{field: getattr(thing, field) for field in pair}) for thing in things for pair in chosen]
    return list(dict.fromkeys(refs + [Ref(side=side) for side in ("left", "right", "top", "bottom") if "size" in fields]))


def _attribute(seed: Question, seen: Seen, rng: random.Random) -> list[Question]:
    named_by = {"shape": ("colour", "size"), "colour": ("shape", "size"), "size": ("colour", "shape"), "sides": ("colour", "size")}[
        seed.skill
    ]
    found = [replace(seed, ref=ref, other=None, relation=None) for ref in _refs(seen.things, *named_by)]
    if len(seen.things) == 1:
        found.append(replace(seed, ref=Ref(), other=None, relation=None))
    if seed.skill == "sides":
        return [replace(question, unit=unit) for question in found for unit in ("sides", "corners")]
    if seed.skill != "size":
        beside = [Ref(other.colour, other.shape) for other in seen.things]
        found += [Question(seed.skill, other=ref, relation=r) for ref in beside for r in ("left", "right", "above", "below")]
    return found


def _existence(seed: Question, seen: Seen, rng: random.Random) -> list[Question]:
    """Things that are there, things that nearly are (half right), and others; negated where the seed is."""
    flat = any(thing.flat for thing in seen.things)
    colours, shapes = (FLAT_COLOURS, FLAT_SHAPES) if flat else (tuple(SCENE_COLOURS), SCENE_SHAPES)
    if seed.ref.colour and seed.ref.shape:
        pairs = [Ref(c, s) for c in colours for s in shapes]
        near = [ref for ref in pairs if any((t.colour == ref.colour) != (t.shape == ref.shape) for t in seen.things)]
        refs = [ref for ref in pairs if matching(seen.things, ref)] * 4 + near * 2 + rng.sample(pairs, 4)
    else:
        refs = [Ref(colour=c) for c in colours] + [Ref(shape=s) for s in shapes]
        refs += [ref for ref in refs if matching(seen.things, ref)] * 3
    return [Question("existence", ref, negated=seed.negated) for ref in refs]


def _verify(seed: Question, seen: Seen, rng: random.Random) -> list[Question]:
    found = []
    for thing in seen.things:
        found += [
            Question("verify", Ref(shape=thing.shape), Ref(c), negated=seed.negated)
            for c in {thing.colour, *rng.sample(list(SCENE_COLOURS), 2)}
        ]
        found += [
            Question("verify", Ref(thing.colour), Ref(shape=s), negated=seed.negated) for s in {thing.shape, *rng.sample(SCENE_SHAPES, 2)}
        ]
    return found


def _count(seed: Question, seen: Seen, rng: random.Random) -> list[Question]:
    found = [Question("count"), Question("count-colours"), Question("count-shapes")]
    found += [
        Question("count", ref) for ref in dict.fromkeys(Ref(**{f: getattr(t, f)}) for t in seen.things for f in ("colour", "shape", "size"))
    ]
    found += [Question("count", Ref(side=side)) for side in ("left", "right", "top", "bottom")]
    return found + [Question("count", other=Ref(thing.colour, thing.shape)) for thing in seen.things if len(seen.things) > 1]


def _place(seed: Question, seen: Seen, rng: random.Random) -> list[Question]:
    across = "left-right" in (seed.skill, seed.relation)
    skill = "left-right" if across else "top-bottom"
    refs = [ref for t in seen.things for ref in (Ref(t.colour, t.shape), Ref(t.colour), Ref(shape=t.shape))]
    pairs = [Question("relation-choice", Ref(a.colour, a.shape), Ref(b.colour, b.shape), skill) for a, b in permutations(seen.things, 2)]
    return [Question(skill, ref) for ref in refs] + pairs


def _relation(seed: Question, seen: Seen, rng: random.Random) -> list[Question]:
    pairs = permutations(seen.things, 2)
    return [
        Question("relation", Ref(a.colour, a.shape), Ref(b.colour, b.shape), relation, seed.negated)
        for a, b in pairs
        for relation in ("left", "right", "above", "below")
    ]


_MAKERS = {
    **dict.fromkeys(("shape", "colour", "size", "sides"), _attribute),
    "existence": _existence,
    "verify": _verify,
    **dict.fromkeys(("count", "count-colours", "count-shapes"), _count),
    **dict.fromkeys(("left-right", "top-bottom", "relation-choice"), _place),
    "relation": _relation,
}


def _of_blur(seen: Seen) -> list[Question]:
    """Questions that a blurred picture can't answer."""
    refs = [Ref(), *(Ref(thing.colour) for thing in seen.things)]
    found = [Question("shape", ref) for ref in refs] + [Question("sides", ref, unit=u) for ref in refs for u in ("sides", "corners")]
    return found + [Question("size", ref) for ref in refs]


def _of_bars(seed: Question, seen: Seen) -> list[Question]:
    colours = [bar.colour for bar in seen.bars]
    if seed.skill in ("bar-place", "bar-next"):
        places = [Question("bar-place", bars=True, nth=nth) for nth in range(-len(colours), len(colours))]
        return places + [Question("bar-next", Ref(c), relation=side, bars=True) for c in colours for side in ("left", "right")]
    if seed.skill == "existence":
        return [Question("existence", Ref(c), negated=seed.negated, bars=True) for c in SCENE_COLOURS]
    if seed.skill == "count":
        return []
    if seed.skill in ("bar-compare", "bar-verify"):
        found = [Question("bar-compare", Ref(a), Ref(b), bars=True, highest=seed.highest) for a, b in permutations(colours, 2)]
        return found + [Question("bar-verify", Ref(c), bars=True, highest=seed.highest) for c in colours]
    found = [replace(seed, nth=nth, among=()) for nth in (0, 1)]
    found += [replace(seed, nth=0, among=group) for size in (2, 3) for group in permutations(colours, size) if size < len(colours)]
    found += [replace(seed, nth=0, among=("-" + colour,)) for colour in colours]
    return [*found, replace(seed, nth=0, among=(), highest=not seed.highest)]


def needs_places(question: Question) -> set[str]:
    """The axes, "left-right" and "top-bottom", along which the answer hangs on where things are."""
    mentioned = {question.skill, question.relation, question.ref.side, question.other.side if question.other else None}
    axes = {"left-right": {"left-right", "left", "right"}, "top-bottom": {"top-bottom", "top", "bottom", "above", "below"}}
    return {axis for axis, words in axes.items() if words & mentioned}


def values(skill: str, flat: bool) -> tuple[str, ...]:
    """What a question of this skill may be answered, for options."""
    if skill == "shape":
        return FLAT_SHAPES if flat else SCENE_SHAPES
    if skill == "size":
        return w.SIZES
    if skill in ("sides", "count"):
        return ("1", "2", "3", "4", "5", "6")
    return FLAT_COLOURS if flat else tuple(SCENE_COLOURS)
