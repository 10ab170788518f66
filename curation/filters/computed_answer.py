"""Is the answer the one that the picture's own data gives? Only of rendered pictures whose proposal says how the answer is computed."""

from pydantic import BaseModel, ValidationError

from curation.filtering.base import Filter, FilterInput
from data.picture_specs.computed import AnswerFrom, check
from data.picture_specs.spec import PictureSpec


class ComputedAnswer(Filter):
    name = "computed_answer"
    title = "Answer as computed from the image's data"
    threshold = 1
    seconds_a_sample = 1e-4

    class Options(BaseModel):
        pass

    def score(self, item: FilterInput) -> tuple[float, str]:
        """1 if the data gives the answer, or if there is nothing to compute; 0 if it gives another, or none."""
        if item.picture_spec is None:
            return 1.0, "nothing to compute: the image is not rendered from data"
        if item.answer_from is None:
            return 1.0, "nothing to compute: the proposal does not say how the answer follows from the data"
        try:
            spec, expression = PictureSpec.model_validate_json(item.picture_spec), AnswerFrom.model_validate_json(item.answer_from)
        except ValidationError as error:
            return 0.0, f"the answer can't be computed: {error.errors()[0]['msg']}"
        checked = check(expression, spec, item.answer, item.choices)
        if checked.answer is None:
            return 0.0, f"the answer can't be computed: {checked.problem}"
        if checked.agrees:
            return 1.0, f"the data gives “{checked.answer}” ({expression.op})"
        return 0.0, checked.problem or f"the data gives “{checked.answer}” ({expression.op}), not “{item.answer}”"
