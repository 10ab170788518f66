"""The file of logins: who may use the app from other machines."""

from pathlib import Path

from data.errors import MistakebookError


class BadAuthFile(MistakebookError):
    """The file of logins can't be used."""


def read_logins(path: Path) -> dict[str, str]:
    """Passwords by user, from lines "user:password". Raises BadAuthFile unless only its owner may read the file."""
    if not path.is_file():
        raise BadAuthFile(f"{path}: no such file; write lines user:password into it")
    if path.stat().st_mode & 0o077:
        raise BadAuthFile(f"{path}: others may read it; run: chmod 600 {path}")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    pairs = [line.partition(":") for line in lines]
    for number, (user, colon, password) in enumerate(pairs, 1):
        if not (user and colon and password):
            raise BadAuthFile(f"{path}, line {number}: expected user:password")
    if not pairs:
        raise BadAuthFile(f"{path}: it is empty; expected lines user:password")
    return {user: password for user, _, password in pairs}
