"""How right pocket-llava is, kind by kind, on the built-in benchmarks: for its card and its tests."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.datasets.pocket_vqa import KINDS
from data.metrics import score
from data.question_text import full_text
from data.records import Ask, Dataset, SourceExample
from data.registry import BASELINES, DATASETS


@dataclass(frozen=True)
class Question:
    """An item with its picture in a file. `kind` carries the dataset: "pocket-photo counting/3"."""

    about: Dataset
    example: SourceExample
    path: Path

    @property
    def kind(self) -> str:
        return f"{self.about.name} {self.example.kind}"

    @property
    def text(self) -> str:
        return full_text(self.example.question, self.example.choices, self.about.prompt_suffix)


def questions(folder: Path, split: str, photo: int, others: int, easy: int) -> list[Question]:
    """So many questions of each of the five datasets; drawn pictures are written into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = dict.fromkeys(("train", "dev", "eval"), 0)
    plugins = [DATASETS.make("pocket_vqa", {"family": family, **counts, split: photo if family == "photo" else others}) for family in KINDS]
    plugins.append(DATASETS.make("easy_vqa", {f"{other}_limit": easy if other == split else 0 for other in counts}))
    found = []
    for plugin in plugins:
        about = plugin.about()
        for example in plugin.read():
            path = example.picture
            if isinstance(path, bytes):
                path = folder / f"{about.name}-{example.external_id}.png"
                path.write_bytes(example.picture)
            found.append(Question(about, example, path))
    return found


def defaults(folder: Path) -> list[Question]:
    """The eval splits at their default sizes: 3,100 questions."""
    return questions(folder, "eval", photo=900, others=400, easy=1000)


def right(asked: Sequence[Question], **options) -> list[bool]:
    """Whether a checkpoint answers each; `options` are those of the baseline plugin llava."""
    baseline = BASELINES.make("llava", {"model": "pocket-llava", **options})
    answers = baseline.answer([Ask(str(i), question.text, str(question.path)) for i, question in enumerate(asked)])
    return [
        score(question.about.metric, answer, question.example.golds, question.example.choices).strict >= question.about.threshold
        for question, answer in zip(asked, answers)
    ]


def by_kind(asked: Iterable[Question], outcomes: Iterable[bool]) -> dict[str, float]:
    """Share of right answers per dataset and kind."""
    found: dict[str, list[bool]] = defaultdict(list)
    for question, outcome in zip(asked, outcomes, strict=True):
        found[question.kind].append(outcome)
    return {kind: sum(values) / len(values) for kind, values in sorted(found.items())}
