"""Backups: checked before anything is restored, whole or not at all, nothing overwritten, no links, unchanged files shared."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from curation.commands import doctor
from curation.review import decisions
from curation.workspaces import backup_manifest, backup_schedule, backups
from curation.workspaces.backup_manifest import BackupDamaged, LinkRefused
from data.store import Store, StoreError
from data.workspace import Workspace
from models.frontier import Journal
from tests.support.stores import filled, log

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A workspace with a store, pictures, a checkpoint and both journals; its store stays open."""
    workspace = Workspace(tmp_path_factory.mktemp("backups") / "w").create()
    store = filled(workspace.store)
    for _ in range(3):
        content = os.urandom(3000)
        name = backup_manifest.hashlib.sha256(content).hexdigest()
        path = workspace.images / name[:2] / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (workspace.images / "thumbnails").mkdir()
    (workspace.images / "thumbnails" / "x.webp").write_bytes(b"made again")
    adapter = workspace.checkpoints / "run 1" / "adapter.safetensors"
    adapter.parent.mkdir()
    adapter.write_bytes(os.urandom(5000))
    Journal(workspace.journal).close()
    yield store, workspace
    store.close()


@pytest.fixture
def made(world, tmp_path):
    store, workspace = world
    return backups.backup(store, workspace, tmp_path / "backup")


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_restored_is_what_was_backed_up(world, made, tmp_path):
    store, workspace = world
    restored = Workspace(tmp_path / "again")
    done = backups.restore(made, restored)
    assert done.checked and done.files == 6
    for folder in ("checkpoints", "images"):
        expected = {name: content for name, content in tree(workspace.root / folder).items() if "thumbnails" not in name}
        assert tree(restored.root / folder) == expected and len(expected) > 0
    assert restored.reviews.read_bytes() == workspace.reviews.read_bytes()
    opened = Store(restored.store)
    assert log(opened, "review") == log(store, "review") and log(opened, "sample_state") == log(store, "sample_state")
    decisions.decide(opened, decisions.Decision(3, 0, "approve", decisions.new_event()), "ann")
    opened.close()


PARTS = (
    "images/*/*.png",
    "checkpoints/*/*.safetensors",
    "replies.sqlite",
    "store.reviews.jsonl",
    "store/sample.parquet",
    "store/manifest.json",
)


