"""Reading an answer as a person would: other forms of writing, and what models put round an answer.

`look_alike` evens out forms of writing that look the same. `readings` finds the answer in what a model wrote: thinking
before it, end-of-text tokens after it, JSON, LaTeX boxes, markup and lead-ins round it. Neither invents anything: each
reading is a part of the prediction.
"""

import json
import re
import unicodedata
from functools import lru_cache

_SAME = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʹʼ´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("−‐‑‒–—―⁃﹣", "-"),
        **dict.fromkeys("。．｡", "."),
        "、": ",",
        "…": "...",
        "⁄": "/",
    }
)
_INVISIBLE = {"Cf", "Cc"}  # zero-width and bidi characters, control characters
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)
_WIDE = {"F", "H"}  # fullwidth and halfwidth forms, as Unicode calls them

_THINKING_ENDS = re.compile(
    r"◁/think▷|\[/THINK\]|</\s*(?:think|thinking|thought|reasoning)\s*>|<\|end_of_thought\|>|</?unused\d+>", re.IGNORECASE
)
_THINKING_BEGINS = re.compile(r"◁think▷|\[THINK\]|<\s*(?:think|thinking|thought|reasoning)\s*>|<\|begin_of_thought\|>", re.IGNORECASE)
_TOKEN = (
    r"<\s*/?\s*(?:s|bos|eos|pad|end_of_turn|start_of_turn|end_of_utterance|im_end|im_start)\s*>|<\|[\w▁ -]{1,40}\|>|<｜[^｜<>]{1,40}｜>"
)
_FIRST_TOKENS = re.compile(rf"^(?:\s|{_TOKEN})+", re.IGNORECASE)
_SPEAKER = re.compile(r"^(?:assistant|model)\s*(?::|\n)\s*", re.IGNORECASE)  # what a chat template writes before an answer
_ANY_TOKEN = re.compile(_TOKEN, re.IGNORECASE)
_TAG = re.compile(r"<\s*(answer|ans|final_answer|final)\s*>(.*?)(?:<\s*/\s*\1\s*>|$)", re.IGNORECASE | re.DOTALL)
_FENCE = re.compile(r"^```[a-z]*\s*(.*?)\s*```$", re.IGNORECASE | re.DOTALL)
_ANSWER_KEYS = ("answer", "final_answer", "final answer", "prediction", "option", "choice")
_ROUND = " \"'*`_$"
_LATEX_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf|textit)\s*\{([^{}]*)\}")

_LEAD = re.compile(
    r"^\s*(?:(?:so|well|therefore|thus|hence),?\s+)?(?:(?:(?:the|my)\s+)?(?:correct\s+|right\s+|best\s+|final\s+)?(?:answer|option|choice)"
    r"\s*(?:is\b|:)|answer\s*:|(?:正确)?答案\s*(?:是|为|:)|(?:it|this|that)(?:\s+is|'s)\b|there\s+(?:is|are)\b)\s*:?\s*",
    re.IGNORECASE,
)


@lru_cache(maxsize=20_000)  # the same golds come again and again
def look_alike(text: str) -> str:
    """A text with forms of writing that look the same made the same: composed (NFC), digits and fullwidth forms in ASCII,
    no invisible characters, straight quotes, one kind of minus, dot and space.

    Superscripts, ligatures of meaning and scripts stay as they are: 10² is not 102.

    >>> look_alike("−１２。")
    '-12.'
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    characters = []
    for character in unicodedata.normalize("NFC", text).translate(_SAME):
        if unicodedata.east_asian_width(character) in _WIDE:
            character = unicodedata.normalize("NFKC", character).translate(_SAME)
        elif unicodedata.category(character) == "Nd":
            character = str(unicodedata.decimal(character))
        elif character.isspace():
            character = " "
        elif unicodedata.category(character) in _INVISIBLE or ord(character) in _VARIATION_SELECTORS:
            continue
        characters.append(character)
    return " ".join(unicodedata.normalize("NFC", "".join(characters)).split())


def without_lead_in(answer: str) -> str:
    """An answer without words like "The answer is", "Answer:", "It is" or "There are" before it.

    >>> without_lead_in("The answer is red.")
    'red.'
    """
    return _LEAD.sub("", answer)


def without_wrapping(prediction: str) -> str | None:
    r"""The answer in what a model wrote: after its thinking, before the first end token, inside JSON, tags or a box.

    None if there is none: thinking that never ends (it was cut), or JSON whose answer is null. Line breaks are kept.

    >>> without_wrapping("<think>maybe blue</think>\\boxed{red}</s>")
    'red'
    """
    text = _THINKING_ENDS.split(prediction)[-1]
    if _THINKING_BEGINS.search(text):
        text = _THINKING_BEGINS.split(text)[0]
        if not text.strip():
            return None
    text = _SPEAKER.sub("", _FIRST_TOKENS.sub("", text))
    text = _ANY_TOKEN.split(text)[0].strip()
    tags = _TAG.findall(text)
    if tags:
        text = tags[-1][1].strip()
    fenced = _FENCE.match(text)
    if fenced:
        text = fenced.group(1)
    if text.startswith("{") and text.endswith("}"):
        found = _answer_of_json(text)
        if found is not _NOT_JSON:
            return None if found is None else str(found)
    return _boxed(text) or text


def readings(prediction: str) -> tuple[str, ...]:
    """The ways to read a prediction, from the whole to its bare answer, without repetitions; empty if it holds none."""
    inner = without_wrapping(prediction)
    if inner is None:
        return ()
    inner = look_alike(inner)
    return tuple(dict.fromkeys((look_alike(prediction), inner, bare(inner), bare(without_lead_in(bare(inner))))))


def bare(text: str) -> str:
    """A text without markup and quotes round it, and without full stops or exclamation marks at its end.

    >>> bare('**"Red."**')
    'Red'
    """
    text = text.strip().removeprefix("\\(").removesuffix("\\)")
    return text.lstrip(_ROUND).rstrip(_ROUND + ".!")


_NOT_JSON = object()


def _answer_of_json(text: str) -> object:
    """What a JSON object gives as its answer: text, number or None; `_NOT_JSON` if it is none or has no answer."""
    try:
        fields = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return _NOT_JSON
    answers = {str(name).strip().lower(): value for name, value in fields.items()}
    for key in _ANSWER_KEYS:
        if key in answers:
            return answers[key] if answers[key] is None or isinstance(answers[key], str) else _NOT_JSON
    return _NOT_JSON


def _boxed(text: str) -> str | None:
    r"""What the last \boxed{…} holds, braces balanced; None if there is no box, or one that doesn't end."""
    start = max(text.rfind("\\boxed{"), text.rfind("\\fbox{"))
    if start < 0:
        return None
    begin = text.index("{", start) + 1
    depth = 1
    for end in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            return _LATEX_TEXT.sub(r"\1", text[begin:end]).strip()
    return None
