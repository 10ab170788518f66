"""Multiple choice as LLaVA scores ScienceQA."""

import re
import string
from collections.abc import Sequence

from data.metrics.base import LETTER, Corpus, Measure
from data.metrics.option_letters import lenient_letter

LLAVA_OPTIONS = 5  # LLaVA's evaluator knows the letters A to E unless told otherwise; more choices bring more letters
_STATEMENT = re.compile("The answer is ([A-Z]).")  # the full stop stands for any character, but there must be one


def chosen_letter(prediction: str, choices: Sequence[str]) -> str | None:
    """The option that LLaVA's `eval_science_qa.py` reads: "B", "B. ...", or "The answer is B." if it stands there once.

    Like the original it wants a character after the letter, takes the capital even if a word goes on from it, strips
    nothing, and reads nothing where the sentence stands twice.
    """
    letters = string.ascii_uppercase[: max(len(choices), LLAVA_OPTIONS)]
    if len(prediction) == 1 and prediction in letters:
        return prediction
    if prediction[:1] and prediction[:1] in letters and prediction[1:3] == ". ":
        return prediction[0]
    letters_named = _STATEMENT.findall(prediction)
    return letters_named[0] if len(letters_named) == 1 else None


class MultipleChoice(Measure):
    name = "multiple_choice"
    title = "Multiple choice"
    definition = 'The letter as LLaVA\'s ScienceQA evaluator reads it: "B", "B. …" or "The answer is B." once.'
    harness = "LLaVA 1.2.2, eval_science_qa.py"
    prompt_suffix = LETTER
    answer_form = "the letter of the right choice"
    wants_choices = True

    def strict(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> float:
        return float(chosen_letter(prediction, choices) in allowed_letters(golds, choices))

    def lenient(self, prediction: str, golds: Sequence[str], choices: Sequence[str], corpus: Corpus | None) -> tuple[float, str | None]:
        letter = lenient_letter(prediction, choices)
        return float(letter in allowed_letters(golds, choices)), letter


def allowed_letters(golds: Sequence[str], choices: Sequence[str]) -> set[str]:
    """The golds that are letters of the choices."""
    return {gold.strip().upper() for gold in golds} & set(string.ascii_uppercase[: len(choices)])
