"""Control tokens in people's text: a question that holds `<image>` or `</s>` is text about them, not a second picture nor an end."""

import re
from collections.abc import Collection, Iterable

PLACEHOLDER = "<image>"  # lists in LLaVA's form put it in a line of its own before or behind the question: there it is the picture's place
USUAL = re.compile(  # what trainers and tokenizers of many families read as their own
    r"<(?:image|video|audio|bos|eos|pad|unk|sep|cls|mask|s|start_of_image|end_of_image|start_of_turn|end_of_turn|im_start|im_end)>|</s>"
    r"|<\|[^|<>\s]{1,40}\|>|<｜[^｜<>]{1,40}｜>|\[/?INST\]|<</?SYS>>|\[IMG(?:_BREAK|_END)?\]|</?(?:img|IMG|ref-object|bbox|box|ref|quad)>"
    r"|<(?:end_of_utterance|fake_token_around_image|image_soft_token|IMG_CONTEXT|ImageHere|image_placeholder|global-img)>"
)
ROUNDS = 4  # breaking one token may leave another


def neutralised(text: str, tokens: Collection[str]) -> str:
    """The text with a blank behind the first character of every control token in it, so that no tokenizer or trainer takes it for one.

    >>> neutralised("In the file <image>, what is red?", ["<image>"])
    'In the file < image>, what is red?'
    >>> neutralised("<image>\\nWhat is red?", ["<image>"])
    'What is red?'
    """
    text = without_placeholder(text)
    if not any(token in text for token in tokens):
        return text
    return _broken(text, re.compile("|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True))))


def neutralised_for_others(text: str) -> str:
    """As `neutralised`, where it isn't known which model will read the text: an export.

    >>> neutralised_for_others("What is red?</s> ![fig](<image>)")
    'What is red?< /s> ![fig](< image>)'
    """
    return _broken(without_placeholder(text), USUAL) if may_hold_tokens(text) else text


def may_hold_tokens(text: str) -> bool:
    """Whether a text has a character with which tokens of USUAL begin; nearly none has, which is quickly told."""
    return "<" in text or "[" in text


def without_placeholder(text: str) -> str:
    """The text without `<image>` in a line of its own at either end.

    >>> without_placeholder("What is red?\\n<image>")
    'What is red?'
    """
    if PLACEHOLDER not in text:
        return text
    lines = text.split("\n")
    while len(lines) > 1 and lines[0].strip() == PLACEHOLDER:
        del lines[0]
    while len(lines) > 1 and lines[-1].strip() == PLACEHOLDER:
        del lines[-1]
    return "\n".join(lines)


def of_tokenizer(special: Iterable[str], placeholders: Iterable[str]) -> tuple[str, ...]:
    """What is to be neutralised: special tokens that are no ordinary words, and whatever stands for a picture.

    >>> of_tokenizer(["<s>", "\\n\\n", "▁", "TILE", "USER"], ["TILE"])
    ('<s>', 'TILE')
    """
    known = {token for token in special if len(token) > 1 and not token.isspace() and not token.isalnum()}
    return tuple(sorted(known | {token for token in placeholders if len(token) > 1 and not token.isspace()}))


def _broken(text: str, pattern: re.Pattern[str]) -> str:
    for _ in range(ROUNDS):
        text, count = pattern.subn(lambda found: f"{found[0][0]} {found[0][1:]}", text)
        if not count:
            break
    return text
