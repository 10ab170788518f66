"""Renders Vega-Lite in a child process: a spec that hangs or eats memory costs that process, and one error.

The child is started when the first picture is wanted, with no keys in its environment, and again after it was ended.
"""

import json
import os
import select
import subprocess
import sys
import time
import weakref
from contextlib import suppress
from typing import Any

from data.errors import MistakebookError
from data.machine import HOUSE

START = 60.0  # seconds until the child is there, on a busy machine
MOST_RENDERS = 500  # of one child: its memory and processor time are bounded for its whole life
MOST_BYTES = 50 * 2**20
_KEPT = ("PATH", "LANG", "HOME", "LD_LIBRARY_PATH", "SYSTEMROOT")  # of the environment; no proxies, no keys


class CantRender(MistakebookError):
    """A spec gave no picture; the text says why."""


class RenderProcess:
    """The child process, started on demand. Not for several threads at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds  # that one picture may take
        self.version = ""  # of the renderer, once it has started
        self._child: subprocess.Popen[bytes] | None = None
        self._end: weakref.finalize[..., Any] | None = None  # ends the child, at the latest when this object goes
        self._rendered = 0
        self._rest = b""

    def render(self, vega_lite: dict[str, Any], config: dict[str, Any], scale: float, most_pixels: int) -> bytes:
        """The PNG of a Vega-Lite object. Raises CantRender."""
        self.start()
        asked = {"vega_lite": vega_lite, "config": config, "scale": scale, "most_pixels": most_pixels}
        child, until = self._running(), time.monotonic() + self.seconds
        try:
            _write(child, json.dumps(asked).encode() + b"\n")
            header = json.loads(self._line(until))
            picture = self._take(header["bytes"], until) if "bytes" in header else b""
        except TimeoutError:
            self.close()
            raise CantRender(f"it was not rendered within {self.seconds:g} seconds and was stopped; make the spec simpler") from None
        except (OSError, ValueError) as error:
            self.close()
            raise CantRender(f"the renderer ended over this spec ({error}); it may take too much memory: make it simpler") from None
        self._rendered += 1
        if self._rendered >= MOST_RENDERS:
            self.close()
        if "error" in header:
            raise CantRender(str(header["error"]))
        return picture

    def start(self) -> None:
        """Starts the child unless it is there. Raises CantRender if it can't be started."""
        if self._child is not None and self._child.poll() is None:
            return
        self.close()
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._child = child = subprocess.Popen(
            [sys.executable, "-m", "models.rendering.child"],
            cwd=HOUSE,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._end = weakref.finalize(self, _ended, child)
        try:
            self.version = str(json.loads(self._line(time.monotonic() + START))["ready"])
        except (OSError, ValueError, TimeoutError):
            self.close()
            raise CantRender(
                "the renderer does not start: is the package vl-convert-python installed? Try: python -m models.rendering.child"
            ) from None

    def close(self) -> None:
        """Ends the child at once."""
        if self._end is not None:
            self._end()
        self._child, self._end, self._rendered, self._rest = None, None, 0, b""

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise CantRender("the renderer is closed")
        return self._child

    def _line(self, until: float) -> bytes:
        while b"\n" not in self._rest:
            self._read(until)
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _take(self, count: int, until: float) -> bytes:
        if count > MOST_BYTES:
            raise ValueError(f"a picture of {count:,} bytes")
        while len(self._rest) < count:
            self._read(until)
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def _read(self, until: float) -> None:
        """Adds what the child has written. Raises TimeoutError, or OSError where it has ended."""
        out = self._running().stdout
        if out is None or not select.select([out], [], [], max(0.0, until - time.monotonic()))[0]:
            raise TimeoutError
        piece = os.read(out.fileno(), 1 << 20)
        if not piece:
            raise OSError(f"exit code {self._running().wait()}")
        self._rest += piece


def _write(child: subprocess.Popen[bytes], line: bytes) -> None:
    """A spec is at most some hundred kilobytes, and the child reads before it writes: this can't wait for ever."""
    if child.stdin is not None:
        child.stdin.write(line)
        child.stdin.flush()


def _ended(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe:
            with suppress(OSError):  # what it was still to be told
                pipe.close()
