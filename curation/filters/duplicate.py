"""Is there an earlier sample with the same picture, question and answer, or nearly so? The first one is kept."""

from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import BaseModel, Field

from curation.filtering.base import Filter, FilterContext, FilterInput
from curation.filtering.similarity import Catalogue, Nearest, Texts
from data.metrics import normalise
from data.records import Verdict


class Duplicate(Filter):
    name = "duplicate"
    title = "Not a duplicate"
    threshold = 0.95
    comparison = "at_most"
    needs = frozenset({"image"})
    seconds_a_sample = 3e-4

    class Options(BaseModel):
        radius: int = Field(default=4, ge=0, le=16, description="Bits in which the perceptual hashes of similar images may differ.")

    options: Options

    def setup(self, context: FilterContext) -> None:
        super().setup(context)
        if context.samples_parquet is None:
            raise ValueError("filter duplicate needs the workspace's samples (samples_parquet)")
        self.samples = Catalogue(context.samples_parquet, ["sample_id", "answer"], context.images_root, self.options.radius)
        self.sample_ids = self.samples.table["sample_id"].to_numpy()
        self.answers = Texts(self.samples.table["answer"], normalise)

    def __call__(self, batch: Sequence[FilterInput]) -> Iterator[Verdict]:
        """The likeness to the most similar sample of a smaller number: the least of picture, question and answer."""
        for item, nearest in self.samples.most_alike(batch, self._texts_alike):
            if self.context.should_stop():
                return
            yield (
                self.failed(item, str(nearest))
                if isinstance(nearest, Exception)
                else self.verdict(item, nearest.score, self._reason(nearest))
            )

    def _texts_alike(self, items: list[FilterInput], rows: np.ndarray) -> np.ndarray:
        """0 for samples that are no earlier ones."""
        questions = self.samples.questions.alike([item.question for item in items], rows)
        answers = self.answers.alike([item.answer for item in items], rows)
        earlier = self.sample_ids[rows] < np.array([item.sample_id for item in items])[:, None]
        return np.minimum(questions, answers) * earlier

    def _reason(self, nearest: Nearest) -> str:
        if nearest.row < 0:
            return "no earlier sample has a similar image, question and answer"
        sample, question, answer = int(self.sample_ids[nearest.row]), self.samples.questions[nearest.row], self.answers[nearest.row]
        return f"similar to sample {sample}, “{question}” “{answer}”: image {nearest.picture:.2f}, text {nearest.text:.2f}"
