"""The frontier model scores picture, question and answer from 1 to 3, blind to the diagnosis (arXiv 2504.14523)."""

from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from curation.filtering.base import Filter, FilterInput
from curation.prompts.reply_schemas import Judgement
from curation.prompts.templates import Prompts
from data.question_text import lettered
from data.records import Verdict
from models.frontier import Request


class Judge(Filter):
    name = "judge"
    title = "Judged correct and of high quality"
    threshold = 3
    needs = frozenset({"frontier", "image"})
    prompt = "judge"

    class Options(BaseModel):
        pass

    def requests(self, item: FilterInput, prompts: Prompts) -> list[Request]:
        return [self._request(item, item.image_path, prompts)] if item.image_path else []

    def __call__(self, batch: Sequence[FilterInput]) -> Iterator[Verdict]:
        by_key = {_key(item): item for item in batch}
        for item in batch:
            if not item.image_path:
                yield self.failed(item, f"sample {item.sample_id} has no image yet; draw it first")
        for outcome in self.ask(batch):
            item = by_key[outcome.key]
            if isinstance(reply := outcome.parsed, Judgement):
                yield self.verdict(item, reply.score, reply.reason)
            else:
                yield self.failed(item, outcome.error)

    def _request(self, item: FilterInput, image_path: str, prompts: Prompts) -> Request:
        shown = {"question": item.question, "choices": lettered(item.choices), "answer": item.answer, "answer_form": item.answer_form}
        prompt = prompts.render(self.prompt, **shown)
        return Request(_key(item), "judge", prompt.system, prompt.user, (image_path,), Judgement, 0, prompt.version)


def _key(item: FilterInput) -> str:
    return f"{item.sample_id}:{item.revision}"
