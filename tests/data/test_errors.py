"""Every exception of the project has one base, which bears its HTTP status."""

import errno
import importlib
import inspect
import pkgutil
import shutil
import sqlite3

import pytest

import curation
import data
import models
from data.errors import MistakebookError, is_disk_full

STATUSES = {  # all others: 409
    403: {"NotAllowed"},
    404: {
        "NotRemoved",
        "UnknownArm",
        "UnknownDamage",
        "UnknownAction",
        "UnknownAssignment",
        "UnknownDataset",
        "UnknownEndpoint",
        "UnknownFilter",
        "UnknownJob",
        "UnknownPlugin",
        "UnknownPrompt",
        "UnknownSample",
        "UnknownStage",
    },
    422: {"BadValue"},
    500: {"QueryFailed", "KeyTaken", "WrongColumns"},
    507: {"DiskFull"},
}
PROCESSES = ("answer_process", "__main__")  # modules that are run and not imported


def exceptions() -> list[type[BaseException]]:
    lines = []
    for package in (curation, data, models):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if module.name.rpartition(".")[2] not in PROCESSES:
                members = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
                lines += [kind for _, kind in members if issubclass(kind, BaseException) and kind.__module__ == module.name]
    return lines


def test_every_exception_derives_from_the_base_and_its_status_is_pinned():
    kinds = exceptions()
    assert len(kinds) > 50
    assert [kind for kind in kinds if not issubclass(kind, MistakebookError)] == []
    expected = {name: status for status, names in STATUSES.items() for name in names}
    assert {kind.__name__ for kind in kinds} >= expected.keys()
    assert [(kind, kind.status) for kind in kinds if kind.status != expected.get(kind.__name__, 409)] == []


def test_a_full_disk_is_known_by_its_code_through_what_was_raised_from_it():
    full = OSError(errno.ENOSPC, "No space left on device")
    assert is_disk_full(full)
    assert is_disk_full(shutil.Error([("a", "b", str(full))]))
    assert not is_disk_full(OSError(errno.EACCES, "Permission denied")) and not is_disk_full(ValueError("No space left on device"))
    with pytest.raises(MistakebookError) as raised:
        try:
            raise full
        except OSError as error:
            raise MistakebookError("the picture can't be kept") from error
    assert is_disk_full(raised.value)


def test_a_full_disk_is_known_from_sqlite(tmp_path):
    connection = sqlite3.connect(tmp_path / "small.sqlite")
    connection.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.Error) as raised:
        connection.executescript("CREATE TABLE a (b TEXT); INSERT INTO a SELECT hex(randomblob(100000))")
    assert is_disk_full(raised.value)
