"""How a question is put to a model: the question, its lettered choices, then the dataset's prompt suffix."""

from collections.abc import Iterable


def lettered(choices: Iterable[str]) -> str:
    """Choices as they are shown to every model.

    >>> lettered(["red", "blue"])
    'A. red\\nB. blue'
    """
    return "\n".join(f"{chr(65 + i)}. {choice}" for i, choice in enumerate(choices))


def full_text(question: str, choices: Iterable[str], prompt_suffix: str) -> str:
    """The text as a baseline is asked and trained, its parts on lines of their own.

    >>> full_text("What color is it?", (), "Answer with one word.")
    'What color is it?\\nAnswer with one word.'
    """
    return "\n".join(part for part in (question, lettered(choices), prompt_suffix) if part)
