"""New charts: told in a spec that is rendered exactly, with the failed skill and its contrast, and an expression that gives the answer."""

import random
from itertools import pairwise, permutations

import pytest

from data.picture_specs.computed import AnswerFrom, CantCompute, agrees, compute
from data.picture_specs.spec import PictureSpec
from data.registry import IMAGE_GENERATORS
from data.scenes import draw, random_chart
from models.pocket.teacher.answers import answer
from models.pocket.teacher.candidates import candidates
from models.pocket.teacher.eyes import see
from models.pocket.teacher.imagined import EASIER, HARDER
from models.pocket.teacher.imagined_charts import answer_from, imagine_chart
from models.pocket.teacher.questions import Question, Ref
from models.pocket.teacher.reading import parse
from tests.support.teacher_world import ask, png, proposals

SEEDS = ("Which bar is the shortest?", "What color is the highest bar?", "What color is the first bar?", "What color is the last bar?")


@pytest.mark.parametrize("question", SEEDS)
def test_new_charts_ask_what_failed_and_its_contrast_and_show_what_is_told(question):
    renderer, rng = IMAGE_GENERATORS.make("rendered", {}), random.Random(question)
    for _ in range(8):
        scene = random_chart(rng)
        gold = answer(parse(question), see(draw(scene))).text
        wrong = rng.choice([bar.colour for bar in scene.bars if bar.colour != gold])
        found = proposals(png(draw(scene)), question, gold, wrong, "new_image", 4, skill="", contrasts=2, avoid=f"- {question}")
        assert [sample.contrast for sample in found] == [False, True, False, True]
        for sample in found:
            spec = sample.picture_spec
            assert sample.image_prompt is None and agrees(compute(sample.answer_from, spec), sample.answer)
            (picture,) = renderer.draw([spec.model_dump_json()], [spec.seed])
            judged = ask("judge", png(picture), question=sample.question, answer=sample.answer)
            assert judged.score == 3, (question, sample, judged)
            own, seed = parse(sample.question), parse(question)
            assert (own.skill, own.highest, own.nth) == (seed.skill, seed.highest, seed.nth) or sample.contrast
        for sample, contrast in zip(found[::2], found[1::2]):
            assert sample.picture_spec == contrast.picture_spec and parse(sample.question) != parse(contrast.question)
        assert found[0].picture_spec != found[2].picture_spec


def test_every_question_about_bars_that_has_an_expression_is_answered_by_it_as_by_the_eye():
    rng, said = random.Random(1), set()
    for _ in range(60):
        seen, raw = imagine_chart(rng, rng.choice((EASIER, "", HARDER)))
        spec = PictureSpec.model_validate(raw)
        spec.check()
        colours = [bar.colour for bar in seen.bars]
        seeds = [Question("bar-rank", bars=True, highest=False), Question("bar-place", bars=True), Question("bar-compare", bars=True)]
        asked = [question for seed in seeds for question in candidates(seed, seen, rng)]
        asked += [Question("existence", Ref("red"), bars=True), Question("count", bars=True)]
        asked += [Question("bar-compare", Ref(one), Ref(other), bars=True) for one, other in permutations(colours, 2)]
        for question in asked:
            own, expression = answer(question, seen), answer_from(question)
            if expression is None:
                continue
            said.add(expression["op"])
            try:
                found = compute(AnswerFrom.model_validate(expression), spec)
            except CantCompute:
                assert own.is_none, (question, seen)
            else:
                assert own.text == found.answer, (question, seen)
    assert said >= {"argmax", "argmin", "first", "last", "next", "previous", "greater", "exists", "count"}


def test_bars_differ_as_clearly_as_the_difficulty_asks():
    for difficulty, least in ((EASIER, 10), ("", 7), (HARDER, 5)):
        gaps = []
        for seed in range(40):
            heights = sorted(height for _, height in imagine_chart(random.Random(seed), difficulty)[1]["rows"])
            assert heights[0] >= 10 and heights[-1] <= 50
            gaps += [other - one for one, other in pairwise(heights)]
        assert min(gaps) >= least
