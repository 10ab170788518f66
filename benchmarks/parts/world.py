"""What the steps that fill a workspace share."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from benchmarks.parts.pool import Pool
from data.store import Store

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=60)
ROUND_DAYS = (0, 20, 40)  # when each round begins
REVIEW_DAYS = (42.0, 59.9)
ROUNDS = (1, 2, 3)
ROUND_SHARES = (0.12, 0.23, 0.65)  # of the samples


@dataclass
class World:
    """A store that is being filled, and what has been made so far."""

    store: Store
    pool: Pool
    rng: np.random.Generator
    jobs: dict[tuple[str, int, bool], int] = field(default_factory=dict)  # by stage, round, and whether it is a second one
    checkpoints: list[int] = field(default_factory=list)  # the one that each round starts from
    failures: list[dict[str, np.ndarray]] = field(default_factory=list)  # by round: failure_id, diagnosis_id (0: none), row of the pool
    samples: dict[str, np.ndarray] = field(default_factory=dict)

    def job(self, stage: str, round_: int, lane: str, total: int, usd: float | None = None, again: bool = False) -> int:
        """A finished job of a stage and round, or a second one; made when first asked for."""
        key = (stage, round_, again)
        if key not in self.jobs:
            begun = START + timedelta(days=ROUND_DAYS[round_ - 1] + 0.1)
            row = {"stage": stage, "options": {}, "round": round_, "lane": lane, "status": "done", "total": total, "done": total,
                   "spend_usd": usd, "author": "ada", "created_at": begun, "started_at": begun, "ended_at": begun + timedelta(hours=2),
                   "seconds": 7200.0}  # fmt: skip
            with self.store.write() as write:
                (self.jobs[key],) = write.insert("job", [row], "job_id")
        return self.jobs[key]


def moments(days: np.ndarray) -> pa.Array:
    """Times, in days after START."""
    begin = int(START.timestamp() * 1e6)
    return pa.array((begin + days * 86_400e6).astype(np.int64), pa.timestamp("us", "UTC"))


def constant(value: str | None, count: int) -> pa.Array:
    """The same text in each row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([value], pa.string()))


def coded(codes: np.ndarray, names: list[str | None] | tuple) -> pa.Array:
    """Text by number."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(list(names), pa.string()))


def texts(values: np.ndarray) -> pa.Array:
    return pa.array(values, pa.string())


def lists(values: list[list[str]], rows: np.ndarray) -> pa.Array:
    """Lists of text, by row."""
    return pa.array(values, pa.list_(pa.string())).take(pa.array(rows))


def single(values: pa.Array) -> pa.Array:
    """Lists of one text each."""
    return pa.ListArray.from_arrays(pa.array(np.arange(len(values) + 1, dtype=np.int32)), values)


def capital(values: np.ndarray) -> np.ndarray:
    return np.array([value[0].upper() + value[1:] for value in values], dtype=object)
