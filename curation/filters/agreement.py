"""The frontier model answers the question from the picture, without seeing the proposed answer: does it arrive there?"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, Field

from curation.filtering.base import Filter, FilterInput
from curation.prompts.reply_schemas import BlindAnswer
from curation.prompts.templates import Prompts
from data.metrics import agreement
from data.question_text import lettered
from data.records import Verdict
from models.frontier import Outcome, Request


class Agreement(Filter):
    name = "agreement"
    title = "The frontier model answers the same"
    threshold = 0.6  # with one answer: it must agree
    needs = frozenset({"frontier", "image"})
    prompt = "agreement"

    class Options(BaseModel):
        k: int = Field(
            default=1, ge=1, le=20, description="Times the question is asked. More than once needs a frontier temperature above 0."
        )
        agree: float = Field(default=0.9, gt=0, le=1, description="Score by the dataset's metric from which two answers count as the same.")

    options: Options

    def requests(self, item: FilterInput, prompts: Prompts) -> list[Request]:
        if not item.image_path:
            return []
        return [self._request(item, item.image_path, prompts, attempt) for attempt in range(self.options.k)]

    def __call__(self, batch: Sequence[FilterInput]) -> Iterator[Verdict]:
        by_key = {_key(item, i): item for item in batch for i in range(self.options.k)}
        outcomes: dict[int, list[Outcome]] = defaultdict(list)
        for item in batch:
            if not item.image_path:
                yield self.failed(item, f"sample {item.sample_id} has no image yet; draw it first")
        for outcome in self.ask(batch):
            item = by_key[outcome.key]
            outcomes[item.sample_id].append(outcome)
            if len(outcomes[item.sample_id]) == self.options.k:
                yield self._judged(item, outcomes.pop(item.sample_id))

    def _judged(self, item: FilterInput, outcomes: list[Outcome]) -> Verdict:
        """The share of the usable answers that agree with the proposed one; an error only if there is none."""
        answers = [outcome.parsed.answer for outcome in outcomes if isinstance(outcome.parsed, BlindAnswer)]
        if not answers:
            return self.failed(item, outcomes[0].error)
        same = [agreement(item.metric, answer, item.answer, item.choices).lenient >= self.options.agree for answer in answers]
        quoted = ", ".join(f"“{answer}”" for answer in dict.fromkeys(answers))
        return self.verdict(
            item, sum(same) / len(same), f"{sum(same)} of {len(same)} agree with “{item.answer}”: the frontier says {quoted}"
        )

    def _request(self, item: FilterInput, image_path: str, prompts: Prompts, attempt: int) -> Request:
        choices = lettered(item.choices)
        prompt = prompts.render(self.prompt, question=item.question, choices=choices, answer_form=item.answer_form)
        key = _key(item, attempt)
        return Request(key, "agreement", prompt.system, prompt.user, (image_path,), BlindAnswer, attempt, prompt.version)


def _key(item: FilterInput, attempt: int) -> str:
    return f"{item.sample_id}:{item.revision}:{attempt}"
