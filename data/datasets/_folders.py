"""Benchmarks that come as official files: each format knows its own by what they hold, wherever they lie and whatever they are called."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from data.datasets._dev_split import mined_or_dev
from data.datasets._pictures import Pictures
from data.datasets._reading import (
    FolderOptions,
    Item,
    described,
    flawless,
    guarded,
    reading,
    unique,
)
from data.datasets._source import Source, none_found, split_word
from data.json_text import Peek, elements
from data.records import BadLine, Dataset, SourceExample, Split

Read = tuple[str, Any]  # file with line, item


class BenchmarkFolder:
    """A format says what the benchmark is (`usual`), which files are its (`claims`), how one is read (`items`) and what an item means.

    Options = FolderOptions, or a class below it.
    """

    usual: ClassVar[Dataset]
    expected: ClassVar[str]  # the official files, in words
    places: ClassVar[tuple[str, ...]] = ()  # folders of pictures
    test_has_answers: ClassVar[bool] = False  # then test is measured and val steers; else val is measured

    def __init__(self, options: FolderOptions) -> None:
        self.options = options
        self.source = Source(options.path)
        self.pictures = Pictures(options.images or self.source.root, self.places)
        self.on_row: Callable[[str, Any], None] | None = None  # as ListFormat's

    @classmethod
    def claims(cls, path: Path, seen: Peek) -> bool:
        """Whether a JSON file lists the benchmark's items, by what its beginning shows."""
        raise NotImplementedError

    def items(self, path: Path) -> Iterator[Read]:
        """(file and line, item) of a file. Raises BadFile."""
        return located(path, elements(path))

    def example(self, item: Any, official: str) -> SourceExample:
        """Raises Unusable, LeftOut."""
        raise NotImplementedError

    @classmethod
    def recognise(cls, source: Source) -> str | None:
        """Why a source is this benchmark; None if it isn't."""
        found = cls.found(source)
        return f"{', '.join(sorted({source.named(path) for _, path in found})[:6])}: {cls.expected}" if found else None

    @classmethod
    def found(cls, source: Source) -> list[tuple[str, Path]]:
        """(official split, file) of the benchmark's files, train first."""
        files = [path for path in source.ending(".json", ".jsonl") if cls.claims(path, source.peek(path))]
        order = ("train", "val", "dev", "testdev", "test")
        named = [(cls.official(source, path), path) for path in files]
        return sorted(named, key=lambda one: (order.index(one[0]) if one[0] in order else len(order), str(one[1])))

    @classmethod
    def official(cls, source: Source, path: Path) -> str:
        """The official split of a file: by its name, else by what stands in it; a file that tells none is val."""
        head = source.peek(path).head
        told = [head.get(name) for name in ("dataset_split", "dataset_type", "data_subtype", "split")]
        texts = [path.name, *(value for value in told if isinstance(value, str))]
        return next((split for text in texts if (split := split_word(text))), None) or source.official(path) or "val"

    def about(self) -> Dataset:
        return described(self.options, self.usual)

    def read(self) -> Iterator[Item]:
        return unique(self._all())

    def split(self, official: str, picture_name: str) -> Split:
        """train is mined, but for a share of its pictures where val is what is measured."""
        measured = self.test_has_answers and self.has_test
        if official == "train":
            return "train" if measured and "val" in self.officials else mined_or_dev(picture_name, self.options.dev_share)
        return "dev" if official == "dev" or (official == "val" and measured) else "eval"

    def _all(self) -> Iterator[tuple[str, Item]]:
        files = self.found(self.source)
        self.officials = {official for official, _ in files}
        self.has_test = bool(self.officials & {"test", "testdev"})
        if not files:
            yield (
                str(self.options.path),
                BadLine(str(self.options.path), str(none_found(self.source, f"file of {self.usual.title}", self.expected))),
            )
        places: Counter[str] = Counter()
        for official, path in files:
            count = 0  # of the file
            for read in reading(str(path), self.items(path)):
                if isinstance(read, BadLine):
                    yield read.source, read
                    continue
                count += 1
                if self.options.limit is not None and count > self.options.limit:
                    break
                source, item = read
                if self.on_row:
                    self.on_row(source, item)
                places[official] += 1
                yield source, guarded(source, partial(self._example, item, official, places[official] - 1))

    def _example(self, item: Any, official: str, place: int) -> SourceExample:
        return replace(self.example(flawless(item), official), position=place)


def located(path: Path, items: Iterator[tuple[int, Any]]) -> Iterator[Read]:
    """Elements with where they stand: file, line, and which of the list they are."""
    for number, (line, item) in enumerate(items, 1):
        yield f"{path}:{line}, item {number}", item
