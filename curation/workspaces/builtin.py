"""The built-in workspace: what it holds at the start, so that a newcomer sees failures come in without doing anything."""

from typing import Any

from pydantic import BaseModel

from curation import checkpoints
from curation.filtering.settings import add_default_settings
from curation.jobs.manager import JobManager
from data.records import Checkpoint
from data.store import Store

AUTHOR = "built-in"
POCKET_LLAVA = Checkpoint("pocket-llava", "llava", "pocket-llava")
SOURCES: dict[str, dict[str, Any]] = {
    "easy-vqa": {"format": "easy_vqa", "source": {}},
    **{f"pocket-{family}": {"format": "pocket_vqa", "source": {"family": family}} for family in ("photo", "chart", "quiz", "knowledge")},
}


class Begun(BaseModel):
    """The job of a workspace's first evaluation; none where it was done before."""

    job_id: int | None


def prepare(store: Store) -> None:
    """What every workspace starts with: the filters' default settings."""
    add_default_settings(store, AUTHOR)


def begin(store: Store, jobs: JobManager) -> int | None:
    """Imports the built-in benchmarks, adds pocket-llava, starts round 1 and its first evaluation.

    Blocks until the imports are done (seconds); what is there already is left alone, so that it may be called again after a
    crash. Returns the evaluation's job, or None if there was nothing to do.
    """
    known = set(store.column("dataset_names_taken", str))  # one that was removed is not brought back
    imports = [jobs.launch("import", options, AUTHOR) for name, options in SOURCES.items() if name not in known]
    checkpoints.register(store, POCKET_LLAVA)
    if checkpoints.current_round(store) == 0:
        checkpoints.begin_round(store, POCKET_LLAVA.name)
    for job_id in imports:
        jobs.wait(job_id)
    checkpoint = checkpoints.find(store, POCKET_LLAVA.name)
    if store.value("prediction_count", checkpoint_id=checkpoint.checkpoint_id):
        return None
    return jobs.launch("evaluate", {}, AUTHOR)
