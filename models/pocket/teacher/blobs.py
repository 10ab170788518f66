"""Connected parts of a mask, by runs of pixels in rows. As scipy.ndimage.label, whose import takes longer than all else here."""

import numpy as np


def label(mask: np.ndarray, diagonal: bool = False) -> tuple[np.ndarray, int]:
    """Number the connected parts of a boolean mask (h, w) from 1, in reading order; 0 is outside. Corners touch if `diagonal`."""
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = (column.tolist() for column in np.nonzero(edges == 1))
    ends = np.nonzero(edges == -1)[1].tolist()
    parents = list(range(len(rows)))
    first = 0  # of the runs of the row above that may still touch
    for run, (row, start, end) in enumerate(zip(rows, starts, ends)):
        while rows[first] < row - 1 or (rows[first] == row - 1 and ends[first] + diagonal <= start):
            first += 1
        above = first
        while above < run and rows[above] == row - 1 and starts[above] < end + diagonal:
            one, other = _root(parents, above), _root(parents, run)
            parents[max(one, other)] = min(one, other)
            above += 1
    labels = np.zeros(mask.shape, dtype=np.int32)
    numbers: dict[int, int] = {}
    for run, (row, start, end) in enumerate(zip(rows, starts, ends)):
        labels[row, start:end] = numbers.setdefault(_root(parents, run), len(numbers) + 1)
    return labels, len(numbers)


def box(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the smallest box around a mask that isn't empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _root(parents: list[int], run: int) -> int:
    while parents[run] != run:
        parents[run] = parents[parents[run]]
        run = parents[run]
    return run
