"""Nearest samples: for every example that a checkpoint fixed or broke, the training samples most like it, by question, answer and image."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, Field

from curation import checkpoints
from curation.clusters.embedders import WorkspaceEmbedders
from curation.results.lines import RIGHT
from curation.results.nearest import nearest
from curation.stage import Context, Estimate, Job, NothingToDo, Result, Row, Stage
from data.errors import MistakebookError
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace

KEY = "nearest"
EXAMPLES, SAMPLES, FOUND = "examples.parquet", "samples.parquet", "nearest.parquet"


class Stopped(MistakebookError):
    """Asked to stop; what was embedded is kept."""


class NearestSamplesOptions(BaseModel):
    checkpoint: str | None = Field(default=None, description="Checkpoint that was trained here; the newest such if empty.")
    before: str | None = Field(default=None, description="What it is compared with; what it was trained from if empty.")


class NearestSamples(Stage[NearestSamplesOptions]):
    """One row a launch: all examples are held against all samples at once."""

    name = "nearest_samples"
    title = "Find the training samples nearest to each fixed and broken example"
    lane = "cpu"
    batch_size = 1
    Options = NearestSamplesOptions

    def select(self, store: Store, workspace: Workspace, job: Job[NearestSamplesOptions]) -> list[Row]:
        given = _chosen(store, job.options)
        if store.to_parquet("run_samples_to_embed", job.folder / SAMPLES, checkpoint_id=given["after"]) == 0:
            raise NothingToDo(f"{given['name']} was not trained on samples of this workspace, so none can be nearest.")
        if store.to_parquet("turned_examples", job.folder / EXAMPLES, before=given["before"], after=given["after"], right=RIGHT) == 0:
            raise NothingToDo(f"{given['name']} fixed and broke no eval example that both have answered. Evaluate both on eval first.")
        checkpoints.write_to_folder(checkpoints.find(store, given["name"]), job.folder)
        return [{"key": KEY}]

    def estimate(self, store: Store, workspace: Workspace, options: NearestSamplesOptions) -> Estimate:
        given = _chosen(store, options)
        counts = store.one("nearest_counts", before=given["before"], after=given["after"], right=RIGHT)
        return Estimate(rows=1, usd=(0.0, 0.0), detail=counts)

    def collect(self, write: Transaction, job: Job[NearestSamplesOptions], results: list[Result]) -> None:
        checkpoint_id = checkpoints.read_from_folder(job.folder).checkpoint_id
        for _ in results:
            write.run("nearest_forget", checkpoint_id=checkpoint_id)
            found = pq.read_table(job.folder / FOUND)
            same = {"checkpoint_id": checkpoint_id, "job_id": job.job_id}
            for name, value in same.items():
                found = found.append_column(name, pa.repeat(pa.scalar(value, pa.int64()), len(found)))
            write.load("nearest_sample", found)

    def setup(self, context: Context[NearestSamplesOptions]) -> None:
        self.context = context
        self.embedders = WorkspaceEmbedders(context.workspace, checkpoints.read_from_folder(context.folder), self._say)

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        folder = self.context.folder
        examples, samples = pq.read_table(folder / EXAMPLES), pq.read_table(folder / SAMPLES)
        try:
            own, theirs = (self.embedders.of(table["text"].to_pylist(), table["image"].to_pylist()) for table in (examples, samples))
        except Stopped:
            return
        self._say(f"comparing {len(examples):,} examples with {len(samples):,} samples")
        found = nearest(own, theirs)
        n, k = found.places.shape
        flat = found.places.ravel()
        columns = {
            "example_id": np.repeat(examples["example_id"].to_numpy(), k),
            "place": np.tile(np.arange(k, dtype=np.uint8), n),
            "sample_id": samples["sample_id"].to_numpy()[flat],
            "revision": samples["revision"].to_numpy()[flat],
            **{name: getattr(found, name).ravel() for name in ("text", "image", "score")},
        }
        pq.write_table(pa.table(columns), folder / FOUND)
        yield {"key": KEY, "examples": n, "samples": len(samples)}

    def finish(self, store: Store, workspace: Workspace, job: Job[NearestSamplesOptions]) -> str | None:
        return f"nearest samples of {store.value('nearest_done', int, checkpoint_id=_chosen(store, job.options)['after']) or 0:,} examples"

    def _say(self, text: str) -> None:
        if self.context.should_stop():
            raise Stopped
        self.context.report({"event": "message", "text": text})


def _chosen(store: Store, options: NearestSamplesOptions) -> Row:
    """{"before", "after": ids, "name": of the second}. Raises NothingToDo."""
    row = store.row("pair_to_trace", checkpoint=options.checkpoint, before=options.before)
    if row is None:
        raise NothingToDo("no checkpoint was trained here yet. Finetune on approved samples and evaluate the new checkpoint first.")
    if row["before"] is None:
        raise NothingToDo(f"{row['name']} has no parent; name the checkpoint to compare it with (before).")
    return row
