"""What commands share: flags, the app that owns the workspace, output."""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from curation.config import operating_system_user, restart_with_file_variables
from curation.frontier import endpoints
from curation.workspaces import owner
from data import workspace as workspaces
from data.workspace import Workspace


class CommandFailed(Exception):
    """Ends a command with status 1; the text says what failed, on which input, what to do."""


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """A parser with the flags that every command has."""
    made = argparse.ArgumentParser(prog=f"mistakebook {name}", description=description)
    made.add_argument("--workspace", default=workspaces.DEFAULT_NAME, metavar="NAME", help="its name (default: %(default)s)")
    made.add_argument("--json", action="store_true", help="one JSON document on standard output")
    return made


def add_reviewer(made: argparse.ArgumentParser) -> None:
    made.add_argument("--reviewer", default=operating_system_user(), help="whose decision or job it is (default: %(default)s)")


def check_settings() -> None:
    """Looks at environment and config file before anything is done by them. Raises BadSettings."""
    restart_with_file_variables()
    endpoints.read()


def find_workspace(name: str) -> Workspace:
    """The workspace of that name, created or not. Raises CommandFailed, BadSettings."""
    check_settings()
    try:
        return workspaces.find(name)
    except workspaces.BadWorkspaceName as error:
        raise CommandFailed(str(error)) from error


class App:
    """The app that owns a workspace, found or started; errors become CommandFailed."""

    def __init__(self, name: str, reviewer: str | None = None):
        self.workspace, self.reviewer = find_workspace(name), reviewer
        try:
            self.owner = owner.ensure(self.workspace)
        except owner.NoOwner as error:
            raise CommandFailed(str(error)) from error

    def get(self, path: str) -> Any:
        return self._request("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self._request("POST", path, body)

    def _request(self, method: str, path: str, body: Any = None) -> Any:
        try:
            return self.owner.request(method, path, body, self.reviewer)
        except owner.Refused as error:
            raise CommandFailed(str(error)) from error
        except OSError as error:
            raise CommandFailed(
                f"the app at {self.owner.address} (process {self.owner.pid}) does not answer any more ({error}). "
                "Its jobs go on or can be resumed: mistakebook jobs"
            ) from error


def show(content: Any, as_json: bool, text: Callable[[], str]) -> None:
    """The result on standard output: as JSON, or as text made when needed."""
    print(json.dumps(content, ensure_ascii=False) if as_json else text())


def say_failed(message: str, as_json: bool) -> int:
    """Tells of a failure on standard error (and as JSON on standard output); returns the exit status."""
    print(f"mistakebook: {message}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": message}, ensure_ascii=False))
    return 1


def table(rows: list[dict[str, Any]], columns: list[str]) -> str:
    """Rows as aligned text, numbers to the right."""
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(column), *(len(line[i]) for line in cells), 0) for i, column in enumerate(columns)]
    numeric = [all(isinstance(row.get(column), int | float | None) for row in rows) for column in columns]

    def line(values: list[str]) -> str:
        return "  ".join(v.rjust(w) if n else v.ljust(w) for v, w, n in zip(values, widths, numeric)).rstrip()

    return "\n".join([line(columns), *(line(values) for values in cells)])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
