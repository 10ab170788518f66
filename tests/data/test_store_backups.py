"""Migrations and backups of the store."""

import json

import pytest

from data import store as stores
from data.store import Store, StoreError, migrations, restore
from tests.support.stores import add_sample, differences, filled, log, table

pytestmark = pytest.mark.timeout(300)


def schema(store):
    asked = "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"
    constraints = "SELECT table_name, constraint_type, constraint_text FROM duckdb_constraints() ORDER BY ALL"
    views = "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
    return [[row for row in store._cursor().execute(text).fetchall() if row[0] != "touched"] for text in (asked, constraints, views)]


@pytest.mark.parametrize("first", sorted(migrations()))
def test_every_migration_path_ends_in_the_same_schema(tmp_path, first):
    Store(tmp_path / "old.duckdb", upto=first).close()
    migrated, new = Store(tmp_path / "old.duckdb"), Store(tmp_path / "new.duckdb")
    assert schema(migrated) == schema(new)
    migrated.close()
    new.close()


@pytest.fixture
def later(tmp_path, monkeypatch):
    """A folder of migrations with one more, to be written by the test."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for path in migrations().values():
        (folder / path.name).write_text(path.read_text())
    number = max(migrations()) + 1
    monkeypatch.setattr(stores, "MIGRATIONS", folder)
    return folder / f"{number:04d}_later.sql"


def test_a_migration_keeps_the_data_and_makes_a_backup_first(tmp_path, later):
    filled(tmp_path / "s.duckdb").close()
    later.write_text("ALTER TABLE sample ADD COLUMN mood TEXT; UPDATE sample SET mood = 'new';")
    store = Store(tmp_path / "s.duckdb", tmp_path / "backups")
    assert {row["mood"] for row in log(store, "sample")} == {"new"} and len(log(store, "sample")) == 5
    store.close()
    (backup,) = (tmp_path / "backups").iterdir()
    assert backup.name.startswith(f"before-migration-{later.stem[:4]}")
    restore(backup, tmp_path / "restored.duckdb")
    Store(tmp_path / "restored.duckdb").close()  # migrates again


def test_a_migration_that_fails_changes_nothing(tmp_path, later):
    filled(tmp_path / "s.duckdb").close()
    later.write_text("ALTER TABLE sample ADD COLUMN mood TEXT; SELECT no_such_thing;")
    with pytest.raises(Exception, match="no_such_thing"):
        Store(tmp_path / "s.duckdb")
    later.unlink()
    store = Store(tmp_path / "s.duckdb")
    assert "mood" not in log(store, "sample")[0]
    store.close()


def test_a_store_of_a_newer_version_is_refused(tmp_path, later):
    later.write_text("CREATE TABLE later (x INTEGER);")
    Store(tmp_path / "s.duckdb").close()
    later.unlink()
    with pytest.raises(StoreError, match="newer Mistakebook"):
        Store(tmp_path / "s.duckdb")


def test_a_restored_backup_is_the_same_and_goes_on_counting(tmp_path):
    store = filled(tmp_path / "s.duckdb")
    folder = store.backup(tmp_path / "it's a backup")
    restore(folder, tmp_path / "t.duckdb")
    again = Store(tmp_path / "t.duckdb")
    for name in store._tables():
        assert table(store, name) == table(again, name), name
    assert differences(again) == 0
    assert add_sample(again, "new") > max(row["sample_id"] for row in log(store, "sample"))
    with pytest.raises(StoreError, match="is not overwritten"):
        restore(folder, tmp_path / "t.duckdb")
    store.close()
    again.close()


def test_damaged_backups_are_refused_and_leave_nothing(tmp_path):
    store = filled(tmp_path / "s.duckdb")
    folder = store.backup(tmp_path / "backup")
    store.close()
    with pytest.raises(StoreError, match="is not a backup"):
        restore(tmp_path, tmp_path / "t.duckdb")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["tables"]["sample"] += 1
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match="table sample has 5 rows, but its manifest says 6"):
        restore(folder, tmp_path / "t.duckdb")
    assert not list(tmp_path.glob("t.*"))