@pytest.mark.parametrize("what", ["halved", "flipped", "missing"])
@pytest.mark.parametrize("part", [*PARTS, "manifest.json"])
def test_whatever_is_damaged_is_named_and_nothing_is_restored(made, tmp_path, part, what):
    path = next(made.glob(part))
    content = path.read_bytes()
    path.unlink()  # a hard link: the workspace's own file stays as it is
    if what == "halved":
        path.write_bytes(content[: len(content) // 2])
    elif what == "flipped":
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    elif part == "manifest.json":
        return  # a backup of an earlier version
    restored = Workspace(tmp_path / "again")
    with pytest.raises(BackupDamaged, match=path.name.replace(".", r"\.")):
        backups.restore(made, restored)
    assert not restored.root.exists() and not list(tmp_path.glob(".again*"))


@pytest.mark.parametrize("part", [part for part in PARTS if "checkpoints" not in part and "jsonl" not in part])
def test_a_backup_of_an_earlier_version_is_restored_and_checked_as_far_as_it_can_be(made, tmp_path, part):
    (made / "manifest.json").unlink()
    assert not backups.restore(made, Workspace(tmp_path / "whole")).checked
    path = next(made.glob(part))
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[: len(content) // 2])
    restored = Workspace(tmp_path / "again")
    with pytest.raises(Exception, match=r"damaged|malformed|not a database|disk image"):
        backups.restore(made, restored)
    assert not restored.root.exists()


def test_over_a_workspace_nothing_is_touched(world, made):
    _, workspace = world
    before = tree(workspace.root / "images")
    with pytest.raises(StoreError, match="left as it is"):
        backups.restore(made, workspace)
    assert tree(workspace.root / "images") == before


def test_symbolic_links_are_refused_both_ways(world, made, tmp_path):
    store, workspace = world
    (made / "images" / "shadow.png").symlink_to("/etc/shadow")
    with pytest.raises(LinkRefused, match=r"shadow\.png"):
        backups.restore(made, Workspace(tmp_path / "again"))
    assert not (tmp_path / "again").exists()
    link = workspace.images / "shadow.png"
    link.symlink_to("/etc/shadow")
    try:
        with pytest.raises(LinkRefused, match=r"shadow\.png"):
            backups.backup(store, workspace, tmp_path / "another")
        assert not (tmp_path / "another").exists()
    finally:
        link.unlink()


def test_a_manifest_that_leads_out_of_the_backup_is_refused(made, tmp_path):
    (tmp_path / "secret").write_text("x")
    path = made / "manifest.json"
    content = json.loads(path.read_text())
    content["files"]["../secret"] = list(backup_manifest.entry_of(tmp_path / "secret"))
    path.write_text(json.dumps(content))
    with pytest.raises(BackupDamaged, match="leads out"):
        backups.restore(made, Workspace(tmp_path / "again"))


def test_what_did_not_change_is_shared_and_not_read_again(world, monkeypatch):
    store, workspace = world
    first = backups.backup(store, workspace, workspace.backups / "20260101-000000")
    read = []
    entry_of = backup_manifest.entry_of
    monkeypatch.setattr(backup_manifest, "entry_of", lambda path: read.append(path.name) or entry_of(path))
    second = backups.backup(store, workspace, workspace.backups / "20260102-000000")
    assert not [name for name in read if name.endswith((".png", ".safetensors"))]
    pictures = [path.relative_to(first) for path in first.glob("images/*/*.png")]
    assert pictures and all((first / name).samefile(second / name) for name in pictures)
    backups.verify(second)
    for folder in (first, second):
        shutil.rmtree(folder)


def test_doctor_says_how_old_the_newest_backup_is_and_whether_decisions_are_newer(tmp_path, monkeypatch):
    monkeypatch.setenv("MISTAKEBOOK_HOME", str(tmp_path))
    workspace = Workspace(tmp_path / "w").create()
    assert list(doctor._backup(workspace)) == []
    store = Store(workspace.store)
    (none,) = doctor._backup(workspace)
    assert none.ok and "there is none" in none.detail
    made = backups.backup(store, workspace)
    store.close()
    (fresh,) = doctor._backup(workspace)
    assert fresh.ok and fresh.detail == f"{made.name}, 0 min old; automatic every 24 h while the app runs"
    workspace.reviews.write_text("{}\n", encoding="utf-8")
    days = time.time() - 3 * 86400
    os.utime(made / backup_manifest.NAME, (days, days))
    (late,) = doctor._backup(workspace)
    assert not late.ok and "3 days old" in late.detail and "mistakebook backup" in late.way_out


def test_scheduled_backups_are_made_when_due_and_kept_by_a_rule(world):
    store, workspace = world
    made = backup_schedule.make_if_due(store, workspace, hours=24)
    assert made and made.name.startswith("auto-") and backup_schedule.make_if_due(store, workspace, hours=24) is None
    backups.verify(made)
    shutil.rmtree(made)
    days = [f"auto-202601{day:02d}-000000" for day in range(1, 32)] + ["auto-20260131-120000", "20250101-000000"]
    for name in days:
        (workspace.backups / name).mkdir()
    backup_schedule.forget_old(workspace)
    kept = sorted(path.name for path in workspace.backups.iterdir())
    assert "20250101-000000" in kept  # made by a person: never taken away
    automatic = [name for name in kept if name.startswith("auto-")]
    days = [f"auto-202601{day}-000000" for day in range(25, 31)] + ["auto-20260131-120000"]  # 25: a Sunday, the last of its week
    assert automatic == ["auto-20260111-000000", "auto-20260118-000000", *days]
    for name in kept:
        (workspace.backups / name).rmdir()
