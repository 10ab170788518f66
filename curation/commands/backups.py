"""`mistakebook backup` and `restore`."""

from dataclasses import asdict
from pathlib import Path

from curation.commands.app_client import App, CommandFailed, find_workspace
from curation.commands.flags import parser
from curation.commands.output import show
from curation.workspaces import backups, owner


def run(name: str, arguments: list[str]) -> int:
    return _backup(arguments) if name == "backup" else _restore(arguments)


def _backup(arguments: list[str]) -> int:
    made = parser(
        "backup",
        "Writes tables (Parquet), paid replies, images and checkpoints into a new folder, and verifies the tables by reading them back.",
    )
    made.add_argument("folder", nargs="?", type=Path, help="a new folder (default: in the workspace's backups)")
    given = made.parse_args(arguments)
    app = App(given.workspace)
    done = app.post("/api/command/backup", {"folder": given.folder and str(given.folder.resolve())}, backups.BackupMade)
    show(done, given.json, done.in_words)
    return 0


def _restore(arguments: list[str]) -> int:
    made = parser("restore", "Restores a workspace from a backup. Nothing is overwritten: the workspace must not exist yet.")
    made.add_argument("folder", type=Path, help="folder of the backup")
    given = made.parse_args(arguments)
    workspace = find_workspace(given.workspace)
    if holder := owner.find(workspace):
        raise CommandFailed(f"workspace {workspace.name} is open in process {holder.pid} at {holder.address}; stop it first")
    try:
        done = backups.restore(given.folder.resolve(), workspace)
    except OSError as error:
        raise CommandFailed(str(error)) from error
    how = (
        "every file checked by its SHA-256"
        if done.checked
        else "made by an earlier version, without checksums: only tables and images were checked"
    )
    show(
        {"workspace": str(workspace.root), **asdict(done)},
        given.json,
        lambda: f"workspace {workspace.name} restored to {workspace.root} ({how})",
    )
    return 0
