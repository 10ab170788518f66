"""Pictures from any server that offers OpenAI's `/images/generations`: OpenAI itself, vLLM, LocalAI and others.

A paid picture is kept before anything else is done with it: its bytes among the workspace's pictures, its reply in the journal under
what was asked (server, model, size, prompt, seed). So none is bought twice, whatever ends the job, and a budget holds.
"""

import asyncio
import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from pydantic import BaseModel, Field

from models.image_generators._base import DrawError, Generator, GeneratorContext
from models.image_generators._purchase import MOST_TOKENS, PURPOSE, PictureRun, Settings
from models.image_generators._wanted import Wanted
from models.paid_calls.connection import EndpointConnection
from models.paid_calls.journal import Journal
from models.paid_calls.keys import find_key, not_found
from models.paid_calls.prices import Price, load_prices, table_beside, unpriced
from models.paid_calls.records import FrontierStopped

OPENAI = "https://api.openai.com/v1"
ENOUGH = 5  # pictures, from whose mean the cost of others is estimated


class OpenAIImages(Generator):
    """Asks a server for pictures, several calls at a time, through the `openai` package."""

    paid = True

    class Options(BaseModel, extra="forbid"):
        model: str = Field("gpt-image-1", description="The server's name for the image model")
        base_url: str | None = Field(None, description="Such as http://127.0.0.1:8000/v1; empty: OPENAI_BASE_URL, else OpenAI itself")
        api_key_env: str = Field(
            "OPENAI_API_KEY", description="Name of the variable (or entry of keys.json) with the key; the key itself is never stored"
        )
        size: str = Field(
            "1024x1024", pattern=r"^(auto|\d{2,4}x\d{2,4})$", description="Width x height in pixels, as the server offers them, or auto"
        )
        quality: str | None = Field(None, description="low, medium, high, hd ...; empty: the server's default")
        send_seed: bool = Field(False, description="Send each picture's seed; OpenAI's own server refuses it, many others take it")
        n: int = Field(1, ge=1, le=10, description="Pictures of one prompt asked for in one call; dall-e-3 allows 1. Not with send_seed")
        workers: int = Field(4, ge=1, le=64, description="Requests under way at once")
        retries: int = Field(4, ge=0, le=20, description="Further tries after a time-out, a 429 or a server error")
        timeout: float = Field(180, gt=0, description="Seconds that one try may take")

    options: Options

    @property
    def address(self) -> str:
        return (self.options.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI).rstrip("/")

    def open(self, context: GeneratorContext) -> None:
        self._context, self._journal = context, Journal(context.journal)
        self._names_format = not self.options.model.startswith("gpt-image")  # these always give base64, and don't know the parameter

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[bytes | DrawError | None]:
        """The bytes of a picture or a DrawError for each prompt, in order; None for what a stop has cut off.

        Raises FrontierStopped where the whole job has to stop: there is no key, say.
        """
        options, key, price = self.options, self._key, self._price
        if self._context.budget_usd is not None and price is None:
            raise unpriced(options.model, self._context.journal, "picture: dollars each")
        connection = EndpointConnection(
            self.address, key, options.api_key_env, options.timeout, options.retries + 1, trust_env=True, model=options.model
        )
        settings = Settings(
            connection,
            price,
            options.size,
            options.quality,
            options.send_seed,
            together=1 if options.send_seed else options.n,
            workers=options.workers,
            retries=options.retries,
            names_format=self._names_format,
        )
        named = {name: getattr(options, name) for name in ("model", "size", "quality", "send_seed")}
        wanted = [Wanted.of(self.address, named, prompt, seed) for prompt, seed in zip(prompts, seeds, strict=True)]

        async def run() -> dict[str, bytes | DrawError]:
            pictures = PictureRun(settings, self._context, self._journal)
            await pictures.draw(wanted)
            self._names_format = pictures.names_format
            return pictures.drawn

        drawn = asyncio.run(run())
        return [drawn.get(picture.key) for picture in wanted]

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

    def estimate(self, count: int, context: GeneratorContext) -> tuple[float, float] | None:
        """By the price of a picture; where tokens are priced, by what pictures have cost so far, else from few tokens to the most."""
        self.open(context)
        price = self._price
        if price is None:
            return None
        if price.picture is not None:
            return count * price.picture, count * price.picture
        pictures, prompt, completion = self._journal.typical(self.address, self.options.model, PURPOSE)
        if pictures >= ENOUGH and prompt is not None and completion is not None:
            usd = price.usd(prompt, completion)
            return 0.9 * count * usd, 1.15 * count * usd
        return count * price.usd(0, 200), count * price.usd(500, MOST_TOKENS)

    @property
    def _key(self) -> str:
        key = find_key(self.options.api_key_env, self._context.journal.with_name("keys.json"))
        if not key:
            raise FrontierStopped(
                f"no key for image generator {self.options.model!r}: {not_found(self.options.api_key_env)}. "
                "Set it (any text for a server that needs none), or choose another in api_key_env",
                resumable=True,
            )
        return key

    @cached_property
    def _price(self) -> Price | None:
        """The most particular price: of model, size and quality, of model and size, of the model."""
        options, prices = self.options, load_prices(table_beside(self._context.journal))
        names = (f"{options.model} {options.size} {options.quality}", f"{options.model} {options.size}", options.model)
        return next((prices[name] for name in names if name in prices), None)
