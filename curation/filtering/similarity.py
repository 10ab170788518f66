"""Near duplicates of a picture and its question; shared by `duplicate` and `leakage`.

Perceptual hashes find the candidates; small colour thumbnails decide. A hash alone sees light and dark, and takes
two drawings of the same layout for one. Measured in docs/log.md, "Near pictures" and "Leakage and duplicate at full size".
Nothing within the radius is missed: faiss compares a hash with all others, several thousand million pairs a second.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from PIL import Image
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from curation.filtering.base import FilterInput, picture_of
from data.images import BadImage, ImageStore, phash

GRID = 8  # a thumbnail has GRID x GRID blocks
BLOCKS = GRID * GRID
HASH_BITS = 64
TextsAlike = Callable[[list[FilterInput], np.ndarray], np.ndarray]  # m samples and n rows to (m, n) similarities
FIRST_WORD = 0xE000  # beyond the surrogates: words are coded as characters from this one on


class Hashes:
    """Finds the perceptual hashes that differ from a given one in at most `radius` bits."""

    def __init__(self, hashes: np.ndarray, radius: int) -> None:
        """`hashes`: (n,) uint64."""
        import faiss

        self.radius = radius
        self.index = faiss.IndexBinaryFlat(HASH_BITS)
        self.index.add(_bytes(hashes))

    def near(self, values: np.ndarray) -> list[np.ndarray]:
        """For each of (m,) uint64 values the positions of the hashes within the radius, ascending."""
        if not len(values):
            return []
        bounds, _, places = self.index.range_search(_bytes(values), self.radius + 1)  # below, not at most
        return [np.sort(places[start:end]) for start, end in zip(bounds[:-1].astype(int), bounds[1:].astype(int))]


def _bytes(hashes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(hashes, np.uint64).view(np.uint8).reshape(-1, HASH_BITS // 8)


class Thumbnails:
    """Thumbnails of a list of stored pictures, each made when it is first looked at: 192 bytes."""

    def __init__(self, root: Path, images: Sequence[str]) -> None:
        self.store, self.images = ImageStore(root), images
        self.made = np.zeros((len(images), BLOCKS, 3), np.uint8)
        self.known = np.zeros(len(images), bool)

    def of(self, image: str) -> np.ndarray:
        """(BLOCKS, 3) uint8. Raises BadImage, FileNotFoundError."""
        small = self.store.open(image).resize((GRID, GRID), Image.Resampling.BILINEAR)
        return np.asarray(small).reshape(BLOCKS, 3)

    def at(self, places: np.ndarray) -> np.ndarray:
        """(n, BLOCKS, 3) uint8 of the pictures at these places of the list."""
        for place in places[~self.known[places]].tolist():
            self.made[place] = self.of(self.images[place])
            self.known[place] = True
        return self.made[places]


def most_alike(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """An upper bound of `thumbnails_alike`, (n,): no levelling can bring the largest difference below half of the differences' range."""
    differences = one.astype(np.int16) - others
    return 1 - (differences.max(axis=1) - differences.min(axis=1)).max(axis=1) / 510


