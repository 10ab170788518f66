"""Control tokens in people's text: a question that holds `<image>` or `</s>` is text about them, not a second picture nor an end."""

import re
from collections.abc import Collection, Iterable

LLAVA_PLACEHOLDERS = ("<image>", "<video>", "<audio>")  # what trainers of LLaVA-like lists take for pictures, videos and sounds
ROUNDS = 4  # breaking one token may leave another


def neutralised(text: str, tokens: Collection[str]) -> str:
    """The text with a blank behind the first character of every control token in it, so that no tokenizer or trainer takes it for one.

    >>> neutralised("In the file <image>, what is red?", ["<image>"])
    'In the file < image>, what is red?'
    """
    if not any(token in text for token in tokens):
        return text
    pattern = re.compile("|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True)))
    for _ in range(ROUNDS):
        text, count = pattern.subn(lambda found: f"{found[0][0]} {found[0][1:]}", text)
        if not count:
            break
    return text


def of_tokenizer(special: Iterable[str], placeholders: Iterable[str]) -> tuple[str, ...]:
    """What is to be neutralised: special tokens that are no ordinary words, and whatever stands for a picture.

    >>> of_tokenizer(["<s>", "\\n\\n", "▁", "TILE", "USER"], ["TILE"])
    ('<s>', 'TILE')
    """
    known = {token for token in special if len(token) > 1 and not token.isspace() and not token.isalnum()}
    return tuple(sorted(known | {token for token in placeholders if len(token) > 1 and not token.isspace()}))
