"""The child's half of the stage cluster: vectors, groups, places, stability, titles; and new failures beside an old map.

Memory stays flat: raw embeddings of failures are reduced at once, those of examples a portion at a time, and no matrix is n by n.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation import checkpoints, taxonomy
from curation.clusters import titles
from curation.clusters.embedders import WorkspaceEmbedders
from curation.clusters.grouping import Principal, Space, centres_of, group, keys_of, nearest_centre
from curation.clusters.layout import Known, beside, layout
from curation.clusters.stability import stability
from curation.clusters.stored_space import FOLDER, PointsWriter, StoredSpace
from curation.clusters.titles import FoundCluster
from curation.prompts.templates import Prompts
from curation.stage import Context, Job, NothingLeft, NothingToDo
from data.errors import MistakebookError
from data.store import Store
from data.workspace import Workspace

NO_KIND = "\n"  # no name of a kind
PORTION = 8_192  # examples embedded and assigned at once


def select_new(store: Store, workspace: Workspace, job: Job) -> None:
    """Writes what is to be added to a map, and the map, into the job's folder. Raises NothingToDo."""
    if store.to_parquet("new_failures_to_cluster", job.folder / "failures.parquet", round=job.round) == 0:
        raise NothingLeft(f"every diagnosed failure of round {job.round} is on the map.")
    space = StoredSpace.of_round(store, workspace, job.round)
    if not space.folders or not (space.folders[0] / "basis.npz").exists():
        raise NothingToDo("the embeddings of this map are not stored: recompute the map; after that, new failures can be added to it.")
    store.to_parquet("places_to_extend", job.folder / "map.parquet", round=job.round)
    store.to_parquet("new_examples_to_assign", job.folder / "examples.parquet", round=job.round)
    (job.folder / "spaces.json").write_text(json.dumps([folder.parent.name for folder in space.folders]), encoding="utf-8")


@dataclass(frozen=True)
class _Owner:
    """The cluster of a centre: what all its failures have, and its name in the job's files."""

    error_type: str
    kind: str | None
    name: str

    @classmethod
    def of(cls, key: str, name: str) -> "_Owner":
        """From a key of `keys_of`."""
        error_type, _, kind = key.partition("\n")
        return cls(error_type, kind or None, name)


class Stopped(MistakebookError):
    """Asked to stop; what was embedded is kept."""


