"""Has the answer the form that the dataset asks for? A right answer in a wrong form teaches a bad habit."""

import re
import string

from pydantic import BaseModel, Field

from curation.filtering.base import Filter, FilterInput
from curation.filtering.similarity import words
from data.metrics import without_lead_in

_ABBREVIATION = re.compile(r"\b(?:\w\.\w|mr|mrs|ms|dr|st|jr|sr|inc|co|ltd|etc|vs)\.$", re.IGNORECASE)
_LOWER_CASE = {"yes", "no", "unanswerable"}  # as VQA-style golds write them


class AnswerStyle(Filter):
    name = "answer_style"
    title = "Answer in the dataset's form"
    threshold = 1
    seconds_a_sample = 1e-5

    class Options(BaseModel):
        max_words: int = Field(default=8, ge=1, description="Words that an answer may have.")

    options: Options

    def score(self, item: FilterInput) -> tuple[float, str]:
        problem = self._problem(item)
        return (0.0, problem) if problem else (1.0, "fits")

    def _problem(self, item: FilterInput) -> str | None:
        """What is wrong with the form, in words; None if nothing is."""
        answer = item.answer.strip()
        if not answer:
            return "the answer is empty"
        if item.metric == "multiple_choice" or item.choices:
            return _option_problem(answer, item.choices)
        count = len(answer.split())
        if "\n" in answer or count > self.options.max_words:
            return f"the answer has {count} words or several lines, at most {self.options.max_words} words on one line are asked for"
        if words(answer) == words(item.question):
            return "the answer repeats the question"
        if (bare := without_lead_in(answer)) != answer and bare:
            return f"a sentence, where only “{bare}” is asked for"
        if answer.endswith((".", "!", "?", ":", ";", ",")) and not _ABBREVIATION.search(answer):
            return "the answer ends in punctuation"
        if answer.lower() in _LOWER_CASE and answer != answer.lower():
            return f"“{answer}” is written “{answer.lower()}”"
        return None


def _option_problem(answer: str, choices: tuple[str, ...]) -> str | None:
    letters = string.ascii_uppercase[: len(choices)]
    if len(choices) < 2:
        return f"{len(choices)} choices, at least two are needed"
    if len({" ".join(words(choice)) or choice for choice in choices}) < len(choices):
        return "two choices are the same"
    if answer not in letters or len(answer) != 1:
        return f"“{answer}” is not one of the letters {', '.join(letters)}"
    return None
