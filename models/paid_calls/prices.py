"""Prices of models: a JSON table that the user owns. No price, no guess."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.paid_calls.records import FrontierStopped

NAME = "prices.json"
SHIPPED = Path(__file__).with_name(NAME)


class Price(BaseModel):
    """USD per million tokens; of a model that draws, perhaps USD a picture instead."""

    model_config = ConfigDict(extra="forbid")

    input: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    output: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    cached: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="Input read from the vendor's cache; none: as input.")
    image: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="Input that is an image, where the vendor counts it apart; none: as input."
    )
    picture: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="USD for one drawn image, whatever its tokens.")
    image_tokens: int | None = Field(default=None, ge=0, description="The most tokens that one image can count.")
    batch: float | None = Field(default=None, gt=0, le=1, description="What the Batch API takes, as a share of these; none: all of it.")
    pretend: bool = Field(default=False, description="Nobody is billed: a figure to make budgets visible with the built-in parts.")

    @model_validator(mode="after")
    def _whole(self) -> "Price":
        missing = [name for name in ("input", "output") if name not in self.model_fields_set]
        if self.picture is None and missing:
            raise ValueError(f"no price for {' and '.join(missing)}; add it (0 if it is free)")
        return self

    def in_batch(self) -> "Price":
        """The price of a call that goes by the Batch API; where the table says nothing of it, that of any other."""
        share = 1.0 if self.batch is None else self.batch
        rated = {name: getattr(self, name) for name in ("input", "output", "cached", "image")}
        return self.model_copy(update={name: price if price is None else price * share for name, price in rated.items()})

    def usd(self, prompt: float, completion: float, cached: float = 0, images: float = 0) -> float:
        """What a call costs; `cached` tokens and those of `images` are parts of `prompt`. An image's own price stands over the cache's."""
        cached = min(cached, prompt - images)
        cached_price = self.input if self.cached is None else self.cached
        image_price = self.input if self.image is None else self.image
        text = prompt - cached - images
        return (text * self.input + cached * cached_price + images * image_price + completion * self.output) / 1e6

    def most_usd(self, prompt: float, completion: float) -> float:
        """The most that a call of so many tokens costs, whatever of its input is an image."""
        return self.usd(prompt, completion, images=prompt if (self.image or 0) > self.input else 0)

    def reply_usd(self, usage: tuple[int | None, ...], images: int | None, pictured: bool) -> float | None:
        """What a reply cost, from (prompt, completion, cached) tokens as the endpoint reports them; None where it reports too little.

        `images` are the image tokens in the prompt; where they have a price of their own and aren't reported, nothing is guessed.
        """
        prompt, completion, cached = usage
        if prompt is None or completion is None or (self.image is not None and pictured and images is None):
            return None
        return self.usd(prompt, completion, cached or 0, min(images or 0, prompt))


def token_count(reported: object) -> int | None:
    """A number of tokens as an endpoint reports it; None if it is none."""
    return reported if isinstance(reported, int) and reported >= 0 else None


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    about: str = ""
    models: dict[str, Price]


def load_prices(path: Path | None) -> dict[str, Price]:
    """Prices by model name: the shipped ones, overlaid by the user's file.

    Raises ValueError naming the file and the entry that isn't right; FileNotFoundError if `path` isn't there.
    """
    prices = _read(SHIPPED)
    if path is not None:
        prices |= _read(path)
    return prices


def table_beside(journal: Path) -> Path | None:
    """The user's price table beside a journal; None if there is none."""
    path = journal.with_name(NAME)
    return path if path.exists() else None


def unpriced(model: str, journal: Path, unit: str) -> FrontierStopped:
    """What ends a job that has a budget and a model without a price. `unit`: of the price that is missing, in words."""
    return FrontierStopped(
        f"model {model} has no price, so no budget can be enforced: "
        f"add it in Settings or to {journal.with_name(NAME)} ({unit}), or start without a budget",
        resumable=True,
    )


def _read(path: Path) -> dict[str, Price]:
    try:
        return _Table.model_validate(json.loads(path.read_text(encoding="utf-8"))).models
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {error.lineno}: not JSON ({error.msg}); correct the line") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{path}: {where}: {first['msg']}; correct it, {SHIPPED} shows the form") from error
