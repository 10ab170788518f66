"""New samples that practise a skill: on the same picture, or on an imagined one that a prompt describes.

A sample practises the very skill that the seed needs (models/pocket/teacher/skills.py), in the seed's words; its contrast asks the
opposite of the same picture. The answers come from the same reading of the scene as all others; what can't be answered surely
isn't proposed.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from models.pocket.teacher import skills
from models.pocket.teacher import words as w
from models.pocket.teacher.among_several import is_crowd, is_such
from models.pocket.teacher.answers import DOUBTFUL, answer
from models.pocket.teacher.candidates import candidates, fact, needs_places, values
from models.pocket.teacher.contrasts import opposite
from models.pocket.teacher.diagnosing import golds_of, normal
from models.pocket.teacher.eyes import Seen
from models.pocket.teacher.imagined import HARDER, imagine
from models.pocket.teacher.imagined_charts import answer_from, imagine_chart
from models.pocket.teacher.imagined_crowds import imagine_crowd
from models.pocket.teacher.questions import Question
from models.pocket.teacher.wire import ApiError, Task
from models.pocket.teacher.wording import Manner, own_way, ways

MOST = 20  # samples a request
TRIES = 12  # imagined scenes for each sample
LIKE_THE_SEED = 0.7  # the share of questions in the seed's own words
SAME_ANSWER = {  # the share of samples with the very answer that the model failed on, where the skill doesn't fix it: with two answers most
    **dict.fromkeys(("existence", "verify", "relation", "same", "more", "bar-compare", "bar-verify"), 0.8),
    **dict.fromkeys(("left-right", "top-bottom", "relation-choice"), 0.8),
}
SAME_OTHERWISE = 0.3


@dataclass(frozen=True)
class Draft:
    question: Question
    answer: str
    text: str
    skill: str
    seen: Seen
    prompt: str | None = None
    contrast: bool = False
    spec: dict[str, Any] | None = None  # of a chart that is rendered

    @property
    def flat(self) -> bool:
        return any(thing.flat for thing in self.seen.things)


@dataclass(frozen=True)
class Wanted:
    """What is asked for: the seed, what its gold answer means, the skill to practise, and what was written before."""

    seed: Question
    gold: str  # in the plainest form; with choices what the letter stands for
    skill: str
    manner: Manner
    avoid: frozenset[str]
    choices: tuple[str, ...]
    letter: str  # with choices the failed one
    rectangles: bool = False  # the task calls squares so

    @property
    def answer(self) -> str:
        return self.letter if self.choices else self.gold


def propose(task: Task, seed: Question) -> list[dict]:
    """Samples as ProposedSample has them; fewer than asked for where the route or the picture gives no more."""
    route = task.fields.get("Route", "").strip()
    if route not in ("same_image", "new_image"):
        raise ApiError(422, f"unknown route {route!r}; there are same_image and new_image", "unknown_route", "messages")
    number, contrasts = _number(task, "Number of samples", None), _number(task, "Of these contrasts", 0)
    rng = random.Random(task.salt)
    golds = golds_of(task.fields.get("Gold answer", "")) or [""]
    wanted = _wanted(task, seed, golds[0])
    pairs = min(contrasts, number // 2)
    drafts = (_same_image if route == "same_image" else _new_route(task, seed))(task, wanted, rng)
    share = 1.0 if task.choices else SAME_ANSWER.get(seed.skill, SAME_OTHERWISE)
    chosen = _varied(drafts, number, wanted.gold, share, rng)
    twins = [twin for draft in chosen[: number - pairs] if (twin := _contrast(draft, wanted, rng))][:pairs]
    chosen = chosen[: number - len(twins)]  # where a question has no opposite, or too few have, there are more of the skill itself
    return [_sample(draft, golds[0], wanted, rng) for draft in _in_pairs(chosen, twins)]


def _new_route(task: Task, seed: Question) -> Callable[[Task, Wanted, random.Random], Iterator[Draft]]:
    """How a new picture is made: charts and crowds are rendered, few things are drawn."""
    many = is_crowd(task.shown) or (is_such(seed, task.shown) and len(task.shown.things) > 1)
    return _new_chart if seed.bars else _new_crowd if many and not task.shown.blurred and not task.choices else _new_image


def difficulty_of(task: Task) -> str:
    """The first word of what is asked for beside the seed: "easier", "harder" or another."""
    return task.fields.get("Difficulty", "").partition(" ")[0].lower()


def _number(task: Task, label: str, default: int | None) -> int:
    text = task.fields.get(label, "").split()
    if not text and default is not None:
        return default
    try:
        return min(max(int(text[0]), 0), MOST)
    except (ValueError, IndexError):
        raise ApiError(422, f"“{label}:” must be a whole number", "number_missing", "messages") from None


def _wanted(task: Task, seed: Question, gold: str) -> Wanted:
    """The skill is the one that the request names, where a question can need it; else the one that the seed needs."""
    plain, letter = _in_plain(gold, task.choices), normal(gold, task.choices)
    avoid = {_plain(line.lstrip("-* ")) for line in task.fields.get("Already written, do not repeat", "").splitlines()}
    own = skills.skill(seed, task.shown, letter if task.choices else plain, task.choices)
    avoid = avoid | {_plain(task.question)}
    return Wanted(
        seed, plain, own, Manner.of(task.question), frozenset(avoid), task.choices, letter, rectangles=task.calls_squares_rectangles
    )


def _same_image(task: Task, wanted: Wanted, rng: random.Random) -> Iterator[Draft]:
    """Questions of the skill about what else the picture holds: never the seed's own fact."""
    seen, seed = task.shown, wanted.seed
    seeds = [seed] if not wanted.choices else [Question(skill, seed.ref) for skill in ("shape", "colour")]
    known = {fact(seed, seen)}
    pool = [question for origin in seeds for question in candidates(origin, seen, rng)]
    for question in pool[::-1] if difficulty_of(task) == HARDER else pool:  # the plain ones come first
        if fact(question, seen) in known:
            continue
        draft = _draft(question, seen, wanted, rng)
        if draft and _practises(draft, wanted):
            yield draft


