"""Embeddings that were computed once stay in the workspace: a new map, or a new failure, needs only those that are new.

`<workspace>/vectors/<embedder>/` holds keys.u8 (8 bytes a vector: the beginning of the SHA-256 of what was embedded) and values.f2
(float16: embeddings of length 1 need no more), both only appended to. A torn end, after a crash, is cut at the next append.
"""

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from data.workspace import Workspace

MIB = 2**20
AT_ONCE = 2_048  # items embedded between two writes: enough of each length to share a batch


class EmbeddingCache:
    """The vectors of one embedder in a workspace. `identity` is what its vectors depend on; other weights get another folder."""

    def __init__(self, workspace: Workspace, name: str, identity: str):
        self.folder = workspace.root / "vectors" / f"{name}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "about.json").write_text(json.dumps({"embedder": name, "of": identity}), encoding="utf-8")

    def of(
        self, items: Sequence[str], embed: Callable[[list[int]], np.ndarray], progress: Callable[[int, int], None] = lambda done, all_: None
    ) -> np.ndarray:
        """The vectors (n, d) float32 of items (a question's text, a picture's hash).

        `embed` gets the positions of items that have none yet, each item once, and returns their vectors; `progress` is told how
        many of them are done.
        """
        keys = np.array([_key(item) for item in items], np.uint64)
        known = self._known()
        distinct, first = np.unique(keys, return_index=True)
        missing = np.sort(first[~np.isin(distinct, known)])
        for start in range(0, len(missing), AT_ONCE):
            portion = missing[start : start + AT_ONCE]
            self._append(keys[portion], embed(portion.tolist()))
            progress(min(start + AT_ONCE, len(missing)), len(missing))
        if not len(items):
            return np.zeros((0, self._dimensions() or 1), np.float32)
        known, values = self._known(), self._values()
        order = np.argsort(known, kind="stable")
        rows = order[np.searchsorted(known[order], keys)]
        return values[rows].astype(np.float32)

    def _dimensions(self) -> int | None:
        path = self.folder / "dimensions"
        return int(path.read_text()) if path.exists() else None

    def _count(self) -> int:
        """Whole vectors: a key whose values were not written any more doesn't count, nor the reverse."""
        dimensions = self._dimensions()
        return 0 if dimensions is None else min(_size(self._keys_path) // 8, _size(self._values_path) // (2 * dimensions))

    def _known(self) -> np.ndarray:
        count = self._count()
        return np.fromfile(self._keys_path, np.uint64, count) if count else np.zeros(0, np.uint64)

    def _values(self) -> np.ndarray:
        return np.memmap(self._values_path, np.float16, "r", shape=(self._count(), self._dimensions() or 1))

    def _append(self, keys: np.ndarray, vectors: np.ndarray) -> None:
        with self._alone():
            if self._dimensions() is None:
                (self.folder / "dimensions").write_text(str(vectors.shape[1]))
            count = self._count()
            for path, width, values in (
                (self._values_path, 2 * vectors.shape[1], vectors.astype(np.float16)),
                (self._keys_path, 8, keys),
            ):
                with path.open("ab") as file:
                    file.truncate(count * width)
                    file.write(np.ascontiguousarray(values).tobytes())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One job at a time appends."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @property
    def _keys_path(self) -> Path:
        return self.folder / "keys.u8"

    @property
    def _values_path(self) -> Path:
        return self.folder / "values.f2"


def weights_of(folder: Path) -> str:
    """What tells weights in a folder from others: name, size, and a hash of beginning and end of each file; "" if there is no folder."""
    marks = []
    for path in sorted(folder.glob("*.safetensors")) if folder.is_dir() else []:
        size = path.stat().st_size
        with path.open("rb") as file:
            ends = file.read(MIB)
            file.seek(max(0, size - MIB))
            ends += file.read()
        marks.append(f"{path.name}:{size}:{hashlib.sha256(ends).hexdigest()[:16]}")
    return " ".join(marks)


def _key(item: str) -> int:
    return int.from_bytes(hashlib.sha256(item.encode("utf-8", "surrogatepass")).digest()[:8], "little")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
