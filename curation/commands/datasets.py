"""`mistakebook datasets`: what was imported, what was left out of it and why, its items; and a look at a source before it is imported."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from curation.commands.app_client import App, CommandFailed
from curation.commands.flags import add_reviewer, from_here, merged, pairs, parser, text_pairs
from curation.commands.output import show, table
from data.records import Split

if TYPE_CHECKING:
    from curation.imports.datasets import DatasetItem, ImportedDataset
    from curation.imports.preview import Preview, PreviewRow

DESCRIPTION = (
    "Lists the datasets with their splits and what was left out of them. `datasets show NAME` lists the items of one; `datasets preview "
    "--source path=…` shows five items of a file or folder as they would be imported, beside their rows, and imports nothing. `datasets "
    "remove NAME` hides a dataset with its answers and failures and deletes nothing: `datasets restore NAME` brings it back, `datasets "
    "removed` lists such; `datasets rename NAME NEW` gives it another name."
)
ACTIONS = ("list", "show", "preview", "remove", "restore", "removed", "rename")
SPLITS: tuple[Split, ...] = ("train", "dev", "eval")
ROWS = 20  # items, unless --limit says otherwise; --json has all of them
SHOWN = 60  # characters of a question
BAD = 20  # unusable lines of a preview


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, DESCRIPTION)
    made.add_argument("action", nargs="?", default="list", choices=ACTIONS, help="default: list")
    made.add_argument("dataset", nargs="?", help="name of a dataset, as listed")
    made.add_argument("to", nargs="?", help="rename: the new name")
    made.add_argument("--force", action="store_true", help="remove: although people decided or paid for what depends on it")
    add_reviewer(made)
    made.add_argument("--split", choices=SPLITS, help="show: items of this split only")
    made.add_argument("--skipped", action="store_true", help="show: the rows that were left out instead, and why")
    made.add_argument("--limit", type=int, help=f"show: at most so many items (default: {ROWS}; with --json all)")
    made.add_argument("--format", default="auto", help="preview: format of the source (default: auto, which recognises it)")
    made.add_argument(
        "--source",
        nargs="*",
        action="extend",
        default=[],
        type=pairs,
        metavar="NAME=VALUE",
        help="preview: options of the format",
    )
    made.add_argument(
        "--map",
        nargs="*",
        action="extend",
        default=[],
        type=text_pairs,
        metavar="FIELD=COLUMN",
        help="preview: as import --map",
    )
    given = made.parse_args(arguments)
    if given.action not in ("list", "preview", "removed") and not given.dataset:
        raise CommandFailed(f"datasets {given.action}: name a dataset; mistakebook datasets lists them")
    if given.action == "rename" and not given.to:
        raise CommandFailed(f"datasets rename {given.dataset}: give its new name too")
    actions = {
        "list": _list,
        "show": _show,
        "preview": _preview,
        "remove": _remove,
        "restore": _restore,
        "removed": _removed,
        "rename": _rename,
    }
    return actions[given.action](App(given.workspace, given.reviewer), given)


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
    if given.skipped:
        return _show_skipped(app, given, limit)
    asked = {name: value for name, value in (("split", given.split), ("limit", limit)) if value}
    items = app.get(f"/api/datasets/{quote(given.dataset, safe='')}/items?{urlencode(asked)}", list[DatasetItem])
    columns = ["id", "split", "question", "golds", "choices", "kind"]
    show([_item(item) for item in items], given.json, lambda: table([_short(item) for item in items], columns))
    return 0


def _show_skipped(app: App, given: argparse.Namespace, limit: int | None) -> int:
    from curation.imports.left_out import LeftOutRow

    asked = f"?limit={limit}" if limit else ""
    left_out = app.get(f"/api/datasets/{quote(given.dataset, safe='')}/skipped{asked}", list[LeftOutRow])
    rows = [vars(row) for row in left_out]
    show(left_out, given.json, lambda: table(rows, ["source", "reason", "job_id"]) if rows else "nothing was left out")
    return 0


def _item(item: "DatasetItem") -> dict[str, object]:
    return {"id": item.external_id, **vars(item)}


def _short(item: "DatasetItem") -> dict[str, object]:
    texts = {"question": _cut(item.question), "golds": ", ".join(dict.fromkeys(item.golds)), "choices": ", ".join(item.choices)}
    return {**_item(item), **texts}


def _remove(app: App, given: argparse.Namespace) -> int:
    from curation.imports.removal import DatasetUse

    use = app.post("/api/datasets/remove", {"name": given.dataset, "force": given.force}, DatasetUse)
    words = (
        f"removed {given.dataset}: {use.in_words()}. Nothing was deleted; to bring it back: mistakebook datasets restore {given.dataset}"
    )
    show(use, given.json, lambda: words)
    return 0


def _restore(app: App, given: argparse.Namespace) -> int:
    from curation.imports.removal import DatasetUse

    use = app.post("/api/datasets/restore", {"name": given.dataset}, DatasetUse)
    show(use, given.json, lambda: f"restored {given.dataset}: {use.in_words()}")
    return 0


def _removed(app: App, given: argparse.Namespace) -> int:
    from curation.imports.removal import RemovedDataset

    removed = app.get("/api/datasets/removed", list[RemovedDataset])
    rows = [vars(dataset) for dataset in removed]
    show(removed, given.json, lambda: table(rows, ["name", "examples", "author", "removed_at"]) if rows else "no removed dataset")
    return 0


def _rename(app: App, given: argparse.Namespace) -> int:
    from curation.imports.removal import DatasetUse

    use = app.post("/api/datasets/rename", {"name": given.dataset, "to": given.to}, DatasetUse)
    show(use, given.json, lambda: f"{given.dataset} is called {given.to} now: {use.in_words()}")
    return 0


def _preview(app: App, given: argparse.Namespace) -> int:
    from curation.imports.preview import Preview

    source = from_here(merged(given.source))
    if told := merged(given.map):
        source["map"] = {**source.get("map", {}), **told}
    seen = app.post("/api/data/preview", {"format": given.format, "source": source}, Preview)
    show(seen, given.json, lambda: "\n".join(_in_words(seen)))
    return 0 if seen.rows else 1


def _in_words(seen: "Preview") -> Iterator[str]:
    """A preview as lines of text."""
    about = seen.about
    yield f"{about.name} · {seen.layout or f'read as {about.format}'}"
    yield f"{about.metric_title}, failure below {about.threshold:g}"
    if seen.fields:
        unmapped = [field for field in seen.fields if field not in seen.mapping]
        yield "columns: " + ", ".join(f"{field}={column}" for field, column in seen.mapping.items())
        yield f"no column for: {', '.join(unmapped) or 'none'} (say which by --map FIELD=COLUMN; there are: {', '.join(seen.columns)})"
    for row in seen.raw:
        yield ""
        yield row.source
        yield "  row   " + " · ".join(f"{name}: {_cut(text)}" if name else _cut(text) for name, text in row.cells.items())
        yield "  item  " + (_item_line(row.item) if row.item else f"not imported: {row.said}")
    shown = {row.source for row in seen.raw}
    for item in (item for item in seen.rows if item.source not in shown):
        yield f"{item.source}\n  item  {_item_line(item)}"
    yield ""
    usable = sum(seen.splits.values())
    splits = ", ".join(f"{count:,} {name}" for name, count in seen.splits.items() if count)
    looked = f"all {seen.looked:,} rows" if seen.whole else f"the first {seen.looked:,} rows"
    yield f"of {looked}: {usable:,} would be imported{f' ({splits})' if splits else ''}, {seen.unusable:,} can't be used" + "".join(
        f", {count:,} left out: {reason}" for reason, count in seen.skipped.items()
    )
    yield from (f"remark: {count:,} {remark}" for remark, count in seen.remarks.items())
    yield from (f"  {bad.source}: {bad.error}" for bad in seen.bad[:BAD])
    if len(seen.bad) > BAD:
        yield f"  … {len(seen.bad) - BAD:,} more (--json has all of them)"


def _item_line(item: "PreviewRow") -> str:
    parts = [item.external_id, item.split, _cut(item.question), "golds: " + _cut(", ".join(dict.fromkeys(item.golds)))]
    parts += ["choices: " + _cut(", ".join(item.choices))] if item.choices else []
    return " · ".join(parts + ([item.kind] if item.kind else []))


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
