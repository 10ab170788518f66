"""From a Request to the body of an HTTP call, its key and its worst case."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from models.frontier._images import Picture
from models.frontier._requests import Request
from models.frontier._structured import LEVELS, ask_in, repair, schema_text


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
class Dialect:
    """What an endpoint's model is known to understand. Kept in the journal; not a part of keys, so that learning it buys nothing twice."""

    level: str = LEVELS[0]
    good: int = 0  # first replies at this level that fitted
    bad: int = 0  # ... that held no fitting JSON
    tokens_name: str = "max_tokens"  # or "max_completion_tokens"
    temperature: bool = True  # False: it rejects the parameter

    def saw(self, level: str, fitted: bool) -> "Dialect":
        """After a first reply at a level; a level that mostly fails is given up for the next (some servers ignore what they don't know)."""
        if level != self.level:
            return self
        after = replace(self, good=self.good + fitted, bad=self.bad + (not fitted))
        if after.bad >= 3 and after.bad > 3 * after.good and level != LEVELS[-1]:
            return replace(after, level=below(level), good=0, bad=0)
        return after


def below(level: str) -> str:
    return LEVELS[LEVELS.index(level) + 1]


def dialect_from(saved: dict | None) -> Dialect:
    return Dialect(**saved) if saved else Dialect()


def dialect_as_dict(dialect: Dialect) -> dict:
    return asdict(dialect)


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
        said = {
            "parameters": asdict(self.parameters),
            "schema": schema_text(self.request.reply),
            "system": self.request.system,
            "text": self.request.text,
            "images": [picture.sha256 for picture in self.pictures],
            "turns": self.turns,
            "attempt": self.request.attempt,
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()

    def most_prompt_tokens(self, image_tokens: int | None) -> int:
        """An upper bound: a token is at least one byte of text; an image as the price table says, else about twice its area / 750."""
        request = self.request
        texts = [
            request.system,
            request.text,
            schema_text(request.reply) * (1 + len(self.turns)),
            *(part for turn in self.turns for part in turn),
        ]
        in_text = sum(len(text.encode("utf-8", "replace")) for text in texts) + 100
        return in_text + sum(image_tokens or most_image_tokens(picture) for picture in self.pictures)

    def body(self, level: str, dialect: Dialect, data_urls: list[str]) -> dict:
        """The JSON of POST /chat/completions."""
        extra, system_extra = ask_in(level, self.request.reply)
        content = [{"type": "image_url", "image_url": {"url": url, **self._detail()}} for url in data_urls]
        content.append({"type": "text", "text": self.request.text})
        messages = [{"role": "user", "content": content if data_urls else self.request.text}]
        if system := (self.request.system + system_extra).strip():
            messages.insert(0, {"role": "system", "content": system})
        for bad_text, problem in self.turns:
            messages += repair(bad_text, problem, self.request.reply)
        body = {"model": self.parameters.model, "messages": messages, dialect.tokens_name: self.parameters.max_tokens, **extra}
        if self.parameters.temperature is not None and dialect.temperature:
            body["temperature"] = self.parameters.temperature
        return body

    def _detail(self) -> dict:
        return {"detail": self.parameters.detail} if self.parameters.detail else {}


def most_image_tokens(picture: Picture) -> int:
    """A generous guess for models whose most isn't in the price table (OpenAI's 85 + 170 a tile, Anthropic's area / 750)."""
    return 300 + 2 * picture.width * picture.height // 750