def thumbnails_alike(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """1 minus the largest difference of any block in any channel, after levelling the brightness. (BLOCKS, 3) and (n, BLOCKS, 3) uint8."""
    differences = (one.astype(np.float32) - others) / 255
    differences -= np.median(differences, axis=1, keepdims=True)
    return np.maximum(0, 1 - np.abs(differences).max(axis=(1, 2)))


@dataclass(frozen=True)
class Nearest:
    """The row of a catalogue that is most similar to a sample (-1: none is), both similarities, and whether the picture is identical."""

    score: float = 0.0
    row: int = -1
    picture: float = 0.0
    text: float = 0.0
    same_picture: bool = False


class Catalogue:
    """Rows of a Parquet file with `image`, `phash` and `question`, searched by their pictures. Rows without a picture are left out."""

    def __init__(self, parquet: Path, columns: Sequence[str], root: Path, radius: int) -> None:
        table = pq.read_table(parquet, columns=["image", "phash", "question", *columns])
        table = table.filter(pc.is_valid(table["image"])).combine_chunks()
        self.table = table.select(columns)
        coded = dictionary(table["image"])
        self.images: list[str] = coded.dictionary.to_pylist()
        self.place_of = {image: i for i, image in enumerate(self.images)}
        self.picture_of = coded.indices.to_numpy()
        self.order = np.argsort(self.picture_of, kind="stable")
        self.bounds = np.searchsorted(self.picture_of[self.order], np.arange(len(self.images) + 1))
        self.questions = Texts(table["question"], Words().coded)
        known = pc.is_valid(table["phash"]).to_numpy(zero_copy_only=False)
        values = np.zeros(len(self.images), np.uint64)
        values[self.picture_of[known]] = table["phash"].drop_null().to_numpy()
        self.hashed = np.unique(self.picture_of[known])  # pictures that have a hash; the others match by their bytes alone
        self.hashes = Hashes(values[self.hashed], radius)
        self.thumbnails = Thumbnails(root, self.images)

    def most_alike(self, batch: Sequence[FilterInput], texts_alike: TextsAlike) -> Iterator[tuple[FilterInput, Nearest | Exception]]:
        """For each sample the row of the largest min(likeness of picture, of text); the error where a picture can't be used.

        Samples of one picture are worked on together: `texts_alike` gets m of them and n rows (positions) and gives (m, n) likenesses.
        """
        by_picture: dict[str, list[FilterInput]] = {}
        hashes = []
        for item in batch:
            try:
                image = picture_of(item)
                group = by_picture.setdefault(image, [])
                if not group:
                    hashes.append(item.phash if item.phash is not None else phash(self.thumbnails.store.open(image)))
                group.append(item)
            except (BadImage, FileNotFoundError) as error:
                yield item, error
        by_picture = {image: group for image, group in by_picture.items() if group}
        for (image, group), near in zip(by_picture.items(), self.hashes.near(np.array(hashes, np.uint64))):
            try:
                yield from zip(group, self._most_alike(image, group, self.hashed[near], texts_alike))
            except (BadImage, FileNotFoundError) as error:
                yield from ((item, error) for item in group)

    def _most_alike(self, image: str, group: list[FilterInput], near: np.ndarray, texts_alike: TextsAlike) -> list[Nearest]:
        own = self.place_of.get(image, -1)
        near = near[near != own]
        places = np.concatenate([[own], near]) if own >= 0 else near
        if not len(places):
            return [Nearest()] * len(group)
        counts = self.bounds[places + 1] - self.bounds[places]
        starts = np.cumsum(counts) - counts
        rows = np.concatenate([self.order[self.bounds[place] : self.bounds[place + 1]] for place in places.tolist()])
        text = texts_alike(group, rows)
        highest = np.maximum.reduceat(text, starts, axis=1)  # a picture's best text, for each sample
        pictures = np.zeros(len(places))
        best = np.zeros(len(group))
        if own >= 0:
            pictures[0], best = 1.0, highest[:, 0]
        if (open_ := np.flatnonzero((highest > best[:, None]).any(axis=0))).size:
            thumbnails, others = self.thumbnails.of(image), self.thumbnails.at(places[open_])
            bound = most_alike(thumbnails, others)
            near_enough = (np.minimum(highest[:, open_], bound) > best[:, None]).any(axis=0)
            pictures[open_[near_enough]] = thumbnails_alike(thumbnails, others[near_enough])
        scores = np.minimum(highest, pictures)
        return [
            self._nearest(float(scores[i, k]), rows, text[i], int(starts[k]), int(counts[k]), float(pictures[k]), own >= 0 and k == 0)
            for i, k in enumerate(scores.argmax(axis=1).tolist())
        ]

    @staticmethod
    def _nearest(score: float, rows: np.ndarray, text: np.ndarray, start: int, count: int, picture: float, same_picture: bool) -> Nearest:
        """The row of the best text, among the `count` rows from `start` on that have the best picture. `text`: similarities to all rows."""
        if score <= 0:
            return Nearest()
        column = start + int(text[start : start + count].argmax())
        return Nearest(score, int(rows[column]), picture, float(text[column]), same_picture)

    def value(self, row: int, column: str) -> Any:
        return self.table[column][row].as_py()


class Texts:
    """The texts of a column, coded for comparison; equal ones are compared once."""

    def __init__(self, column: pa.ChunkedArray, code: Callable[[str], str]) -> None:
        coded = dictionary(column)
        self.code = code
        self.of_row = coded.indices.to_numpy()
        self.plain: list[str] = coded.dictionary.to_pylist()
        self.coded = np.array([code(text) for text in self.plain] or [""], object)

    def alike(self, texts: Sequence[str], rows: np.ndarray) -> np.ndarray:
        """Normalised Levenshtein similarity of m texts to those of n rows, (m, n), 0 to 1."""
        distinct, back = np.unique(self.of_row[rows], return_inverse=True)
        asked = list(map(self.code, texts))
        return process.cdist(asked, self.coded[distinct].tolist(), scorer=Levenshtein.normalized_similarity, dtype=np.float64)[:, back]

    def __getitem__(self, row: int) -> str:
        return self.plain[self.of_row[row]]


class Words:
    """Questions as strings with one character a word, so that the library's edit distance of characters is one of words."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}

    def coded(self, text: str) -> str:
        return "".join(self.codes.get(word) or self.codes.setdefault(word, chr(FIRST_WORD + len(self.codes))) for word in words(text))


def dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """A column's distinct values, and for each row the position of its own."""
    return pa.chunked_array([column.combine_chunks()], column.type).combine_chunks().dictionary_encode()


def words(text: str) -> list[str]:
    """The words of a question as they are compared: lower case, without punctuation."""
    return re.findall(r"\w+", text.lower())


def question_similarity(one: list[str], other: list[str]) -> float:
    """1 minus the word-wise edit distance over the longer length: a single "not" or another colour counts as a whole word."""
    return Levenshtein.normalized_similarity(one, other)
