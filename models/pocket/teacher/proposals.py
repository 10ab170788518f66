"""New samples that practise a skill: on the same picture, or on an imagined one that a prompt describes.

The answers come from the same reading of the scene as all others; what can't be answered surely isn't proposed.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from models.pocket.teacher import words as w
from models.pocket.teacher.answers import DOUBTFUL, answer
from models.pocket.teacher.candidates import candidates, fact, needs_places, values
from models.pocket.teacher.diagnosing import golds_of, normal
from models.pocket.teacher.eyes import Seen
from models.pocket.teacher.imagined import HARDER, imagine
from models.pocket.teacher.questions import Question
from models.pocket.teacher.wire import ApiError, Task
from models.pocket.teacher.wording import Manner, ways

MOST = 20  # samples a request
TRIES = 12  # imagined scenes for each sample
LIKE_THE_SEED = 0.5  # the share of questions in the seed's own words
SAME_ANSWER = {  # the share of samples with the very answer that the model failed on, by what is asked for
    **dict.fromkeys(("existence", "verify", "relation", "bar-compare", "bar-verify"), 0.5),
    **dict.fromkeys(("left-right", "top-bottom", "relation-choice", "sides", "count"), 0.5),
}
SAME_OTHERWISE = 0.3
SAME_NONE = 0.65  # ... where the right answer was "unanswerable"
SAME_LETTER = 0.5  # ... of right letters


@dataclass(frozen=True)
class Draft:
    question: Question
    answer: str
    text: str
    prompt: str | None = None
    flat: bool = False


def propose(task: Task, seed: Question) -> list[dict]:
    """Samples as ProposedSample has them; fewer than asked for where the route or the picture gives no more."""
    route = task.fields.get("Route", "").strip()
    if route not in ("same_image", "new_image"):
        raise ApiError(422, f"unknown route {route!r}; there are same_image and new_image", "unknown_route", "messages")
    try:
        number = min(max(int(task.fields.get("Number of samples", "").split()[0]), 0), MOST)
    except (ValueError, IndexError):
        raise ApiError(422, "“Number of samples:” must be a whole number", "number_missing", "messages") from None
    rng = random.Random(task.salt)
    golds = golds_of(task.fields.get("Gold answer", "")) or [""]
    avoid = {_plain(line.lstrip("-* ")) for line in task.fields.get("Already written, do not repeat", "").splitlines()} | {
        _plain(task.question)
    }
    if seed.bars and route == "new_image":
        return []  # no image generator at hand draws charts whose bars are as high as told
    gold = _in_plain(golds[0], task.choices)
    drafts = (_same_image if route == "same_image" else _new_image)(task, seed, gold, avoid, rng)
    share = SAME_NONE if gold == w.UNANSWERABLE else SAME_ANSWER.get(seed.skill, SAME_OTHERWISE)
    chosen = _varied(drafts, number, gold, share, rng)
    return [_sample(draft, golds[0], task.choices, rng) for draft in chosen]


def difficulty_of(task: Task) -> str:
    """The first word of what is asked for beside the seed: "easier", "harder" or another."""
    return task.fields.get("Difficulty", "").partition(" ")[0].lower()


def _same_image(task: Task, seed: Question, gold: str, avoid: set[str], rng: random.Random) -> Iterator[Draft]:
    seen, manner = task.shown, Manner.of(task.question)
    seeds = [seed] if not task.choices else [Question(skill, seed.ref) for skill in ("shape", "colour")]
    known = {fact(seed, seen)}
    pool = [question for origin in seeds for question in candidates(origin, seen, rng)]
    for question in pool[::-1] if difficulty_of(task) == HARDER else pool:  # the plain ones come first
        if fact(question, seen) in known:
            continue
        draft = _draft(question, seen, manner, avoid, rng, bool(task.choices))
        if draft:
            yield draft


def _new_image(task: Task, seed: Question, gold: str, avoid: set[str], rng: random.Random) -> Iterator[Draft]:
    manner, blur = Manner.of(task.question), gold == w.UNANSWERABLE or task.shown.blurred
    prompts: set[str] = set()
    for _ in range(TRIES * MOST):
        seen, prompt, axes = imagine(seed, gold, blur, any(thing.flat for thing in task.shown.things), rng, difficulty_of(task))
        if prompt in prompts:
            continue
        pool = [question for question in candidates(seed, seen, rng) if needs_places(question) <= axes]
        if not pool:
            continue
        draft = _draft(pool[0], seen, manner, avoid, rng, bool(task.choices), prompt)
        if draft:
            prompts.add(prompt)
            yield draft


def _draft(
    question: Question, seen: Seen, manner: Manner, avoid: set[str], rng: random.Random, choices: bool, prompt: str | None = None
) -> Draft | None:
    found = answer(question, seen)
    if found.confidence < DOUBTFUL or (found.is_none and not seen.blurred) or (choices and found.is_none) or found.text == "0":
        return None
    texts = [text for text in ways(question, manner) if _plain(text) not in avoid]
    if not texts:
        return None
    text = texts[0] if rng.random() < LIKE_THE_SEED else rng.choice(texts)
    return Draft(question, found.text, text, prompt, any(thing.flat for thing in seen.things))


def _varied(drafts: Iterator[Draft], number: int, gold: str, share: float, rng: random.Random) -> list[Draft]:
    """So many drafts that no answer can be guessed: a `share` with the failed answer, the rest with those that came seldom."""
    pool: list[Draft] = []
    chosen: list[Draft] = []
    counts: Counter[str] = Counter()
    texts: set[tuple[str, str | None]] = set()
    for draft in drafts:
        pool.append(draft)
        if len(pool) >= 6 * number:
            break
    while pool and len(chosen) < number:
        want_gold = counts[gold] < share * (len(chosen) + rng.random())
        best = min(pool, key=lambda draft: ((draft.answer == gold) != want_gold, counts[draft.answer]))
        pool.remove(best)
        if (best.text, best.prompt) not in texts:
            texts.add((best.text, best.prompt))
            chosen.append(best)
            counts[best.answer] += 1
    return chosen


def _sample(draft: Draft, gold: str, choices: tuple[str, ...], rng: random.Random) -> dict:
    text, options = _as_gold(draft.answer, gold), []
    if choices:
        wrong = [value for value in values(draft.question.skill, draft.flat) if value != draft.answer]
        options = rng.sample(wrong, min(len(choices) - 1, len(wrong)))
        letters = [chr(65 + i) for i in range(len(options) + 1)]
        failed = normal(gold, choices)
        others = [letter for letter in letters if letter != failed]
        text = failed if failed in letters and rng.random() < SAME_LETTER else rng.choice(others)
        options.insert(letters.index(text), draft.answer)
    return {"question": draft.text, "choices": options, "answer": text, "image_prompt": draft.prompt}


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
