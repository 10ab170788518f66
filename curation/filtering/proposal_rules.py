"""Which proposals become samples: those that keep the rules of prompts/proposal.md, as far as words alone can tell.

Whether a question is right about its picture is for the filters. Here each proposal that breaks a rule is dropped and kept with the
rule's name and a reason, so that a prompt that is ignored shows.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curation.filtering.base import FilterInput, make_filter
from curation.filtering.similarity import question_similarity, words
from data.metrics import normalise
from data.picture_specs import safety
from data.picture_specs.spec import BadSpec, PictureSpec

ALIKE = 0.9  # question_similarity from which two questions on one picture are the same: a word in ten
_FILLING = {"a", "an", "the", "is", "are", "was", "were", "does", "do", "of", "there", "please"}  # words that change no fact
_SPELLING = {"colour": "color", "grey": "gray", "centre": "center", "colours": "colors"}
_IN_THE_PICTURE = re.compile(
    r"\b(?:in|on|of) (?:the|this) (?:image|picture|photo|chart|scene)\b|\b(?:shown|visible|depicted)\b", re.IGNORECASE
)
CLOSED = {"yes", "no", "unanswerable"}  # answers that any question may name
SHORT_PROMPT = 3  # words that an image prompt has at least
_OUTSIDE = re.compile(
    r"\b(?:(?:seed|previous|earlier|above|original|first|other|last) (?:question|image|picture|answer)|gold answer"
    r"|(?:smaller|baseline) model|the model(?:'s)? answer|same question|as before|training (?:sample|example))\b",
    re.IGNORECASE,
)
RULES = {  # name: what it asks for, in words
    "question": "a question that isn't empty",
    "self-contained": "a self-contained question",
    "answer form": "an answer in the seed's form",
    "one answer": "one answer, not several",
    "answer in question": "a question that doesn't contain its answer",
    "paraphrase": "a question about another fact than the seed",
    "repeated": "a question not generated before",
    "image prompt": "an image prompt, or a spec, for a new image",
    "picture spec": "a spec that can be rendered",
    "contrast": "a contrast about the image of another sample",
}


@dataclass(frozen=True)
class Dropped:
    rule: str  # of RULES
    reason: str


def sift(proposals: Sequence[dict[str, Any]], row: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(proposals that keep the rules, those that don't with `rule`, `reason` and their `place` in the reply).

    `row` is the failure: question, choices, metric, answer_form, dataset, route, avoid (questions that it has samples for already).
    """
    kept: list[dict[str, Any]] = []
    dropped: list[dict[str, Any]] = []
    for place, proposal in enumerate(proposals):
        if broken := broken_rule(proposal, row, kept):
            dropped.append({**proposal, "place": place, "rule": broken.rule, "reason": broken.reason})
        else:
            kept.append(proposal)
    for proposal in [
        candidate for candidate in kept if candidate.get("contrast") and not any(_beside(candidate, other, row) for other in kept)
    ]:
        kept.remove(proposal)
        dropped.append({**proposal, "place": proposals.index(proposal), "rule": "contrast", "reason": "no other sample shares its image"})
    return kept, dropped


def broken_rule(proposal: dict[str, Any], row: dict[str, Any], kept: Sequence[dict[str, Any]] = ()) -> Dropped | None:
    """The first rule that a proposal breaks given those kept so far; None if it keeps them all."""
    question = proposal["question"].strip()
    if not words(question):
        return Dropped("question", "the question is empty")
    if outside := _OUTSIDE.search(question):
        return Dropped("self-contained", f"“{outside[0]}” refers to something outside the image")
    return _form(proposal, row) or _answer_in_question(proposal) or _repeated(proposal, row, kept) or _image_prompt(proposal, row)


