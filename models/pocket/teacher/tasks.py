"""The eight things that pocket-teacher can be asked, each from a Task to the fields of its reply (curation/prompts/reply_schemas.py)."""

import json
import re
from dataclasses import replace

from models.pocket.teacher import among_several, diagnosing, guessing, proposals, skills, titles
from models.pocket.teacher import words as w
from models.pocket.teacher.answers import DOUBTFUL, Answer, answer, as_letter, same
from models.pocket.teacher.questions import SKILLS, Question
from models.pocket.teacher.reading import parse
from models.pocket.teacher.wire import CAN, ApiError, Task

CLOSE = 0.65  # below it another answer than one's own may well be right


def reply(task: Task) -> str:
    """The content of the answer to a request: JSON of the reply's fields, or plain words. Raises ApiError."""
    found = _TASKS[task.name](task)
    return json.dumps(found, ensure_ascii=False) if task.form == "json" else _in_words(found)


def blind(task: Task) -> dict:
    return {"answer": own_answer(task, understood(task)).text}


def own_answer(task: Task, question: Question) -> Answer:
    found = answer(question, task.shown)
    if found.text == "square" and task.calls_squares_rectangles:
        found = replace(found, text="rectangle")
    return as_letter(found, task.choices) if task.choices else found


def understood(task: Task) -> Question:
    question = parse(task.question)
    if question is None:
        raise ApiError(422, f"pocket-teacher does not understand the question {task.question[:200]!r}. {CAN}.", "question_not_understood")
    return question


def judge(task: Task) -> dict:
    """3 for its own answer, 1 for another, 2 where it isn't sure or can't read the question."""
    question, proposed = parse(task.question), task.fields.get("Proposed answer", "").strip()
    if not proposed:
        return _score(1, "No answer is proposed.")
    if question is None:
        return _score(2, "The question is beyond what pocket-teacher can check.")
    own = own_answer(task, question)
    if not _agrees(proposed, own.text, task.choices):
        if own.confidence < CLOSE:
            return _score(2, f"Doubtful: {own.why}.")
        return _score(1, f"The answer {proposed!r} is wrong: {own.why}, so it is {own.text!r}.")
    if task.choices and len({w.meaning(choice) for choice in task.choices}) < len(task.choices):
        return _score(2, "Two of the options are alike.")
    if own.confidence < DOUBTFUL:
        return _score(2, f"Probably right, but the picture is poor: {own.why}.")
    return _score(3, f"Right: {own.why}.")


def _score(score: int, reason: str) -> dict:
    return {"score": score, "reason": reason}


def _agrees(proposed: str, own: str, choices: tuple[str, ...]) -> bool:
    if choices:
        letter = re.match(r"\(?([A-Za-z])\)?(?:[.):\s]|$)", proposed)
        return letter[1].upper() == own if letter else False
    return same(proposed, own)


def kind(task: Task) -> dict:
    question = parse(task.question)
    if question is None:
        raise ApiError(422, f"pocket-teacher does not understand the question {task.question[:200]!r}. {CAN}.", "question_not_understood")
    named = skills.kind(question, task.choices)
    return {"kind": named, "error_type": diagnosing.choose_type(wanted_types(question, task.choices), task.error_types)}


def wanted_types(question: Question, choices: tuple[str, ...]) -> tuple[str, ...]:
    """The error types that a wrong answer most likely has, the likeliest first; what is asked decides, not what was answered."""
    needed = (*among_several.error_types(question), *SKILLS[question.skill])
    if question.negated:
        return ("negation", *needed)
    return ("instruction-or-format", *needed) if choices else needed


def diagnose(task: Task) -> dict:
    question = understood(task)
    return diagnosing.diagnosis(task, question, own_answer(task, question), wanted_types(question, task.choices))


def propose(task: Task) -> dict:
    return {"samples": proposals.propose(task, understood(task))}


def named_skill(task: Task) -> dict:
    """Which of the skills offered the question needs, by its own answer."""
    question = parse(task.question)
    if question is None:
        return {"skill": skills.OTHER, "reason": "The question is beyond what pocket-teacher can read."}
    own = own_answer(task, question)
    phrase = skills.skill(question, task.shown, own.text, task.choices)
    return {"skill": skills.choose(phrase, task.skills), "reason": f"It needs {phrase}: {own.why}."}


def guess(task: Task) -> dict:
    found = guessing.guess(understood(task), task.choices, task.salt)
    return {"answer": found.text, "certain": found.confidence == 1}


def title(task: Task) -> dict:
    return {"title": titles.title(task.fields)}


_TASKS = {
    "BlindAnswer": blind,
    "Diagnosis": diagnose,
    "Proposals": propose,
    "Judgement": judge,
    "ClusterTitle": title,
    "Kind": kind,
    "Guess": guess,
    "NamedSkill": named_skill,
}


def _in_words(found: dict) -> str:
    """A reply in plain words: the one value alone, or a line a field."""
    if len(found) == 1:
        value = next(iter(found.values()))
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
    lines = (
        f"{name.replace('_', ' ').capitalize()}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in found.items()
    )
    return "\n".join(lines)
