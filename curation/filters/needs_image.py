"""Can the answer be guessed without the picture? A question that gives its answer away doesn't teach looking."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, Field

from curation.filtering.base import Filter, FilterInput
from curation.filtering.similarity import words
from curation.prompts.reply_schemas import Guess
from curation.prompts.templates import Prompts
from data.metrics import agreement
from data.question_text import lettered
from data.records import Verdict
from models.frontier import Outcome, Request


class NeedsImage(Filter):
    name = "needs_image"
    title = "Not answerable without the image"
    threshold = 0.5
    comparison = "at_most"
    needs = frozenset({"frontier"})
    prompt = "guess"
    enabled_by_default = False  # k calls a sample, and where answers are few it also takes what was guessed by luck

    class Options(BaseModel):
        k: int = Field(default=3, ge=1, le=20, description="Guesses per sample; the options are rotated between them.")
        agree: float = Field(default=0.9, gt=0, le=1, description="Score by the dataset's metric from which a guess counts as right.")

    options: Options

    def requests(self, item: FilterInput, prompts: Prompts) -> list[Request]:
        return [self._request(item, prompts, number) for number in range(self.options.k)]

    def __call__(self, batch: Sequence[FilterInput]) -> Iterator[Verdict]:
        by_key = {_key(item, number): (item, number) for item in batch for number in range(self.options.k)}
        outcomes: dict[int, list[tuple[int, Outcome]]] = defaultdict(list)
        for outcome in self.ask(batch):
            item, number = by_key[outcome.key]
            outcomes[item.sample_id].append((number, outcome))
            if len(outcomes[item.sample_id]) == self.options.k:
                yield self._judged(item, outcomes.pop(item.sample_id))

    def _judged(self, item: FilterInput, outcomes: list[tuple[int, Outcome]]) -> Verdict:
        """How far the share of right guesses lies above chance, from 0 to 1; an error if there is no guess.

        One of two answers is right half of the time, and always if a model has a habit of saying "yes": there only guesses count
        whose words determine the answer.
        """
        guesses = [(number, outcome.parsed) for number, outcome in outcomes if isinstance(outcome.parsed, Guess)]
        if not guesses:
            return self.failed(item, outcomes[0][1].error)
        chance = 1 / answers_offered(item)
        right = [self._is_right(item, number, guess) and (guess.certain or chance < 0.5) for number, guess in guesses]
        share = sum(right) / len(right)
        quoted = ", ".join(f"“{text}”" for text in dict.fromkeys(_in_words(item, number, guess) for number, guess in guesses))
        sure = " for sure" if chance == 0.5 else ""
        reason = f"{sum(right)} of {len(right)} guesses without the image are right{sure} (by chance {chance:.0%}): {quoted}"
        return self.verdict(item, max(0.0, (share - chance) / (1 - chance)), reason)

    def _is_right(self, item: FilterInput, number: int, guess: Guess) -> bool:
        choices = _turned(item.choices, number)
        answer = item.answer if not choices else _letter(item.answer, len(choices), -number)
        return agreement(item.metric, guess.answer, answer, choices).lenient >= self.options.agree

    def _request(self, item: FilterInput, prompts: Prompts, number: int) -> Request:
        prompt = prompts.render(
            self.prompt,
            question=item.question,
            choices=lettered(_turned(item.choices, number)),
            answer_form=item.answer_form,
            number=number + 1,
            times=self.options.k,
        )
        return Request(_key(item, number), "guess", prompt.system, prompt.user, (), Guess, number, prompt.version)


def answers_offered(item: FilterInput) -> float:
    """How many answers a guesser chooses among; infinite where the question offers none.

    >>> answers_offered(FilterInput(1, 0, "Is it on the left or on the right?", "left", "d", "exact_match", "one word"))
    2
    """
    if item.choices:
        return len(item.choices)
    asked, answer = words(item.question), words(item.answer)
    offered = "or" in asked and answer and set(answer) <= set(asked)
    return 2 if answer in (["yes"], ["no"]) or offered else float("inf")


def _turned(choices: tuple[str, ...], number: int) -> tuple[str, ...]:
    """The choices begun from another one, so that a liking for a letter isn't taken for knowledge."""
    start = number % len(choices) if choices else 0
    return choices[start:] + choices[:start]


def _letter(letter: str, count: int, by: int) -> str:
    """The letter of a choice after the choices were turned; what is no letter stays.

    >>> _letter("C", 3, -1)
    'B'
    """
    if not re.fullmatch("[A-Z]", letter) or ord(letter) - 65 >= count:
        return letter
    return chr(65 + (ord(letter) - 65 + by) % count)


def _in_words(item: FilterInput, number: int, guess: Guess) -> str:
    """A guess as the sample's own letters have it."""
    return _letter(guess.answer.strip(), len(item.choices), number) if item.choices else guess.answer


def _key(item: FilterInput, number: int) -> str:
    return f"{item.sample_id}:{item.revision}:{number}"
