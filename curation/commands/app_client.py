"""How commands reach the app that owns a workspace, and how they fail."""

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from curation.workspaces import owner
from data import workspace as workspaces
from data.errors import MistakebookError
from data.workspace import Workspace

T = TypeVar("T")


class CommandFailed(MistakebookError):
    """Ends a command with status 1; the text says what failed, on which input, what to do."""


def check_settings() -> None:
    """Looks at environment and config file before anything is done by them. Raises BadSettings."""
    from curation.config import restart_with_file_variables  # not at the top: pydantic-settings takes 60 ms, which --help needn't wait
    from curation.frontier import endpoints

    restart_with_file_variables()
    endpoints.read()


def find_workspace(name: str) -> Workspace:
    """The workspace of that name, created or not. Raises BadWorkspaceName, BadSettings."""
    check_settings()
    return workspaces.find(name)


class App:
    """The app that owns a workspace, found or started. Raises NoOwner; its requests raise Refused, CommandFailed.

    `as_` is the type that the route answers with: pages and commands read the same models.
    """

    def __init__(self, name: str, reviewer: str | None = None):
        self.reviewer = reviewer
        self.owner = owner.ensure(find_workspace(name))

    def get(self, path: str, as_: type[T]) -> T:
        return self._read("GET", path, None, as_)

    def post(self, path: str, body: Any, as_: type[T]) -> T:
        return self._read("POST", path, body, as_)

    def _read(self, method: str, path: str, body: Any, as_: type[T]) -> T:
        try:
            return TypeAdapter(as_).validate_python(self.owner.request(method, path, body, self.reviewer))
        except ValidationError as error:
            flaw = error.errors()[0]
            where = ".".join(map(str, flaw["loc"])) or "its answer"
            raise CommandFailed(
                f"the app at {self.owner.address} (process {self.owner.pid}) is of another version: it answered {path} with {where} not as "
                f"expected ({flaw['msg']}). Stop it, then run the command again"
            ) from error
        except OSError as error:
            raise CommandFailed(
                f"the app at {self.owner.address} (process {self.owner.pid}) no longer responds ({error}). "
                "Its jobs continue or can be resumed: mistakebook jobs"
            ) from error
