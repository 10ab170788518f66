"""One file a stage, one class a file: what the app's process selects, collects and finishes, and what the child's process does.

A stage is asked for by its name; its module is imported only then. The contract is curation/stage.py.
"""

import importlib
from typing import Any

from curation.stage import Stage, UnknownStage

STAGES = {
    "import": "import_dataset",
    "import_predictions": "import_predictions",
    "evaluate": "evaluate",
    "kinds": "name_kinds",
    "diagnose": "diagnose",
    "cluster": "cluster",
    "generate": "generate",
    "generate_untargeted": "generate_untargeted",
    "draw": "draw",
    "filter": "filter",
    "finetune": "finetune",
    "compare_prompts": "compare_prompts",
    "nearest_samples": "nearest_samples",
    "experiment": "experiment",
    "export": "export_samples",
    "export_checkpoint": "export_checkpoint",
}


def stage_class(name: str) -> type[Stage[Any]]:
    """The class of a stage. Raises UnknownStage with the names that exist."""
    if name not in STAGES:
        raise UnknownStage(f"unknown stage {name!r}; there are: {', '.join(STAGES)}")
    module = importlib.import_module(f"curation.stages.{STAGES[name]}")
    return next(
        v for v in vars(module).values() if isinstance(v, type) and getattr(v, "name", None) == name and v.__module__ == module.__name__
    )
