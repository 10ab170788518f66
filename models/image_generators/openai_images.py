"""Images from any server that speaks OpenAI's `/images/generations`: OpenAI itself, vLLM, LocalAI and others."""

import base64
import binascii
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

from pydantic import BaseModel, Field

from data.images import BadImage, load
from models.image_generators import DrawError


class OpenAIImages:
    """Asks a server for one picture a prompt, several at a time, through the `openai` package."""

    class Options(BaseModel, extra="forbid"):
        model: str = Field("gpt-image-1", description="The server's name for the image model")
        base_url: str | None = Field(None, description="Such as http://127.0.0.1:8000/v1; empty: OPENAI_BASE_URL, else OpenAI itself")
        api_key_env: str = Field(
            "OPENAI_API_KEY", description="The environment variable that holds the key; the key itself is never stored"
        )
        size: str = Field(
            "1024x1024", pattern=r"^(auto|\d{2,4}x\d{2,4})$", description="Width x height in pixels, as the server offers them, or auto"
        )
        quality: str | None = Field(None, description="low, medium, high, hd ...; empty: the server's default")
        send_seed: bool = Field(False, description="Send each picture's seed; OpenAI's own server refuses it, many others take it")
        workers: int = Field(4, ge=1, le=64, description="Requests under way at once")
        retries: int = Field(4, ge=0, le=20, description="Further tries after a time-out, a 429 or a server error")
        timeout: float = Field(180, gt=0, description="Seconds that one try may take")

    def __init__(self, options: Options):
        self.options = options

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Any]:
        """A PIL image or a DrawError for each prompt, in order. Raises DrawError at once if there is no key."""
        client, pairs = self._client, list(zip(prompts, seeds, strict=True))
        with ThreadPoolExecutor(self.options.workers) as pool:
            return list(pool.map(lambda pair: self._draw_one(client, *pair), pairs))

    def recipe(self) -> dict[str, Any]:
        """What made the pictures, beside the prompt. Steps and guidance are the server's secret; sizes in pixels, None for auto."""
        width, _, height = self.options.size.partition("x")
        return {
            "generator": "openai_images",
            "model": self.options.model,
            "steps": None,
            "guidance": None,
            "width": int(width) if height else None,
            "height": int(height) if height else None,
            "quality": self.options.quality,
            "seed_sent": self.options.send_seed,
        }

    def _draw_one(self, client: Any, prompt: str, seed: int) -> Any:
        import openai

        options = self.options
        extra: dict[str, Any] = {"seed": seed} if options.send_seed else {}
        # gpt-image models always answer in base64 and refuse the parameter; all others default to a URL
        if not options.model.startswith("gpt-image"):
            extra["response_format"] = "b64_json"
        if options.quality:
            extra["quality"] = options.quality
        try:
            reply = client.images.generate(prompt=prompt, model=options.model, size=options.size, n=1, extra_body=extra)
            return self._picture(reply, prompt)
        except (openai.APIError, BadImage) as error:
            return DrawError(f"{options.model} at {client.base_url} could not draw {prompt!r}: {_reason(error)}")

    def _picture(self, reply: Any, prompt: str) -> Any:
        """The picture in a reply. Raises BadImage if there is none, or not in base64."""
        first = reply.data[0] if reply.data else None
        if first is None or not first.b64_json:
            found = "a URL" if first and first.url else "no picture"
            raise BadImage(f"the reply holds {found}, expected b64_json; choose a server or model that sends pictures in base64")
        try:
            content = base64.b64decode(first.b64_json, validate=True)
        except binascii.Error as error:
            raise BadImage(f"the reply's b64_json is no base64 ({error}); ask the server's maker") from error
        return load(content, f"reply to {prompt[:60]!r}")

    @cached_property
    def _client(self) -> Any:
        import openai

        key = os.environ.get(self.options.api_key_env)
        if not key:
            raise DrawError(
                f"no key for image generator {self.options.model!r}: the environment variable {self.options.api_key_env} is empty."
                f" Set it (any text for a server that needs none), or choose another variable in api_key_env."
            )
        return openai.OpenAI(api_key=key, base_url=self.options.base_url, timeout=self.options.timeout, max_retries=self.options.retries)


def _reason(error: Exception) -> str:
    """What failed and what to do, from the client's exception."""
    import openai

    advice = {
        400: "the server refuses this request; reword the prompt, or change size or quality",
        401: "the key is wrong or expired; check the variable named in api_key_env",
        403: "this key may not use the model",
        404: "no such model or address; check model and base_url",
        429: "too many requests or no credit left; use fewer workers, or try later",
    }
    if isinstance(error, openai.APIStatusError):
        body = error.body if isinstance(error.body, dict) else {}
        said = body.get("message") or error.message
        return f"HTTP {error.status_code}, {said} ({advice.get(error.status_code, 'the server failed; try again later')})"
    if isinstance(error, openai.APITimeoutError):
        return "no answer in time; raise timeout, or look at the server"
    if isinstance(error, openai.APIConnectionError):
        return f"can't be reached ({error.__cause__ or error}); check base_url and that the server runs"
    return str(error)
