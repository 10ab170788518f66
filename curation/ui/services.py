"""What the handlers of every page work with: `request.app.state.services`, which they call `here`."""

from dataclasses import dataclass

from fastapi import Request

from curation.config import Settings
from curation.jobs.manager import JobManager
from data.images import ImageStore
from data.machine import operating_system_user
from data.search import Search
from data.store import Store
from data.workspace import Workspace


@dataclass(frozen=True)
class Services:
    store: Store
    workspace: Workspace
    jobs: JobManager
    settings: Settings
    images: ImageStore
    search: Search

    def reviewer(self, request: Request) -> str:
        """Whose decision a request is: the login (or the name the command line sends), else --reviewer, else the account."""
        return request.scope.get("login") or self.settings.reviewer or operating_system_user()


def services(request: Request) -> Services:
    """The services of the app that a request came to; also a FastAPI dependency. By custom a route names them `here`."""
    here: Services = request.app.state.services
    return here
