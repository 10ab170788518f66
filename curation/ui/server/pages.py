"""The pages there are, in the order of the rail. A page is one line here, a module and its files in components/.

The module has `router` (its JSON routes, prefix /api/<name>) and `component()`, which imports gradio only when called:
a headless server has the routes without the pages.
"""

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

from fastapi import APIRouter

from curation.ui import clusters, endpoints, static


@dataclass(frozen=True)
class Page:
    """`name` is the page's name in the URL (`?page=name`) and of components/<name>.{html,js,css}."""

    name: str
    title: str
    module: str
    group: Literal["loop", "workspace"] = "loop"

    def load(self) -> ModuleType:
        return importlib.import_module(self.module)


PAGES = (
    Page("failures", "Failures", "curation.ui.failures"),
    Page("generate", "Generate", "curation.ui.generate"),
    Page("review", "Review", "curation.ui.review"),
    Page("finetune", "Finetune", "curation.ui.finetune"),
    Page("results", "Results", "curation.ui.results"),
    Page("jobs", "Jobs", "curation.ui.jobs", "workspace"),
    Page("calibration", "Calibration", "curation.ui.calibration", "workspace"),
    Page("data", "Data & models", "curation.ui.data", "workspace"),
    Page("prompts", "Prompts", "curation.ui.prompts", "workspace"),
    Page("try", "Try it", "curation.ui.try_it", "workspace"),
    Page("settings", "Settings", "curation.ui.settings", "workspace"),
)


def routers() -> list[APIRouter]:
    """The routes of all pages, and of their static files (/ui/…)."""
    return [static.router, clusters.router, endpoints.router, *(page.load().router for page in PAGES)]
