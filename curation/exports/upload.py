"""Options of exports that may be uploaded to the hub, and the upload behind an export."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from curation.stage import AsksServer
from data.workspace import Workspace
from models import hub


class UploadOptions(AsksServer):
    """Part of the options of stages that export."""

    BY_CALLS: ClassVar[bool] = False

    push_to_hub: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?$",
        description="Repository of the hub (OWNER/NAME) to upload to afterwards, under HF_TOKEN; empty: nothing is uploaded.",
    )
    private: bool = Field(default=True, description="Make the repository private, where it is new.")

    def host(self) -> str | None:
        return hub.host() if self.push_to_hub else None


def uploaded(options: UploadOptions, workspace: Workspace, folder: Path, kind: hub.Kind, say: Callable[[str], None]) -> str | None:
    """The address that a folder was uploaded to; None where it wasn't to be. Raises UploadFailed, FrontierStopped."""
    if not options.push_to_hub:
        return None
    key = hub.token(workspace.root / "keys.json")
    return hub.push(folder, options.push_to_hub, kind, key, options.private, say)


def check_token(options: UploadOptions, workspace: Workspace) -> None:
    """Says before an export that its upload will lack a token. Raises UploadFailed, FrontierStopped."""
    if options.push_to_hub:
        hub.token(workspace.root / "keys.json")
