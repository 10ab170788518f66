"""`mistakebook datasets`: what was imported, what was left out of it and why, and its items."""

import argparse
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from curation.commands.app_client import App, CommandFailed
from curation.commands.flags import parser
from curation.commands.output import show, table
from data.records import Split

if TYPE_CHECKING:
    from curation.imports.datasets import DatasetItem, ImportedDataset

DESCRIPTION = "Lists the datasets with their splits and what was left out of them; `datasets show NAME` lists the items of one."
ACTIONS = ("list", "show")
SPLITS: tuple[Split, ...] = ("train", "dev", "eval")
ROWS = 20  # items, unless --limit says otherwise; --json has all of them
SHOWN = 60  # characters of a question


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, DESCRIPTION)
    made.add_argument("action", nargs="?", default="list", choices=ACTIONS, help="default: list")
    made.add_argument("dataset", nargs="?", help="name of a dataset, as listed")
    made.add_argument("--split", choices=SPLITS, help="show: items of this split only")
    made.add_argument("--limit", type=int, help=f"show: at most so many items (default: {ROWS}; with --json all)")
    given = made.parse_args(arguments)
    if given.action != "list" and not given.dataset:
        raise CommandFailed(f"datasets {given.action}: name a dataset; mistakebook datasets lists them")
    return {"list": _list, "show": _show}[given.action](App(given.workspace), given)


def _list(app: App, given: argparse.Namespace) -> int:
    from curation.imports.datasets import ImportedDataset  # not at the top: it loads the store

    datasets = app.get("/api/datasets", list[ImportedDataset])
    columns = ["name", "format", "metric", "train", "dev", "eval", "left out", "remarks"]
    show(
        datasets,
        given.json,
        lambda: table([_row(dataset) for dataset in datasets], columns) if datasets else "no dataset yet; import one: mistakebook import",
    )
    return 0


def _row(dataset: "ImportedDataset") -> dict[str, object]:
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in dataset.skipped.items())
    remarks = ", ".join(f"{count:,} {remark}" for remark, count in dataset.remarks.items())
    splits = {name: dataset.splits[name] for name in SPLITS}
    return {**vars(dataset), **{str(name): count for name, count in splits.items()}, "left out": left_out, "remarks": remarks}


def _show(app: App, given: argparse.Namespace) -> int:
    from curation.imports.datasets import DatasetItem

    limit = given.limit if given.limit or given.json else ROWS
    asked = {name: value for name, value in (("split", given.split), ("limit", limit)) if value}
    items = app.get(f"/api/datasets/{quote(given.dataset, safe='')}/items?{urlencode(asked)}", list[DatasetItem])
    columns = ["id", "split", "question", "golds", "choices", "kind"]
    show([_item(item) for item in items], given.json, lambda: table([_short(item) for item in items], columns))
    return 0


def _item(item: "DatasetItem") -> dict[str, object]:
    return {"id": item.external_id, **vars(item)}


def _short(item: "DatasetItem") -> dict[str, object]:
    question = item.question if len(item.question) <= SHOWN else item.question[: SHOWN - 1] + "…"
    texts = {"question": question, "golds": ", ".join(dict.fromkeys(item.golds)), "choices": ", ".join(item.choices)}
    return {**_item(item), **texts}
