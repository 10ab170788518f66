"""Removing, restoring and renaming datasets on a seeded store: nothing that people decided or paid for is lost, and all comes back."""

import pytest

from curation.imports import datasets, removal
from curation.imports.datasets import UnknownDataset
from curation.imports.removal import DatasetInUse, NotRemoved
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.workspaces import backups
from data.store import Store
from tests.support.seed import seeded_store
from tests.support.stores import differences, log, table

NAME = "pocket-photo"
LOGS = ("prediction", "diagnosis", "triage", "sample", "review", "revision", "verdict", "run_sample", "kind", "place")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("removal") / "seeded", 80, samples=20)
    jobs = JobManager(store, workspace, stage_class)
    yield store, workspace, jobs
    jobs.shutdown()
    store.close()


@pytest.fixture
def store(world):
    """The seeded store with all datasets there; what a test removed is put back."""
    yield world[0]
    for dataset in removal.removed(world[0]):
        removal.restore(world[0], dataset.name)


def everything(store):
    return {
        name: sorted(map(str, table(store, name))) for name in ("example", "failure", "failure_state", "sample_state", "dataset", *LOGS)
    }


def of_dataset(store, name):
    return [row["example_id"] for row in log(store, "example") if row["dataset"] == name]


def test_what_depends_on_it_is_named_and_keeps_it(store):
    before = everything(store)
    use = removal.use_of(store, NAME)
    assert use.examples == len(of_dataset(store, NAME)) and use.failures and use.diagnoses and use.samples and use.predictions
    with pytest.raises(DatasetInUse, match=rf"is kept: {use.examples:,} examples, .* diagnoses.* --force"):
        removal.remove(store, NAME, "ada")
    assert everything(store) == before and removal.removed(store) == []
    with pytest.raises(UnknownDataset, match="no dataset 'coco'"):
        removal.remove(store, "coco", "ada")


def test_a_removed_dataset_counts_nowhere_and_comes_back_as_it_was(world, store):
    before = everything(store)
    ids = set(of_dataset(store, NAME))
    removal.remove(store, NAME, "ada", force=True)
    assert NAME not in {row.name for row in datasets.listed(store)} | {row["name"] for row in store.rows("datasets")}
    assert not ids & {row["example_id"] for row in log(store, "example")} and not ids & {
        row["example_id"] for row in log(store, "failure_state")
    }
    assert not ids & set(store.column("eval_examples", int, round=1))
    assert all(row["dataset"] != NAME for row in store.rows("data_pictures", each=1))
    for name in (*LOGS, "sample_state"):  # what people decided and paid for
        assert sorted(map(str, table(store, name))) == before[name], name
    assert [(row.name, row.author, row.examples) for row in removal.removed(store)] == [(NAME, "ada", len(ids))]
    assert removal.restore(store, NAME).examples == len(ids)
    assert everything(store) == before and removal.removed(store) == [] and differences(store) == 0
    with pytest.raises(NotRemoved, match="there are: none"):
        removal.restore(store, NAME)


def test_answers_that_came_in_between_make_failures_when_it_is_back(store):
    base = store.value("checkpoint_of_round")
    (example,) = [row for row in log(store, "example") if row["dataset"] == NAME and row["split"] == "train"][:1]
    asked = {row["example_id"] for row in log(store, "prediction") if row["checkpoint_id"] == base}
    removal.remove(store, NAME, "ada", force=True)
    with store.write() as write:
        new = {**example, "external_id": "late", "example_id": 10**6}
        write.insert("removed_example", [{name: new[name] for name in new if name != "created_at"}])
        write.insert(
            "prediction",
            [{"checkpoint_id": base, "example_id": 10**6, "answer": "no", "strict": 0.0, "lenient": 0.0}],
            returning="prediction_id",
        )
    assert asked and 10**6 not in {row["example_id"] for row in log(store, "failure")}
    removal.restore(store, NAME)
    assert 10**6 in {row["example_id"] for row in log(store, "failure_state")}


def test_its_place_is_kept_while_it_is_removed(world, store, tmp_path):
    jobs = world[2]
    removal.remove(store, NAME, "ada", force=True)
    path = tmp_path / "again.jsonl"
    path.write_text("{}")
    with pytest.raises(DatasetInUse, match=f"datasets restore {NAME}"):
        jobs.launch("import", {"format": "jsonl", "source": {"path": str(path), "name": NAME}}, "ada")
    with pytest.raises(DatasetInUse, match="already"):
        removal.rename(store, "pocket-chart", NAME)


def test_a_backup_holds_what_was_removed(world, store, tmp_path):
    removal.remove(store, NAME, "ada", force=True)
    count = len(table(store, "removed_example"))
    made = backups.backup(store, world[1], tmp_path / "backup")
    backups.restore(made, type(world[1])(tmp_path / "restored"))
    with_it = Store(type(world[1])(tmp_path / "restored").store)
    assert len(table(with_it, "removed_example")) == count and [row.name for row in removal.removed(with_it)] == [NAME]
    removal.restore(with_it, NAME)
    assert NAME in {row.name for row in datasets.listed(with_it)}
    with_it.close()


def test_the_copies_have_the_columns_of_their_tables(store):
    """A column that a migration adds to one has to be added to the other: else removing would lose it."""
    for name in ("example", "failure"):
        here, aside = ({row[0] for row in store._cursor().execute(f'DESCRIBE "{each}"').fetchall()} for each in (name, f"removed_{name}"))
        assert here == aside, name


def test_a_dataset_is_renamed_everywhere(store):
    before = everything(store)
    with store.write() as write:
        query = "dataset=pocket-photo&dataset=pocket-chart&kind=x"
        write.insert("saved_view", [{"page": "failures", "name": "mine", "query": query, "author": "ada"}])
    for wrong in ("", "a\nb", "x" * 300, "pocket-chart"):
        with pytest.raises(DatasetInUse):
            removal.rename(store, NAME, wrong)
    removal.rename(store, NAME, "my photos/2")
    names = {name: {row["dataset"] for row in log(store, name)} for name in ("example", "sample", "sample_state", "failure_state")}
    assert all("my photos/2" in found and NAME not in found for found in names.values()), names
    assert "my photos/2" in {row.name for row in datasets.listed(store)}
    assert "dataset=my%20photos%2F2&dataset=pocket-chart&kind=x" in {row["query"] for row in log(store, "saved_view")}
    assert differences(store) == 0
    removal.rename(store, "my photos/2", NAME)
    assert everything(store) == before
