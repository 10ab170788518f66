"""A cluster's title: what most of its members' slips have in common, and those of its neighbours have not, in at most ten words."""

import re
from collections import Counter

from models.pocket.teacher.wire import LABELS, ApiError

MEMBERS, NEIGHBOURS = LABELS[-2:]
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
    """The most telling pattern that most slips follow, else two that together do, else words for the error type.

    Of the patterns one that no neighbouring group follows as well is taken, if there is one; otherwise the word is named that
    the members' questions have and the neighbours' have not.
    """
    lines = [line for line in fields.get(MEMBERS, "").splitlines() if line.strip()]
    if not lines:
        raise ApiError(422, "a title needs members: lines “question | gold | model's answer | faulty reasoning”", "members_missing")
    if kind := fields.get("Kind of question", "").strip():
        return _short(f"{kind[:1].upper()}{kind[1:]} answered wrongly")
    found = [list(dict.fromkeys(_titles_of(_slip(line)))) for line in lines]
    counts = Counter(text for titles in found for text in titles)
    neighbours = _groups(fields.get(NEIGHBOURS, ""))
    taken = {text for _, group in neighbours for text in _shared([_titles_of(_slip(line)) for line in group])}
    most = [text for text, count in counts.most_common() if count >= MOST * len(lines)]
    if most:  # of those that fit enough members the most telling: patterns stand from telling to plain
        telling = sorted(most, key=lambda text: min(titles.index(text) for titles in found if text in titles))
        own = [text for text in telling if text not in taken]
        return _short(own[0]) if own else _told_apart(telling[0], lines, [line for _, group in neighbours for line in group])
    if pair := _two(found, counts, len(lines)):
        return _short(pair)
    error_type = fields.get("Error type", "").strip()
    plain = _BY_TYPE.get(error_type) or f"Wrong answers of the type {error_type or 'unknown'}"
    return _told_apart(plain, lines, [line for kind, group in neighbours if kind == error_type for line in group])


def _slip(line: str) -> str:
    return line.rpartition("|")[2].strip().lower()


def _groups(text: str) -> list[tuple[str, list[str]]]:
    """The neighbouring groups' error types and lines: each group begins with "Group 1 (counting):"."""
    groups: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if head := re.match(r"Group \d+ \(([\w-]*)\):", line):
            groups.append((head[1], []))
        elif line.strip() and groups:
            groups[-1][1].append(line)
    return groups


def _shared(found: list[list[str]]) -> list[str]:
    """The titles that most of a group's members would have."""
    counts = Counter(text for titles in found for text in set(titles))
    return [text for text, count in counts.items() if count >= MOST * len(found)]


def _told_apart(text: str, lines: list[str], others: list[str]) -> str:
    """The title with the word of the questions that tells the members from the others, if there is one: "Counts (bars)"."""
    if not others:
        return _short(text)
    own, theirs = (
        Counter(word for line in group for word in set(re.findall(r"[a-z]{3,}", line.partition("|")[0].lower())))
        for group in (lines, others)
    )
    shares = {word: count / len(lines) - theirs[word] / max(len(others), 1) for word, count in own.items()}
    word = max(shares, key=lambda candidate: (shares[candidate], candidate), default="")
    words = text.split()
    return f"{' '.join(words[: TEN - 1])} ({word})" if word and shares[word] >= MOST else _short(text)


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
    for i, (phrase, _) in enumerate(counts.most_common(6)):
        for second, _ in counts.most_common(6)[i + 1 :]:
            begin, _, last = phrase.rpartition(" ")
            if begin == second.rpartition(" ")[0] and sum(phrase in t or second in t for t in found) >= MOST * members:
                return f"{begin} {' or '.join(sorted((last, second.rpartition(' ')[2])))}"
    return None


def _short(text: str) -> str:
    words = text.split()
    return " ".join(words[:TEN])
