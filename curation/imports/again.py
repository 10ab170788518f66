"""Importing under a name that is there already: what is new, changed and gone is told, then done as was asked.

In the job's child what is read is compared with what the store held when the job was launched (`known.jsonl` in the job's folder). What may
not be done without a word is refused there; the collector does the rest (`replace`) in its transaction.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from curation.stage import Row
from data.metrics import measure, score
from data.metrics.cider_corpus import CiderCorpus
from data.records import Dataset, Metric, Record, Split
from data.store import Store
from data.transaction import Transaction

Again = Literal["", "add", "replace", "refuse"]
KNOWN, GONE = "known.jsonl", "gone.json"
EXAMPLES = 5  # named of each kind of difference
AT_ONCE = 5000  # predictions scored in one go
KNOWN_AT_ONCE = 10_000  # examples in memory: of a million, all at once would take more than a GB
SETTINGS = ("metric", "threshold", "prompt_suffix")


@dataclass(frozen=True)
class StoredExample(Record):
    example_id: int
    external_id: str
    split: Split
    question: str
    choices: tuple[str, ...]
    golds: tuple[str, ...]
    image: str
    kind: str | None


@dataclass(frozen=True)
class StoredSettings(Record):
    metric: Metric
    threshold: float
    prompt_suffix: str


@dataclass(frozen=True)
class StoredPrediction(Record):
    prediction_id: int
    answer: str
    strict: float
    lenient: float
    golds: tuple[str, ...]
    choices: tuple[str, ...]
    split: Split


@dataclass(frozen=True)
class StoredGolds(Record):
    golds: tuple[str, ...]


@dataclass
class Differences:
    """What a list says otherwise than the dataset of its name; `named`: the first ids of each kind."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("same", "new", "changed", "gone"), 0))
    named: dict[str, list[str]] = field(default_factory=lambda: {"new": [], "changed": [], "gone": []})
    settings: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # before, now

    def note(self, kind: str, name: str) -> None:
        self.counts[kind] += 1
        if kind in self.named and len(self.named[kind]) < EXAMPLES:
            self.named[kind].append(name)

    def in_words(self) -> str:
        """Counts of each kind with its first ids, and the settings that differ."""
        parts = []
        for kind, names in self.named.items():
            more = ", …" if self.counts[kind] > len(names) else ""
            parts.append(f"{self.counts[kind]:,} {kind}" + (f" ({', '.join(names)}{more})" if names else ""))
        parts += [f"{name} {before!r} → {now!r}" for name, (before, now) in self.settings.items()]
        return f"{', '.join(parts)}, {self.counts['same']:,} as they were"

    def refusal(self, dataset: str, again: Again) -> str | None:
        """Why the import must not go on as it was asked for; None if it may."""
        differs = self.counts["changed"] or self.counts["gone"] or self.settings
        if (again == "refuse" and (differs or self.counts["new"])) or (not again and differs):
            return (
                f"there is a dataset {dataset!r} already, and the list differs: {self.in_words()}. Nothing was imported. Say what to do: "
                "--again replace (golds, metric and threshold count from now on; answers are scored anew), --again add (only what is new), "
                "or import under another name: --source name=…"
            )
        return None


def write_known(store: Store, dataset: str, folder: Path) -> None:
    """Writes what the store holds of a dataset into a job's folder; nothing if there is none."""
    settings = store.row("dataset_as_it_is", StoredSettings, dataset=dataset)
    if settings is None:
        return
    with (folder / KNOWN).open("w", encoding="utf-8") as file:
        file.write(json.dumps(asdict(settings), ensure_ascii=False) + "\n")
        for rows in store.batches("examples_as_they_are", StoredExample, KNOWN_AT_ONCE, dataset=dataset):
            for row in rows:
                asked, rest = _digests(vars(row))
                file.write(json.dumps([row.split, row.external_id, row.example_id, asked, rest], ensure_ascii=False) + "\n")


class Known:
    """What a dataset held when the job was launched. Of each example its digests are in memory, under the hash of its split and id."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.differences = folder, Differences()
        self._settings = json.loads(next(self._lines()))
        self._examples = {
            hash((split, name)): _packed(number, asked, rest)
            for split, name, number, asked, rest in map(json.loads, islice(self._lines(), 1, None))
        }
        self._splits: set[str] = set()

    def _lines(self) -> Iterator[str]:
        with (self._folder / KNOWN).open(encoding="utf-8") as file:
            yield from file

    @classmethod
    def of(cls, folder: Path) -> "Known | None":
        return cls(folder) if (folder / KNOWN).exists() else None

    def compared(self, row: Row) -> Row:
        """A row of the file of examples with what it changes: `was`, the example it stands for, and whether the question is another."""
        example = row.get("example")
        if example is None:
            return row
        key = example["split"], example["external_id"]
        self._splits.add(example["split"])
        was = self._examples.pop(hash(key), None)
        if was is None:
            self.differences.note("new", example["external_id"])
            return row
        number = int.from_bytes(was[:8], "big")
        now = _packed(number, *_digests(example))
        if now == was:
            self.differences.note("same", example["external_id"])
            return row
        self.differences.note("changed", example["external_id"])
        return row | {"was": number, "asks_anew": now[8:16] != was[8:16]}

    def end(self, about: Dataset) -> Differences:
        """All differences, once every row was compared: what is gone of the splits that the list has goes into the job's folder."""
        gone = []
        for split, name, number, _, _ in map(json.loads, islice(self._lines(), 1, None)):
            if split in self._splits and hash((split, name)) in self._examples:
                self.differences.note("gone", name)
                gone.append(number)
        (self._folder / GONE).write_text(json.dumps(gone), encoding="utf-8")
        now = vars(about)
        self.differences.settings = {name: (self._settings[name], now[name]) for name in SETTINGS if self._settings[name] != now[name]}
        return self.differences


