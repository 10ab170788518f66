"""ChartQA: questions on charts, written by people or made from their summaries (Masry et al., arXiv 2203.10244).

The folder "ChartQA Dataset" as it is unpacked: {train,val,test}/{split}_human.json and _augmented.json, and the pictures in {split}/png/.
train is mined, val steers, test is measured. A real item; its id here is "human-1", the first of its file:

{"imgname": "41699051005347.png", "query": "How many food item is shown in the bar graph?", "label": "14"}
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.datasets._folders import BenchmarkFolder, Read, located
from data.datasets._reading import FolderOptions, benchmark, identifier, text
from data.json_text import Flawed, Peek, elements
from data.records import SourceExample


class ChartQa(BenchmarkFolder):
    class Options(FolderOptions):
        pass

    usual = benchmark("chartqa", "ChartQA", "chartqa", "relaxed_accuracy", "Masry et al. 2022, arXiv 2203.10244", "GPL-3.0")
    expected = "{train,val,test}/…_human.json and _augmented.json: lists of imgname, query and label"
    test_has_answers = True

    @classmethod
    def claims(cls, path: Path, seen: Peek) -> bool:
        return seen.kind == "list" and isinstance(seen.first, dict) and {"imgname", "query", "label"} <= set(seen.first)

    def items(self, path: Path) -> Iterator[Read]:
        made = next((one for one in ("human", "augmented") if one in path.name), path.stem)
        for number, (source, item) in enumerate(located(path, elements(path)), 1):
            yield source, item if isinstance(item, Flawed) else (f"{made}-{number}", item)

    def example(self, item: Any, official: str) -> SourceExample:
        number, fields = item
        name = text(fields, "imgname")
        return SourceExample(
            external_id=number,
            split=self.split(official, name),
            question=text(fields, "query"),
            golds=(identifier(fields, "label"),),
            picture=self.pictures.find(name, f"{official}/png", f"ChartQA Dataset/{official}/png", "png"),
        )
