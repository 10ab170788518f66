"""Reading a question. First how things stand among several (nearest, of the same shape, in a half of the picture), then the plain readers.

A question is taken as read only if every word of it is known: "What is the shape of the cube behind the mug?" has a shape and is about
none that could be told, and a reading that passes over the words that decide would answer, diagnose and practise something else.
"""

import re
from dataclasses import replace

from models.pocket.teacher import words as w
from models.pocket.teacher.questions import ENDS, NEGATIONS, OPENERS, Question, Ref, read_plain, ref_of

LONGEST = 500  # characters
_AS_KNOWN = {  # words of other tasks: the word that the readers know
    **dict.fromkeys(("item", "entity", "element", "piece"), "object"),
    **dict.fromkeys(("items", "entities", "elements", "pieces"), "objects"),
    **dict.fromkeys(("form", "geometry"), "shape"),
    "forms": "shapes",
    **dict.fromkeys(("hue", "tint"), "color"),
    "closest": "nearest",
    "farthest": "furthest",
    "farther": "further",
    **dict.fromkeys(("uppermost", "highermost"), "topmost"),
    "lowermost": "bottommost",
}
_PHRASES = (  # ways to say one relation, in words as above
    (r"\b(?:most distant|most remote|furthest away|furthest apart)\b", "furthest"),
    (r"\b(?:further|more)(?: over)?(?: to the| towards the)? (left|right) than\b", r"\1 of"),
    (r"\b(?:further up|higher up) than\b", "above"),
    (r"\b(?:further down|lower down) than\b", "below"),
    (r"\bnearest to the (left|right|top|bottom) (?:edge|side|border|margin)(?: of the (?:photo|image|picture|scene))?$", r"\1 end"),
    (r"\bfurthest (?:to|on|at|towards) the (left|right|top|bottom)\b", r"\1 end"),
    (r"\bfurthest (left|right|up|down)\b", r"\1 end"),
    (r"\b(left|right) hand (side|half)\b", r"\1 \2"),
)
_END_OF = {"left": "leftmost", "right": "rightmost", "top": "topmost", "bottom": "bottommost", "up": "topmost", "down": "bottommost"}
_HALF = re.compile(
    r"\b(?:in|on|at|within|inside) the (left|right|top|bottom|upper|lower)(?: (?:half|side|part|portion|section))?"
    r"(?: (?:of|in) the (?:photo|image|picture|scene|drawing|canvas|frame))?$"
)
_SAME = re.compile(
    r"\b(?:the|a)? ?(?:same|identical) (shape|colou?r|size)\b(?: as| of| to)?"
    r"|\bshares? (?:the |its |a )?(shape|colou?r|size)(?: of| with)?\b"
    r"|\bsharing (?:the |its |a )?(shape|colou?r|size)(?: of| with)?\b|\b(?:have|has|having|with|of) the (shape|colou?r|size) of\b"
)
_NEAR = re.compile(r"\b(nearest|furthest)\b(?: away)?(?: to| from)?")
_BIGGER = re.compile(r"\b(larger|bigger|smaller) than\b")
_MORE = re.compile(r"\b(more|fewer|less) (.+?) than (.+)$")
_AS_MANY = re.compile(r"\bas many (.+?) as (.+)$|\bsame number of (.+?) (?:and|as) (.+)$|\bas (?:many|much) (.+?) as there are (.+)$")
_THERE = re.compile(r"\bthere\b|\banother\b|\bany\b")
_WORDS = """
    a above absent according all also altogether amount an and angle angles another any anything anywhere apart appear appears are as
    aside at away background bar bars be being below beneath besides big bigger biggest both bottom bottommost by called can canvas chart
    color colored colors colour coloured colours column columns compared comparing considering contain contained contains corner corners
    could count counted counting depict depicted depicts describe did different display displayed displays distinct do does doing down
    drawing drawn each edge edges else end every exactly except excluding exist exists far fewer fifth figure figures filled find first
    following for found fourth frame free from further furthest give graph greater greatest had half hand has have having height heights
    here higher highest how i identical identify if ignoring image in include included includes inside into is it its itself just kind
    kinds known lack lacks large larger largest last least leaving left leftmost less lie lies like little located longer longest look
    looks lower lowest lying made many maximum me minimum missing more most much name nearest never no none not now number object objects
    of on one ones only or other others out over overall painted part photo picture placed please plot point points portion positioned
    present regarding right rightmost same say scene second section see seen sees shape shapes share shares sharing shorter shortest show
    shown shows side sides sit sits sitting situated size sizes small smaller smallest so sort sorts stand stands state straight taller
    tallest tell than that the their them then there these they thing things third this those tiny to together top topmost total true type
    types under underneath up upper us value values vertex vertices very visible was we were what where which who whose will with within
    without would yes you
"""
_KNOWN = frozenset(_WORDS.split())


def parse(text: str) -> Question | None:
    """The question read, or None if it isn't one that is understood in all its words.

    >>> parse("Is there not a red circle?")
    Question(skill='existence', ref=Ref(colour='red', shape='circle', size=None, side=None), other=None, relation=None, negated=True, \
bars=False, highest=True, nth=0, among=(), unit='sides')
    >>> parse("Which form does the item closest to the red one have?").relation
    'nearest'
    >>> parse("Is the red circle between the two squares?")
    """
    words = [_AS_KNOWN.get(word, word) for word in w.tokens(text.partition("?")[0][:LONGEST])]
    if not words:
        return None
    line = " ".join(words)
    for pattern, known in _PHRASES:
        line = re.sub(pattern, known, line)
    line = re.sub(r"\b(left|right|top|bottom|up|down) end\b", lambda found: _END_OF[found[1]], line)
    words = line.split()
    if not all(_is_known(word) for word in words):
        return None
    return _among_several(words, line) or (None if _unread(line) else read_plain(words, line))