def _new_image(task: Task, wanted: Wanted, rng: random.Random) -> Iterator[Draft]:
    wanted = replace(wanted, avoid=frozenset())  # the same words ask for another fact there
    seed, flat = wanted.seed, any(thing.flat for thing in task.shown.things)
    prompts: set[str] = set()
    for _ in range(TRIES * MOST):
        seen, prompt, axes = imagine(seed, wanted.gold, wanted.gold == w.UNANSWERABLE, flat, rng, difficulty_of(task))
        if prompt in prompts:
            continue
        pool = [question for question in candidates(seed, seen, rng) if needs_places(question) <= axes]
        drafts = (_draft(question, seen, wanted, rng, prompt) for question in pool)
        draft = next((one for one in drafts if one and _practises(one, wanted)), None)
        if draft:
            prompts.add(prompt)
            yield draft


def _practises(draft: Draft, wanted: Wanted) -> bool:
    """The failed skill by the seed's kind of question: a blurred photo leaves many questions open, but one kind was asked."""
    return skills.same(draft.skill, wanted.skill) and (bool(wanted.choices) or draft.question.skill == wanted.seed.skill)


def _new_chart(task: Task, wanted: Wanted, rng: random.Random) -> Iterator[Draft]:
    """The seed's question and others of its skill about new charts, one a chart; their words may come again, their facts don't."""
    wanted = replace(wanted, avoid=frozenset())  # as above
    for _ in range(TRIES * MOST):
        seen, spec = imagine_chart(rng, difficulty_of(task))
        drafts = (_draft(question, seen, wanted, rng) for question in candidates(wanted.seed, seen, rng))
        if draft := next((one for one in drafts if one and skills.same(one.skill, wanted.skill)), None):
            yield replace(draft, spec=spec)


def _new_crowd(task: Task, wanted: Wanted, rng: random.Random) -> Iterator[Draft]:
    """The seed's question about other places of such things, one a picture."""
    wanted = replace(wanted, avoid=frozenset())  # as above
    for _ in range(TRIES * MOST):
        if (made := imagine_crowd(task.shown, rng, difficulty_of(task))) is None:
            continue
        seen, spec = made
        pool = candidates(wanted.seed, seen, rng)
        rng.shuffle(pool)
        drafts = (_draft(question, seen, wanted, rng) for question in pool)
        if draft := next((one for one in drafts if one and _practises(one, wanted)), None):
            yield replace(draft, spec=spec)


