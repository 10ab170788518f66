"""Cluster: failures are grouped by error type, then by embedding within; each group gets a title, each failure a place on the map.

Every example of every split is assigned too, by its kind of question and the nearest centre, so that a cluster has an accuracy.
"""

import json
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq
from pydantic import Field

from curation import checkpoints, clusters, error_types
from curation.frontier import FrontierOptions, open_client
from curation.prompting import render
from curation.replies import ClusterTitle
from curation.stages.base import Context, Estimate, Job, NothingToDo, Result, Row
from data.images import ImageStore
from data.registry import BASELINES, EMBEDDERS
from data.store import Store, Write
from data.workspace import Workspace
from models.frontier import Request

KEY = "map"
MEMBERS_IN_PROMPT = 20


class Options(FrontierOptions):
    text_weight: float = Field(default=1.0, ge=0, description="How much the question counts for the map.")
    image_weight: float = Field(default=0.5, ge=0, description="How much the picture counts for the map.")
    min_size: int = Field(default=20, ge=2, description="Failures that a part of an error type must have to become a cluster.")
    seed: int = Field(default=0, description="Seed of the grouping and the map.")


class Cluster:
    """One row a launch: the groups depend on all failures at once."""

    name = "cluster"
    title = "Group the failures and lay the map"
    lane = "cpu"
    batch_size = 1
    Options = Options

    def select(self, store: Store, workspace: Workspace, job: Job) -> list[Row]:
        if store.to_parquet("failures_to_cluster", job.folder / "failures.parquet", round=job.round) == 0:
            raise NothingToDo(f"round {job.round} has no diagnosed failure yet. Diagnose failures first.")
        store.to_parquet("examples_to_assign", job.folder / "examples.parquet")
        known = {row["kind"]: row["error_type"] for row in store.rows("kind_error_types")}
        (job.folder / "kinds.json").write_text(json.dumps(known), encoding="utf-8")
        checkpoints.take_along(checkpoints.find(store), job.folder)
        return [{"key": KEY}]

    def estimate(self, store: Store, workspace: Workspace, options: Options) -> Estimate:
        failures = store.rows("failures_to_cluster", round=checkpoints.current_round(store))
        types = len({row["error_type"] for row in failures})
        probe = [_title_request("0", failures[0]["error_type"], failures)] if failures else []
        calls, low, high = open_client(options, workspace).estimate(probe, types)
        return Estimate(rows=len(failures), calls=calls, usd=None if low is None else (low, high))

    def collect(self, write: Write, job: Job, results: list[Result]) -> None:
        for result in results:
            found = result["clusters"]
            rows = [{"round": job.round, "job_id": job.job_id, **cluster} for cluster in found]
            write.insert("cluster", rows)
            ids = {row["name"]: row["cluster_id"] for row in write.run("clusters_of_job", job_id=job.job_id)}
            write.touch_failures()  # places and assignments change: all of failure_state follows
            write.run("places_clear", round=job.round)
            write.run("assignments_clear", round=job.round)
            places = pq.read_table(job.folder / "places.parquet").to_pylist()
            write.insert("place", [{**p, "cluster_id": ids[p["cluster_id"]], "job_id": job.job_id} for p in places], replace=True)
            assigned = pq.read_table(job.folder / "assignments.parquet").to_pylist()
            shared = {"round": job.round, "job_id": job.job_id}
            write.insert("assignment", [{**a, "cluster_id": ids.get(a["cluster_id"]), **shared} for a in assigned], replace=True)

    def finish(self, store: Store, workspace: Workspace, job: Job) -> str | None:
        return None

    def setup(self, context: Context) -> None:
        self.context, self.options = context, context.options
        self.images = ImageStore(context.workspace.images)
        checkpoint = checkpoints.taken_along(context.folder)
        known = checkpoint.baseline in BASELINES.names()  # not so where its answers were imported
        tower = {"baseline": checkpoint.baseline, "model": checkpoint.model} if known else {}
        self.text_embedder, self.image_embedder = EMBEDDERS.make("minilm"), EMBEDDERS.make("vision_tower", tower)
        self.client = open_client(context.options, context.workspace)

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        folder = self.context.folder
        failures = pq.read_table(folder / "failures.parquet").to_pylist()
        examples = pq.read_table(folder / "examples.parquet").to_pylist()
        self._say(f"reading {len(failures):,} failures and {len(examples):,} examples")
        types = [row["error_type"] for row in failures]
        weights = (self.options.text_weight, self.options.image_weight)
        texts, pictures = self._vectors(failures)
        labels = clusters.group(types, texts, pictures, weights, self.options.min_size, self.options.seed)
        self._say(f"{labels.max() + 1} clusters; laying the map")
        space = clusters.Space.fit(texts, pictures, weights)
        vectors = space.of(texts, pictures)
        places = clusters.layout(vectors, self.options.seed, types)
        centres = np.stack([vectors[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
        distances = np.linalg.norm(vectors - centres[labels], axis=1)
        _write(folder / "places.parquet", [
            {"failure_id": row["failure_id"], "cluster_id": str(label), "x": float(x), "y": float(y), "distance": float(distance)}
            for row, label, (x, y), distance in zip(failures, labels, places, distances)
        ])  # fmt: skip
        kinds = json.loads((folder / "kinds.json").read_text(encoding="utf-8"))
        other_types = [error_types.of_kind(row["kind"]) or kinds.get(row["kind"]) or row["error_type"] for row in examples]
        self._say("assigning the examples to clusters")
        nearest = clusters.nearest_centre(vectors, labels, types, space.of(*self._vectors(examples)), other_types)
        type_of = {int(label): name for label, name in zip(labels, types)}
        _write(folder / "assignments.parquet", [
            {"example_id": row["example_id"], "error_type": other or type_of[int(label)], "cluster_id": str(label) if label >= 0 else None}
            for row, other, label in zip(examples, other_types, nearest)
        ])  # fmt: skip
        yield {"key": KEY, "clusters": self._titled(failures, labels)}

    def _vectors(self, rows: list[Row]) -> tuple[np.ndarray, np.ndarray]:
        paths = [str(self.images.path(row["image"])) for row in rows]
        return self.text_embedder.embed([row["question"] for row in rows]), self.image_embedder.embed(paths)

    def _titled(self, failures: list[Row], labels: np.ndarray) -> list[dict]:
        """The clusters with their titles; where the frontier model gives none, the commonest faulty reasoning stands in."""
        members = {str(label): [f for f, own in zip(failures, labels) if own == label] for label in range(labels.max() + 1)}
        requests = [_title_request(name, group[0]["error_type"], group) for name, group in members.items()]
        titles = {o.key: o.parsed.title for o in self.client.ask_all(requests, self.context.should_stop) if o.parsed is not None}
        return [
            {"name": name, "error_type": group[0]["error_type"], "title": titles.get(name) or _commonest(group)}
            for name, group in members.items()
        ]

    def _say(self, text: str) -> None:
        self.context.report({"event": "message", "text": text})


def _title_request(name: str, error_type: str, members: list[Row]) -> Request:
    """The request for a title, from members spread over the group."""
    chosen = members[:: max(1, len(members) // MEMBERS_IN_PROMPT)][:MEMBERS_IN_PROMPT]
    lines = (f"{m['question']} | {m['golds'][0]} | {m['answer']} | {m['faulty_reasoning']}" for m in chosen)
    prompt = render("title", error_type=error_type, members="\n".join(lines))
    return Request(name, "title", prompt.system, prompt.user, (), ClusterTitle, 0, prompt.version)


def _commonest(group: list[Row]) -> str:
    return Counter(row["faulty_reasoning"] for row in group).most_common(1)[0][0]


def _write(path, rows: list[dict]) -> None:
    import pyarrow as pa

    pq.write_table(pa.Table.from_pylist(rows), path)
