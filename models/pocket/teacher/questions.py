"""What a question asks: which skill it needs and which things it is about; and a tolerant grammar for the plain ones.

Nothing here looks at the picture; what can't be read is None, and the server says so. `reading.parse` is the way in.
"""

import re
from dataclasses import dataclass, replace

from models.pocket.teacher import words as w

NEGATIONS = {"not", "no", "without", "never", "lack", "lacks", "absent", "missing", "free", "none"}
PRESENCE = re.compile(
    r"\b(there|contains?|present|have|has|shows?|shown|sees?|seen|includes?|exists?|visible|depicts?|depicted|displays?"
    r"|lacks?|absent|missing|free|anywhere|in (the|this) (photo|image|picture|scene|chart))\b"
)
OPENERS = {"is", "are", "does", "do", "can", "has", "have", "was", "were", "would", "could", "isnt"}
RELATIONS = {
    "left": r"\b(left of)\b",
    "right": r"\b(right of)\b",
    "above": r"\b(above|over|on top of|higher than)\b",
    "below": r"\b(below|under|beneath|underneath|lower than)\b",
}
TALLEST = {"tallest", "highest", "longest", "largest", "biggest", "greatest", "maximum", "most"}
SHORTEST = {"shortest", "lowest", "smallest", "least", "minimum"}
TALLER = {"taller", "higher", "longer", "larger", "bigger", "greater"}
SHORTER = {"shorter", "lower", "smaller"}
ENDS = ("leftmost", "rightmost", "topmost", "bottommost")
LEAVING_OUT = re.compile(r"\b(besides|except|excluding|apart from|aside from|other than|leaving out|ignoring|without|are not|is not)\b")


@dataclass(frozen=True)
class Ref:
    """The words that pick out things: None means that it isn't said. `size` may also be largest or smallest."""

    colour: str | None = None
    shape: str | None = None
    size: str | None = None
    side: str | None = None  # left, right, top or bottom: a half of the picture; or one of ENDS: the outermost thing

    @property
    def is_bare(self) -> bool:
        return self == Ref()

    @property
    def words(self) -> str:
        return " ".join(word for word in (self.size, self.colour, self.shape or "object") if word)


@dataclass(frozen=True)
class Question:
    """What is asked. `skill` is one of SKILLS; `relation` says how the thing asked for stands to `other`."""

    skill: str
    ref: Ref = Ref()
    other: Ref | None = None
    relation: str | None = None
    negated: bool = False
    bars: bool = False  # about a chart
    highest: bool = True  # of ranks and comparisons of bars
    nth: int = 0  # the rank or place asked for, from 0; places below 0 count from the right
    among: tuple[str, ...] = ()  # colours of the bars to choose from; all if empty
    unit: str = "sides"

    @property
    def second(self) -> Ref:
        """`other`, of questions that have one."""
        if self.other is None:
            raise ValueError(f"a question of {self.skill} names one thing only")
        return self.other

    @property
    def stands(self) -> str:
        """`relation`, of questions that have one."""
        if self.relation is None:
            raise ValueError(f"a question of {self.skill} names no relation")
        return self.relation


SKILLS = {  # skill: the error types that a wrong answer most likely has, the first that is in the list counts
    "shape": ("recognition", "attribute"),
    "colour": ("attribute", "recognition"),
    "size": ("attribute", "recognition"),
    "existence": ("recognition",),
    "verify": ("attribute", "recognition"),
    "count": ("counting",),
    "count-colours": ("counting",),
    "count-shapes": ("counting",),
    "left-right": ("spatial",),
    "top-bottom": ("spatial",),
    "relation": ("spatial",),
    "relation-choice": ("spatial",),
    "same": ("comparison", "attribute"),
    "more": ("comparison", "counting"),
    "sides": ("external-knowledge", "multi-step-reasoning"),
    "bar-rank": ("comparison", "chart-or-table"),
    "bar-compare": ("comparison", "chart-or-table"),
    "bar-verify": ("comparison", "chart-or-table"),
    "bar-place": ("chart-or-table", "spatial"),
    "bar-next": ("chart-or-table", "spatial"),
}


def read_plain(words: list[str], line: str) -> Question | None:
    """A question about what things are, how many there are, and where they stand, or about bars; None if it is none of these.

    `words` are its tokens and `line` is the same, joined by blanks. Words that it has no use for are passed over (reading.py minds them).
    """
    negated = bool(NEGATIONS & set(words))
    asks = words[0] in OPENERS
    if {"bar", "bars", "column", "columns"} & set(words) or {"tallest", "shortest"} & set(words):
        return _about_bars(words, line, negated, asks)
    for read in (_sides, _count, _place, _relation, _attribute_choice, _yes_no, _attribute):
        found = read(words, line, negated, asks)
        if found:
            return found
    return None


