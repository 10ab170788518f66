"""Files that are whole or not there, lines that may be torn, processes that are still the same."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from data.files import append_line, cut_torn_line, part_of, read_lines, remove, tail, whole, write_whole
from data.processes import Process


def names(folder: Path) -> list[str]:
    """What lies in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_its_place_when_all_of_it_is_written(tmp_path):
    target = tmp_path / "runs" / "result.json"  # the folder is made
    with whole(target) as part:
        part.write_text("new")
        assert not target.exists() and part.parent == target.parent
    assert target.read_text() == "new"
    write_whole(target, "newer")
    write_whole(target, "né".encode(), durable=True)
    assert target.read_text("utf-8") == "né" and names(target.parent) == ["result.json"]


def test_a_failure_leaves_what_was_there(tmp_path):
    target = tmp_path / "adapter"
    target.write_text("old")
    with pytest.raises(KeyError), whole(target) as part:
        part.mkdir()
        (part / "half").write_text("half")
        raise KeyError("the disk")
    assert target.read_text() == "old" and names(tmp_path) == ["adapter"]


def test_a_folder_takes_its_place_at_once(tmp_path):
    with whole(tmp_path / "backup") as part:
        part.mkdir()
        (part / "table").write_text("rows")
    assert (tmp_path / "backup" / "table").read_text() == "rows" and names(tmp_path) == ["backup"]
    with pytest.raises(OSError), whole(tmp_path / "backup") as part:  # a folder with content is not replaced
        part.mkdir()
    remove(tmp_path / "backup")
    remove(tmp_path / "backup")
    assert names(tmp_path) == []


def test_permissions_are_there_from_the_beginning(tmp_path):
    write_whole(tmp_path / "secret", "s", mode=0o600)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    umask = os.umask(0o022)
    try:
        write_whole(tmp_path / "plain", "p")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "plain").stat().st_mode) == 0o644


def test_several_writers_of_one_file_do_not_meet(tmp_path):
    target, texts = tmp_path / "file", [str(n) * 100_000 for n in range(8)]
    threads = [threading.Thread(target=write_whole, args=(target, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_text() in texts and names(tmp_path) == ["file"]


def test_parts_are_hidden_and_told_apart(tmp_path):
    assert part_of(tmp_path / "adapter").name == ".adapter.part"
    assert part_of(tmp_path / "adapter", "1") != part_of(tmp_path / "adapter", "2")


def test_a_torn_line_is_left_and_cut(tmp_path):
    path = tmp_path / "results.jsonl"
    assert read_lines(path, 0) == ([], 0)
    cut_torn_line(path)  # nothing there
    for n in range(3):
        append_line(path, {"key": n, "text": "é"})
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(b'{"key": 3, "te')
    rows, offset = read_lines(path, 0)
    assert [row["key"] for row in rows] == [0, 1, 2] and offset == size
    assert read_lines(path, offset) == ([], offset)
    cut_torn_line(path)
    assert path.stat().st_size == size
    assert [row["key"] for row in read_lines(path, 3, skip_first=True)[0]] == [1, 2]
    assert [row["key"] for row in read_lines(path, 0, limit=1)[0]] == [0]  # a line is never split
    path.write_bytes(b"x" * 200_000)
    cut_torn_line(path)
    assert path.read_bytes() == b""


def test_the_tail_has_whole_lines(tmp_path):
    path = tmp_path / "log.txt"
    assert tail(path, 10) == ""
    path.write_text("first\nsecond\n")
    assert tail(path, 10) == "second\n" and tail(path, 100) == "first\nsecond\n"


def test_a_process_is_the_same_as_long_as_it_lives():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = Process.of(child.pid)
    assert process.is_alive() and Process.of().pid == os.getpid() and Process.of().is_alive()
    assert not Process(process.pid, process.started - 60).is_alive()  # the number was given to another
    by_clock = psutil.Process(child.pid).create_time()  # as an earlier version noted it
    assert Process(process.pid, by_clock - 1).is_alive() and not Process(process.pid, by_clock - 60).is_alive()

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, not waited for: a zombie
    assert not process.is_alive()
    child.communicate()
    assert not process.is_alive()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_clock_that_is_set_back_makes_no_process_another(monkeypatch):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = Process.of(child.pid)
    earlier = psutil.boot_time() - 3600  # what the system reports of its start after the clock was set back
    monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: earlier)
    monkeypatch.setattr(psutil._pslinux, "BOOT_TIME", earlier, raising=False)
    alive = process.is_alive()
    child.communicate()
    assert alive and not process.is_alive()
