"""The folder of an export: equal to its list, and nobody else's files touched."""

import errno
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import is_disk_full
from data.export_folder import MANIFEST, PART, BadExportFolder, Equalised, equalise

NAMES = st.sampled_from(["a.jsonl", "README.md", "images/1.png", "images/2.png", "images/deep/3.png", "other/4.png"])


def writer(files: dict[str, str]):
    def write(folder: Path) -> None:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    return write


def content(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob("*") if file.is_file() and file.name != MANIFEST}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(st.dictionaries(NAMES, st.text("xyz", max_size=3), min_size=1), min_size=1, max_size=4))
def test_after_any_exports_the_folder_is_the_last_one_and_what_others_put_there(rounds, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    (folder / "notes.txt").write_text("mine")
    (folder / "images").mkdir()
    (folder / "images" / "mine.png").write_text("mine")
    before: dict[str, str] = {}
    for files in rounds:
        done = equalise(folder, writer(files))
        assert done == Equalised(len(files), len(set(before) - set(files)), 2)
        assert content(folder) == {**files, "notes.txt": "mine", "images/mine.png": "mine"}
        before = files


def test_a_failed_export_leaves_the_folder_as_it_was(tmp_path):
    folder = tmp_path / "out"
    equalise(folder, writer({"a.jsonl": "1", "images/1.png": "x"}))

    def fails(part: Path) -> None:
        writer({"a.jsonl": "2"})(part)
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        equalise(folder, fails)
    assert content(folder) == {"a.jsonl": "1", "images/1.png": "x"} and not (folder / PART).exists()
    with pytest.raises(OSError, match="No space"):
        equalise(tmp_path / "new", fails)
    assert not (tmp_path / "new").exists()


def test_an_export_that_was_killed_between_two_files_is_healed_by_the_next(tmp_path, monkeypatch):
    folder, moved = tmp_path / "out", 0
    equalise(folder, writer({"old.jsonl": "1", "images/1.png": "x"}))
    replace = Path.replace

    def dies(self: Path, target: Path) -> Path:
        nonlocal moved
        moved += self.parent.name == "images"
        if moved > 1:
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", dies)
        with pytest.raises(KeyboardInterrupt):
            equalise(folder, writer({"new.jsonl": "2", "images/2.png": "y", "images/3.png": "z"}))
    assert content(folder)["old.jsonl"] == "1" and "images/1.png" in content(folder)  # the old list still has all its pictures
    equalise(folder, writer({"last.jsonl": "3"}))
    assert content(folder) == {"last.jsonl": "3"} and not (folder / "images").exists()


def test_files_of_others_are_never_replaced(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(BadExportFolder, match=r"README\.md was not written by an export"):
        equalise(tmp_path, writer({"README.md": "ours", "a.jsonl": "1"}))
    assert content(tmp_path) == {"README.md": "mine"}
    with pytest.raises(BadExportFolder, match="and 1 more"):
        equalise(tmp_path, lambda part: [writer({"README.md": "x", "a": "1"})(part), (tmp_path / "a").mkdir()])


def test_nothing_is_written_or_removed_outside_the_folder(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    (outside / "1.png").write_text("mine")
    folder.mkdir()
    (folder / "images").symlink_to(outside)
    with pytest.raises(BadExportFolder):
        equalise(folder, writer({"images/2.png": "ours"}))
    (folder / MANIFEST).write_text('{"files": ["../outside/1.png", "/etc/hostname", "gone.txt"]}')
    (folder / "images").unlink()
    assert equalise(folder, writer({"a": "1"})).removed == 0
    assert content(outside) == {"1.png": "mine"}


def test_bad_folders_are_named(tmp_path):
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BadExportFolder, match="is a file"):
            equalise(folder, writer({"a": "1"}))
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / MANIFEST).write_text("{")
    with pytest.raises(BadExportFolder, match="can't be read"):
        equalise(tmp_path / "odd", writer({"a": "1"}))
    with pytest.raises(BadExportFolder, match="is too full: about"):
        equalise(tmp_path / "large", writer({"a": "1"}), needed=2**60)
    assert not (tmp_path / "large").exists()


def test_two_exports_never_write_to_one_folder(tmp_path):
    def inside(part: Path) -> None:
        with pytest.raises(BadExportFolder, match="another export is writing"):
            equalise(tmp_path, writer({"a": "2"}))
        writer({"a": "1"})(part)

    equalise(tmp_path, inside)
    assert content(tmp_path) == {"a": "1"}


def test_a_folder_that_may_not_be_written_to(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    code = f"""
import os, sys
from pathlib import Path
from data.export_folder import BadExportFolder, equalise
if os.geteuid() == 0:
    os.setgid(65534); os.setuid(65534)  # root may write anywhere
try:
    equalise(Path({str(folder)!r}), lambda part: None)
except BadExportFolder as error:
    sys.exit(0 if "can't be written to" in str(error) else str(error))
sys.exit("it was written to")
"""
    folder.chmod(0o555)
    for parent in [folder, *folder.parents]:  # pytest's folders are its user's alone
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    done = subprocess.run([os.sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert list(folder.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 256 KiB in memory; where it can't be mounted the test doesn't run."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_leaves_the_earlier_export(small_disk):
    folder = small_disk / "out"
    equalise(folder, writer({"a.jsonl": "1"}))
    with pytest.raises(OSError) as failed:
        equalise(folder, writer({"a.jsonl": "2", "images/large.png": "x" * 2**20}))
    assert is_disk_full(failed.value)
    assert content(folder) == {"a.jsonl": "1"} and not (folder / PART).exists()
