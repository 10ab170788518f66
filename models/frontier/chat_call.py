"""The call that a Request becomes: the body of its HTTP request, its key, and the most tokens that it can take."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from models.frontier.image_payload import Picture
from models.frontier.image_tokens import likely_image_tokens, most_image_tokens
from models.frontier.reply_schema import schema_text
from models.frontier.requests import Request
from models.frontier.structured_output import ask_in, repair


@dataclass(frozen=True)
class Parameters:
    """What shapes every answer of one client, beside the messages: a part of each key."""

    endpoint: str  # a base URL, or "pocket-teacher"
    model: str
    max_tokens: int
    temperature: float | None
    detail: str | None
    max_pixels: int


@dataclass(frozen=True)
class Call:
    """One turn of one request. `turns` are (bad reply, what was wrong) so far."""

    request: Request
    parameters: Parameters
    pictures: tuple[Picture, ...]
    turns: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """SHA-256 of endpoint, model, parameters, schema, messages, image hashes and attempt."""
        content = {
            "parameters": asdict(self.parameters),
            "schema": schema_text(self.request.reply),
            "system": self.request.system,
            "text": self.request.text,
            "images": [picture.sha256 for picture in self.pictures],
            "turns": self.turns,
            "attempt": self.request.attempt,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()

    def most_prompt_tokens(self, image_tokens: int | None) -> int:
        """An upper bound: a token is at least one byte of text; an image as the price table says, else by its model's family."""
        request = self.request
        texts = [
            request.system,
            request.text,
            schema_text(request.reply) * (1 + len(self.turns)),
            *(part for turn in self.turns for part in turn),
        ]
        in_text = sum(len(text.encode("utf-8", "replace")) for text in texts) + 100
        return in_text + self.most_image_tokens(image_tokens)

    def most_image_tokens(self, image_tokens: int | None) -> int:
        """Of all images; `image_tokens`: the most that one counts, by the price table."""
        return sum(image_tokens or most_image_tokens(*self._as_seen(picture)) for picture in self.pictures)

    def likely_image_tokens(self) -> int | None:
        """Of all images, as the vendor documents them; None for a model of no known family."""
        counts = [likely_image_tokens(*self._as_seen(picture)) for picture in self.pictures]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def _as_seen(self, picture: Picture) -> tuple[str, int, int, str | None]:
        return self.parameters.model, picture.width, picture.height, self.parameters.detail

    @property
    def likely_tokens(self) -> float:
        """As vendors estimate a call before they answer it: about four bytes a token, and all of max_tokens."""
        pictures = self.most_image_tokens(None)
        likely = self.likely_image_tokens()
        return (self.most_prompt_tokens(None) - pictures) / 4 + (pictures / 2 if likely is None else likely) + self.parameters.max_tokens

    def body(self, level: str, without: tuple[str, ...], data_urls: list[str]) -> dict[str, Any]:
        """The JSON of POST /chat/completions, at a level of structured output and without features that the model doesn't support."""
        extra, system_extra = ask_in(level, self.request.reply, without)
        system, text = (self.request.system + system_extra).strip(), self.request.text
        if "system" in without:
            system, text = "", f"{system}\n\n{text}".strip()
        detail = {"detail": self.parameters.detail} if self.parameters.detail and "detail" not in without else {}
        content: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url, **detail}} for url in data_urls]
        content.append({"type": "text", "text": text})
        messages: list[dict[str, Any]] = [{"role": "user", "content": content if data_urls else text}]
        if system:
            messages.insert(0, {"role": "system", "content": system})
        for bad_text, problem in self.turns:
            messages += repair(bad_text, problem, self.request.reply, level)
        most = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
        body: dict[str, Any] = {"model": self.parameters.model, "messages": messages, most: self.parameters.max_tokens, **extra}
        if self.parameters.temperature is not None and "temperature" not in without:
            body["temperature"] = self.parameters.temperature
        return body

    @property
    def unused_features(self) -> tuple[str, ...]:
        """Optional features (capabilities.py) that this call doesn't have."""
        unset = ["temperature"] if self.parameters.temperature is None else []
        return (*unset, "detail") if not (self.parameters.detail and self.pictures) else tuple(unset)
