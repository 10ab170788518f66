"""Is there an earlier sample with the same picture, question and answer, or nearly so? The first one is kept."""

from pydantic import BaseModel, Field
from rapidfuzz.distance import Levenshtein

from curation.filters._alike import Catalogue, question_similarity, words
from curation.filters._base import Filter, FilterContext, FilterInput
from data.metrics import normalise


class Duplicate(Filter):
    title = "Not a duplicate"
    threshold = 0.95
    comparison = "at_most"
    needs = frozenset({"image"})

    class Options(BaseModel):
        radius: int = Field(default=4, ge=0, le=16, description="Bits in which the perceptual hashes of near pictures may differ.")

    def setup(self, context: FilterContext) -> None:
        super().setup(context)
        if context.samples_parquet is None:
            raise ValueError("filter duplicate needs the workspace's samples (samples_parquet)")
        self.samples = Catalogue(context.samples_parquet, ["sample_id", "answer"], context.images_root, self.options.radius)

    def score(self, item: FilterInput) -> tuple[float, str]:
        """The likeness to the most similar sample of a smaller number: the least of picture, question and answer."""
        asked, answer = words(item.question), normalise(item.answer)
        best, reason = 0.0, "no earlier sample is alike in picture, question and answer"
        for row, image in self.samples.like_picture_of(item):
            if row["sample_id"] >= item.sample_id:
                continue
            text = min(question_similarity(asked, words(row["question"])), _answers_alike(answer, normalise(row["answer"])))
            if text <= best:
                continue
            picture = self.samples.pictures.similarity(item.image, image)
            if min(text, picture) > best:
                best = min(text, picture)
                reason = f"like sample {row['sample_id']}, “{row['question']}” “{row['answer']}”: picture {picture:.2f}, text {text:.2f}"
        return best, reason


def _answers_alike(one: str, other: str) -> float:
    return 1.0 if one == other else Levenshtein.normalized_similarity(one, other)
