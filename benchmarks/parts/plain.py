"""The lower bound: one bare table in DuckDB with the columns that a page shows, and straight SQL; no log, no history, no undo."""

import random
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.parts.work import FACETS, PAGE, p95, timed

KEYS = {"informative": "unsure, sample_id", "random": "hash(sample_id)", "newest": "sample_id DESC", "oldest": "sample_id"}
COLUMN = {field: name for name, field in FACETS.items() if name != "failing"}


def figures(source: Path, target: Path, bulk_rows: int, seed: int = 3) -> dict[str, Any]:
    """p95 in milliseconds; `source` is a store that no process has open."""
    rng = random.Random(seed)
    connection = duckdb.connect(str(target), config={"threads": 2})
    connection.execute(f"ATTACH '{source}' AS store (READ_ONLY)")
    connection.execute("CREATE TABLE sample AS FROM store.sample_state ORDER BY sample_id")
    connection.execute("DETACH store")
    connection.execute("CHECKPOINT")
    total = connection.execute("SELECT count(*) FROM sample").fetchall()[0][0]
    values = {
        name: [row[0] for row in connection.execute(f"SELECT DISTINCT {name}::TEXT FROM sample").fetchall()] for name in COLUMN.values()
    }

    def where() -> str:
        chosen = rng.sample(sorted(values), rng.choice((0, 1, 1, 2, 3)))
        parts = [(name, rng.sample(values[name], min(2, len(values[name])))) for name in chosen]
        return " AND ".join(["true", *(f"{name} IN ({', '.join(repr(v) for v in some)})" for name, some in parts)])

    def page(condition: str, order: str, offset: int) -> None:
        columns = "sample_id, revision, question, choices, answer, image, status, error_type, failed"
        connection.execute(f"SELECT {columns} FROM sample WHERE {condition} ORDER BY {order} LIMIT {PAGE} OFFSET {offset}").fetchall()
        connection.execute(f"SELECT count(*) FROM sample WHERE {condition}").fetchall()

    def facets(condition: str) -> None:
        for name in values:
            connection.execute(f"SELECT {name}, count(*) FROM sample WHERE {condition} GROUP BY 1 ORDER BY 2 DESC").fetchall()

    def decide(sample_id: int) -> None:
        connection.execute("UPDATE sample SET status = 'approved', decision = 'approve' WHERE sample_id = ?", [sample_id])

    def bulk() -> None:
        connection.execute(
            f"UPDATE sample SET status = 'approved', decision = 'approve' WHERE sample_id % {max(1, total // bulk_rows)} = 0"
        )

    orders = list(KEYS.values())
    measured = {
        "page": timed(page, [(where(), rng.choice(orders), PAGE * rng.randrange(3)) for _ in range(80)]),
        "jump": timed(page, [("true", rng.choice(orders), rng.randrange(total)) for _ in range(30)]),
        "facets": timed(facets, [(where(),) for _ in range(80)]),
        "decision": timed(decide, [(rng.randrange(total),) for _ in range(200)]),
        "bulk": timed(bulk, [()] * 5),
    }
    connection.close()
    return {"samples": total, "p95_ms": {name: p95(taken) for name, taken in measured.items()}}