def ref_of(line: str) -> Ref:
    """The first colour, shape and size among the words of a phrase, and the side that it names."""
    words = line.split()
    first = lambda table: next((found for word in words if (found := table(word))), None)  # noqa: E731
    side = re.search(r"\b(?:on|at|in|to) the (?:very |far )?(left|right|top|bottom|upper|lower)\b(?! of (?:the|a|an) \w+ \w)", line)
    end = next((word for word in words if word in ENDS), None)
    extreme = next((("largest", "smallest")[word in SHORTEST] for word in words if word in (TALLEST | SHORTEST) - {"most", "least"}), None)
    sides = {"upper": "top", "lower": "bottom"}
    return Ref(first(w.colour_of), first(w.shape_of), extreme or first(w.size_of), end or (sides.get(side[1], side[1]) if side else None))


def _sides(words, line, negated, asks) -> Question | None:
    found = re.search(r"\b(?:how many|number of|count the) (?:straight )?(sides|corners|edges|vertices|angles|points)\b", line)
    if not found:
        return None
    return Question("sides", ref_of(line), unit=found[1] if found[1] in ("sides", "corners") else "corners")


def _count(words, line, negated, asks) -> Question | None:
    if not re.search(r"\b(how many|number of|count)\b", line):
        return None
    different = re.search(r"\b(?:different|distinct) (?:\w+ )?(colou?rs|shapes|kinds|sorts)\b|\bhow many colou?rs\b", line)
    if different:
        return Question("count-colours" if "colo" in different[0] else "count-shapes", ref_of(line))
    leaving = LEAVING_OUT.search(line)
    if leaving:
        return Question("count", ref_of(line[: leaving.start()]), ref_of(line[leaving.end() :]))
    relation = _relation_in(line)
    if relation:
        name, before, after = relation
        return Question("count", ref_of(before), ref_of(after), name)
    return Question("count", ref_of(line))


def _place(words, line, negated, asks) -> Question | None:
    """Questions that offer both sides: "on the left or on the right", "above or below the square"."""
    if "or" not in words:
        return None
    for skill, one, other in (
        ("left-right", r"left", r"right"),
        ("top-bottom", r"top|upper|above|over|higher", r"bottom|lower|below|under|beneath"),
    ):
        both = re.search(rf"\b(?:{one}|{other})\b.*\bor\b.*?\b({one}|{other})\b(.*)", line)
        first = re.search(rf"\b({one}|{other})\b", line)
        if not both or not first or not (re.search(rf"\b({one})\b", line) and re.search(rf"\b({other})\b", line)):
            continue
        before, after = line[: first.start()], ref_of(both[2])
        subject = replace(ref_of(before), side=None)
        if both[1] in ("above", "over", "below", "under", "beneath", "higher", "lower") or re.match(r" (?:side )?of\b", both[2]):
            about_photo = re.search(r"\bof the (photo|image|picture|scene)\b", both[2])
            if not about_photo and not after.is_bare:
                return Question("relation-choice", subject, after, relation=skill)
        return Question(skill, subject)
    return None


def _relation_in(line: str) -> tuple[str, str, str] | None:
    """The relation in a line, with the words before and after it."""
    for name, pattern in RELATIONS.items():
        found = re.search(pattern, line)
        if found and not re.match(r" (the|this) (photo|image|picture|scene|line)\b", line[found.end() :]):
            return name, line[: found.start()], line[found.end() :]
    return None


def _relation(words, line, negated, asks) -> Question | None:
    found = _relation_in(line)
    if not found:
        return None
    name, before, after = found
    subject, other = replace(ref_of(before), side=None), ref_of(after)
    if other.is_bare:
        return None
    if asks:
        return Question("relation", subject, other, name, negated)
    skill = "colour" if re.search(r"\bcolou?rs?\b", before) else "size" if "size" in before else "shape"
    return Question(skill, subject, other, name)


def _attribute_choice(words, line, negated, asks) -> Question | None:
    """ "Is the red object a circle or a square?" is a question for the shape."""
    if not asks or "or" not in words:
        return None
    middle = words.index("or")
    for skill, table, field in (("shape", w.shape_of, "shape"), ("colour", w.colour_of, "colour"), ("size", w.size_of, "size")):
        offered = [i for i, word in enumerate(words) if table(word)]
        if [i for i in offered if i > middle] and [i for i in offered if i < middle]:
            last_before = max(i for i in offered if i < middle)
            subject = ref_of(" ".join(words[:last_before]))
            return Question(skill, replace(subject, **{field: None}))
    return None


