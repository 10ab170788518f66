"""Datasets in the layouts of the Hugging Face hub and of the package `datasets`: Parquet and Arrow files with a picture in a column.

- a snapshot of the hub: data/train-00000-of-00004.parquet, or a folder a configuration (Accounting/validation-00000-of-00001.parquet);
- what `save_to_disk` wrote: state.json and data-00000-of-00001.arrow, in a folder for each split;
- an imagefolder: metadata.jsonl (or .csv, .parquet) with file_name beside the pictures, in a folder for each split;
- a dataset's name on the hub, where `download` is asked for and there is a network.

Rows without an id are numbered from 0 in their split, as harnesses do. The columns are found as `_lists.py` says.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data import bounded_reading
from data.datasets._lists import ListFormat, ListOptions, Row
from data.datasets._source import Source
from data.datasets.csv import Csv
from data.datasets.jsonl import Jsonl
from data.json_text import BadFile, unreadable

ROWS_AT_ONCE = 32  # of pictures
COLUMNAR = (".parquet", ".arrow")
METADATA = ("metadata.jsonl", "metadata.csv")
NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
POINTER = b"version https://git-lfs"


class Hub(ListFormat):
    """Parquet, Arrow or an imagefolder."""

    class Options(ListOptions):
        pass

    format, rank = "hub", 2
    endings = COLUMNAR + METADATA
    expected = "Parquet or Arrow files, or pictures beside metadata.jsonl"
    from_zero = True
    looked_at = 1  # all rows of a file have the same columns, and pictures are large

    def __init__(self, options: ListOptions) -> None:
        super().__init__(options)
        if not options.path.exists() and options.download and NAME.fullmatch(str(options.path)):
            self.source = Source(_fetched(str(options.path)))

    @classmethod
    def recognise(cls, source: Source) -> str | None:
        if not source.path.exists() and NAME.fullmatch(str(source.path)):
            return f"{source.path}: no file here, but it may be the name of a dataset on the hub"
        found = _files(source)
        kinds = {path.name if path.name in METADATA else path.suffix[1:] for path in found}
        return f"{', '.join(map(source.named, found[:6]))}: {' and '.join(sorted(kinds))} of the hub's datasets" if found else None

    def files(self) -> list[Path]:
        if not self.source.path.exists():
            return [self.options.path]
        return _files(self.source)

    def rows(self, path: Path) -> Iterator[Row]:
        if not path.exists() and NAME.fullmatch(str(path)) and not self.options.download:
            raise BadFile(f"no such file or folder; to fetch the dataset {path} from the hub, say so: --source path={path} download=true")
        if path.name in METADATA:
            reader: ListFormat = Csv(Csv.Options(path=path)) if path.suffix == ".csv" else Jsonl(Jsonl.Options(path=path))
            for source, row in reader.rows(path):
                yield source, _beside(row, path, self.source.root) if isinstance(row, dict) else row
            return
        try:
            for number, row in enumerate(_rows(path), 1):
                yield f"{path}:{number}", row
        except OSError as error:
            raise unreadable(error) from error


def _files(source: Source) -> list[Path]:
    columnar = source.ending(*COLUMNAR)
    return columnar or [path for path in source.files if path.name in METADATA]


def _beside(row: dict[str, Any], path: Path, root: Path) -> dict[str, Any]:
    """A row of an imagefolder: file_name is relative to its metadata."""
    folder = path.parent.relative_to(root)
    named = {name: str(folder / row[name]) for name in ("file_name",) if isinstance(row.get(name), str)}
    return row | named


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet or Arrow file, few at a time. Raises BadFile, OSError."""
    import pyarrow as pa

    try:
        for batch in _batches(path):
            bounded_reading.still_wanted()
            for start in range(0, batch.num_rows, ROWS_AT_ONCE):
                yield from batch.slice(start, ROWS_AT_ONCE).to_pylist()
    except pa.ArrowException as error:
        with bounded_reading.opened(path) as file:
            pointer = file.read(len(POINTER)) == POINTER
        told = (
            "is a pointer of Git LFS, not the file: run `git lfs pull`"
            if pointer
            else f"is no {path.suffix[1:]} file ({error}); fetch it again"
        )
        raise BadFile(told) from error


def _batches(path: Path) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with bounded_reading.opened(path) as file:  # refuses pipes and devices
        if path.suffix.lower() == ".parquet":
            yield from pq.ParquetFile(file).iter_batches(batch_size=ROWS_AT_ONCE)
            return
    with pa.memory_map(str(path)) as mapped:
        try:
            stream = pa.ipc.open_stream(mapped)  # what `datasets` writes
        except pa.ArrowInvalid:
            whole = pa.ipc.open_file(mapped)
            yield from (whole.get_batch(i) for i in range(whole.num_record_batches))
            return
        yield from stream


def _fetched(name: str) -> Path:
    """A dataset of the hub on this machine. Raises BadFile."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, repo_type="dataset"))
    except Exception as error:  # of the network, of the hub, of its client
        raise BadFile(
            f"{name} could not be fetched from the hub ({type(error).__name__}: {error}); check the name and the network"
        ) from error
