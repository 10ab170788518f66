"""What imports left out of a dataset, row by row: rows that are passed over for what they are, and lines that could not be used."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from curation.imports.datasets import find
from data.files import read_lines
from data.records import ImportReport, Record, RowError, Skipped
from data.spreadsheets import plain_cell
from data.store import Store
from data.workspace import Workspace

SKIPPED = "skipped.jsonl"  # in the job's folder
AT_ONCE = 5000
CUT = "the list of this import is gone with its job's folder"


@dataclass(frozen=True)
class LeftOutRow(Record):
    """A row that is not in the dataset: where it stands, and why. `job_id` is its import."""

    job_id: int
    source: str
    reason: str


def note(file: IO[str], item: Skipped) -> None:
    """Adds a row to the list of an import."""
    file.write(json.dumps({"source": item.source, "reason": item.reason}, ensure_ascii=False) + "\n")


def rows(store: Store, workspace: Workspace, name: str) -> Iterator[LeftOutRow]:
    """All rows that the latest import of each source left out. Raises UnknownDataset."""
    find(store, name)
    for report in store.rows("import_reports", ImportReport):
        if report.dataset == name:
            yield from _skipped(workspace.job(report.job_id) / SKIPPED, report)
            yield from _unusable(store, report.job_id)


def as_csv(found: Iterator[LeftOutRow]) -> Iterator[str]:
    """The rows as lines of CSV, which spreadsheets open."""
    line = io.StringIO()
    writer = csv.writer(line)
    for cells in _cells(found):
        writer.writerow(cells)
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _cells(found: Iterator[LeftOutRow]) -> Iterator[tuple[object, ...]]:
    yield "source", "reason", "import"
    for row in found:
        yield plain_cell(row.source), plain_cell(row.reason), row.job_id


def _skipped(path: Path, report: ImportReport) -> Iterator[LeftOutRow]:
    if not path.exists():
        for reason, count in report.skipped.items():
            if reason != "not usable":
                yield LeftOutRow(report.job_id, "", f"{count:,} {reason}; {CUT}")
        return
    offset = 0
    while True:
        lines, end = read_lines(path, offset)
        for line in lines:
            yield LeftOutRow(report.job_id, line["source"], line["reason"])
        if end == offset:
            return
        offset = end


def _unusable(store: Store, job_id: int) -> Iterator[LeftOutRow]:
    after = ""
    while errors := store.rows("row_errors", RowError, job_id=job_id, after=after, limit=AT_ONCE):
        after = errors[-1].key
        for error in errors:
            yield LeftOutRow(job_id, error.key, error.error)
