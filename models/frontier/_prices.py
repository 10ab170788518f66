"""The price table: a JSON file that the user owns. No price, no guess."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SHIPPED = Path(__file__).with_name("prices.json")


class Price(BaseModel):
    """USD per million tokens."""

    model_config = ConfigDict(extra="forbid")

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cached: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="Input read from the vendor's cache; none: as input.")
    image_tokens: int | None = Field(default=None, ge=0, description="The most tokens that one image can count.")
    pretend: bool = Field(default=False, description="Nobody is billed: a figure to make budgets visible with the built-in parts.")

    def usd(self, prompt: int, completion: int, cached: int = 0) -> float:
        """What a call costs; `cached` tokens are a part of `prompt`."""
        cached_price = self.input if self.cached is None else self.cached
        return ((prompt - cached) * self.input + cached * cached_price + completion * self.output) / 1e6


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


def _read(path: Path) -> dict[str, Price]:
    try:
        return _Table.model_validate(json.loads(path.read_text(encoding="utf-8"))).models
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {error.lineno}: not JSON ({error.msg})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{path}: {where}: {first['msg']}; expected as in {SHIPPED}") from error
