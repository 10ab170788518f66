"""The file of users, `<home>/users.json` (mode 600): names, roles, hashed passwords. Where it names nobody, the app asks for no login."""

import fcntl
import json
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from curation.access import passwords
from curation.access.roles import GIVEN, Role
from data import workspace
from data.errors import MistakebookError
from data.files import write_whole
from data.records import Record

FILE = "users.json"
NAME = re.compile(r"[^\s:/\\\"'<>&][^:/\\\"'<>&\x00-\x1f]{0,79}")


class BadUsers(MistakebookError):
    """The file of users can't be used, or a change of it can't be made; the text says what to do."""


@dataclass(frozen=True)
class User(Record):
    """Somebody who may log in; `password` is a hash, "" for one who comes by a trusted proxy alone."""

    name: str
    role: Role
    password: str
    created_at: str  # ISO 8601


class Users:
    """The users of a file, read anew whenever it has changed."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or workspace.home() / FILE
        self._read: tuple[object, dict[str, User]] = (None, {})

    def all(self) -> dict[str, User]:
        """Users by name. Raises BadUsers."""
        try:
            about = self.path.stat()
        except FileNotFoundError:
            return {}
        mark = (about.st_mtime_ns, about.st_size, about.st_ino)
        if mark != self._read[0]:
            self._read = (mark, self._parsed(about.st_mode))
        return self._read[1]

    def check(self, name: str, password: str) -> User | None:
        """The user, if name and password are right."""
        user = self.all().get(name)
        return user if passwords.matches(password, user.password if user and user.password else None) else None

    def add(self, name: str, role: Role, password: str) -> None:
        """Adds a user, without a password if it is empty. Raises BadUsers, WeakPassword."""
        if not NAME.fullmatch(name.strip()) or name != name.strip():
            raise BadUsers(f"user name {name!r}: use at most 80 characters, no colons, slashes or quotation marks")
        kept = passwords.hashed(password) if password else ""
        with self._changed() as users:
            if name in users:
                raise BadUsers(f"there is a user {name!r} already; mistakebook users role {name} ROLE, or users password {name}")
            users[name] = User(name, _known(role), kept, datetime.now(UTC).isoformat(timespec="seconds"))

    def remove(self, name: str) -> None:
        """Raises BadUsers. What they decided stays."""
        with self._changed() as users:
            del users[self._there(users, name).name]

    def set_role(self, name: str, role: Role) -> None:
        """Raises BadUsers."""
        with self._changed() as users:
            user = self._there(users, name)
            users[name] = User(name, _known(role), user.password, user.created_at)

    def set_password(self, name: str, password: str) -> None:
        """Raises BadUsers, WeakPassword."""
        kept = passwords.hashed(password)
        with self._changed() as users:
            user = self._there(users, name)
            users[name] = User(name, user.role, kept, user.created_at)

    def _there(self, users: dict[str, User], name: str) -> User:
        if name not in users:
            raise BadUsers(f"there is no user {name!r} in {self.path}; there are: {', '.join(users) or 'none'}")
        return users[name]

    @contextmanager
    def _changed(self) -> Iterator[dict[str, User]]:
        """All users, to be changed; written when the block ends, by one process at a time."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(f".{self.path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            users = dict(self.all())
            yield users
            if not any(user.role == "admin" for user in users.values()) and users:
                raise BadUsers("nobody would be an admin any more; make another user one first: mistakebook users role NAME admin")
            content = {"users": [asdict(user) for user in users.values()]}
            write_whole(self.path, json.dumps(content, indent=1, ensure_ascii=False) + "\n", mode=0o600, durable=True)

    def _parsed(self, mode: int) -> dict[str, User]:
        if stat.S_IMODE(mode) & 0o077:
            raise BadUsers(f"{self.path}: others may read it; run: chmod 600 {self.path}")
        text = self.path.read_text(encoding="utf-8")
        try:
            users = [User.from_row(row) for row in json.loads(text)["users"]]
        except (ValueError, KeyError, TypeError) as error:
            plain = re.match(r"\s*[^\s{:]+:.", text)
            words = "it holds passwords in plain text (user:password)" if plain else f"it is no file of users ({error})"
            raise BadUsers(f"{self.path}: {words}; make one by: mistakebook users add NAME --role ROLE --file FILE") from error
        for user in users:
            _known(user.role)
        return {user.name: user for user in users}


def _known(role: str) -> Role:
    if role not in GIVEN:
        raise BadUsers(f"there is no role {role!r}; there are: {', '.join(GIVEN)}")
    return role  # one of them
