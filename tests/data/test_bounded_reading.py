"""Files that somebody else named: bounds on lines and sizes, and nothing that never ends."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from data import bounded_reading
from data.bounded_reading import MOST_LINE, NobodyWaits, NotAFile, TooLarge
from data.datasets.csv import Csv
from data.datasets.jsonl import Jsonl
from data.datasets.scienceqa import ScienceQa
from data.images import BadImage, load
from data.records import BadLine

HOUSE = Path(__file__).parents[2]
READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, (600 * 2**20, 600 * 2**20))
from data.datasets.{module} import {kind}
for item in {kind}({kind}.Options(path=sys.argv[1])).read():
    print(item.error)
"""


@given(some.lists(some.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=20), some.integers(1, 30))
def test_lines_are_those_of_the_file(tmp_path_factory, written, most):
    path = tmp_path_factory.mktemp("lines") / "file"
    path.write_bytes(b"".join(line + b"\n" for line in written))
    before, bounded_reading.MOST_LINE = bounded_reading.MOST_LINE, most
    try:
        read = list(bounded_reading.lines(path))
    finally:
        bounded_reading.MOST_LINE = before
    assert [number for number, _ in read] == list(range(1, len(written) + 1))
    assert [line for _, line in read] == [line + b"\n" if len(line) <= most else None for line in written]


def test_devices_pipes_and_folders_are_no_files(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, kind in ((Path("/dev/zero"), "device"), (pipe, "pipe"), (tmp_path, "folder")):
        for read in (lambda path: list(bounded_reading.lines(path)), bounded_reading.whole):
            with pytest.raises(NotAFile, match=f"it is a {kind}, not a file"):
                read(path)
        with pytest.raises(BadImage, match="not a file"):
            load(path)


def test_a_long_line_is_named_and_the_rest_goes_on(tmp_path):
    path = tmp_path / "list.jsonl"
    good = b'{"image": "a.png", "question": "q", "answer": "a"}\n'
    path.write_bytes(good + b"x" * (MOST_LINE + 1) + b"\n" + good)
    first, bad, last = Jsonl(Jsonl.Options(path=path)).read()
    assert isinstance(bad, BadLine) and bad.source == f"{path}:2" and "more than 16 MB" in bad.error
    assert (first.external_id, last.external_id) == ("1", "3")


@pytest.mark.parametrize(("module", "kind", "words"), [("jsonl", "Jsonl", "more than 16 MB"), ("csv", "Csv", "more than 16 MB")])
def test_a_line_of_gigabytes_needs_no_memory(tmp_path, module, kind, words):
    path = tmp_path / "one-line"
    with path.open("wb") as file:
        file.truncate(2 * 2**30)
    read = subprocess.run(
        [sys.executable, "-c", READ.format(module=module, kind=kind), str(path)], cwd=HOUSE, capture_output=True, text=True, timeout=240
    )
    assert read.returncode == 0 and words in read.stdout, read.stderr[-500:]


def test_a_huge_file_takes_no_memory_and_one_too_large_as_a_whole_is_told_by_its_size(tmp_path):
    path = tmp_path / "problems.json"
    with path.open("wb") as file:
        file.write(b'{"1": {"question": "q", "choices": ["a", "b"], "answer": 0, "image": "image.png", "split": "train"}, ')
        file.truncate(5 * 2**30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    *_, bad = ScienceQa(ScienceQa.Options(path=tmp_path)).read()
    assert "not valid JSON in line 1" in bad.error
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # kilobytes
    with bounded_reading.bounded(whole=1000), pytest.raises(TooLarge):
        bounded_reading.whole(HOUSE / "LICENSE")
    assert b"Apache" in bounded_reading.whole(HOUSE / "LICENSE")
    assert bounded_reading.whole(Path("/proc/self/stat"))  # says that it has 0 bytes


def test_reading_ends_where_nobody_waits(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("image,question\n" + "a.png,q\n" * 1000)
    asked = iter([False] * 10 + [True] * 10)
    with bounded_reading.bounded(over=lambda: next(asked)), pytest.raises(NobodyWaits):
        list(Csv(Csv.Options(path=path)).read())
    with bounded_reading.bounded(over=lambda: True), pytest.raises(NobodyWaits):
        bounded_reading.whole(path)
    assert len(list(Csv(Csv.Options(path=path)).read())) == 1000