def _draft(
    question: Question, seen: Seen, wanted: Wanted, rng: random.Random, prompt: str | None = None, contrast: bool = False
) -> Draft | None:
    found = answer(question, seen)
    if found.confidence < DOUBTFUL or (found.is_none and not seen.blurred) or (wanted.choices and found.is_none):
        return None
    among = is_such(question, seen) or is_crowd(seen)
    if found.text == "0" and not among:
        return None
    offered = own_way(question, wanted.manner) if among else ways(question, wanted.manner)  # another task's words are its own
    texts = [text for text in offered if _plain(text) not in wanted.avoid]
    if not texts:
        return None
    text = texts[0] if rng.random() < LIKE_THE_SEED else rng.choice(texts)
    practised = skills.skill(question, seen, wanted.letter if wanted.choices else found.text, wanted.choices)
    return Draft(question, found.text, text, practised, seen, prompt, contrast)


def _contrast(draft: Draft, wanted: Wanted, rng: random.Random) -> Draft | None:
    """The same picture's opposite question; with choices the same question with another letter. None where there is no opposite."""
    if wanted.choices:
        return Draft(draft.question, draft.answer, draft.text, draft.skill, draft.seen, draft.prompt, True)
    in_crowd = is_crowd(draft.seen) and draft.question.skill == "relation"  # its opposite would be a negation, which the task asks none of
    asked = None if in_crowd else opposite(draft.question)
    if draft.spec:
        wanted = replace(wanted, avoid=frozenset())
    twin = _draft(asked, draft.seen, wanted, rng, draft.prompt, True) if asked else None
    return replace(twin, spec=draft.spec) if twin else None


def _in_pairs(drafts: list[Draft], twins: list[Draft]) -> Iterator[Draft]:
    """Each contrast behind the sample whose picture it shares."""
    rest = list(twins)
    for draft in drafts:
        yield draft
        if rest and rest[0].seen is draft.seen and rest[0].prompt == draft.prompt:
            yield rest.pop(0)
    yield from rest


def _varied(drafts: Iterator[Draft], number: int, gold: str, share: float, rng: random.Random) -> list[Draft]:
    """So many drafts that no answer can be guessed: a `share` with the failed answer, the rest with those that came seldom."""
    pool: list[Draft] = []
    chosen: list[Draft] = []
    counts: Counter[str] = Counter()
    texts: set[tuple[str, str | Seen]] = set()
    for draft in drafts:
        pool.append(draft)
        if len(pool) >= 6 * number:
            break
    while pool and len(chosen) < number:
        want_gold = counts[gold] < share * (len(chosen) + rng.random())
        best = min(pool, key=lambda draft: ((draft.answer == gold) != want_gold, counts[draft.answer]))
        pool.remove(best)
        if (best.text, best.prompt or best.seen) not in texts:
            texts.add((best.text, best.prompt or best.seen))
            chosen.append(best)
            counts[best.answer] += 1
    return chosen


def _sample(draft: Draft, gold: str, wanted: Wanted, rng: random.Random) -> dict:
    answer_words = "rectangle" if draft.answer == "square" and wanted.rectangles else draft.answer
    text, options, practised = _as_gold(answer_words, gold), [], draft.skill
    if wanted.choices:
        wrong = [value for value in values(draft.question.skill, draft.flat) if value != draft.answer]
        options = rng.sample(wrong, min(len(wanted.choices) - 1, len(wrong)))
        letters = [chr(65 + i) for i in range(len(options) + 1)]
        others = [letter for letter in letters if letter != wanted.letter]
        text = wanted.letter if wanted.letter in letters and not draft.contrast else rng.choice(others)
        options.insert(letters.index(text), draft.answer)
        practised = skills.skill(draft.question, draft.seen, text, wanted.choices)
    return {
        "question": draft.text,
        "choices": options,
        "answer": text,
        "image_prompt": draft.prompt,
        "picture_spec": draft.spec,
        "answer_from": answer_from(draft.question) if draft.spec and draft.question.bars else None,
        "skill": practised,
        "contrast": draft.contrast,
    }


def _as_gold(text: str, gold: str) -> str:
    """The answer in the form of the seed's gold: number words for number words, capitals for capitals."""
    if text.isdecimal() and gold and not any(c.isdigit() for c in gold) and w.meaning(gold).isdecimal():
        text = w.spelt(int(text))
    return text.capitalize() if gold[:1].isupper() and len(gold) > 1 else text


def _in_plain(gold: str, choices: tuple[str, ...]) -> str:
    """What the gold answer means; with choices what the letter stands for."""
    letter = normal(gold, choices)
    return w.meaning(choices[ord(letter) - 65]) if choices and len(letter) == 1 and ord(letter) - 65 < len(choices) else w.meaning(gold)


def _plain(text: str) -> str:
    return " ".join(w.tokens(text))
