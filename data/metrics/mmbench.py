"""MMBench: a letter or an option's text, asked once, or once for each rotation of the options (circular evaluation)."""

import json
import string
from collections.abc import Sequence
from typing import ClassVar

from data.metrics.base import LETTER, Corpus, Measure
from data.metrics.multiple_choice import allowed_letters
from data.metrics.option_letters import lenient_letter
from data.records import Metric

MMBENCH_OPTIONS = 5  # the original looks for the letters A to E, however many choices there are
NO_ANSWER = "Failed to obtain answer via API"  # what the original writes where a model gave none
# What may stand round the letter, in the order in which the original looks for it.
_FORMS = [
    ("", "."),
    ("", ","),
    ("", ":"),
    ("", ")"),
    ("", ")."),
    ("(", ")"),
    ("(", ")."),
    (":", ""),
    (":", ","),
    (":", "."),
    (":", ")"),
    (":", ")."),
]


def inferred_letter(prediction: str, choices: Sequence[str]) -> str | None:
    """The option that MMBench infers without a judge model: the only letter among the words, else the only option whose text is part of it.

    Agrees with lmms-eval's `MMBench_Evaluator.prefetch_answer`. What that would hand to a judge model or guess, is no answer here.
    """
    return _only_letter(prediction, string.ascii_uppercase[: max(len(choices), MMBENCH_OPTIONS)]) or _only_text(prediction, choices)


def rotations(choices: Sequence[str]) -> list[tuple[str, ...]]:
    """The choices as circular evaluation asks them: as they are, then each time with the first one moved to the end.

    >>> rotations(["cat", "dog"])
    [('cat', 'dog'), ('dog', 'cat')]
    """
    return [(*choices[i:], *choices[:i]) for i in range(len(choices))]


def circular_answer(answers: Sequence[str]) -> str:
    """The answers to all rotations as the one text that a prediction keeps, and `MmbenchCircular` reads."""
    return json.dumps(list(answers), ensure_ascii=False)


class Mmbench(Measure):
    name: ClassVar[Metric] = "mmbench"
    title = "MMBench"
    definition = "The only option letter among the words of the answer, else the only option whose text it holds."
    harness = "lmms-eval 0.7.3, MMBench_Evaluator.prefetch_answer"
    prompt_suffix = LETTER
    answer_form = "the letter of the right choice"
    wants_choices = True

    def strict(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> float:
        return float(inferred_letter(prediction, choices) in allowed_letters(golds, choices))

    def lenient(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> tuple[float, str | None]:
        letter = lenient_letter(prediction, choices) or inferred_letter(prediction, choices)
        return float(letter in allowed_letters(golds, choices)), letter


class MmbenchCircular(Mmbench):
    """Right only if every rotation of the options is answered right; the prediction is what `circular_answer` made."""

    name = "mmbench_circular"
    title = "MMBench, circular evaluation"
    definition = "1 if the question is answered right under every rotation of its options, each read as MMBench does."
    harness = "lmms-eval 0.7.3, MMBench_Evaluator.eval_sub_data without a judge model"
    once = "mmbench"

    def strict(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> float:
        answers = _answers(prediction, len(choices))
        return float(bool(answers) and all(super(MmbenchCircular, self).strict(*asked, None) for asked in _asked(answers, golds, choices)))

    def lenient(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> tuple[float, str | None]:
        """What is read are the options in the order of the question: "B, B, C" if the third rotation was answered otherwise."""
        answers = _answers(prediction, len(choices))
        if not answers:
            return 0.0, None
        right, read = True, []
        for i, asked in enumerate(_asked(answers, golds, choices)):
            score, letter = super().lenient(*asked, None)
            right = right and bool(score)
            at = string.ascii_uppercase.find(letter) if letter else -1
            read.append(string.ascii_uppercase[(at + i) % len(choices)] if 0 <= at < len(choices) else "none")
        return float(right), ", ".join(read)


def _asked(answers: Sequence[str], golds: Sequence[str], choices: Sequence[str]) -> list[tuple[str, list[str], tuple[str, ...]]]:
    """For each rotation its answer, the letters of the golds in it, and its choices."""
    at = [string.ascii_uppercase.index(letter) for letter in sorted(allowed_letters(golds, choices))]
    return [
        (answer, [string.ascii_uppercase[(place - i) % len(choices)] for place in at], rotated)
        for i, (answer, rotated) in enumerate(zip(answers, rotations(choices)))
    ]


def _answers(prediction: str, count: int) -> list[str]:
    """The answers to all rotations; none if there are not as many as there should be."""
    try:
        answers = json.loads(prediction)
    except (ValueError, RecursionError):
        return []
    complete = isinstance(answers, list) and len(answers) == count and all(isinstance(answer, str) for answer in answers)
    return answers if complete else []


def _only_letter(answer: str, letters: str) -> str | None:
    if NO_ANSWER in answer:
        return None
    words = answer.split()
    for before, after in (("", ""), *_FORMS):
        found = [letter for letter in letters if f"{before}{letter}{after}" in words]
        if len(found) == 1 and not (not before and not after and "A" in words and len(words) > 3):  # "A" may be the article
            return found[0]
    return None


def _only_text(answer: str, choices: Sequence[str]) -> str | None:
    found = [string.ascii_uppercase[i] for i, choice in enumerate(choices) if choice.lower() in answer.lower()]
    return found[0] if len(found) == 1 else None
