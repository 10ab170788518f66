"""The workspace's price table, as people edit it. Prices are USD per million tokens; what has no price is never guessed."""

import json
from typing import Any

from pydantic import BaseModel, Field

from data.files import whole
from data.workspace import Workspace
from models.paid_calls.prices import SHIPPED, Price, load_prices


class ListedPrice(Price):
    model: str
    shipped: bool = Field(description="as it came with the program")


class PriceTable(BaseModel):
    """Prices by model, those of the workspace's file over the shipped ones."""

    prices: list[ListedPrice]
    file: str
    trouble: str | None = Field(description="what is wrong with the file")


def shown(workspace: Workspace) -> PriceTable:
    """The price table as it stands."""
    shipped = load_prices(None)
    try:
        prices, trouble = load_prices(workspace.prices if workspace.prices.is_file() else None), None
    except ValueError as error:
        prices, trouble = shipped, str(error)
    rows = [ListedPrice(model=name, shipped=shipped.get(name) == price, **price.model_dump()) for name, price in prices.items()]
    return PriceTable(prices=rows, file=str(workspace.prices), trouble=trouble)


def save(workspace: Workspace, models: dict[str, dict[str, Any]]) -> None:
    """Checks the table and writes it. Raises ValueError naming the entry that isn't right; the file then stays as it was."""
    about = json.loads(SHIPPED.read_text(encoding="utf-8"))["about"]
    plain = {name.strip(): {field: value for field, value in price.items() if value is not None} for name, price in models.items()}
    if "" in plain:
        raise ValueError("a price has no model: name it as the endpoint does")
    with whole(workspace.prices) as part:
        part.write_text(json.dumps({"about": about, "models": plain}, indent=1, ensure_ascii=False), encoding="utf-8")
        try:
            load_prices(part)
        except ValueError as error:
            text = str(error).removeprefix(f"{part}: ").partition("; correct it,")[0]
            raise ValueError(f"{text.removeprefix('models.')}; expected dollars per million tokens, 0 or more") from error