def _form(proposal: dict[str, Any], row: dict[str, Any]) -> Dropped | None:
    """The seed's form: as many choices as it has, and the form that the filter answer_style asks for."""
    choices, answer = proposal["choices"], proposal["answer"].strip()
    if len(choices) != len(row["choices"]):
        return Dropped("answer form", f"{len(choices) or 'no'} choices where the seed has {len(row['choices']) or 'none'}")
    given = FilterInput(0, 0, proposal["question"], answer, row["dataset"], row["metric"], row["answer_form"], tuple(choices))
    fits, problem = make_filter("answer_style").score(given)
    if not fits:
        return Dropped("answer form", problem)
    if not choices and re.search(r"\bor\b|[;|]|\s/\s", answer, re.IGNORECASE):
        return Dropped("one answer", f"“{answer}” is more than one answer")
    return None


def _answer_in_question(proposal: dict[str, Any]) -> Dropped | None:
    """The question contains the answer's words, though it offers no alternatives ("left or right") and isn't about a word in it."""
    asked, answer = words(proposal["question"]), words(proposal["answer"])
    if proposal["choices"] or not answer or "or" in asked or set(answer) <= CLOSED:
        return None
    length = len(answer)
    if any(asked[i : i + length] == answer for i in range(len(asked) - length + 1)):
        return Dropped("answer in question", f"the question contains the answer “{proposal['answer'].strip()}”")
    return None


def _repeated(proposal: dict[str, Any], row: dict[str, Any], kept: Sequence[dict[str, Any]]) -> Dropped | None:
    """On the seed's own picture the same words ask for the same fact; on a new one they don't, unless its prompt is the same too."""
    same_image = row["route"] == "same_image"
    if same_image and _asks_the_same(proposal["question"], row["question"]):
        return Dropped("paraphrase", f"same question as the seed: “{row['question']}”")
    if same_image and any(words(proposal["question"]) == words(before) for before in row["avoid"]):
        return Dropped("repeated", "was already generated for this failure")
    for other in kept:
        alike = _asks_the_same(proposal["question"], other["question"]) and _same_choices(proposal, other)
        other_letter = proposal["choices"] and proposal.get("contrast", False) != other.get("contrast", False)
        if alike and not other_letter and (same_image or _same_picture(proposal, other)):
            return Dropped("repeated", f"same question as “{other['question']}”")
    return None


def _asks_the_same(one: str, other: str) -> bool:
    """Whether two questions have the same words in the same order but for those that change no fact."""
    return question_similarity(_core(one), _core(other)) >= ALIKE


def _core(question: str) -> list[str]:
    """
    >>> _core("What is the colour of the circle in this image?")
    ['what', 'color', 'circle']
    """
    plain = words(_IN_THE_PICTURE.sub(" ", question))
    return [_SPELLING.get(word, word) for word in plain if word not in _FILLING] or plain


def _same_choices(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return sorted(map(normalise, one["choices"])) == sorted(map(normalise, other["choices"]))


def _beside(contrast: dict[str, Any], other: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether the other sample practises the skill about the image of the contrast."""
    if other.get("contrast"):
        return False
    return row["route"] == "same_image" or _same_picture(other, contrast)


def _same_picture(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two proposals for new pictures describe the same one, in words or by a spec."""
    if one.get("picture_spec") or other.get("picture_spec"):
        same: bool = one.get("picture_spec") == other.get("picture_spec")
        return same
    return words(one["image_prompt"] or "") == words(other["image_prompt"] or "")


def _image_prompt(proposal: dict[str, Any], row: dict[str, Any]) -> Dropped | None:
    if row["route"] == "new_image" and proposal.get("picture_spec"):
        try:
            safety.check(PictureSpec.model_validate(proposal["picture_spec"]))
        except BadSpec as bad:
            return Dropped("picture spec", str(bad))
        return None
    if row["route"] == "new_image" and len(words(proposal["image_prompt"] or "")) < SHORT_PROMPT:
        prompt = (proposal["image_prompt"] or "").strip()
        return Dropped("image prompt", f"“{prompt}” doesn't say what to draw" if prompt else "there is no image prompt")
    return None
