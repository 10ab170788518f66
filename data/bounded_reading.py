"""Reading files that somebody else named: regular ones alone, lines and whole files with bounds, no longer than somebody waits.

A device or a pipe never ends, and one line may be as long as the disk. Errors are OSErrors, whose `strerror` says what is wrong.
"""

import errno
import io
import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO

from data.errors import MistakebookError

MOST_LINE = 16 * 2**20  # bytes of a line
MOST_WHOLE = 2 * 2**30  # bytes of a file that is read as a whole: in a child process, which a want of memory ends alone
AT_ONCE = 2**20
LONG_LINE = f"the line has more than {MOST_LINE >> 20} MB; is it of this format? Put each example on a line of its own"


class NotAFile(MistakebookError, OSError):
    """A device, a pipe, a socket or a folder stands where a file was expected."""


class TooLarge(MistakebookError, OSError):
    """A file is larger than may be read as a whole."""


class NobodyWaits(MistakebookError):
    """Whoever asked for the file is gone, or the time for it is over."""


@dataclass(frozen=True)
class Bounds:
    """`whole`: bytes of a file that is read as a whole. `over`: whether reading is to end, asked between pieces."""

    whole: int = MOST_WHOLE
    over: Callable[[], bool] | None = None


LOOSEST = Bounds()
_bounds: ContextVar[Bounds] = ContextVar("bounds of reading", default=LOOSEST)


@contextmanager
def bounded(whole: int | None = None, over: Callable[[], bool] | None = None) -> Iterator[None]:
    """Tighter bounds for what is read in this block (and in threads that copy its context), on top of those around it."""
    outer = _bounds.get()
    asked = [check for check in (outer.over, over) if check is not None]
    inner = Bounds(min(outer.whole, whole or outer.whole), (lambda: any(check() for check in asked)) if asked else None)
    token = _bounds.set(inner)
    try:
        yield
    finally:
        _bounds.reset(token)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A regular file, opened for reading bytes. Raises NotAFile, OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))  # opening a pipe would wait for its writer
    if kind := _no_file(descriptor):
        os.close(descriptor)
        raise NotAFile(errno.EINVAL, f"it is {kind}, not a file")
    with os.fdopen(descriptor, "rb") as file:
        yield file


def lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """(number from 1, line) of a file; None for a line longer than MOST_LINE, which is skipped without being held.

    Raises NotAFile, OSError, NobodyWaits.
    """
    with opened(path) as file:
        for number in count(1):
            still_wanted()
            line = file.readline(MOST_LINE + 1)
            if not line:
                return
            if len(line) <= MOST_LINE or line.endswith(b"\n"):
                yield number, line
                continue
            while (rest := file.readline(AT_ONCE)) and not rest.endswith(b"\n"):
                still_wanted()
            yield number, None


def text_lines(path: Path, encoding: str, errors: str) -> Generator[str]:
    """Lines of a text with their ends as they are, for the csv module. Raises TooLarge at one longer than MOST_LINE, and as `lines`."""
    with opened(path) as file, io.TextIOWrapper(file, encoding, errors, newline="") as text:
        while line := text.readline(MOST_LINE + 1):
            still_wanted()
            if len(line) > MOST_LINE and not line.endswith(("\n", "\r")):
                raise TooLarge(errno.EFBIG, LONG_LINE)
            yield line


def whole(path: Path) -> bytes:
    """All of a file. Raises TooLarge before it is read, NotAFile, OSError, NobodyWaits."""
    most = _bounds.get().whole
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        parts, read = [], 0
        while max(size, read) <= most and (part := file.read(AT_ONCE)):  # one of /proc says that it has 0 bytes
            still_wanted()
            parts.append(part)
            read += len(part)
        if max(size, read) > most:
            raise TooLarge(errno.EFBIG, f"it has {max(size, read) / 2**20:,.0f} MB, at most {most >> 20:,} MB are read as one piece here")
        return b"".join(parts)


def still_wanted() -> None:
    """Raises NobodyWaits where whoever asked is gone: to be called now and then by what takes long."""
    over = _bounds.get().over
    if over is not None and over():
        raise NobodyWaits("reading was stopped: nobody waits for it any more, or its time was over")


def _no_file(descriptor: int) -> str:
    """What a descriptor is, if no regular file."""
    mode = os.fstat(descriptor).st_mode
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
    }
    return "" if stat.S_ISREG(mode) else kinds.get(stat.S_IFMT(mode), "no regular file")
