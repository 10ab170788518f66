"""One JSON object a line, for any dataset of one's own. The fields are described in `_lists.py`.

{"id": "7", "image": "photos/7.jpg", "question": "What color is the bus?", "answers": ["red", "red", "dark red"], "split": "eval"}
{"image": "maps/2.png", "question": "Which is a capital?", "choices": ["Rome", "Paris"], "answer": "B", "kind": "external-knowledge/maps"}
"""

import json
from collections.abc import Iterator
from functools import partial

from data import bounded_reading
from data.datasets._lists import ListOptions, about_list, example_of
from data.datasets._reading import Unusable, guarded, unique
from data.records import BadLine, Dataset, SourceExample


class Jsonl:
    """A list of examples in JSON lines, UTF-8."""

    class Options(ListOptions):
        pass

    def __init__(self, options: Options) -> None:
        self.options = options

    def about(self) -> Dataset:
        return about_list(self.options, "jsonl")

    def read(self) -> Iterator[SourceExample | BadLine]:
        return unique(self._lines())

    def _lines(self) -> Iterator[tuple[str, SourceExample | BadLine]]:
        path = self.options.path
        try:
            for number, line in bounded_reading.lines(path):
                source = f"{path}:{number}"
                if line is None:
                    yield source, BadLine(source, bounded_reading.LONG_LINE)
                elif line.removeprefix(b"\xef\xbb\xbf").strip():
                    yield source, guarded(source, partial(self._example, line.removeprefix(b"\xef\xbb\xbf"), number))
        except OSError as error:
            yield str(path), BadLine(str(path), f"can't be read ({error.strerror}); expected a file of JSON lines, check the path")

    def _example(self, line: bytes, number: int) -> SourceExample:
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Unusable(f"not valid JSON ({error}); expected one object a line, in UTF-8; correct the line") from error
        return example_of(fields, number, self.options)
