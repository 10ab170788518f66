"""`mistakebook checkpoints`: lists the models that can be asked; adds, tests and removes them."""

import argparse
from pathlib import Path
from typing import Any

from curation.commands.app_client import App, CommandFailed
from curation.commands.flags import add_flags, add_reviewer, add_upload, parser, validated
from curation.commands.output import show, table
from data.registry import BASELINES

DESCRIPTION = """Lists the checkpoints of a workspace (list), adds one (add NAME --model FOLDER), tests one
(test NAME, or test --model FOLDER before it is added), removes one (remove NAME), writes its adapter with a model card into a folder
(export NAME --to FOLDER), or base and adapter merged into one model (merge NAME --to FOLDER). A test loads the weights, shows how they
are asked and the tokens of a picture, asks one example, takes one LoRA step, and says how much memory both take.
Example: mistakebook checkpoints add my-llava --model /models/llava-1.5-7b-hf; mistakebook checkpoints test my-llava"""
ACTIONS = ("list", "add", "remove", "test", "export", "merge")
MERGED_TYPES = ("as_base", "float32", "bfloat16", "float16")
BASELINE = "image_text_to_text"
COLUMNS = ["name", "baseline", "model", "adapter", "parent", "predictions", "created_at"]


def run(name: str, arguments: list[str]) -> int:
    baseline = _baseline(arguments)
    made = parser(name, DESCRIPTION)
    add_reviewer(made)
    made.add_argument("action", nargs="?", default="list", choices=ACTIONS, help="default: list")
    made.add_argument("name", nargs="?", help="name of the checkpoint")
    made.add_argument("--baseline", default=BASELINE, choices=BASELINES.names(), help="what loads it (default: %(default)s)")
    made.add_argument("--predictions", action="store_true", help="remove: its predictions are deleted with it")
    made.add_argument("--to", type=Path, metavar="FOLDER", help="export, merge: folder to write to (default: in exports of the workspace)")
    made.add_argument("--save-as", default="as_base", choices=MERGED_TYPES, help="merge: type of the saved weights (default: %(default)s)")
    add_upload(made)
    options = BASELINES.load(baseline).Options
    group = made.add_argument_group(f"add: how {baseline} loads and asks it")
    add_flags(group, options)
    for action in group._group_actions:  # only `add` needs them
        action.required = False
    given = made.parse_args(arguments)
    if given.action != "list" and not given.name and not (given.action == "test" and given.model):
        raise CommandFailed(f"checkpoints {given.action}: name a checkpoint; mistakebook checkpoints lists them")
    app = App(given.workspace, given.reviewer)
    return {"list": _list, "add": _add, "remove": _remove, "test": _test, "export": _export, "merge": _export}[given.action](app, given)


def _baseline(arguments: list[str]) -> str:
    """Which plugin's options are flags: read beforehand, for they depend on it."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--baseline", default=BASELINE)
    chosen: str = first.parse_known_args(arguments)[0].baseline
    return chosen if chosen in BASELINES.names() else BASELINE


def _list(app: App, given: argparse.Namespace) -> int:
    from curation.checkpoints import ListedCheckpoint

    listed = app.get("/api/command/checkpoints", list[ListedCheckpoint])
    names = {row.checkpoint_id: row.name for row in listed}
    rows = [vars(row) | {"parent": names.get(row.parent or 0), "options": row.options} for row in listed]
    show(rows, given.json, lambda: table(rows, COLUMNS) if rows else "no checkpoint yet: mistakebook checkpoints add NAME --model FOLDER")
    return 0


def _add(app: App, given: argparse.Namespace) -> int:
    from curation.checkpoints import CheckpointAdded

    if not given.model:
        raise CommandFailed(f"checkpoints add {given.name}: which weights? --model FOLDER, a hub name, or pocket-llava")
    added = app.post("/api/data/checkpoint", _described(given), CheckpointAdded)
    following = f"mistakebook checkpoints test {added.name}, or mistakebook evaluate --checkpoint {added.name}"
    show(added, given.json, lambda: f"{added.name} was added; next: {following}")
    return 0


def _test(app: App, given: argparse.Namespace) -> int:
    from curation.try_it.checkpoint_test import CheckpointTested

    tested = app.post("/api/data/checkpoint/test", _described(given) if given.model else {"name": given.name}, CheckpointTested)
    lines = [f"{'ok  ' if found.ok else 'FAIL'}  {found.name}: {found.detail}" for found in tested.findings]
    show(tested, given.json, lambda: lines)
    return 0 if tested.ok else 1


def _described(given: argparse.Namespace) -> dict[str, Any]:
    """A checkpoint by the flags, as the routes take it."""
    options = validated(BASELINES.load(given.baseline).Options, given)
    chosen = {name: value for name, value in options.items() if getattr(given, name) is not None}
    model, adapter = chosen.pop("model"), chosen.pop("adapter", None)
    if "template" in chosen:
        chosen["template"] = _local(chosen["template"])
    places = {"model": _local(model), "adapter": adapter and _local(adapter)}
    return {"name": given.name, "baseline": given.baseline, **places, "options": chosen}


def _remove(app: App, given: argparse.Namespace) -> int:
    from curation.checkpoints import CheckpointRemoved

    body = {"name": given.name, "with_predictions": given.predictions}
    removed = app.post("/api/command/checkpoints/remove", body, CheckpointRemoved)
    also = f" and its {removed.predictions:,} predictions" if removed.predictions else ""
    show(removed, given.json, lambda: f"{removed.name}{also} removed from the workspace; its files stay where they are")
    return 0


def _export(app: App, given: argparse.Namespace) -> int:
    from curation.commands.follow import follow, in_words
    from curation.jobs.views import JobView

    form = "merged" if given.action == "merge" else "adapter"
    folder = str(given.to.expanduser().resolve()) if given.to else None
    options = {"checkpoint": given.name, "form": form, "folder": folder, "dtype": given.save_as, "push_to_hub": given.push_to_hub}
    options["private"] = given.private
    job, status = follow(app, app.post("/api/jobs", {"stage": "export_checkpoint", "options": options}, JobView))
    show(job, given.json, lambda: job.message or in_words(job))
    return status


def _local(path: str) -> str:
    """A folder given relative to where the command runs: the app runs elsewhere."""
    folder = Path(path).expanduser()
    return str(folder.resolve()) if folder.exists() or path.startswith((".", "~")) else path
