"""Does a sample practise the skill that failed? The frontier model, blind, names the skill that the question needs from a list.

The list holds the failed skill, what the sample states, and others of the workspace; nothing says which is which. A sample that only
shares the topic ("second tallest" for "shortest") teaches little of what failed.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel, Field

from curation import error_types
from curation.filtering.base import Filter, FilterContext, FilterInput
from curation.prompts.reply_schemas import NamedSkill
from curation.prompts.templates import Prompts
from data.question_text import lettered
from data.records import Verdict
from models.frontier import Request

OTHER = "another skill"
SAME, ALIKE, RELATED = 1.0, 0.75, 0.5  # scores: the skill itself, the same with a word or two more, words in common
WORDS_SHARED = 0.6  # Jaccard index of two phrases' words from which they say the same
_FILLING = {"a", "an", "the", "of", "in", "on", "is", "are", "to", "and", "question", "questions"}  # the last word never is: "option A"


class OnSkill(Filter):
    name = "on_skill"
    title = "Practises the skill that failed"
    threshold = ALIKE
    needs = frozenset({"frontier", "image"})
    prompt = "on_skill"
    judges_aim = True

    class Options(BaseModel):
        offered: int = Field(default=10, ge=2, le=40, description="Skills to choose from, the failed one among them.")

    options: Options
    error_types: Sequence[str] = error_types.DEFAULT.names  # the workspace's, offered where it knows no other skill
    known: Mapping[str, str] = {}  # skills of the workspace's diagnoses, with the error type of most failures that have each

    def setup(self, context: FilterContext) -> None:
        super().setup(context)
        self.known = context.skills
        self.error_types = context.prompts.taxonomy.names

    def requests(self, item: FilterInput, prompts: Prompts) -> list[Request]:
        return [self._request(item, item.image_path, prompts)] if item.image_path and item.failed_skill else []

    def __call__(self, batch: Sequence[FilterInput]) -> Iterator[Verdict]:
        by_key = {_key(item): item for item in batch}
        for item in batch:
            if not item.image_path:
                yield self.failed(item, f"sample {item.sample_id} has no image yet; draw it first")
            elif not item.failed_skill:
                yield self.verdict(
                    item, SAME, "nothing to compare with: its failure was diagnosed before skills were named, or it has none"
                )
        for outcome in self.ask(batch):
            item = by_key[outcome.key]
            if isinstance(reply := outcome.parsed, NamedSkill):
                yield self._judged(item, reply)
            else:
                yield self.failed(item, outcome.error)

    def _judged(self, item: FilterInput, reply: NamedSkill) -> Verdict:
        """A contrast must need what it states, and that must not be the failed skill; any other sample must need the failed one."""
        wanted = item.skill if item.contrast and item.skill else item.failed_skill
        named = next((skill for skill in self.offered(item) if _plain(skill) == _plain(reply.skill)), OTHER)
        score = likeness(named, wanted)
        if item.contrast and likeness(wanted, item.failed_skill) >= ALIKE:
            return self.verdict(item, 0, f"“{wanted}” is no contrast to the failed skill")
        sort = "stated contrast" if item.contrast else "failed skill"
        reason = f"needs the {sort} “{wanted}”" if score >= ALIKE else f"needs “{named}”, not the {sort} “{wanted}”"
        return self.verdict(item, score, f"{reason}. {reply.reason}")

    def offered(self, item: FilterInput) -> list[str]:
        """The skills that the frontier chooses from, in an order that says nothing: those of the sample, and others by lot.

        Others are of other error types: one diagnosis says "corners of a pentagon" where the next says "sides of a pentagon", and a
        choice between the two would tell nothing. What is near but not the same is for "another skill".
        """
        own = list(dict.fromkeys(skill for skill in (item.failed_skill, item.skill) if skill))
        kind = self.known.get(item.failed_skill)
        others = [skill for skill, type_ in self.known.items() if kind is None or type_ != kind] or list(self.error_types)
        others = [skill for skill in others if all(likeness(skill, near) < ALIKE for near in own)]
        lot = sorted(others, key=lambda skill: _lot(item, skill))[: max(0, self.options.offered - len(own))]
        return sorted([*own, *lot], key=lambda skill: _lot(item, skill[::-1]))

    def _request(self, item: FilterInput, image_path: str, prompts: Prompts) -> Request:
        skills = "\n".join(f"- {skill}" for skill in self.offered(item))
        shown = {"question": item.question, "choices": lettered(item.choices), "answer_form": item.answer_form, "skills": skills}
        prompt = prompts.render(self.prompt, **shown)
        return Request(_key(item), "on_skill", prompt.system, prompt.user, (image_path,), NamedSkill, 0, prompt.version)


def likeness(one: str, other: str) -> float:
    """How far two phrases name one skill: SAME, ALIKE (one has a word or two more) or RELATED (some words shared); 0 if no word is.

    >>> likeness("counting three", "Counting three objects"), likeness("shortest bar", "tallest bar")
    (0.75, 0.5)
    >>> likeness("answering with option A", "answering with option C")
    0.5
    """
    if _plain(one) == _plain(other):
        return SAME
    first, second = _words(one), _words(other)
    shared = len(first & second) / max(len(first | second), 1)
    return ALIKE if shared >= WORDS_SHARED and (first <= second or second <= first) else RELATED if shared else 0.0


def _words(text: str) -> set[str]:
    words = re.findall(r"\w+", text.lower())
    return {word for word in words[:-1] if word not in _FILLING} | set(words[-1:])


def _plain(text: str) -> str:
    return " ".join(text.lower().strip(" .-\"'“”").split())


def _lot(item: FilterInput, skill: str) -> bytes:
    return hashlib.sha256(f"{item.sample_id}:{skill}".encode()).digest()


def _key(item: FilterInput) -> str:
    return f"{item.sample_id}:{item.revision}"
