"""The store's file on disk: opened, and where that fails, what is wrong told by trying, never by words in a message.

A message holds the path, which may hold any word. Told apart are: a lock of another process, permissions, a full disk, a file of a
newer version, a damaged file, a damaged write-ahead log. A file or a log is never moved or changed unless the file alone is sound and
the log alone is not: then the part of the log before the damage is replayed, and both are kept as they were in `damaged/TIME/`.
"""

import fcntl
import json
import os
import pwd
import shutil
import stat
import struct
import sys
import tempfile
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from data.errors import is_disk_full
from data.files import write_whole
from data.machine import cores
from data.store_errors import DiskFull, StoreDamaged, StoreError, StoreForbidden, StoreInUse, StoreMissing, StoreNewer

DAMAGED = "damaged"  # the folder beside the store that keeps what was damaged
REPORT = "report.json"
ROOM = 2**16  # bytes that a probe writes: with fewer free the disk is full
MAGIC, VERSION = (8, b"DUCK"), (12, "<Q")  # where DuckDB's main header has them; https://duckdb.org/docs/stable/internals/storage
Settings = dict[str, str | bool | int | float | list[str]]


@dataclass(frozen=True)
class Salvage:
    """What was kept of a damaged write-ahead log. `folder` holds the file and the log as they were."""

    folder: Path
    at: str  # ISO 8601
    log_bytes: int
    replayed_bytes: int

    def write(self) -> None:
        write_whole(self.folder / REPORT, json.dumps({**asdict(self), "folder": str(self.folder)}, indent=1), durable=True)


def wal_of(path: Path) -> Path:
    """DuckDB's write-ahead log of a store."""
    return path.with_name(f"{path.name}.wal")


def open_file(path: Path) -> tuple[duckdb.DuckDBPyConnection, Salvage | None]:
    """Opens or makes the file; a damaged log is replayed up to the damage. Raises StoreError by kind (data/store_errors.py)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _of_os(path.parent, error) from error
    if not path.exists() and wal_of(path).exists():
        raise StoreMissing(
            f"{path} is missing, but its log {wal_of(path).name} is there: put the file back, or restore a backup into another workspace "
            "(mistakebook restore FOLDER --workspace NAME). To begin anew, move the log away"
        )
    try:
        return _connect(path), None
    except duckdb.Error as error:
        if known := _outside_cause(path, error):
            raise known from error
        return _with_damage(path, error)


def check_place(path: Path) -> None:
    """Raises StoreForbidden or DiskFull where a file can't be read and written, or nothing can be put beside it."""
    for each, wanted in ((path.parent, os.R_OK | os.W_OK | os.X_OK), (path, os.R_OK | os.W_OK), (wal_of(path), os.R_OK | os.W_OK)):
        if each.exists() and not os.access(each, wanted):
            raise StoreForbidden(_forbidden(each))
    if path.is_dir():
        raise StoreError(f"{path} is a folder where the store's file should be; move it away")
    probe = path.with_name(f".{uuid.uuid4().hex[:8]}.room")
    try:
        with probe.open("xb") as file:
            file.write(bytes(ROOM))
            os.fsync(file.fileno())
    except OSError as error:
        raise _of_os(path.parent, error) from error
    finally:
        probe.unlink(missing_ok=True)


def _connect(path: Path, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    settings: Settings = {
        "memory_limit": os.environ.get("MISTAKEBOOK_STORE_MEMORY", "500MB"),
        "threads": min(8, cores()),  # each takes memory of its own
        "autoinstall_known_extensions": False,
    }
    return duckdb.connect(str(path), read_only=read_only, config=settings)


def _outside_cause(path: Path, error: duckdb.Error) -> StoreError | None:
    """Why a file that may be sound could not be opened; None where the reason must be in the file or its log."""
    try:
        check_place(path)
    except StoreError as cause:
        return cause
    if not path.exists():
        return StoreError(f"{path} could not be made: {error}")
    if holder := _holder(path):
        return StoreInUse(f"{path} is open in another process ({holder}); stop that process and try again")
    header = path.open("rb").read(64)
    if len(header) < 64 or header[MAGIC[0] :][: len(MAGIC[1])] != MAGIC[1]:
        return _damaged(path, "it is no DuckDB file, or its beginning is gone")
    (version,) = struct.unpack_from(VERSION[1], header, VERSION[0])
    if version > (newest := _newest_version()):
        return StoreNewer(
            f"{path} is of a newer storage version ({version}; DuckDB {duckdb.__version__} here reads up to {newest}): "
            "upgrade Mistakebook and its packages"
        )
    return None


def _with_damage(path: Path, error: duckdb.Error) -> tuple[duckdb.DuckDBPyConnection, Salvage]:
    """Tells by opening links of the file whether it or its log is damaged. Raises StoreDamaged where it is the file."""
    wal = wal_of(path)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".probe-") as name:
        probe = Path(name) / path.name
        try:
            os.link(path, probe)
        except OSError:  # a file system without links
            _copied(path, probe)
        if why := _unreadable(probe):
            raise _damaged(path, why) from error
        if not wal.exists():
            raise _damaged(path, str(error)) from error
        good = _longest_good(probe, wal)
    salvage = _kept(path, wal, good)
    with wal.with_name(f".{wal.name}.cut").open("wb") as cut, (salvage.folder / wal.name).open("rb") as whole:
        left = good
        while part := whole.read(min(left, 2**20)):
            cut.write(part)
            left -= len(part)
        cut.flush()
        os.fsync(cut.fileno())
    wal.with_name(f".{wal.name}.cut").replace(wal)
    salvage.write()
    return _connect(path), salvage


