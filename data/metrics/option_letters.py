"""Which option an answer to a multiple-choice question means, read as a person would; no letter where a person would doubt."""

import re
import string
from collections.abc import Sequence

from data.metrics.normalising import normalise
from data.metrics.reading import bare, look_alike, without_lead_in, without_wrapping

_MARK = r"[\"'*`_$]{0,4}"  # markup round a letter, as in **B**
_LETTER = rf"{_MARK}[(\[]?{_MARK}(?P<letter>[A-Za-z]){_MARK}[)\]]?{_MARK}"
_CAPITAL = _LETTER.replace("A-Za-z", "A-Z")
_NOUN = r"(?:answer|option|choice|letter)"
_KIND = r"(?:correct|right|best|final|most\s+(?:likely|appropriate|suitable))"
_GLUE = r"(?:(?:so|therefore|thus|hence|then),?\s+)?(?:i\s+(?:think|believe|would\s+say)\s+(?:that\s+)?)?"
_END = r"\s*[.:!)]*"
# The whole of a sentence has to fit one of these: "It is not B" or "A man rides a horse" fits none.
_STATEMENTS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_GLUE}(?:(?:the|my)\s+)?(?:{_KIND}\s+)?{_NOUN}\s*(?:is|would\s+be|should\s+be|[:=])\s*:?\s*(?:{_NOUN}\s+)?{_LETTER}{_END}",
        rf"{_GLUE}(?:(?:it|this|that)(?:\s+is|'s)|i\s+(?:choose|pick|select))\s+(?:(?:the\s+)?{_NOUN}\s+)?{_LETTER}{_END}",
        rf"(?:(?:因此|所以|故)\s*,?\s*)?(?:(?:正确)?(?:答案|选项)\s*(?:是|为|:)?|应?选择?|选)\s*{_LETTER}{_END}",
        rf"{_GLUE}(?:(?:the|my)\s+)?{_NOUN}\s*[:#]?\s*{_LETTER}{_END}",
    )
]
# These tell an option from the article "a" or the word "I" by the capital, so case counts.
_CAPITALS = [
    re.compile(pattern)
    for pattern in (
        rf"(?:[Tt]he\s+)?(?:[Oo]ption\s+|[Aa]nswer\s+|[Cc]hoice\s+)?{_CAPITAL}\s+(?:is|would\s+be)\s+(?:the\s+)?{_KIND}(?:\s+{_NOUN})?(?:\s+one)?{_END}",
    )
]
_REASON = re.compile(r"^(?P<head>.{1,60}?),?\s+(?:because|since|as\s+the|due\s+to)\s+(?P<tail>.+)$", re.DOTALL)
_ALONE = re.compile(rf"{_LETTER}\s*[.:]?")
_ALONE_CAPITAL = re.compile(rf"(?:[Oo]ption\s+|[Aa]nswer:?\s+|[Cc]hoice\s+)?{_CAPITAL}\s*[.:,]?")
_CUT_OFF = re.compile(r"(?<![(\[\"'*`_$])\ba$")  # "The answer is a": the letter, or the article of an answer that was cut
_WITH_TEXT = re.compile(r"[(\[]?(?P<letter>[A-Za-z])(?:[)\]]?[.:)]|[)\]])\s*(?P<text>.+)", re.DOTALL)
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_NEGATION = re.compile(r"\b(?:not|no|nor|neither|never|cannot|instead|rather|maybe|or)\b|n't\b", re.IGNORECASE)
_ABOUT_OPTIONS = re.compile(rf"\b[A-Z]\b|(?i:\b(?:{_NOUN}s?|that|this)\b)")
_TAKEN_BACK = re.compile(
    r"\b(?:wrong|incorrect|false|mistaken|wait|actually|sorry|unsure)\b|\bnot\s+(?:right|correct|sure)\b|^(?:no|but|however|or)\b",
    re.IGNORECASE,
)


def lenient_letter(prediction: str, choices: Sequence[str]) -> str | None:
    r"""The option meant: a letter in either case, "(B)", "B.", "Option B", "B is correct", "B because …", \boxed{B}, "B) its
    text", or the text of exactly one option. Of several sentences one has to say it, and none may take it back.

    >>> lenient_letter("Option b", ["red", "blue"]), lenient_letter("A man is blue", ["red", "blue"])
    ('B', None)
    """
    letters = string.ascii_uppercase[: len(choices)]
    inner = without_wrapping(prediction)
    if inner is None:
        return None
    lines = [look_alike(line) for line in inner.split("\n") if line.strip()]
    whole = " ".join(lines)
    alone = _ALONE.fullmatch(whole)
    letter = alone.group("letter").upper() if alone else _of_statement(whole) or _of_reason(whole)
    if letter and letter in letters:
        return letter
    short = bare(whole)
    return (
        _of_text(short, choices, letters)
        or _of_text(bare(without_lead_in(short)), choices, letters)
        or _of_several(lines, choices, letters)
    )


def _of_statement(text: str) -> str | None:
    """The letter that a sentence says, whether or not there is such an option."""
    for pattern in (*_STATEMENTS, *_CAPITALS):
        if match := pattern.fullmatch(text):
            return None if _CUT_OFF.search(text) else match.group("letter").upper()
    return None


def _of_reason(text: str) -> str | None:
    """The letter before "because …", unless the reason says another one."""
    parts = _REASON.match(text)
    if parts is None:
        return None
    alone = _ALONE_CAPITAL.fullmatch(parts.group("head"))
    letter = alone.group("letter") if alone else _of_statement(parts.group("head"))
    clauses = re.split(r"(?<=[.,;!?])\s+", parts.group("tail"))
    others = {_of_statement(clause.rstrip(",;")) for clause in clauses} - {None, letter}
    return None if others or any(_TAKEN_BACK.search(clause) for clause in clauses[1:]) else letter


def _of_text(text: str, choices: Sequence[str], letters: str) -> str | None:
    """The letter of the only option whose text this is, or of the option whose letter and text these are."""
    named = [letters[i] for i, choice in enumerate(choices[: len(letters)]) if _same(choice, text)]
    if len(named) == 1:
        return named[0]
    both = _WITH_TEXT.fullmatch(text)
    if both and (letter := both.group("letter").upper()) in letters and _same(choices[letters.index(letter)], both.group("text")):
        return letter
    return None


def _of_several(lines: list[str], choices: Sequence[str], letters: str) -> str | None:
    """The letter that one of several sentences says; None if another one says another letter or takes it back."""
    sentences = [part for line in lines for part in _SENTENCES.split(line)]
    if len(sentences) < 2:
        return None
    found: set[str] = set()
    for i, sentence in enumerate(sentences):
        letter = _of_statement(sentence) or _of_reason(sentence)
        if alone := None if letter else _ALONE.fullmatch(sentence):
            own_line = sentence in (lines[0], lines[-1])
            if not own_line and not (i == 0 and alone.group("letter").isupper()):
                return None
            letter = alone.group("letter").upper()
        letter = letter or _of_text(bare(without_lead_in(sentence)), choices, letters)
        if letter:
            found.add(letter)
        elif _TAKEN_BACK.search(sentence) or (_NEGATION.search(sentence) and _ABOUT_OPTIONS.search(sentence)):
            return None
    letter = found.pop() if len(found) == 1 else ""
    return letter if letter and letter in letters else None


def _same(choice: str, text: str) -> bool:
    """Whether a text is an option's: alike as written, or alike once normalised."""
    plain, normal = look_alike(choice), normalise(look_alike(choice))
    return bool(plain) and (plain.lower() == text.lower() or (bool(normal) and normal == normalise(text)))
