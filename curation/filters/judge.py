"""The frontier model scores picture, question and answer from 1 to 3, blind to the diagnosis (arXiv 2504.14523)."""

from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from curation.filters._base import Filter, FilterInput, requests
from curation.prompting import render
from curation.replies import Judgement
from data.questions import lettered
from data.records import Verdict
from models.frontier import Request


class Judge(Filter):
    title = "Judged correct and of high quality"
    threshold = 3
    needs = frozenset({"frontier", "image"})

    class Options(BaseModel):
        pass

    def __call__(self, batch: Sequence[FilterInput]) -> Iterator[Verdict]:
        by_key = {_key(item): item for item in batch}
        for item in batch:
            if not item.image_path:
                yield self.failed(item, f"sample {item.sample_id} has no picture yet; draw it first")
        for outcome in self.context.frontier.ask_all(requests(batch, _request), self.context.should_stop):
            item = by_key[outcome.key]
            if outcome.parsed is None:
                yield self.failed(item, outcome.error)
            else:
                yield self.verdict(item, outcome.parsed.score, outcome.parsed.reason)


def _key(item: FilterInput) -> str:
    return f"{item.sample_id}:{item.revision}"


def _request(item: FilterInput, attempt: int) -> Request:
    prompt = render("judge", question=item.question, choices=lettered(item.choices), answer=item.answer, answer_form=item.answer_form)
    return Request(_key(item), "judge", prompt.system, prompt.user, (item.image_path,), Judgement, attempt, prompt.version)
