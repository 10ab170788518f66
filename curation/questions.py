"""How a question is put to a baseline: the question, its lettered choices, then the dataset's prompt suffix."""

from collections.abc import Sequence

from curation.prompting import lettered


def full_text(question: str, choices: Sequence[str], prompt_suffix: str) -> str:
    """The text as it is sent and trained on, parts on lines of their own.

    >>> full_text("What color is it?", ("red", "blue"), "Answer with the option's letter.")
    "What color is it?\\nA. red\\nB. blue\\nAnswer with the option's letter."
    """
    return "\n".join(part for part in (question, lettered(choices), prompt_suffix) if part)
