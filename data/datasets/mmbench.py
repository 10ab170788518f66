"""Tables of VLMEvalKit, as MMBench and others come: separated by tabs, the pictures in base64 in the cells.

index	question	hint	A	B	C	D	answer	category	image	split
241	Identify the question that…	The passage below…	Will a bottle…	Will…			A	identity_reasoning	/9j/4AAQSk…	dev

An `image` that is another row's index means that row's picture. Rows from a million on are the same questions with their options moved
round; circular evaluation (metric mmbench_circular) makes these itself and leaves them out.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.datasets._cells import SHORTEST_BASE64
from data.datasets._lists import ListOptions, Row
from data.datasets._reading import LeftOut, benchmark, described, identifier
from data.datasets._source import Source
from data.datasets._table import TableFormat
from data.json_text import BadFile
from data.records import Dataset, SourceExample, Split

MOVED = 1_000_000  # the index of a question with its options moved round is this much larger, or a multiple of it
COLUMNS = "the columns index, question and image, as VLMEvalKit writes MMBench and others"
ROTATED = "options moved round: circular evaluation asks these itself"


class Mmbench(TableFormat):
    """Questions with pictures in base64 in a table separated by tabs; with columns A, B, … they are scored as MMBench."""

    class Options(ListOptions):
        pass

    format, rank = "mmbench", 1
    endings = (".tsv",)
    expected = "a tab-separated file"
    delimiters = ("\t",)

    @classmethod
    def recognise(cls, source: Source) -> str | None:
        found = [path for path in source.ending(*cls.endings) if cls._is_one(path)]
        return f"{', '.join(map(source.named, found[:6]))}: a table separated by tabs with {COLUMNS}" if found else None

    @classmethod
    def _is_one(cls, path: Path) -> bool:
        try:
            columns = set(cls(cls.Options(path=path)).columns(path))
        except BadFile:
            return False
        return {"index", "question", "image"} <= columns

    def about(self) -> Dataset:
        usual = super().about()
        if self.options.metric or not self._lettered():
            return usual
        return described(self.options, benchmark(usual.name, usual.title, self.format, "mmbench", usual.source, ""))

    def _lettered(self) -> bool:
        try:
            return any(", " in self.mapped(tuple(self.columns(path))).get("choices", "") for path in self.files())
        except BadFile:
            return False

    def rows(self, path: Path) -> Iterator[Row]:
        """The rows, each with its own picture: cells that name another row have its content in their place."""
        with tempfile.TemporaryFile() as kept:
            places = self._named_by_others(path, kept)
            for source, row in super().rows(path):
                if isinstance(row, dict) and (image := _image(row)) and (place := places.get(image)) is not None:
                    kept.seek(place[0])
                    row = row | {"image": kept.read(place[1]).decode()}
                yield source, row

    def _named_by_others(self, path: Path, kept: Any) -> dict[str, tuple[int, int]]:
        """Where in a file the pictures lie that other rows name: (start, length) by index. They are not kept in memory."""
        named = {
            image for _, row in super().rows(path) if isinstance(row, dict) and (image := _image(row)) and len(image) < SHORTEST_BASE64
        }
        places: dict[str, tuple[int, int]] = {}
        if not named:
            return places
        for _, row in super().rows(path):
            if isinstance(row, dict) and (index := _index(row)) in named and (image := _image(row)) and len(image) >= SHORTEST_BASE64:
                content = image.encode(errors="surrogateescape")
                places[index] = kept.tell(), len(content)
                kept.write(content)
        return places

    def example(self, fields: dict[str, Any], split: Split, number: str, place: int) -> SourceExample:
        circular = self.about_once.metric == "mmbench_circular"
        if circular and "id" in fields and identifier(fields, "id").isdecimal() and int(identifier(fields, "id")) >= MOVED:
            raise LeftOut(ROTATED)
        return super().example(fields, "eval" if split == "dev" else split, number, place)  # MMBench's dev has answers, its test has none


def _index(row: dict[str, Any]) -> str:
    return identifier(row, "index") if row.get("index") is not None else ""


def _image(row: dict[str, Any]) -> str | None:
    image = row.get("image")
    return image if isinstance(image, str) else None
