"""Removing, restoring and renaming datasets. Nothing is deleted: examples and failures of a removed one lie aside until it is restored.

Answers, diagnoses, labels, samples, decisions and runs stay. A removed dataset is in no list, is not evaluated and not counted in results;
samples that were made for it are reviewed and trained on as before.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote_plus

from curation.imports.datasets import find
from data.errors import MistakebookError
from data.records import Record
from data.store import Store
from data.transaction import Transaction

LONGEST_NAME = 200  # characters


class DatasetInUse(MistakebookError):
    """A dataset can't be removed or renamed as it was asked; the text says what depends on it, and what to do."""


class NotRemoved(MistakebookError):
    """No removed dataset has that name."""

    status = 404


@dataclass(frozen=True)
class DatasetUse(Record):
    """What depends on a dataset."""

    examples: int
    predictions: int
    checkpoints: int  # that answered
    failures: int
    diagnoses: int  # paid
    labels: int  # of people on failures
    samples: int  # paid, or written by people
    decisions: int  # of people on samples
    runs: int  # trained on its samples

    def in_words(self) -> str:
        """Everything there is, in one line."""
        parts = [f"{self.examples:,} examples"]
        parts += [f"{self.predictions:,} answers of {self.checkpoints:,} checkpoints"] if self.predictions else []
        rest = {
            "failures": self.failures,
            "diagnoses": self.diagnoses,
            "labels of people": self.labels,
            "samples": self.samples,
            "decisions on samples": self.decisions,
            "finetunes that trained on these": self.runs,
        }
        return ", ".join(parts + [f"{count:,} {what}" for what, count in rest.items() if count])

    @property
    def decided_or_paid(self) -> bool:
        return bool(self.diagnoses or self.labels or self.samples or self.decisions or self.runs)


@dataclass(frozen=True)
class RemovedDataset(Record):
    """A dataset that was removed, and by whom."""

    name: str
    title: str | None
    author: str
    removed_at: datetime
    examples: int


@dataclass(frozen=True)
class _View(Record):
    view_id: int
    query: str


def use_of(store: Store, name: str) -> DatasetUse:
    """What depends on a dataset. Raises UnknownDataset."""
    find(store, name)
    return store.one("dataset_use", DatasetUse, dataset=name)


def removed(store: Store) -> list[RemovedDataset]:
    """The removed datasets, the latest first."""
    return store.rows("removed_datasets", RemovedDataset)


def remove(store: Store, name: str, author: str, force: bool = False) -> DatasetUse:
    """Lays a dataset aside. Raises UnknownDataset; DatasetInUse where people decided or paid for what depends on it, unless `force`."""
    use = use_of(store, name)
    _check_jobs(store, f"removed: mistakebook datasets remove {name}")
    if use.decided_or_paid and not force:
        raise DatasetInUse(
            f"{name} is kept: {use.in_words()} depend on it. Removing hides its examples, answers and failures and deletes nothing "
            f"(mistakebook datasets restore {name} brings them back); to do it all the same: mistakebook datasets remove {name} --force"
        )
    with store.write() as write:
        write.touch_failures(write.run("removed_keep_failures", int, dataset=name))
        write.run("removed_keep_examples", dataset=name)
        for query in ("removed_delete_failures", "removed_delete_examples"):
            write.run(query, dataset=name)
        write.insert("removed_dataset", [{"dataset": name, "author": author}])
    store.checkpoint()
    return use


def restore(store: Store, name: str) -> DatasetUse:
    """Puts a removed dataset back as it was. Raises NotRemoved."""
    if name not in (names := [dataset.name for dataset in removed(store)]):
        raise NotRemoved(f"no removed dataset {name!r}; there are: {', '.join(names) or 'none'}")
    with store.write() as write:
        write.run("removed_return_examples", dataset=name)
        begun = write.run("removed_return_failures", int, dataset=name)
        for query in ("removed_forget_failures", "removed_forget_examples", "removed_forget"):
            write.run(query, dataset=name)
        begun += write.run("failures_of_dataset", int, dataset=name)  # of answers that came in between
        write.touch_failures(begun)
    store.checkpoint()
    return use_of(store, name)


def rename(store: Store, old: str, new: str) -> DatasetUse:
    """Gives a dataset another name everywhere but in logs of jobs. Raises UnknownDataset, DatasetInUse."""
    new = new.strip()
    find(store, old)
    if not new or len(new) > LONGEST_NAME or not new.isprintable():
        raise DatasetInUse(f"{new[:80]!r} can't be a name; give one of 1 to {LONGEST_NAME} characters, all of them printable")
    if new in store.column("dataset_names_taken", str):
        raise DatasetInUse(f"there is a dataset {new!r} already (or a removed one); choose another name")
    _check_jobs(store, f"renamed: mistakebook datasets rename {old} {new}")
    with store.write() as write:
        for query in ("dataset_rename", "dataset_rename_examples", "dataset_rename_reports"):
            write.run(query, old=old, new=new)
        write.touch(write.run("dataset_rename_samples", int, old=old, new=new))
        write.touch_failures(write.column("failures_of_examples", int, dataset=new))
        _rename_in_views(write, old, new)
    store.checkpoint()
    return use_of(store, new)


def check_not_removed(store: Store, name: str) -> None:
    """Raises DatasetInUse where a dataset of that name was removed: its place is kept."""
    if name in {dataset.name for dataset in removed(store)}:
        raise DatasetInUse(
            f"a dataset {name!r} was removed and can be restored; restore it first (mistakebook datasets restore {name}), "
            "or import under another name: --source name=…"
        )


def _check_jobs(store: Store, doing: str) -> None:
    if jobs := store.column("jobs_under_way", int):
        named = f"{', '.join(map(str, jobs[:5]))}{' …' if len(jobs) > 5 else ''}"
        raise DatasetInUse(
            f"jobs are under way ({named}) and may name it; wait for their end or cancel them (mistakebook jobs), then it can be {doing}"
        )


def _rename_in_views(write: Transaction, old: str, new: str) -> None:
    """Saved views keep showing the dataset: their query strings name it."""
    for view in write.rows("views_of_dataset", _View):
        parts = [
            f"dataset={quote(new, safe='')}" if part.startswith("dataset=") and unquote_plus(part.partition("=")[2]) == old else part
            for part in view.query.split("&")
        ]
        if (query := "&".join(parts)) != view.query:
            write.run("view_requery", query=query, view_id=view.view_id)
