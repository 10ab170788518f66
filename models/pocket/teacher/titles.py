"""A cluster's title: what most of its members' slips have in common, in at most ten plain words."""

import re
from collections import Counter

from models.pocket.teacher.wire import LABELS, ApiError

MEMBERS = LABELS[-1]
MOST = 0.6  # the share of the members that a title must be true of
TEN = 10  # words

# what a slip says (models/pocket/teacher/diagnosing.py writes such, other models similar) and the title for it; {1} is its first group
_SLIPS = (
    (r"ignores.*\bnot\b|affirmative", "Negated questions answered as if not negated"),
    (r"blur", "Answers although the photo is too blurred"),
    (r"says unanswerable", "Calls clear pictures unanswerable"),
    (r"picks \w although the right option is (\w)\b", "Option {1} is passed over"),
    (r"counts (\w+) (?:\w+) as (\w+)", "Counts {1} things as {2}"),
    (r"counts (\w+) ", "Counts {1} things wrongly"),
    (r"does not know that an? (\w+) has (?:\w+) (?:sides|corners)", "Does not know the sides of a {1}"),
    (r"names the (\w+) bar when asked for the (\w+)", "Names the {1} bar when asked for the {2}"),
    (r"takes the \w+ bar for the (\w+)|when asked for the (\w+)", "Misses the {1} bar"),
    (r"names \w+, a color that no", "Names colors that no bar has"),
    (r"says (\w+) for (\w+)", "Says {1} for {2}"),
    (r"gives the color of another object", "Gives the color of another object"),
    (r"names the shape of another object", "Names the shape of another object"),
    (r"reads (\w+) as (\w+)", "Reads {1} as {2}"),
    (r"reads (\w+) as", "Misreads {1}"),
    (r"takes the (\w+) for an? (\w+)", "Takes a {1} for a {2}"),
    (r"takes the (\w+) for an?", "Does not recognise a {1}"),
    (r"overlooks", "Overlooks objects that are there"),
    (r"that is not there|takes .* asked about", "Sees objects that are not there"),
    (r"where (an? \w+|yes or no) is asked for", "Does not answer with {1}"),
    (r"means the same", "Right answers in another form"),
    (r"no slip", "Gold answers that look wrong"),
)
_BY_TYPE = {
    "recognition": "Objects are not recognised",
    "attribute": "Colors are read wrongly",
    "counting": "Objects are counted wrongly",
    "negation": "Negated questions are answered wrongly",
    "spatial": "Left, right, top and bottom are confused",
    "chart-or-table": "Bars are found in the wrong place",
    "comparison": "Bars are compared wrongly",
    "external-knowledge": "Facts about shapes are not known",
    "unanswerable": "Does not see when nothing can be told",
    "instruction-or-format": "Options are chosen wrongly",
    "label-error": "Gold answers that look wrong",
    "scorer-artefact": "Right answers in another form",
}


def title(fields: dict[str, str]) -> str:
    """The most telling pattern that most slips follow, else two that together do, else words for the error type."""
    lines = [line for line in fields.get(MEMBERS, "").splitlines() if line.strip()]
    if not lines:
        raise ApiError(422, "a title needs members: lines “question | gold | model's answer | faulty reasoning”", "members_missing")
    slips = [line.rpartition("|")[2].strip().lower() for line in lines]
    found = [list(dict.fromkeys(_titles_of(slip))) for slip in slips]
    counts = Counter(text for titles in found for text in titles)
    most = [text for text, count in counts.most_common() if count >= MOST * len(lines)]
    if most:  # of those that fit enough members the most telling: patterns stand from telling to plain
        return _short(min(most, key=lambda text: min(titles.index(text) for titles in found if text in titles)))
    pair = _two(found, counts, len(lines))
    error_type = fields.get("Error type", "").strip()
    return _short(pair or _BY_TYPE.get(error_type) or f"Wrong answers of the type {error_type or 'unknown'}")


def _titles_of(slip: str) -> list[str]:
    titles = []
    for pattern, text in _SLIPS:
        match = re.search(pattern, slip)
        if match:
            groups = [group.upper() if len(group) == 1 else group for group in match.groups() if group]  # option letters
            titles.append(text.format("", *groups) if len(groups) >= text.count("{") else text.split("{")[0].strip())
    return titles


def _two(found: list[list[str]], counts: Counter, members: int) -> str | None:
    """Two titles in one, where they begin alike: "Does not know the sides of a pentagon or hexagon"."""
    for i, (one, _) in enumerate(counts.most_common(6)):
        for other, _ in counts.most_common(6)[i + 1 :]:
            begin, _, last = one.rpartition(" ")
            if begin == other.rpartition(" ")[0] and sum(one in t or other in t for t in found) >= MOST * members:
                return f"{begin} {' or '.join(sorted((last, other.rpartition(' ')[2])))}"
    return None


def _short(text: str) -> str:
    words = text.split()
    return " ".join(words[:TEN])
