"""Is the sample, or nearly, an item of an eval split? Training on it would make the measurement worthless.

Picture and question must both be alike: an eval picture with another question, or an eval question on another
picture, is not leakage. The same picture with the same question scores 1, whatever the answer.
"""

from pydantic import BaseModel, Field

from curation.filters._alike import Catalogue, question_similarity, words
from curation.filters._base import Filter, FilterContext, FilterInput


class Leakage(Filter):
    title = "Not in an eval split"
    threshold = 0.95
    comparison = "at_most"
    needs = frozenset({"image"})
    overridable_in_bulk = False

    class Options(BaseModel):
        radius: int = Field(default=4, ge=0, le=16, description="Bits in which the perceptual hashes of near pictures may differ.")

    def setup(self, context: FilterContext) -> None:
        super().setup(context)
        if context.eval_parquet is None:
            raise ValueError("filter leakage needs the examples of the eval splits (eval_parquet)")
        self.examples = Catalogue(context.eval_parquet, ["example_id"], context.images_root, self.options.radius)

    def score(self, item: FilterInput) -> tuple[float, str]:
        """The likeness to the most similar eval example: the lesser of picture and question."""
        asked = words(item.question)
        best, reason = 0.0, "no eval example is alike in picture and question"
        for row, image in self.examples.like_picture_of(item):
            question = question_similarity(asked, words(row["question"]))
            if question <= best:
                continue
            picture = self.examples.pictures.similarity(item.image, image)
            if min(question, picture) > best:
                best = min(question, picture)
                what = "the same picture and question as" if best == 1 and image == item.image else "like"
                reason = f"{what} eval example {row['example_id']}, “{row['question']}”: picture {picture:.2f}, question {question:.2f}"
        return best, reason
