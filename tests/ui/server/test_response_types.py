"""What the JSON routes answer is said by types, down to the last field: no plain dictionary, no Any, but for what is listed here."""

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any, get_args, get_origin, get_type_hints

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response
from starlette.routing import BaseRoute

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app

NO_JSON = {  # handlers that answer with bytes, or not at all
    "login.routes.page": "a page",
    "login.routes.log_in": "LoggedIn, with a cookie",
    "login.routes.log_out": "LoggedOut, without it",
    "settings.access_routes.export": "a file",
    "results.routes.evidence_bundle": "a zip file",
    "data.dataset_routes.skipped_table": "a file",
    "jobs.routes.skipped_file": "a file",
    "server.app.media": "a picture",
    "server.app._no_such_route": "only refuses what is no route",
    "experiments.routes.report_markdown": "a file",
    "experiments.routes.report_page": "a file",
    "server.static_files.file": "a script or a style sheet",
    "server.static_files.plotly": "plotly's script",
}
FREE = {  # fields whose content is not the route's to say
    "CardDrawing.recipe": "each image generator has its own",
    "CardText.answer_from": "an expression over the data of a picture, as proposed",
    "CardText.picture_spec": "as proposed: each kind of picture has its own",
    "Choices.defaults": "options of an experiment",
    "Choices.plugins": "JSON schema by plugin",
    "ComparedFailure.a": "the reply of a prompt: each has its own",
    "ComparedFailure.b": "the reply of a prompt",
    "ComparisonCounts.a": "counts of the reply of a prompt",
    "ComparisonCounts.b": "counts of the reply of a prompt",
    "EndpointList.schema": "JSON schema",
    "EndpointView.values": "settings as the user's file has them",
    "EstimateView.detail": "each stage's counts",
    "Events.events": "each stage's events",
    "FrontierOptions.endpoint_options": "settings of an endpoint",
    "GeneratorChoice.generator_options": "options of a plugin",
    "JobDetail.events": "each stage's events",
    "JobView.options": "each stage's options",
    "JobView.progress": "an event of the stage",
    "ListedCheckpoint.options": "options of a plugin",
    "ListedRule.evidence": "as it was kept, perhaps by another version",
    "PluginInfo.options": "JSON schema",
    "RequestPreview.schema": "JSON schema",
    "RunRow.options": "as they were launched, perhaps by another version",
    "StageView.defaults": "each stage's options",
    "StageView.options": "JSON schema",
    "StepView.progress": "an event of the stage",
    "ExperimentShown.plan": "as it was launched, perhaps by another version",
    "Report.plan": "as it was launched, perhaps by another version",
    "StoredVerdict.rule": "as it was in force, perhaps in another version",
    "TrialResult.result": "the reply of a prompt",
    "UndrawnOptions.generator_options": "options of a plugin",
}


def handlers(routes: Sequence[BaseRoute]) -> dict[str, Callable[..., Any]]:
    """All handlers of an app and of the routers that it includes, by module and name."""
    found: dict[str, Callable[..., Any]] = {}
    for route in routes:
        if isinstance(route, APIRoute):
            found[f"{route.endpoint.__module__}.{route.endpoint.__name__}".removeprefix("curation.ui.")] = route.endpoint
        elif included := getattr(route, "original_router", None):
            found |= handlers(included.routes)
    return found


def untyped(kind: Any, where: str, seen: set[Any]) -> set[str]:
    """The places below a type that say nothing: "Class.field", or the place where the walk began."""
    if kind is Any or kind is object or kind in (dict, list, tuple, set):
        return {where}
    origin, inner = get_origin(kind), get_args(kind)
    if origin is typing.Literal:
        return set()
    if origin is not None:
        return set().union(*(untyped(one, where, seen) for one in inner if one is not Ellipsis))
    if isinstance(kind, type) and kind not in seen and not isinstance(kind, types.GenericAlias):
        seen.add(kind)
        if issubclass(kind, BaseModel) or dataclasses.is_dataclass(kind) or typing.is_typeddict(kind):
            hints = get_type_hints(kind)
            names = kind.model_fields if issubclass(kind, BaseModel) else hints
            return set().union(*(untyped(hints[name], f"{declaring(kind, name).__name__}.{name}", seen) for name in names))
    return set()


def declaring(kind: type, field: str) -> type:
    """The class that a field is declared in: `kind`, or one that it derives from."""
    return next(one for one in kind.__mro__ if field in inspect.get_annotations(one))


def test_every_json_route_says_what_it_answers(store, workspace):
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(), headless=True)
    known = handlers(app.routes)
    assert len(known) > 100 and set(NO_JSON) <= set(known)
    found: set[str] = set()
    for name, handler in known.items():
        if name not in NO_JSON:
            kind = get_type_hints(handler).get("return", Any)
            streams = isinstance(kind, type) and issubclass(kind, Response)
            found |= {name} if streams else untyped(kind, name, set())
    assert found == set(FREE), "a field is free that should be typed, or is listed as free and isn't"


def test_what_is_no_type_is_found():
    @dataclasses.dataclass
    class Part:
        rows: list[dict[str, Any]]

    class Whole(BaseModel):
        parts: dict[str, Part | None]
        named: dict[str, int]
        plain: list

    assert untyped(list[Whole], "/api/x", set()) == {"Part.rows", "Whole.plain"}
    assert untyped(dict[str, Any], "/api/x", set()) == {"/api/x"} == untyped(dict, "/api/x", set())
    assert untyped(dict[str, int] | None, "/api/x", set()) == set() == untyped(type(None), "/api/x", set())
