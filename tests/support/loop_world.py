"""A small workspace that goes once around the loop, by jobs with the real tiny models: what the tests of stages look into."""

from typing import Any

from curation import checkpoints
from curation.jobs.manager import JobManager
from curation.jobs.result_collector import Collector
from curation.jobs.views import JobView
from curation.review import decisions
from curation.review.bulk_records import BulkResult
from curation.stages import stage_class
from curation.workspaces.builtin import POCKET_LLAVA, prepare
from data.store import Store
from data.workspace import Workspace
from tests.support.stores import log

TEACHER = {"endpoint": "pocket-teacher", "model": "pocket-teacher"}
SOURCES = {  # small benchmarks, of which pocket-llava fails many
    "easy-vqa": {"format": "easy_vqa", "source": {"train_limit": 60, "dev_limit": 6, "eval_limit": 30}},
    "pocket-photo": {"format": "pocket_vqa", "source": {"family": "photo", "train": 60, "dev": 10, "eval": 30}},
}
PATIENCE = 420  # seconds for a job on a busy machine
LOGS = ("dataset", "image", "example", "prediction", "failure", "diagnosis", "cluster", "place", "assignment", "sample", "drawing",
        "verdict", "review", "run", "run_sample", "checkpoint", "sample_state")  # fmt: skip


class World:
    """The workspace and its jobs; `job` runs one to its end."""

    def __init__(self, root):
        self.workspace = Workspace(root).create()
        self.store = Store(self.workspace.store)
        prepare(self.store)
        self.jobs = JobManager(self.store, self.workspace, stage_class)
        self.results: dict[str, Any] = {}  # a JobView each; of "reviewed" what decisions.decide_bulk answers

    def job(self, stage: str, options: dict, status: str = "done", rows_may_fail: bool = False) -> JobView:
        """Launches a job and waits for it; fails with the child's own words if it doesn't end as expected."""
        job_id = self.jobs.launch(stage, options, "ada")
        ended = self.jobs.wait(job_id, PATIENCE)
        words = f"{stage}: {ended.status}, {ended.message}\n{self.log_of(job_id)}\n{self.errors(job_id)[:3]}"
        assert ended.status == status, words
        assert rows_may_fail or ended.failed == 0, words
        return ended

    def log_of(self, job_id: int) -> str:
        path = self.workspace.job(job_id) / "log.txt"
        return path.read_text(encoding="utf-8")[-3000:] if path.exists() else ""

    def errors(self, job_id: int) -> list[dict]:
        return self.store.rows("row_errors", job_id=job_id, after="", limit=100)

    def rows(self, table: str) -> list[dict]:
        return log(self.store, table)

    def contents(self) -> dict[str, list[str]]:
        """Everything that stages write, in an order of its own."""
        return {table: sorted(str(row) for row in self.rows(table)) for table in LOGS}

    def collect_again(self, job_id: int) -> None:
        """Takes a job's results up once more, from the first byte: what a crash between two files would lead to."""
        stage, job = self.jobs._load(job_id)
        with self.store.write() as write:
            write.run("job_collected", job_id=job_id, results_offset=0, good=0)
        collector = Collector(self.store, self.workspace)
        read = 0
        while taken := collector.collect(stage, job):
            read += taken
        assert read > 0

    def close(self) -> None:
        self.jobs.shutdown()
        self.store.close()


def begin(root) -> World:
    """A workspace with both benchmarks imported and round 1 begun from pocket-llava."""
    world = World(root)
    ids = [world.jobs.launch("import", options, "ada") for options in SOURCES.values()]
    world.results["import"] = world.jobs.wait(ids[-1], PATIENCE)
    assert [world.jobs.wait(job_id, PATIENCE).status for job_id in ids] == ["done"] * len(ids), [world.log_of(i) for i in ids]
    checkpoints.register(world.store, POCKET_LLAVA)
    checkpoints.begin_round(world.store, POCKET_LLAVA.name)
    return world


def approve_what_passes(store: Store, reviewer: str = "ada") -> BulkResult:
    return decisions.decide_bulk(store, {"statuses": ["pending"]}, "approve", reviewer, decisions.new_event(), "passes every filter")
