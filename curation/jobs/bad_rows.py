"""What becomes of rows that a stage fails on: the batch is tried in halves, so that only the bad ones get an error.

Where most of the latest rows failed, the job pauses itself.
"""

import traceback
from collections import deque
from collections.abc import Iterator
from typing import Any

from curation.stage import Result, Row, Stage
from data.child_work import StopRequest
from data.errors import MistakebookError, is_disk_full
from models.frontier import FrontierStopped

WINDOW = 50  # rows; when more than half of them failed, the job pauses itself


class TooManyFailures(MistakebookError):
    """More than half of the last rows failed."""


class RecentRows:
    """Which of the latest rows failed."""

    def __init__(self) -> None:
        self._failed: deque[bool] = deque(maxlen=WINDOW)

    def note(self, result: Result) -> None:
        """Raises TooManyFailures."""
        self._failed.append("error" in result)
        if sum(self._failed) > WINDOW / 2:
            last = result.get("error", "")
            raise TooManyFailures(f"{sum(self._failed)} of the last {len(self._failed)} rows failed; the last: {last}")


def results_of(stage: Stage[Any], batch: list[Row], stop: StopRequest) -> Iterator[Result]:
    """The results of a batch. Where the stage raises, the rows it still owes are tried in halves, and so on, so that only bad ones fail."""
    owed = {row["key"]: row for row in batch}
    try:
        for result in stage(batch):
            owed.pop(result["key"], None)
            yield result
    except FrontierStopped:
        raise
    except Exception as error:
        traceback.print_exc()
        if len(batch) == 1:
            yield from ({"key": key, "error": in_words(error)} for key in owed)
            return
        rest = list(owed.values())
        for half in (rest[: len(rest) // 2], rest[len(rest) // 2 :]):
            if half and not stop():
                yield from results_of(stage, half, stop)
        return
    if not stop():
        yield from ({"key": key, "error": "the stage returned nothing for this row"} for key in owed)


def in_words(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"{text}. Free some disk space, then resume." if is_disk_full(error) else text