class MapWork:
    """What one launch does. `lay` and `add` return the clusters that they made. Both raise Stopped."""

    def __init__(self, context: Context, client: Any):
        self.context, self.options, self.client = context, context.options, client
        self.embedders = WorkspaceEmbedders(context.workspace, checkpoints.read_from_folder(context.folder), self._say)
        self.taxonomy = taxonomy.read_from_folder(context.folder)
        self.kinds = json.loads((context.folder / "kinds.json").read_text(encoding="utf-8"))

    def lay(self) -> list[FoundCluster]:
        """The whole map anew."""
        folder, options = self.context.folder, self.options
        failures = pq.read_table(folder / "failures.parquet")
        types = np.array(failures["error_type"].to_pylist(), dtype=object)
        texts, pictures = self._vectors(failures)
        bases = Principal.fit(texts), Principal.fit(pictures)
        texts, pictures = bases[0].of(texts), bases[1].of(pictures)
        weights = (options.text_weight, options.image_weight)
        space = Space.fit(texts, pictures, weights)
        vectors = space.of(texts, pictures)
        self._keep(failures["failure_id"].to_numpy(), vectors, bases, space)
        self._say(f"grouping {len(failures):,} failures")
        keys = keys_of(types.tolist(), failures["named"].to_pylist(), options.min_size)
        labels = group(keys, texts, pictures, weights, options.min_size, options.seed)
        centres = centres_of(vectors, labels)
        self._say(f"{len(centres)} clusters; computing the map")
        places = layout(vectors, options.seed, keys)
        distances = np.sqrt(((vectors - centres[labels]) ** 2).sum(axis=1))
        self._write_places(failures["failure_id"], places, distances, [str(label) for label in labels])
        owner = {int(label): key for label, key in zip(labels, keys)}
        owners = [_Owner.of(owner[i], str(i)) for i in range(len(centres))]
        self._assign(bases, space, centres, owners)
        self._say("resampling the failures to measure cluster stability")
        stable = None
        if options.resamples:
            args = (keys, labels, texts, pictures, weights, options.min_size, options.seed, options.resamples)
            stable = stability(*args, self.context.should_stop)
        self._say(f"requesting {len(centres)} titles")
        prompts = Prompts.of_job(self.context.folder)
        clusters = titles.titled(
            self.client, failures, vectors, labels, centres, self.context.should_stop, prompts, [owner.kind for owner in owners]
        )
        if stable is not None:
            measured = zip(clusters, stable.mean.tolist(), stable.dissolved.tolist())
            clusters = [_measured(cluster, mean, dissolved) for cluster, mean, dissolved in measured]
        self._say(f"{len(clusters)} clusters")
        return clusters

    def add(self) -> list[FoundCluster]:
        """New failures beside the old ones."""
        folder = self.context.folder
        failures, old = pq.read_table(folder / "failures.parquet"), pq.read_table(folder / "map.parquet")
        jobs = json.loads((folder / "spaces.json").read_text(encoding="utf-8"))
        stored = StoredSpace.of_jobs(self.context.workspace.job(int(job_id)) for job_id in jobs)
        check_embedders(stored, self.embedders.names)
        bases, space = _basis(stored)
        vectors = space.of(*(basis.of(block) for basis, block in zip(bases, self._vectors(failures))))
        self._keep(failures["failure_id"].to_numpy(), vectors, bases, space)
        ids, clusters = old["failure_id"].to_numpy(), old["cluster_id"].to_numpy()
        theirs = _keys(old["error_type"].to_pylist(), old["cluster_kind"].to_pylist())
        known = Known(np.stack([old["x"].to_numpy(), old["y"].to_numpy()], axis=1), np.array(theirs, object), clusters)
        self._say(f"placing {len(failures):,} failures among {len(ids):,}")
        types = _keys_on_the_map(failures, old)
        places, assigned = beside(known, _rows_of(stored, ids), vectors, types)
        names, index = np.unique(clusters, return_inverse=True)
        sums, counts = np.zeros((len(names), vectors.shape[1])), np.zeros(len(names))
        for rows, points in _rows_of(stored, ids):
            np.add.at(sums, index[rows], points)
            counts += np.bincount(index[rows], minlength=len(names))
        centres = (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
        distances = np.sqrt(((vectors - centres[np.searchsorted(names, assigned)]) ** 2).sum(axis=1))
        self._write_places(failures["failure_id"], places, distances, [f"#{cluster}" for cluster in assigned])
        owner = dict(zip(clusters.tolist(), _keys(old["cluster_type"].to_pylist(), old["cluster_kind"].to_pylist())))
        self._assign(bases, space, centres, [_Owner.of(owner[int(c)], f"#{c}") for c in names])
        return []

    def _assign(self, bases: tuple[Principal, Principal], space: Space, centres: np.ndarray, owners: list["_Owner"]) -> None:
        """The cluster of every example, a portion at a time; their points are kept. A named kind goes before the error type."""
        types, kinds = [owner.error_type for owner in owners], [owner.kind or NO_KIND for owner in owners]
        folder = self.context.folder
        file = pq.ParquetFile(folder / "examples.parquet")
        count = file.metadata.num_rows
        kept = PointsWriter(folder, "examples", count, centres.shape[1])
        schema = pa.schema([("example_id", pa.int64()), ("error_type", pa.string()), ("cluster", pa.string())])
        done = 0
        with pq.ParquetWriter(folder / "assignments.parquet", schema) as out:
            for batch in file.iter_batches(PORTION):
                examples = pa.Table.from_batches([batch])
                points = space.of(*(basis.of(block) for basis, block in zip(bases, self._vectors(examples))))
                kept.add(examples["example_id"].to_numpy(), points)
                wanted = [
                    self.taxonomy.of_kind(kind) or self.kinds.get(kind) or own
                    for kind, own in zip(examples["kind"].to_pylist(), examples["error_type"].to_pylist())
                ]
                nearest = nearest_centre(centres, types, points, wanted)
                of_kind = nearest_centre(centres, kinds, points, [named or NO_KIND for named in examples["named"].to_pylist()])
                has_kind = np.array([bool(named) for named in examples["named"].to_pylist()]) & (of_kind >= 0)
                nearest = np.where(has_kind, of_kind, nearest)
                chosen_types = [types[label] if known else own or types[label] for own, label, known in zip(wanted, nearest, has_kind)]
                cluster = [owners[label].name if label >= 0 else None for label in nearest]
                out.write_table(pa.table({"example_id": examples["example_id"], "error_type": chosen_types, "cluster": cluster}, schema))
                done += len(examples)
                self._say(f"assigning the examples to clusters: {done:,} of {count:,}")
        kept.close()

    def _vectors(self, rows: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """Text and image vectors, (n, a) and (n, b)."""
        return self.embedders.of(rows["question"].to_pylist(), rows["image"].to_pylist())

    def _keep(self, ids: np.ndarray, vectors: np.ndarray, bases: tuple[Principal, Principal], space: Space) -> None:
        """The failures' points and what further ones are reduced by, in the job's folder."""
        folder = self.context.folder
        kept = PointsWriter(folder, "failures", len(ids), vectors.shape[1])
        kept.add(ids, vectors)
        kept.close()
        arrays = {"mean": [basis.mean for basis in bases], "axes": [basis.axes for basis in bases], "centre": space.means}
        flat: dict[str, Any] = {f"{name}{i}": array for name, pair in arrays.items() for i, array in enumerate(pair)}
        np.savez(folder / FOLDER / "basis.npz", scales=np.array(space.scales), **flat)
        (folder / FOLDER / "embedders.json").write_text(json.dumps(self.embedders.names), encoding="utf-8")

    def _write_places(self, ids: pa.ChunkedArray, places: np.ndarray, distances: np.ndarray, clusters: list[str]) -> None:
        columns = {"failure_id": ids, "cluster": clusters, "x": places[:, 0], "y": places[:, 1], "distance": distances.astype(np.float32)}
        pq.write_table(pa.table(columns), self.context.folder / "places.parquet")

    def _say(self, text: str) -> None:
        """Tells what is being done; the places where the work can be stopped."""
        if self.context.should_stop():
            raise Stopped
        self.context.report({"event": "message", "text": text})


def _keys(types: list[str], kinds: list[str | None]) -> list[str]:
    return [f"{name}\n{kind}" if kind else name for name, kind in zip(types, kinds)]


def _keys_on_the_map(failures: pa.Table, old: pa.Table) -> list[str]:
    """As `keys_of`, of new failures: a kind counts where the map has a cluster of it and of the failure's error type."""
    present = set(_keys(old["cluster_type"].to_pylist(), old["cluster_kind"].to_pylist()))
    types = failures["error_type"].to_pylist()
    return [key if key in present else name for key, name in zip(_keys(types, failures["named"].to_pylist()), types)]


def check_embedders(stored: StoredSpace, embedders: list[str]) -> None:
    """Raises ValueError where the map's vectors are of other weights: theirs and new ones can't be compared."""
    for folder in stored.folders:
        theirs = json.loads((folder / "embedders.json").read_text(encoding="utf-8"))
        if theirs != embedders:
            raise ValueError(
                f"the map has embeddings of {', '.join(theirs)}, the weights now are {', '.join(embedders)}: recompute the map"
            )


def _measured(cluster: FoundCluster, stability: float, dissolved: float) -> FoundCluster:
    """With its stability, where that came to a number."""
    return replace(cluster, stability=round(stability, 4), dissolved=round(dissolved, 4)) if math.isfinite(stability) else cluster


def _basis(stored: StoredSpace) -> tuple[tuple[Principal, Principal], Space]:
    """What the vectors of a map were reduced by."""
    kept = np.load(stored.folders[0] / "basis.npz")
    bases = Principal(kept["mean0"], kept["axes0"]), Principal(kept["mean1"], kept["axes1"])
    scales = kept["scales"].tolist()
    return bases, Space((kept["centre0"], kept["centre1"]), (scales[0], scales[1]))


def _rows_of(stored: StoredSpace, ids: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Which of the ids (ascending) the stored points stand for, and the points."""
    for failure_ids, points in stored.all_failures():
        _, rows, kept = np.intersect1d(ids, failure_ids, assume_unique=True, return_indices=True)
        yield rows, np.asarray(points[kept])
