"""The test of a frontier endpoint: one tiny call with a picture."""

from dataclasses import dataclass
from typing import Any

from curation.frontier import endpoints
from curation.frontier.client import open_client
from curation.frontier.options import FrontierOptions
from data.records import Record
from data.workspace import Workspace
from models.frontier import FrontierStopped


@dataclass(frozen=True)
class EndpointTest(Record):
    ok: bool
    words: str


def test_endpoint(workspace: Workspace, values: dict[str, Any]) -> EndpointTest:
    """The outcome of one tiny call with a picture to a frontier model, in words. `values`: settings of an endpoint."""
    plain = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
    common = {name: plain[name] for name in endpoints.COMMON if name in plain}
    further = {name: value for name, value in plain.items() if name not in endpoints.COMMON}
    options = FrontierOptions.model_validate({**common, "endpoint_options": further})
    try:
        with open_client(options, workspace) as client:
            words = client.test()
    except FrontierStopped as error:
        words = f"Failed: {error}"
    return EndpointTest(not words.startswith("Failed"), words)