def _yes_no(words, line, negated, asks) -> Question | None:
    if not asks:
        return None
    claimed = re.match(r"(?:is|are) (?:the|this) (?:(.*?)\b(\w+)) (?:not )?(?:an? )?((?:\w+ ?)+)$", line)
    if PRESENCE.search(line) or not claimed:
        ref = ref_of(line)
        return (
            None
            if ref.is_bare and not re.search(r"\b(objects?|things?|shapes?|anything)\b", line)
            else Question("existence", ref, negated=negated)
        )
    return _verify(words, negated)


def _verify(words: list[str], negated: bool) -> Question | None:
    """ "Is the circle red?", "Is the red object not a circle?": the first noun ends the subject."""
    nouns = [i for i, word in enumerate(words) if w.shape_of(word) or word in ("object", "thing", "shape", "one", "figure")]
    if not nouns or nouns[0] == len(words) - 1:
        return None
    subject, claim = ref_of(" ".join(words[: nouns[0] + 1])), ref_of(" ".join(words[nouns[0] + 1 :]))
    return None if claim.is_bare else Question("verify", subject, claim, negated=negated)


def _attribute(words, line, negated, asks) -> Question | None:
    wanted = {"what", "which", "name", "tell", "identify", "describe", "how", "give", "say"} & set(words)
    ref = ref_of(line)
    if re.search(r"\bcolou?r\b", line):
        return Question("colour", ref) if wanted or words[0] in ("color", "colour") else None
    if not wanted:
        return None
    if "size" in words or re.search(r"\bhow (big|large|small)\b", line):
        return Question("size", replace(ref_of(re.sub(r"\bhow (big|large|small)\b", "", line))))
    if ref.shape is None and re.search(r"\b(shape|object|thing|figure|form|kind)\b", line) and "how" not in words:
        return Question("shape", ref)
    return None


def _about_bars(words, line, negated, asks) -> Question | None:
    colours = tuple(dict.fromkeys(colour for word in words if (colour := w.colour_of(word))))
    known, mentioned = Ref(colours[0] if colours else None), set(words)
    if re.search(r"\b(how many|number of|count)\b", line):
        return Question("count", known, bars=True)
    compared = TALLER & mentioned or SHORTER & mentioned
    nth = next((place for word, place in w.ORDINALS.items() if word in mentioned), None)
    if compared:
        return _compared(colours, asks, negated, bool(TALLER & mentioned), "or" in mentioned)
    if (TALLEST | SHORTEST) & mentioned:
        highest = bool(TALLEST & mentioned)
        if asks and len(colours) == 1:
            return Question("bar-verify", known, negated=negated, bars=True, highest=highest, nth=nth or 0)
        leaving = LEAVING_OUT.search(line)
        out = tuple("-" + colour for colour in colours) if leaving else colours
        return Question("bar-rank", bars=True, highest=highest, nth=nth or 0, among=out)
    beside = re.search(r"\b(left|right) of the (\w+)", line)
    if beside and w.colour_of(beside[2]) and not asks:
        return Question("bar-next", Ref(w.colour_of(beside[2])), relation=beside[1], bars=True)
    place = _bar_place(line, mentioned, nth)
    if place is not None and not asks:
        return Question("bar-place", bars=True, nth=place)
    if asks and colours and PRESENCE.search(line):
        return Question("existence", known, negated=negated, bars=True)
    return None


def _compared(colours, asks, negated, highest, choice) -> Question | None:
    if len(colours) != 2:
        return None
    if asks and not choice:
        return Question("bar-compare", Ref(colours[0]), Ref(colours[1]), negated=negated, bars=True, highest=highest)
    return Question("bar-rank", bars=True, highest=highest, among=colours)


def _bar_place(line: str, mentioned: set[str], nth: int | None) -> int | None:
    """The place of a bar from the left; below 0 from the right."""
    from_right = bool(re.search(r"\bfrom (the )?right\b", line))
    if nth is not None:
        return -1 - nth if from_right or "last" in mentioned else nth
    if {"last", "rightmost"} & mentioned or re.search(r"\b(far|on the|at the) right\b", line):
        return -1
    if "leftmost" in mentioned or re.search(r"\b(far|on the|at the) left\b", line):
        return 0
    return None