def _is_known(word: str) -> bool:
    return word in _KNOWN or w.meaning_of_word(word) is not None or word.isdecimal()


def _unread(line: str) -> bool:
    """Words that only the readers below understand: where these gave up, the plain ones would read something else."""
    return bool(_NEAR.search(line) or _SAME.search(line) or _BIGGER.search(line) or re.search(r"\bfurther\b", line)) and not re.search(
        r"\b(bars?|columns?)\b", line
    )


def _among_several(words: list[str], line: str) -> Question | None:
    if {"bar", "bars", "column", "columns", "tallest", "shortest"} & set(words):
        return None
    asks, negated = words[0] in OPENERS, bool(NEGATIONS & set(words))
    if found := _NEAR.search(line):
        return _near(line, found, asks, negated)
    if found := _AS_MANY.search(line):
        one, other = [part for part in found.groups() if part]
        return _more(one, other, "as many", negated) if asks else None
    if found := _SAME.search(line):
        return _same(words, line, found, asks, negated)
    if found := _BIGGER.search(line):
        return _bigger(line, found, asks, negated)
    if asks and (found := _MORE.search(line)):
        return _more(found[2], found[3], "more" if found[1] == "more" else "fewer", negated)
    return _in_half(words, line, asks, negated) or _beside(words, line, asks, negated)


def _attribute_in(text: str) -> str | None:
    """Which property the words ask for."""
    if re.search(r"\bcolou?r\b", text):
        return "colour"
    if re.search(r"\bsize\b|\bhow (big|large|small)\b", text):
        return "size"
    return "shape" if re.search(r"\bshape\b", text) else None


def _near(line: str, found: re.Match, asks: bool, negated: bool) -> Question | None:
    """ "What shape is the object nearest to the red one?", "Is the blue object the nearest to the red one?" """
    before, after = line[: found.start()], line[found.end() :]
    other, subject = ref_of(after), ref_of(before)
    if other.is_bare or re.search(r"\b(second|third|fourth|fifth)\b", line):
        return None
    if asks:
        return None if subject.is_bare else Question("relation", subject, other, found[1], negated)
    wanted = _attribute_in(re.sub(r"\bhave|has\b", "", line))
    return Question(wanted, replace(subject, side=None), other, found[1]) if wanted and not negated else None


def _same(words: list[str], line: str, found: re.Match, asks: bool, negated: bool) -> Question | None:
    relation = "same " + (_attribute_in(next(part for part in found.groups() if part)) or "shape")
    before, after = line[: found.start()], line[found.end() :]
    other = ref_of(after)
    if re.search(r"\b(how many|number of|count)\b", before):
        subject = ref_of(before)
        return None if other.is_bare or negated else Question("count", subject, other, relation)
    if not asks:
        wanted = _attribute_in(before)
        return Question(wanted, ref_of(before), other, relation) if wanted and not other.is_bare and not negated else None
    if _THERE.search(before) and not other.is_bare:
        return Question("existence", ref_of(before), other, relation, negated)
    one, both, second = before.partition(" and ")
    subject = ref_of(one)
    other = ref_of(second) if both else other
    return None if subject.is_bare or other.is_bare else Question("same", subject, other, relation, negated)


def _bigger(line: str, found: re.Match, asks: bool, negated: bool) -> Question | None:
    subject, other = ref_of(line[: found.start()]), ref_of(line[found.end() :])
    relation = "smaller" if found[1] == "smaller" else "larger"
    if other.is_bare:
        return None
    if re.search(r"\b(how many|number of|count)\b", line[: found.start()]):
        return None if negated else Question("count", subject, other, relation)
    return Question("relation", subject, other, relation, negated) if asks and not subject.is_bare else None


def _more(one: str, other: str, relation: str, negated: bool) -> Question | None:
    first, second = ref_of(re.sub(r"^there are ", "", one)), ref_of(re.sub(r"^there are ", "", other))
    return None if first.is_bare or second.is_bare else Question("more", first, second, relation, negated)


def _in_half(words: list[str], line: str, asks: bool, negated: bool) -> Question | None:
    """ "Does the red object lie in the left half?": yes or no about the place of one thing."""
    found = _HALF.search(line)
    if not asks or not found or "or" in words or _THERE.search(line) or re.search(r"\b(contain|contains|show|see|have|has)\b", line):
        return None
    subject = ref_of(line[: found.start()])
    if subject.is_bare or subject.side:
        return None
    side = {"upper": "top", "lower": "bottom"}.get(found[1], found[1])
    return Question("verify", subject, Ref(side=side), negated=negated)


def _beside(words: list[str], line: str, asks: bool, negated: bool) -> Question | None:
    """ "Is there a circle to the left of the red object?": whether there is any. Asked of one thing it is the plain readers'."""
    found = re.search(r"\b(left of|right of|above|below|under|beneath)\b", line)
    if not asks or not found or not re.match(r"(is|are) (there|any)\b", line) or set(ENDS) & set(words):
        return None
    other = ref_of(line[found.end() :])
    if other.is_bare or re.match(r" (the|this) (photo|image|picture|scene|line)\b", line[found.end() :]):
        return None
    relation = {"left of": "left", "right of": "right", "above": "above"}.get(found[1], "below")
    return Question("existence", replace(ref_of(line[: found.start()]), side=None), other, relation, negated)
