"""Where the failures and examples of a map lie in the space that they were compared in, kept beside the job that laid it.

`<job>/space/` holds two pairs of arrays, failures.ids.npy with failures.points.npy and examples.*: ids ascending (n,), points (n, d)
float32. They are read where they lie: only the rows that are asked for come into memory.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curation.clusters.edits import layouts
from data.store import Store
from data.workspace import Workspace

FOLDER = "space"


class PointsWriter:
    """Writes one pair of arrays in portions, for more points than should be in memory at once."""

    def __init__(self, job_folder: Path, what: str, count: int, dimensions: int):
        folder = job_folder / FOLDER
        folder.mkdir(exist_ok=True)
        self._ids = np.lib.format.open_memmap(folder / f"{what}.ids.npy", "w+", np.int64, (count,))
        self._points = np.lib.format.open_memmap(folder / f"{what}.points.npy", "w+", np.float32, (count, dimensions))
        self._done = 0

    def add(self, ids: np.ndarray, points: np.ndarray) -> None:
        """The next ids, ascending, and their points."""
        rows = slice(self._done, self._done + len(ids))
        self._ids[rows], self._points[rows] = ids, points
        self._done += len(ids)

    def close(self) -> None:
        self._ids.flush()
        self._points.flush()


@dataclass(frozen=True)
class StoredSpace:
    """The spaces of a map: that of the job that laid it, then those of jobs that only added failures to it."""

    folders: tuple[Path, ...]

    @classmethod
    def of_round(cls, store: Store, workspace: Workspace, round_: int) -> "StoredSpace":
        """The space of a round's map; empty where its job left none."""
        jobs: list[int] = []
        for job in layouts(store, round_):
            jobs = [*jobs, job.job_id] if job.adds else [job.job_id]
        return cls.of_jobs(workspace.job(job_id) for job_id in jobs)

    def forget_others(self, store: Store, workspace: Workspace, round_: int) -> None:
        """Takes away what earlier maps of the round kept: hundreds of megabytes at 100,000 failures, and nothing reads it any more."""
        for job in layouts(store, round_):
            folder = workspace.job(job.job_id) / FOLDER
            if folder not in self.folders:
                shutil.rmtree(folder, ignore_errors=True)

    @classmethod
    def of_jobs(cls, folders: Iterable[Path]) -> "StoredSpace":
        return cls(tuple(folder / FOLDER for folder in folders if (folder / FOLDER / "failures.ids.npy").exists()))

    def failures(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Those of the ids that have a point, ascending, and their points (n, d)."""
        return self._find("failures", ids)

    def examples(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same for examples."""
        return self._find("examples", ids)

    def all_failures(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Ids and points of every failure, a folder at a time; read where they lie."""
        for folder in self.folders:
            yield np.load(folder / "failures.ids.npy", mmap_mode="r"), np.load(folder / "failures.points.npy", mmap_mode="r")

    def _find(self, what: str, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        wanted = np.unique(np.asarray(wanted, np.int64))
        id_parts, point_parts = [np.zeros(0, np.int64)], []
        for folder in self.folders:
            if not (folder / f"{what}.ids.npy").exists():
                continue
            ids = np.load(folder / f"{what}.ids.npy", mmap_mode="r")
            points = np.load(folder / f"{what}.points.npy", mmap_mode="r")
            _, _, rows = np.intersect1d(wanted, ids, assume_unique=True, return_indices=True)
            id_parts.append(np.asarray(ids[rows]))
            point_parts.append(np.asarray(points[rows]))
        if not point_parts:
            return id_parts[0], np.zeros((0, 1), np.float32)
        ids, points = np.concatenate(id_parts), np.concatenate(point_parts)
        order = np.argsort(ids, kind="stable")
        return ids[order], points[order]
