"""Whatever lies there: the layouts of all other formats are tried, and the one that fits reads it.

A benchmark's own layout goes before a general one (its list of questions may be a JSON array too); of two that fit equally well none is
taken, and both are named.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import Field

from data.datasets._lists import REQUEST, ListOptions
from data.datasets._reading import Item, benchmark, described
from data.datasets._source import Source, none_found
from data.errors import MistakebookError
from data.records import BadLine, Dataset, SourceExample
from data.registry import DATASETS

MANY_ANNOTATORS = 8  # golds: from so many on VQA accuracy is meant
LOOKED_AT = 40  # items
SHOWN = 12  # files of a source that is not known


class OptionNotTaken(MistakebookError, ValueError):
    """An option was given that the recognised format doesn't have."""


@dataclass(frozen=True)
class Layout:
    """A format that fits, and why."""

    format: str
    why: str
    rank: int


class Auto:
    """Recognises the benchmark or layout by its files; says which it took and why."""

    class Options(ListOptions):
        path: Path = Field(description="The folder or file, as it was downloaded and unpacked.")
        options: dict[str, Any] = Field(default_factory=dict, description="Further options of the format that is recognised.")

    def __init__(self, options: Options) -> None:
        self.options = options
        self.source = Source(options.path)

    @cached_property
    def layouts(self) -> list[Layout]:
        """The formats that fit, best first."""
        found = []
        for name in DATASETS.names():
            plugin = DATASETS.load(name)
            if (recognise := getattr(plugin, "recognise", None)) and (why := recognise(self.source)):
                found.append(Layout(name, why, getattr(plugin, "rank", 0)))
        return sorted(found, key=lambda layout: (layout.rank, layout.format))

    @property
    def layout(self) -> Layout | None:
        """The format that is taken; None where none fits, or several equally well."""
        best = [layout for layout in self.layouts if layout.rank == self.layouts[0].rank]
        return best[0] if len(best) == 1 else None

    @cached_property
    def plugin(self) -> Any:
        """The format that reads the source, with its options; None where there is none. Raises OptionNotTaken."""
        layout = self.layout
        if layout is None:
            return None
        usual = {name: field.default for name, field in self.Options.model_fields.items()}
        told = {name: getattr(self.options, name) for name in self.options.model_fields_set if name != "options"}
        given = {name: value for name, value in told.items() if value not in (usual[name], {})} | self.options.options
        takes = DATASETS.load(layout.format).Options.model_fields
        if foreign := sorted(set(given) - set(takes)):
            raise OptionNotTaken(
                f"{self.options.path} was read as {layout.format}, which has no option {foreign[0]!r}; it has: {', '.join(takes)}"
            )
        if "metric" in takes and "metric" not in given and "map" in takes and (metric := _fitting(DATASETS.make(layout.format, given))):
            given["metric"] = metric
        return DATASETS.make(layout.format, given)

    def about(self) -> Dataset:
        if self.plugin is not None:
            told: Dataset = self.plugin.about()
            return told
        name = self.options.path.stem
        return described(self.options, benchmark(name, name, "auto", "exact_match", str(self.options.path), ""))

    def why(self) -> str:
        """Which layout was taken, and why, in one line."""
        if self.layout is None:
            return ""
        also = [layout.format for layout in self.layouts[1:]]
        return f"read as {self.layout.format}: {self.layout.why}" + (f" (it could also be read as {', '.join(also)})" if also else "")

    def read(self) -> Iterator[Item]:
        if self.plugin is not None:
            yield from self.plugin.read()
            return
        path = str(self.options.path)
        if self.layouts:
            several = "; ".join(f"{layout.format} ({layout.why})" for layout in self.layouts if layout.rank == self.layouts[0].rank)
            yield BadLine(path, f"holds several benchmarks: {several}. Import each by its own format: --format {self.layouts[0].format}")
            return
        files = [self.source.named(file) for file in self.source.files]
        there = f"; it holds {', '.join(files[:SHOWN])}{' …' if len(files) > SHOWN else ''}" if files else ""
        formats = ", ".join(name for name in DATASETS.names() if hasattr(DATASETS.load(name), "recognise"))
        missed = none_found(self.source, "layout that is known", f"one of {formats}")
        yield BadLine(path, f"{missed}{there}")


def _fitting(plugin: Any) -> str | None:
    """The metric that most of the first examples of a list ask for: choices want letters, many golds VQA accuracy; None: exact match."""
    if plugin.about().metric != "exact_match":
        return None
    looked = [item for item in islice(plugin.read(), LOOKED_AT) if isinstance(item, SourceExample)]
    if sum(bool(example.choices) for example in looked) > len(looked) / 2:
        return "multiple_choice"
    if looked and all(example.question == REQUEST for example in looked):
        return "cider"
    return "vqa_accuracy" if sum(len(example.golds) >= MANY_ANNOTATORS for example in looked) > len(looked) / 2 else None
