"""The pages there are, in the order of the rail. A page is one line here and a folder of curation/ui.

The folder's routes (`module`) have a `router`, prefix /api/<name>; beside them lie page.html, page.css and index.js.
"""

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

from fastapi import APIRouter

from curation.ui.data import dataset_routes, endpoint_routes
from curation.ui.failures import cluster_routes
from curation.ui.results import budget_routes
from curation.ui.server import static_files
from curation.ui.settings import access_routes, error_type_routes


@dataclass(frozen=True)
class Page:
    """`name` is the page's name in the URL (`?page=name`)."""

    name: str
    title: str
    module: str
    group: Literal["loop", "workspace"] = "loop"

    @property
    def folder(self) -> str:
        """Its folder in curation/ui."""
        return self.module.split(".")[2]

    def load(self) -> ModuleType:
        return importlib.import_module(self.module)


PAGES = (
    Page("failures", "Failures", "curation.ui.failures.routes"),
    Page("generate", "Generate", "curation.ui.generate.routes"),
    Page("review", "Review", "curation.ui.review.routes"),
    Page("finetune", "Finetune", "curation.ui.finetune.routes"),
    Page("results", "Results", "curation.ui.results.routes"),
    Page("experiments", "Experiments", "curation.ui.experiments.routes"),
    Page("jobs", "Jobs", "curation.ui.jobs.page_routes", "workspace"),
    Page("calibration", "Calibration", "curation.ui.calibration.routes", "workspace"),
    Page("data", "Data & models", "curation.ui.data.routes", "workspace"),
    Page("prompts", "Prompts", "curation.ui.prompts.routes", "workspace"),
    Page("try", "Try it", "curation.ui.try_it.routes", "workspace"),
    Page("settings", "Settings", "curation.ui.settings.routes", "workspace"),
)


def routers() -> list[APIRouter]:
    """The routes of all pages, and of their static files (/ui/…)."""
    return [
        static_files.router,
        cluster_routes.router,
        dataset_routes.router,
        endpoint_routes.router,
        budget_routes.router,
        error_type_routes.router,
        access_routes.router,
        *(page.load().router for page in PAGES),
    ]
