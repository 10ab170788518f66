"""Benchmarks that come as official files in a folder: a list of items for train and one for val, which is what is measured."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from data.datasets._reading import FolderOptions, Unusable, guarded, mined_or_dev, numbered, unique
from data.records import BadLine, SourceExample, Split


class BenchmarkFolder:
    """A format names its files (`file`), says how one is read (`items`) and what an item means (`example`); Options = FolderOptions."""

    def __init__(self, options: FolderOptions) -> None:
        self.options = options

    def file(self, official: str) -> Path:
        """The file with the items of the official split, "train" or "val"."""
        raise NotImplementedError

    def items(self, official: str) -> list[Any]:
        """What that file lists. Raises Unusable."""
        raise NotImplementedError

    def example(self, item: Any, official: str) -> SourceExample:
        """Raises Unusable."""
        raise NotImplementedError

    def read(self) -> Iterator[SourceExample | BadLine]:
        return unique(self._all())

    def split(self, official: str, picture_name: str) -> Split:
        """The test splits have no answers, so val is what is measured."""
        return "eval" if official == "val" else mined_or_dev(picture_name, self.options.dev_share)

    def _all(self) -> Iterator[tuple[str, SourceExample | BadLine]]:
        for official in ("train", "val"):
            path = self.file(official)
            try:
                items = self.items(official)
            except Unusable as error:
                yield str(path), BadLine(str(path), str(error))
                continue
            for source, item in numbered(path, items, self.options.limit):
                yield source, guarded(source, partial(self.example, item, official))
