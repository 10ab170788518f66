"""How a model is asked: its chat template's text for one picture and a question, tokenised once."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL.Image import Image

from data.control_tokens import neutralised, of_tokenizer
from models.weights.files import BadWeights

TEMPLATES = Path(__file__).parent / "templates"
MARK = "Qu3stion8", "Answ3r8"  # stand for texts where a template is looked at
DEFAULTS = {"paligemma": "paligemma"}  # families that have no template at all, only a form that they were trained on


@dataclass(frozen=True)
class AnswerForm:
    """What a template writes between prompt and answer, and the token behind the answer at which a model stops."""

    before: str
    end: str


class Chat:
    """A processor with a template: prompts as text, batches as the model takes them, the form of an answer for training."""

    def __init__(self, processor: Any, family: str, template: str | None = None, name: str = "the model"):
        self.processor, self.tokenizer, self.family, self.name = processor, processor.tokenizer, family, name
        self.image_token = getattr(processor, "image_token", None) or "<image>"
        self.template = read_template(template) if template else self._own_template()
        special = [token.content for token in self.tokenizer.added_tokens_decoder.values() if token.special]
        self.control_tokens = of_tokenizer(special, self._placeholders())
        self._check()

    @property
    def answers_are_typed(self) -> bool:
        """Whether token types tell prompt (0) and answer (1) apart, as PaliGemma's do; it reads the prompt in both directions."""
        return "suffix" in inspect.signature(self.processor.__call__).parameters

    @property
    def behind_prompt(self) -> str:
        """What the processor writes behind a prompt by itself."""
        return "\n" if self.answers_are_typed else ""

    def plain(self, text: str) -> str:
        """Text of people, with no control token in it."""
        return neutralised(text, self.control_tokens)

    def prompt(self, text: str, answer: str | None = None) -> str:
        """The text for a picture and a question; with an answer, the whole exchange. Control tokens are neutralised."""
        messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": self.plain(text)}]}]
        if answer is not None:
            messages.append({"role": "assistant", "content": [{"type": "text", "text": self.plain(answer)}]})
        variables = {"image_token": self.image_token} if "image_token" in self.template else {}  # others would be warned of
        rendered: str = self.processor.apply_chat_template(
            messages, chat_template=self.template, add_generation_prompt=answer is None, **variables
        )
        return rendered

    def inputs(self, pictures: Sequence[Image], prompts: Sequence[str], **options: Any) -> Any:
        """A batch for the model, padded left: one picture a prompt. A BOS that the template writes is not written again.

        `options` go to the processor (pixel limits, say).
        """
        if self.tokenizer.bos_token and prompts[0].startswith(self.tokenizer.bos_token):
            options["add_special_tokens"] = False
        batch = self.processor(
            images=[[picture] for picture in pictures],
            text=list(prompts),
            return_tensors="pt",
            padding=True,
            padding_side="left",
            **options,
        )
        batch.pop("labels", None)  # PaliGemma's processor makes some of every text
        return batch

    def answer_form(self, ends: Sequence[str]) -> AnswerForm:
        """How answers are written for training. `ends`: tokens at which the model stops, by its generation config and tokenizer.

        What a template has behind the end token (a newline, the next turn) is not learnt; one that forgets the token gets the tokenizer's.
        """
        prompt, whole = self.prompt(MARK[0]), self.prompt(MARK[0], MARK[1])
        start = whole.rfind(MARK[1])
        if start < 0:
            raise BadWeights(f"{self.name}: its chat template leaves out the answer; give another template")
        before = whole[len(prompt) : start] if whole.startswith(prompt) else ""
        behind = whole[start + len(MARK[1]) :]
        known = [*ends, *(token.content for token in self.tokenizer.added_tokens_decoder.values() if token.special)]
        placed = sorted((at, known.index(end), end) for end in dict.fromkeys(known) if end and (at := behind.find(end)) >= 0)
        stops = [end for _, _, end in placed if end in ends]
        if stops:
            return AnswerForm(before, stops[0])
        return AnswerForm(before, placed[0][2] if placed else self.tokenizer.eos_token)

    def _own_template(self) -> str:
        own = self.processor.chat_template or getattr(self.tokenizer, "chat_template", None)
        if isinstance(own, dict):
            own = own.get("default") or next(iter(own.values()), None)
        if own:
            return str(own)
        if self.family in DEFAULTS:
            return read_template(DEFAULTS[self.family])
        raise BadWeights(f"{self.name} has no chat template, so it isn't known how it is asked; {_choose()}")

    def _check(self) -> None:
        """A prompt has one picture and the question."""
        try:
            prompt = self.prompt(MARK[0])
        except Exception as error:  # jinja2 and what a template raises by itself
            raise BadWeights(f"{self.name}: its chat template fails on a picture and a question ({error}); {_choose()}") from error
        places = prompt.count(self.image_token)
        if places != 1:
            what = "has no place for a picture" if not places else f"writes {places} pictures for one"
            raise BadWeights(f"{self.name}: its chat template {what} ({self.image_token}); {_choose()}")
        if MARK[0] not in prompt:
            raise BadWeights(f"{self.name}: its chat template leaves out the question; {_choose()}")

    def _placeholders(self) -> list[str]:
        names = ("image_token", "video_token", "audio_token", "boi_token", "eoi_token", "fake_image_token", "global_image_token")
        tokens = [getattr(holder, name, None) for holder in (self.processor, self.tokenizer) for name in names]
        ids = [i for i in getattr(self.processor, "image_token_ids", None) or [] if isinstance(i, int)]
        return [token for token in [*tokens, *self.tokenizer.convert_ids_to_tokens(ids)] if isinstance(token, str)]


def template_names() -> list[str]:
    """The templates that can be given by name."""
    return sorted(path.stem for path in TEMPLATES.glob("*.jinja"))


def read_template(template: str) -> str:
    """A template by name (in any case: "LLaVA-1.5"), by file, or as its text. Raises BadWeights with the names there are."""
    named = TEMPLATES / f"{template.lower()}.jinja"
    if template.lower() in template_names():
        return named.read_text(encoding="utf-8").rstrip("\n")
    if "{%" in template or "{{" in template:
        return template
    path = Path(template).expanduser()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadWeights(f"no template {template!r}: {error}; {_choose()}") from error


def _choose() -> str:
    return f"give one by the option template: a file, or by name {', '.join(template_names())}"
