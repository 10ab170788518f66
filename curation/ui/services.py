"""What the handlers of every page work with: `request.app.state.services`, which they call `here`."""

from dataclasses import dataclass

from fastapi import Request

from curation.access.audit import AuditLog
from curation.access.roles import Role
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.ui.server.identity import Gate
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
    gate: Gate
    audit: AuditLog

    def reviewer(self, request: Request) -> str:
        """Whose decision a request is: the login (or the name the command line sends), else --reviewer, else the account."""
        return request.scope.get("login") or self.settings.reviewer or operating_system_user()

    def role(self, request: Request) -> Role:
        """What whoever asks may do."""
        role: Role = request.scope["role"]
        return role


def services(request: Request) -> Services:
    """The services of the app that a request came to; also a FastAPI dependency. By custom a route names them `here`."""
    here: Services = request.app.state.services
    return here
