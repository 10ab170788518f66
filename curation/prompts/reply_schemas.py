"""What a frontier model is asked to reply, one pydantic model a prompt; their JSON schemas go out with the request.

The class's name is the schema's name: a server may tell by it what is asked (pocket-teacher does).
"""

import re
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model, field_validator

from data.picture_specs.computed import AnswerFrom
from data.picture_specs.spec import PictureSpec


class BlindAnswer(BaseModel):
    """prompts/blind.md: the frontier's own answer from image and question alone."""

    answer: str = Field(description="Only the answer, in the form asked for; 'unanswerable' if the image doesn't determine it.")


class Guess(BaseModel):
    """prompts/guess.md: an answer from the words alone, without the image."""

    answer: str = Field(description="Only the answer that is most likely right, in the form asked for; guess, don't decline.")
    certain: bool = Field(description="True only if the words or common knowledge determine the answer, whatever the image shows.")


class Diagnosis(BaseModel):
    """prompts/diagnosis.md: why a model's answer went wrong."""

    description: str = Field(description="What the image shows, in one or two sentences.")
    key_elements: list[str] = Field(description="The visual elements or words that the right answer depends on.")
    faulty_reasoning: str = Field(description="The reasoning that most likely led the model to its wrong answer, in one sentence.")
    error_type: str = Field(description="The name of exactly one of the error types given.")
    skill: str = Field(default="", description="The skill that the question needs and the model lacks, in two to six words.")
    gold_looks_wrong: bool = Field(description="True if the gold answer itself is wrong for this image and question.")
    right_but_misformatted: bool = Field(description="True if the model's answer means the same as the gold answer.")
    confidence: float = Field(ge=0, le=1, description="How sure you are of this diagnosis, from 0 to 1.")


@cache
def diagnosis_reply(names: tuple[str, ...]) -> type[Diagnosis]:
    """A diagnosis whose error type is one of these names, in the schema too: another one costs a repair turn instead of the row.

    Capitals, blanks and underscores in place of hyphens are taken as meant.
    """
    described = Field(description=Diagnosis.model_fields["error_type"].description)
    fields: dict[str, Any] = {"error_type": (Literal[names], described)}
    return create_model("Diagnosis", __base__=Diagnosis, __doc__=Diagnosis.__doc__, __validators__={"plain": _named_plainly()}, **fields)


def _named_plainly() -> Any:
    """A validator of error types: small letters, hyphens."""
    return field_validator("error_type", mode="before")(
        lambda name: re.sub(r"[\s_]+", "-", name.strip().lower()) if isinstance(name, str) else name
    )


class ProposedSample(BaseModel):
    question: str = Field(description="A self-contained question about the image.")
    choices: list[str] = Field(default_factory=list, description="The options' texts where the seed has choices, else empty.")
    answer: str = Field(description="The one right answer, in the seed's answer form (the letter where there are choices).")
    image_prompt: str | None = Field(
        default=None,
        description="For a new image that a text-to-image model draws: a prompt fixing every fact the answer needs. Else null.",
    )
    picture_spec: PictureSpec | None = Field(
        default=None, description="For a new image whose text or numbers decide the answer: what is rendered exactly. Else null."
    )
    answer_from: AnswerFrom | None = Field(
        default=None, description="With a picture_spec: how the answer follows from its data, where it can be computed. Else null."
    )
    skill: str = Field(default="", description="The skill that the question practises, in the words of the request.")
    contrast: bool = Field(default=False, description="True for the opposite question about another sample's image.")


class Proposals(BaseModel):
    """prompts/proposal.md: new samples that practise what the model got wrong. prompts/untargeted.md: samples made without a failure."""

    samples: list[ProposedSample]


class Judgement(BaseModel):
    """prompts/judge.md: is this answer right, and is the sample good? Blind to the diagnosis."""

    score: Literal[1, 2, 3] = Field(description="1 wrong or unusable, 2 doubtful or poor, 3 correct and of high quality.")
    reason: str = Field(description="Why, in one sentence.")


class ClusterTitle(BaseModel):
    """prompts/title.md: what a group of failures has in common, in plain words."""

    title: str = Field(description="At most ten plain words that say what goes wrong, e.g. 'Negated questions answered as if not negated'.")


class Kind(BaseModel):
    """prompts/kind.md: what kind of question this is, whatever the model answered."""

    kind: str = Field(default="", description="What is asked and what it takes, in two to six words; one of the kinds so far if one fits.")
    error_type: str = Field(description="The name of the one error type that a wrong answer here would most likely have.")


@cache
def kind_reply(names: tuple[str, ...]) -> type[Kind]:
    """A kind whose error type is one of these names, in the schema too; written otherwise it is taken as meant."""
    fields: dict[str, Any] = {"error_type": (Literal[names], Field(description=Kind.model_fields["error_type"].description))}
    return create_model("Kind", __base__=Kind, __doc__=Kind.__doc__, __validators__={"plain": _named_plainly()}, **fields)


class NamedSkill(BaseModel):
    """prompts/on_skill.md: which of some skills a question needs, whatever it was made for."""

    skill: str = Field(description="Exactly one of the skills given, word for word.")
    reason: str = Field(description="Why, in one sentence.")
