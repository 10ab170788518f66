"""Is the sample, or nearly, an item of an eval split? Training on it would make the measurement worthless.

Picture and question must both be alike: an eval picture with another question, or an eval question on another
picture, is not leakage. The same picture with the same question scores 1, whatever the answer.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import BaseModel, Field

from curation.filtering.base import Filter, FilterContext, FilterInput
from curation.filtering.similarity import Catalogue, Nearest
from data.records import Verdict


class Leakage(Filter):
    name = "leakage"
    title = "Not in an eval split"
    threshold = 0.95
    comparison = "at_most"
    needs = frozenset({"image"})
    overridable_in_bulk = False
    loosest = 0.99  # an identical picture and question score 1
    reads_eval = True
    seconds_a_sample = 1e-4

    class Options(BaseModel):
        radius: int = Field(default=4, ge=0, le=16, description="Bits in which the perceptual hashes of similar images may differ.")

    options: Options

    def setup(self, context: FilterContext) -> None:
        super().setup(context)
        if context.eval_parquet is None:
            raise ValueError("filter leakage needs the examples of the eval splits (eval_parquet)")
        self.examples = Catalogue(context.eval_parquet, ["example_id"], context.images_root, self.options.radius)

    def __call__(self, batch: Sequence[FilterInput]) -> Iterator[Verdict]:
        """The likeness to the most similar eval example: the lesser of picture and question."""
        for item, nearest in self.examples.most_alike(batch, self._questions_alike):
            if self.context.should_stop():
                return
            yield (
                self.failed(item, str(nearest))
                if isinstance(nearest, Exception)
                else self.verdict(item, nearest.score, self._reason(nearest))
            )

    def _questions_alike(self, items: list[FilterInput], rows: np.ndarray) -> np.ndarray:
        return self.examples.questions.alike([item.question for item in items], rows)

    def _reason(self, nearest: Nearest) -> str:
        if nearest.row < 0:
            return "no eval example has a similar image and question"
        what = "same image and question as" if nearest.score == 1 and nearest.same_picture else "similar to"
        example, question = self.examples.value(nearest.row, "example_id"), self.examples.questions[nearest.row]
        return f"{what} eval example {example}, “{question}”: image {nearest.picture:.2f}, question {nearest.text:.2f}"
