"""How commands reach the app that owns a workspace, and how they fail."""

from typing import Any

from curation.config import restart_with_file_variables
from curation.frontier import endpoints
from curation.workspaces import owner
from data import workspace as workspaces
from data.errors import MistakebookError
from data.workspace import Workspace


class CommandFailed(MistakebookError):
    """Ends a command with status 1; the text says what failed, on which input, what to do."""


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
