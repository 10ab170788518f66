"""The client of a frontier model, as stages open it; its estimates added up, its failed outcomes as results."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from curation.frontier import key_rules
from curation.frontier.endpoints import COMMON
from curation.frontier.options import JOB_VARIABLE, FrontierOptions
from curation.stage import Context
from data.workspace import Workspace
from models.frontier import Outcome

if TYPE_CHECKING:
    from models.frontier.client import OpenAICompatible

OptionsT = TypeVar("OptionsT", bound=FrontierOptions)


def open_client(options: FrontierOptions, workspace: Workspace) -> "OpenAICompatible":
    """The client of the chosen frontier model, with the workspace's journal of paid replies and price table."""
    from models.frontier.client import OpenAICompatible  # not at the top: stages are imported where no client is needed

    chosen = {name: getattr(options, name) for name in (*COMMON, "budget_usd")} | options.endpoint_options
    chosen["batch"] = options.asks_in_batches
    chosen["budget_scope"] = os.environ.get(JOB_VARIABLE, "")  # in a job's child: spend and cap are the job's
    if workspace.prices.is_file():
        chosen["prices"] = str(workspace.prices)
    client = OpenAICompatible(OpenAICompatible.Options(**chosen))
    if not key_rules.may_go(options.api_key_env, options.endpoint):
        client.key_withheld = key_rules.withheld(options.api_key_env, options.endpoint)
    return client.open(workspace.journal)


def client_of(context: Context[OptionsT]) -> "OpenAICompatible":
    """The client for a stage's child; the progress of remote batches is reported as the job's message."""
    client = open_client(context.options, context.workspace)
    client.say = lambda text: context.report({"event": "message", "text": text})
    return client


def sum_estimates(parts: Iterable[tuple[int, float | None, float | None]]) -> tuple[int, tuple[float, float] | None]:
    """Calls and dollars (a range; None: some are unpriced) of several of the client's estimates as one."""
    calls, lows, highs = zip(*parts)
    return sum(calls), None if None in lows else (sum(lows), sum(highs))


def bad_row(outcome: Outcome) -> dict[str, Any]:
    """The result of a row without a usable reply: its error, and the reply that was paid for."""
    return {"key": outcome.key, "error": outcome.error, "reply": outcome.replies[-1] if outcome.replies else None}
