"""Charts that pocket-teacher makes up for new images: told in a spec that is rendered exactly, so that no height is guessed."""

import random
from typing import Any

from data.scenes import BAR_HEIGHTS, COLOURS
from models.pocket.teacher.charts import Bar
from models.pocket.teacher.eyes import Seen
from models.pocket.teacher.imagined import EASIER, HARDER
from models.pocket.teacher.questions import Question

COLUMNS = ["color", "height"]
STEPS = {EASIER: 10, HARDER: 5}  # pixels by which any two bars differ at least
STEP = 7  # as the seed's
COUNTS = {EASIER: (3,), HARDER: (4, 4, 5)}
COUNT = (3, 4)


def imagine_chart(rng: random.Random, difficulty: str = "") -> tuple[Seen, dict[str, Any]]:
    """A chart as it will be seen, and its spec (data/picture_specs); `difficulty`: EASIER, HARDER or another for neither."""
    count, step = rng.choice(COUNTS.get(difficulty, COUNT)), STEPS.get(difficulty, STEP)
    low, high = BAR_HEIGHTS
    spare = high - low - step * (count - 1)
    heights = [low + offset + step * i for i, offset in enumerate(sorted(rng.randint(0, spare) for _ in range(count)))]
    rng.shuffle(heights)
    colours = rng.sample(tuple(COLOURS), count)
    seen = Seen(bars=tuple(Bar(colour, float(i), float(height)) for i, (colour, height) in enumerate(zip(colours, heights))))
    rows = [[colour, height] for colour, height in zip(colours, heights)]
    return seen, {"kind": "bars", "title": "", "columns": COLUMNS, "rows": rows, "vega_lite": ""}


def answer_from(question: Question) -> dict[str, Any] | None:
    """How the answer to a question about bars follows from the spec's rows (AnswerFrom); None where no expression says it.

    >>> answer_from(Question("bar-rank", bars=True, highest=False))
    {'op': 'argmin', 'column': 'height', 'label': 'color'}
    """
    extreme = {"op": "argmax" if question.highest else "argmin", "column": "height", "label": "color"}
    place = {"rank": question.nth + 1} if question.nth > 0 else {}
    if question.negated:
        return None
    if question.skill == "bar-rank":
        of = [colour for colour in question.among if colour[0] != "-"]
        out = [{"column": "color", "relation": "!=", "value": colour[1:]} for colour in question.among if colour[0] == "-"]
        return {**extreme, **place, **({"of": of} if of else {}), **({"where": out} if out else {})}
    if question.skill == "bar-verify":
        return {**extreme, **place, "equals": question.ref.colour}
    if question.skill == "bar-place":
        from_left = question.nth >= 0
        return {"op": "first" if from_left else "last", "label": "color", "rank": question.nth + 1 if from_left else -question.nth}
    if question.skill == "bar-next":
        return {"op": "next" if question.relation == "right" else "previous", "label": "color", "of": [question.ref.colour]}
    if question.skill == "bar-compare":
        return {
            "op": "greater" if question.highest else "less",
            "column": "height",
            "label": "color",
            "of": [question.ref.colour, question.second.colour],
        }
    if question.skill == "existence":
        return {"op": "exists", "where": [{"column": "color", "relation": "=", "value": question.ref.colour}]}
    return {"op": "count"} if question.skill == "count" and question.ref.colour is None else None