def replace(write: Transaction, job_id: int, folder: Path, about: Row, rows: Iterable[list[Row]]) -> str:
    """Gives a dataset what a new list says of it; its answers are scored anew and its failures follow. Returns what was done, in words."""
    name = about["name"]
    fields = ("question", "choices", "golds", "image", "kind")
    for some in rows:
        changed = [row for row in some if "was" in row]
        write.insert(
            "example_change",
            [
                {"job_id": job_id, "example_id": row["was"], "asks_anew": row["asks_anew"], **{one: row["example"][one] for one in fields}}
                for row in changed
            ],
            replace=True,
        )
    write.run("dataset_replace", **about)
    write.run("examples_keep_before", job_id=job_id)
    write.run("examples_replace", job_id=job_id)
    rescored = _rescored(write, job_id, name, about["metric"])
    ended = write.run("failures_no_more", int, job_id=job_id, dataset=name)
    write.touch_failures(ended)
    write.run("failures_delete", job_id=job_id)
    write.run("predictions_keep_before", job_id=job_id)
    asked_anew = len(write.run("predictions_delete", int, job_id=job_id))
    begun = [*write.run("failures_return", int, dataset=name), *write.run("failures_of_dataset", int, dataset=name)]
    write.touch_failures(begun)
    gone = json.loads((folder / GONE).read_text(encoding="utf-8"))
    forgotten = len(write.run("examples_forget", int, example_ids=gone)) if gone else 0
    parts = [f"{rescored:,} answers have another score", f"{len(ended):,} failures fewer, {len(begun):,} more"]
    parts += [f"{asked_anew:,} answers belong to questions that are others now: evaluate again"] if asked_anew else []
    parts += [f"{forgotten:,} examples that are gone were removed"] if forgotten else []
    parts += [f"{len(gone) - forgotten:,} that are gone stay, for they have answers"] if len(gone) > forgotten else []
    return "; ".join(parts)


def _rescored(write: Transaction, job_id: int, dataset: str, metric: Metric) -> int:
    """Scores all answers to a dataset anew; returns how many have another score."""
    corpora: dict[str, CiderCorpus] = {}
    after, changed = 0, 0
    while rows := write.rows("predictions_to_rescore", StoredPrediction, dataset=dataset, after=after, limit=AT_ONCE):
        after = rows[-1].prediction_id
        found = list(_other_scores(write, rows, dataset, metric, corpora))
        changed += len(found)
        write.insert("rescoring", [{"job_id": job_id, **row} for row in found], replace=True)
    write.run("predictions_rescore", job_id=job_id)
    return changed


def _other_scores(
    write: Transaction, rows: list[StoredPrediction], dataset: str, metric: Metric, corpora: dict[str, CiderCorpus]
) -> Iterator[Row]:
    for row in rows:
        if measure(metric).wants_corpus and row.split not in corpora:
            corpora[row.split] = CiderCorpus(
                one.golds for one in write.rows("golds_of_split", StoredGolds, dataset=dataset, split=row.split)
            )
        now = score(metric, row.answer, row.golds, row.choices, corpora.get(row.split))
        if (now.strict, now.lenient) != (row.strict, row.lenient):
            before = {"strict_before": row.strict, "lenient_before": row.lenient}
            yield {"prediction_id": row.prediction_id, **before, "strict": now.strict, "lenient": now.lenient}


def _digests(example: dict[str, Any]) -> tuple[str, str]:
    """What tells whether an example asks the same, and whether it is answered the same."""
    asked = [example["question"], list(example["choices"]), example["image"]]
    return _digest(asked), _digest([list(example["golds"]), example["kind"]])


def _packed(number: int, asked: str, rest: str) -> bytes:
    """An example's number and its two digests in 24 bytes: a million of them are in memory."""
    return number.to_bytes(8, "big") + bytes.fromhex(asked) + bytes.fromhex(rest)


def _digest(value: Any) -> str:
    return blake2b(json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass"), digest_size=8).hexdigest()