def _longest_good(probe: Path, wal: Path) -> int:
    """How many bytes of a log can be replayed: a log that ends too early is no fault to DuckDB, one with a damaged entry is.

    Found by halving: about 20 openings for 1 MB, read-only on a link of the store.
    """
    content = wal.read_bytes()
    good, bad = 0, len(content)
    while bad - good > 1:
        middle = (good + bad) // 2
        wal_of(probe).write_bytes(content[:middle])
        if _opens(probe):
            good = middle
        else:
            bad = middle
    return good


def _opens(probe: Path) -> bool:
    try:
        _connect(probe, read_only=True).close()
    except duckdb.Error:
        return False
    return True


def _unreadable(probe: Path) -> str | None:
    """Why a store without its log can't be read whole; None where every column of every table can."""
    try:
        connection = _connect(probe, read_only=True)
        try:
            for schema, table in connection.execute("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal").fetchall():
                connection.execute(f'SELECT bit_xor(hash(t)) FROM "{schema}"."{table}" t').fetchall()
        finally:
            connection.close()
    except duckdb.Error as error:
        return str(error).partition("\n")[0]
    return None


def _kept(path: Path, wal: Path, good: int) -> Salvage:
    """Copies the file and its log into `damaged/TIME/` before anything is changed. Raises DiskFull."""
    size, free = path.stat().st_size + 2 * wal.stat().st_size, shutil.disk_usage(path.parent).free
    if size > free:
        raise DiskFull(
            f"the log of {path} is damaged; to keep file and log as they are before the good part is replayed takes "
            f"{size / 2**20:,.0f} MB, and {free / 2**20:,.0f} MB are free. Nothing was changed: free some space and start again"
        )
    now = datetime.now(UTC)
    folder = path.parent / DAMAGED / f"{now:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"
    folder.mkdir(parents=True)
    for each in (path, wal):
        _copied(each, folder / each.name)
    return Salvage(folder, now.isoformat(timespec="seconds"), wal.stat().st_size, good)


def _copied(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _holder(path: Path) -> str | None:
    """The process that locks a file, as the system knows it. Not to be asked of a file that this process has open:
    closing it would free this process's own lock (fcntl(2))."""
    form, place = ("qqihh", (2, 3)) if sys.platform == "darwin" else ("hhqqi4x", (4, 0))  # of `struct flock`: where pid and type are
    values = (0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET) if sys.platform == "darwin" else (fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    with path.open("r+b") as file:
        try:
            lock = struct.unpack(form, fcntl.fcntl(file, fcntl.F_GETLK, struct.pack(form, *values)))
        except (OSError, struct.error):  # a system with another form, or a file system that can't tell: tried out
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return "which one, the system does not tell"
            return None
    pid, kind = lock[place[0]], lock[place[1]]
    return None if kind == fcntl.F_UNLCK else f"process {pid}" if pid > 0 else "of another machine or container"


def _newest_version() -> int:
    """The newest storage version that this DuckDB writes and therefore reads."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "newest.duckdb"
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{made}' (STORAGE_VERSION 'latest')")
        version: int = struct.unpack_from(VERSION[1], made.read_bytes()[:64], VERSION[0])[0]
    return version


def _damaged(path: Path, why: str) -> StoreDamaged:
    backups = sorted(folder.name for folder in (path.parent / "backups").glob("[0-9]*") if folder.is_dir())
    newest = f"The newest backup is {path.parent / 'backups' / backups[-1]}" if backups else "There is no backup beside it"
    return StoreDamaged(
        f"{path} is damaged ({why}). It and its log were left as they are. {newest}: restore one into another workspace with "
        "mistakebook restore FOLDER --workspace NAME, then bring the decisions since then back with mistakebook recover"
    )


def _of_os(folder: Path, error: OSError) -> StoreError:
    if is_disk_full(error):
        return DiskFull(f"the disk that holds {folder} is full ({error.strerror}); nothing was changed. Free some space, then start again")
    return StoreForbidden(f"{_forbidden(folder)} ({error.strerror})")


def _forbidden(path: Path) -> str:
    existing = next(each for each in (path, *path.parents) if each.exists())
    about = existing.stat()
    try:
        owner = pwd.getpwuid(about.st_uid).pw_name
    except KeyError:
        owner = str(about.st_uid)
    me = pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() in {entry.pw_uid for entry in pwd.getpwall()} else str(os.geteuid())
    return (
        f"{path} can't be read and written by {me}: {existing} belongs to {owner}, mode {stat.S_IMODE(about.st_mode):o}, "
        "or is on a read-only disk. Start Mistakebook as its owner, change its permissions, or set MISTAKEBOOK_HOME to a folder of your own"
    )
