"""Files and folders that are whole or not there, and files of JSON lines whose last one may be torn.

What is being written lies beside its target under a hidden name that ends in PART; it is moved when all of it is there.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PART = ".part"
READ_AT_ONCE = 8 * 2**20  # bytes of JSON lines


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """A path to write a file or a folder to: it becomes the target when the block ends, and is removed where the block fails.

    A file in the target's place is replaced; a folder there has to be empty. The folders above it are made.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(target, uuid.uuid4().hex[:8])
    try:
        yield part
        part.replace(target)
    except BaseException:
        remove(part)
        raise


def write_whole(target: Path, content: str | bytes, *, durable: bool = False, mode: int = 0o666) -> None:
    """Writes a file, all of it or nothing, whoever else writes it at the same time.

    Text is written as UTF-8. Durable: it survives a power cut. `mode` are the permissions of a new file, less the umask.
    """
    with whole(target) as part, os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def part_of(target: Path, tag: str = "") -> Path:
    """The hidden path beside a target that holds it while it is written; a tag tells several writers apart.

    >>> part_of(Path("runs/adapter"), "7").as_posix()
    'runs/.adapter.7.part'
    """
    return target.with_name(f".{target.name}{'.' if tag else ''}{tag}{PART}")


def remove(path: Path) -> None:
    """Removes a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def read_lines(path: Path, offset: int, limit: int = READ_AT_ONCE, skip_first: bool = False) -> tuple[list[dict[str, Any]], int]:
    """Whole lines of JSON from a byte offset on, about `limit` bytes of them, and the offset behind them.

    A line that is still being written is left for the next call. `skip_first`: the offset lies inside a line.
    """
    if not path.exists():
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        content = file.read(limit)
        if len(content) == limit and not content.endswith(b"\n"):
            content += file.readline()
    complete = content[: content.rfind(b"\n") + 1]
    lines = complete.splitlines()
    return [json.loads(line) for line in lines[1 if skip_first else 0 :]], offset + len(complete)


def append_line(path: Path, value: dict[str, Any]) -> None:
    """Appends a line of JSON in one unbuffered write."""
    with path.open("ab", buffering=0) as file:
        file.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")


def cut_torn_line(path: Path) -> None:
    """Cuts what stands behind the last newline: a line that a killed process did not finish."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        end = file.seek(0, 2)
        position, content = end, b""
        while position > 0 and b"\n" not in content:
            step = min(position, 2**16)
            position -= step
            file.seek(position)
            content = file.read(step) + content
        file.truncate(position + content.rfind(b"\n") + 1)


def tail(path: Path, size: int) -> str:
    """The last `size` bytes of a text file, whole lines."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - size))
        text = file.read().decode("utf-8", "replace")
    return text if end <= size else text.partition("\n")[2]
