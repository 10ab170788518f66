"""Does the model that is to be trained still fail the sample? What it always gets right has little left to teach.

Bands such as 0.3 to 0.8 are common (DPE, arXiv 2602.22859); this filter uses only the upper end: what the model never gets
right is what the failures were mined for. One greedy answer a sample is the default: a small budget. Contrasts are not asked: they
are there because the model does them right.
"""

from collections.abc import Iterator, Sequence

from pydantic import BaseModel, Field

from curation.filtering.base import Filter, FilterContext, FilterInput
from data.difficulty import EDGE, at_the_edge
from data.metrics import agreement
from data.question_text import full_text
from data.records import Ask, Verdict

AT_ONCE = 64  # samples, between two looks at whether to stop


class NotAlreadyKnown(Filter):
    name = "not_already_known"
    title = "The checkpoint still fails it"
    threshold = EDGE[1]
    comparison = "at_most"
    needs = frozenset({"baseline", "image"})
    version = 2  # contrasts aren't asked
    judges_aim = True

    class Options(BaseModel):
        k: int = Field(default=1, ge=1, le=64, description="Answers per sample: one greedy, or several sampled at the temperature.")
        temperature: float = Field(default=0.7, gt=0, le=2, description="Sampling temperature where k is above 1.")
        solved: float = Field(default=0.5, gt=0, le=1, description="Score by the dataset's metric from which an answer is right.")

    options: Options

    def setup(self, context: FilterContext) -> None:
        super().setup(context)
        if context.open_baseline is None:
            raise ValueError(f"filter {self.name} needs the round's checkpoint, but there is none; start a round or disable the filter")
        options = self.options
        self.checkpoint, self.baseline = context.open_baseline(options.temperature if options.k > 1 else 0.0)

    def __call__(self, batch: Sequence[FilterInput]) -> Iterator[Verdict]:
        for item in batch:
            if not item.image_path:
                yield self.failed(item, f"sample {item.sample_id} has no image yet; draw it first")
            elif item.contrast:
                yield self.verdict(item, 0, "a contrast, not asked: the checkpoint may do it right")
        drawn, k = [item for item in batch if item.image_path and not item.contrast], self.options.k
        for start in range(0, len(drawn), AT_ONCE):
            if self.context.should_stop():
                return
            some = drawn[start : start + AT_ONCE]
            answers = self.baseline.answer([_ask(item) for item in some for _ in range(k)])
            for i, item in enumerate(some):
                yield self._judged(item, answers[i * k : (i + 1) * k])

    def _judged(self, item: FilterInput, answers: list[str | Exception]) -> Verdict:
        """The share of the answers that are the sample's."""
        texts = [answer for answer in answers if not isinstance(answer, Exception)]
        if len(texts) < len(answers):
            return self.failed(item, next(str(answer) for answer in answers if isinstance(answer, Exception)))
        right = sum(agreement(item.metric, text, item.answer, item.choices).strict >= self.options.solved for text in texts)
        quoted = ", ".join(f"“{text}”" for text in dict.fromkeys(texts))
        rate = right / len(texts)
        edge = ", at the edge of what it can do" if at_the_edge(rate) else ""
        return self.verdict(item, rate, f"{self.checkpoint} is right in {right} of {len(texts)}{edge}: {quoted}")


def _ask(item: FilterInput) -> Ask:
    return Ask(str(item.sample_id), full_text(item.question, item.choices, item.prompt_suffix), item.image_path)
