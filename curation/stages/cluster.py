"""Cluster: failures are grouped by error type, then by embedding within; each group gets a title, each failure a place on the map.

Every example of every split is assigned too, by its kind of question and the nearest centre, so that a cluster has an accuracy.
People's edits take precedence over the clusters of this stage (curation/clusters/edit_rules.py). With `only_new` placed failures
keep their places and clusters, and only new ones are placed beside them; with `titles_of` the frontier model only suggests titles,
which count if a person accepts them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, JsonValue

from curation import checkpoints, taxonomy
from curation.clusters import edits, mapping, splitting, titles
from curation.clusters.stored_space import StoredSpace
from curation.clusters.titles import FoundCluster
from curation.frontier.client import client_of, open_client, sum_estimates
from curation.frontier.options import FrontierOptions
from curation.prompts.requests import title_request
from curation.prompts.templates import PromptOptions, Prompts
from curation.prompts.versions import prompts_for
from curation.stage import Context, Estimate, Job, NothingToDo, Result, Row, Stage
from data.records import KindType, Record
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace

KEY = "map"
SLIDER: dict[str, JsonValue] = {"widget": "slider", "step": 0.1}


class ClusterOptions(FrontierOptions, PromptOptions):
    STAGE = "cluster"
    PROMPTS = ("title",)
    text_weight: float = Field(default=1.0, ge=0, le=2, description="Weight of the question in the map.", json_schema_extra=SLIDER)
    image_weight: float = Field(default=0.5, ge=0, le=2, description="Weight of the image in the map.", json_schema_extra=SLIDER)
    min_size: int = Field(default=20, ge=2, description="Smallest size of a cluster, in failures.")
    resamples: int = Field(default=20, ge=0, le=200, description="Bootstrap resamples for the stability of clusters; 0: not measured.")
    only_new: bool = Field(default=False, description="Only add new failures to the map; all others keep their position.")
    titles_of: list[int] | None = Field(default=None, description="Only suggest titles for these clusters; the map is not changed.")
    seed: int = Field(default=0, description="Random seed of the clustering and the map.")


@dataclass(frozen=True)
class ToCluster(Record):
    """Diagnosed failures of a round, their error types, and how many of them are not on the map yet."""

    failures: int
    types: int
    new: int


@dataclass(frozen=True)
class ClusterName(Record):
    """The number of a cluster that a job found under a name."""

    name: str
    cluster_id: int


class Cluster(Stage[ClusterOptions]):
    """One row a launch: the groups depend on all failures at once; one a cluster where only titles are asked for."""

    name = "cluster"
    title = "Cluster the failures and compute the map"
    lane = "cpu"
    batch_size = 1
    Options = ClusterOptions

    def select(self, store: Store, workspace: Workspace, job: Job[ClusterOptions]) -> list[Row]:
        if job.options.titles_of:
            return _title_rows(store, job.options)
        if job.options.text_weight == 0 and job.options.image_weight == 0:
            raise NothingToDo("text and image weight are both 0. Set at least one of them above 0.")
        with store.write() as write:
            edits.adopt(write, job.round)
        if job.options.only_new:
            mapping.select_new(store, workspace, job)
        elif store.to_parquet("failures_to_cluster", job.folder / "failures.parquet", round=job.round) == 0:
            raise NothingToDo(f"round {job.round} has no diagnosed failure yet. Diagnose failures first.")
        else:
            store.to_parquet("examples_to_assign", job.folder / "examples.parquet")
        known = {row.kind: row.error_type for row in store.rows("kind_error_types", KindType)}
        (job.folder / "kinds.json").write_text(json.dumps(known), encoding="utf-8")
        checkpoints.write_to_folder(checkpoints.find(store), job.folder)
        return [{"key": KEY}]

    def estimate(self, store: Store, workspace: Workspace, options: ClusterOptions) -> Estimate:
        round_ = checkpoints.current_round(store)
        counts = store.one("cluster_probe", ToCluster, round=round_)
        if options.titles_of:
            prompts = prompts_for(store, options.PROMPTS, options.prompts)
            probe = [titles.suggestion(row, prompts) for row in _title_rows(store, options)]
            with open_client(options, workspace) as client:
                calls, usd = sum_estimates([client.estimate(probe, len(probe))])
            return Estimate(rows=len(probe), calls=calls, usd=usd)
        if options.only_new:
            return Estimate(rows=counts.new)
        rows = store.rows("cluster_probe_rows", round=round_)
        prompts, lines = prompts_for(store, options.PROMPTS, options.prompts), [titles.line(row) for row in rows]
        probe = [title_request("0", rows[0]["error_type"], lines, [], prompts)] if rows else []
        with open_client(options, workspace) as client:
            calls, usd = sum_estimates([client.estimate(probe, counts.types)])
        return Estimate(rows=counts.failures, calls=calls, usd=usd)

    def collect(self, write: Transaction, job: Job[ClusterOptions], results: list[Result]) -> None:
        for result in results:
            if job.options.titles_of:
                write.run("title_suggest", cluster_id=result["cluster_id"], title=result["title"])
                continue
            found = [FoundCluster.from_row(row) for row in result["clusters"]]
            about = {"round": job.round, "job_id": job.job_id}
            rows = [
                {"name": one.name, "error_type": one.error_type, "title": one.title, "found_title": one.title, "kind": one.kind}
                for one in found
            ]
            write.insert("cluster", [{**about, **row} for row in rows])
            ids = {row.name: row.cluster_id for row in write.rows("clusters_of_job", ClusterName, job_id=job.job_id)}
            self._put_places(write, job, ids)
            if measured := [one for one in found if one.stability is not None]:
                columns = {name: [getattr(one, name) for one in measured] for name in ("name", "stability", "dissolved")}
                names = columns.pop("name")
                write.run("quality_set", job_id=job.job_id, resamples=job.options.resamples, names=names, **columns)
            edits.apply_state(write, job.round)
            taxonomy.follow(write)  # error types may have been renamed while it ran
            write.touch_failures()  # places and assignments change: all of failure_state follows

    def _put_places(self, write: Transaction, job: Job[ClusterOptions], ids: dict[str, int]) -> None:
        """Stores the places from the job's files. Done twice it changes nothing; an older job's map does not replace a newer one."""
        adds = job.options.only_new
        write.insert("layout", [{"round": job.round, "job_id": job.job_id, "adds": adds}])
        places = _numbered(pq.read_table(job.folder / "places.parquet"), ids, job.job_id)
        write.run("grouped_forget", job_id=job.job_id)
        write.load("grouped", places.select(["job_id", "failure_id", "cluster_id"]))
        assigned = _numbered(pq.read_table(job.folder / "assignments.parquet"), ids, job.job_id)
        assigned = assigned.append_column("found_cluster_id", assigned["cluster_id"])
        assigned = assigned.append_column("round", pa.repeat(pa.scalar(job.round, pa.int32()), len(assigned)))
        if adds:
            write.insert("place", places.to_pylist())
            write.insert("assignment", assigned.to_pylist())
        elif write.value("layout_job", int, round=job.round) == job.job_id:
            write.run("places_clear", round=job.round)
            write.run("assignments_clear", round=job.round)
            write.load("place", places)
            write.load("assignment", assigned)

    def finish(self, store: Store, workspace: Workspace, job: Job[ClusterOptions]) -> str | None:
        if job.options.titles_of:
            return None
        StoredSpace.of_round(store, workspace, job.round).forget_others(store, workspace, job.round)
        splitting.measure_again(store, workspace, job.round, [], store.column("clusters_made_by_people", round=job.round))
        changes = len([change for change in edits.history(store, job.round, limit=100_000) if not change.undone])
        if changes == 0:
            return None
        return "1 edit of the clusters is kept" if changes == 1 else f"{changes} edits of the clusters are kept"

    def setup(self, context: Context[ClusterOptions]) -> None:
        self.context, self.client = context, client_of(context)
        self.work = None if context.options.titles_of else mapping.MapWork(context, self.client)

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        if self.work is None:
            yield from titles.suggested(self.client, rows, self.context.should_stop, Prompts.of_job(self.context.folder))
            return
        try:
            clusters = self.work.add() if self.work.options.only_new else self.work.lay()
        except mapping.Stopped:
            return
        yield {"key": KEY, "clusters": [cluster.to_row() for cluster in clusters]}


def _title_rows(store: Store, options: ClusterOptions) -> list[Row]:
    """A row for each cluster that a title is wanted of, with lines of its members and of the clusters nearest to it on the map."""
    members = store.rows("title_members", cluster_ids=options.titles_of, most=titles.MEMBERS)
    if not members:
        raise NothingToDo("none of these clusters is on the map any more. Reload the page.")
    near = store.rows("title_neighbours", cluster_ids=options.titles_of, clusters=titles.NEIGHBOURS, most=titles.THEIR_MEMBERS)
    return titles.suggestion_rows(members, near)


def _numbered(table: pa.Table, ids: dict[str, int], job_id: int) -> pa.Table:
    """The table with its clusters' numbers in place of their names; a name that is a number with # is a cluster there was before."""
    names = table["cluster"].to_pylist()
    numbers = [None if name is None else int(name[1:]) if name.startswith("#") else ids[name] for name in names]
    table = table.drop_columns("cluster").append_column("cluster_id", pa.array(numbers, pa.int64()))
    return table.append_column("job_id", pa.repeat(pa.scalar(job_id, pa.int64()), len(table)))
