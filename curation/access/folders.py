"""Which files and folders of the server a request may name: admins those in the home folder and in MISTAKEBOOK_FOLDERS, editors uploads.

What Mistakebook keeps itself (other workspaces, keys, users) and hidden folders of the home, where keys of other programs lie, are
none of them. The command line is not asked: who has the token of app.json reads these files anyway.
"""

from collections.abc import Iterable
from pathlib import Path

from curation.access.roles import NotAllowed, Role, covers
from data import workspace as workspaces
from data.workspace import Workspace

NAME = "MISTAKEBOOK_FOLDERS"
OWN = ("uploads", "backups", "exports")  # folders of a workspace that may be named


def check(path: Path, role: Role, workspace: Workspace, named: Iterable[Path]) -> None:
    """Raises NotAllowed where a request of that role may not name a path. `named`: the folders of MISTAKEBOOK_FOLDERS."""
    try:
        real = path.expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, an unknown user's home, a zero byte
        raise NotAllowed("the path can't be followed; give that of a file or folder that is there") from error
    root = workspace.root.resolve()
    if real.is_relative_to(root / "uploads"):
        return
    if not covers(role, "admin"):
        raise NotAllowed(f"paths of the server need the role admin, and yours is {role}; upload the file instead")
    if any(real.is_relative_to(root / name) for name in OWN):
        return
    roots = [Path.home().resolve(), *(one.expanduser().resolve() for one in named)]
    hidden = any(part.startswith(".") for part in real.relative_to(roots[0]).parts) if real.is_relative_to(roots[0]) else False
    kept = real.is_relative_to(workspaces.home().resolve())
    inside = [one for one in roots if real.is_relative_to(one)]
    exactly = any(one != roots[0] for one in inside)  # named by the server's owner: hidden or not
    if kept or not inside or (hidden and not exactly):
        listed = ", ".join(map(str, roots))
        raise NotAllowed(
            f"the app may read and write in {listed}, but not in hidden folders there or in its own. For others set {NAME} "
            "(folders with : between them) where the app is started, or in config.toml"
        )
