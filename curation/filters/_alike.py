"""Is there a picture and a question like these? Shared by `duplicate` and `leakage`.

Perceptual hashes find the candidates; small colour thumbnails decide. A hash alone sees light and dark, and takes
two drawings of the same layout for one. Measured in docs/log.md, "Near pictures".
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from PIL import Image
from rapidfuzz.distance import Levenshtein

from curation.filters._base import FilterInput, picture_of
from data.images import ImageStore, phash

GRID = 8  # a thumbnail has GRID x GRID blocks
HASH_BITS = 64


class Neighbours:
    """Finds the hashes within `radius` bits of a given one without comparing all.

    The 64 bits are cut into radius + 1 bands: two hashes that differ in at most `radius` bits are equal in one
    band at least (Manku et al. 2007, "Detecting near-duplicates for web crawling").
    """

    def __init__(self, hashes: np.ndarray, radius: int) -> None:
        """`hashes`: (n,) uint64."""
        self.hashes, self.radius = hashes, radius
        edges = np.linspace(0, HASH_BITS, radius + 2).astype(int)
        self.bands = [(np.uint64(low), np.uint64((1 << (high - low)) - 1)) for low, high in pairwise(edges)]
        self.orders = [np.argsort(self._cut(hashes, band), kind="stable") for band in self.bands]
        self.sorted = [self._cut(hashes, band)[order] for band, order in zip(self.bands, self.orders)]

    def near(self, value: int) -> np.ndarray:
        """Positions of the hashes within the radius, ascending."""
        hash_ = np.uint64(value)
        found = []
        for band, order, keys in zip(self.bands, self.orders, self.sorted):
            key = self._cut(hash_, band)
            found.append(order[np.searchsorted(keys, key, "left") : np.searchsorted(keys, key, "right")])
        candidates = np.unique(np.concatenate(found))
        return candidates[np.bitwise_count(self.hashes[candidates] ^ hash_) <= self.radius]

    @staticmethod
    def _cut(hashes, band: tuple[np.uint64, np.uint64]):
        shift, mask = band
        return (hashes >> shift) & mask


class Pictures:
    """Thumbnails of stored pictures, each made once."""

    def __init__(self, root: Path) -> None:
        self.store = ImageStore(root)
        self.thumbnails: dict[str, np.ndarray] = {}

    def phash(self, image: str) -> int:
        return phash(self.store.open(image))

    def similarity(self, one: str, other: str) -> float:
        """1 minus the largest difference of any block in any channel, after levelling the brightness; 1 for the same bytes."""
        if one == other:
            return 1.0
        difference = self._thumbnail(one) - self._thumbnail(other)
        difference -= np.median(difference, axis=(0, 1))
        return max(0.0, 1.0 - float(np.abs(difference).max()))

    def _thumbnail(self, image: str) -> np.ndarray:
        """(GRID, GRID, 3) float32 from 0 to 1."""
        if image not in self.thumbnails:
            small = self.store.open(image).resize((GRID, GRID), Image.Resampling.BILINEAR)
            self.thumbnails[image] = np.asarray(small, dtype=np.float32) / 255
        return self.thumbnails[image]


class Catalogue:
    """Rows of a Parquet file with `image`, `phash` and `question`, found again by their pictures. Rows without a picture are left out."""

    def __init__(self, parquet: Path, columns: Sequence[str], root: Path, radius: int) -> None:
        table = pq.read_table(parquet, columns=["image", "phash", "question", *columns])
        table = table.filter(pc.and_(pc.is_valid(table["image"]), pc.is_valid(table["phash"]))).combine_chunks()
        self.table = table.select(["question", *columns])
        self.rows: dict[str, list[int]] = {}  # of each picture
        hashes = []
        for i, (image, value) in enumerate(zip(table["image"].to_pylist(), table["phash"].to_pylist())):
            if image not in self.rows:
                self.rows[image] = []
                hashes.append(value)
            self.rows[image].append(i)
        self.images = list(self.rows)
        self.neighbours = Neighbours(np.array(hashes, dtype=np.uint64), radius)
        self.pictures = Pictures(root)

    def like_picture_of(self, item: FilterInput) -> list[tuple[dict, str]]:
        """Rows whose picture is the item's or has a hash near its own, each with its picture's SHA-256; the item's own picture first."""
        image = picture_of(item)
        value = item.phash if item.phash is not None else self.pictures.phash(image)
        near = [self.images[i] for i in self.neighbours.near(value)]
        found = [(i, other) for other in dict.fromkeys([image, *near]) for i in self.rows.get(other, [])]
        rows = self.table.take([i for i, _ in found]).to_pylist() if found else []
        return [(row, other) for row, (_, other) in zip(rows, found)]


def words(text: str) -> list[str]:
    """The words of a question as they are compared: lower case, without punctuation."""
    return re.findall(r"\w+", text.lower())


def question_similarity(one: list[str], other: list[str]) -> float:
    """1 minus the word-wise edit distance over the longer length: a single "not" or another colour counts as a whole word."""
    return Levenshtein.normalized_similarity(one, other)
