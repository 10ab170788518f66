"""Rows as dataclasses: each use in the product fits its query, each noun its table; what doesn't fit is said at once."""

import ast
import importlib
import re
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from data import queries, records
from data.records import AutoRule, Condition, JobRow, JobStatus
from data.store import Store
from data.typed_rows import WrongColumns, rows_as

HOUSE = Path(__file__).parents[2]
READS = {"rows", "row", "one", "value", "column", "run", "remembered"}
TABLES = {  # nouns that are a row of a table or view as it is
    "prediction": records.Prediction,
    "failure_card": records.Failure,
    "diagnosis": records.Diagnosis,
    "triage": records.TriageEvent,
    "cluster": records.Cluster,
    "cluster_change": records.ClusterChange,
    "sample": records.Sample,
    "drawing": records.Drawing,
    "revision": records.Revision,
    "review": records.Review,
    "filter_setting": records.FilterSetting,
    "auto_rule": records.AutoRule,
    "run": records.Run,
    "job": records.JobRow,
    "reply": records.Reply,
    "lost_call": records.LostCall,
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store") / "store.duckdb")
    yield store
    store.close()


def uses() -> list[Any]:
    """Every call of the product that asks for rows of a named query as a type: file and line, query, expression of the type, module."""
    flaws = []
    for path in sorted(path for room in ("data", "curation", "benchmarks") for path in (HOUSE / room).rglob("*.py")):
        module = ".".join(path.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            reads = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READS
            if reads and len(node.args) == 2 and ast.unparse(node.func.value).endswith(("store", "write")):
                where = f"{path.relative_to(HOUSE)}:{node.lineno}"
                flaws.append(pytest.param(module, *node.args, id=f"{where} {ast.unparse(node.args[0])}"))
    return flaws


@pytest.mark.parametrize(("module", "name", "kind"), uses())
def test_a_use_fits_its_query(store, module, name, kind):
    names = vars(importlib.import_module(module))
    kind = eval(ast.unparse(kind), dict(names))  # an expression of our own source
    for query in named(name):
        with pytest.raises(Undone), store.write() as write:
            write.run(query, kind)
            raise Undone


def named(name: ast.expr) -> list[str]:
    """The queries that are meant: one by its name, or several by an f-string."""
    if isinstance(name, ast.JoinedStr):
        parts = [re.escape(part.value) if isinstance(part, ast.Constant) else ".+" for part in name.values]
        return [query for query in queries._texts() if re.fullmatch("".join(parts), query)] or pytest.fail("no query has such a name")
    assert isinstance(name, ast.Constant), "name the query itself, so that it can be followed"
    return [name.value]


class Undone(Exception):
    """Takes back what a query of the product would change."""


@pytest.mark.parametrize("table", TABLES)
def test_a_noun_fits_its_table(store, table):
    described = store._writer.execute(f'DESCRIBE "{table}"').fetchall()
    rows_as(TABLES[table], f"SELECT * FROM {table}", [(row[0], row[1]) for row in described])


def test_every_noun_is_exported():
    assert {name for name in vars(records) if name[0].isupper()} == set(records.__all__)


def test_rows_of_every_kind(store):
    job = {"stage": "evaluate", "options": {"limit": 3}, "lane": "gpu", "status": "queued", "total": 3, "author": "ann"}
    conditions = [{"filter": "judge", "comparison": "at_least", "threshold": 0.5}]
    with store.write() as write:
        (job_id,) = write.insert("job", [job], returning="job_id")
        assert write.one("job", JobRow, job_id=job_id).done == 0  # what a transaction has changed is seen in it
        write.insert("auto_rule", [{"conditions": conditions, "author": "ann"}])
    row = store.one("job", JobRow, job_id=job_id)
    assert row.options == {"limit": 3} and row.status is JobStatus.QUEUED and row.round is None and row.created_at.tzinfo
    assert store.rows("jobs_by_status", JobRow, statuses=[JobStatus.QUEUED]) == [row]
    (rule,) = store.rows("auto_rules", AutoRule, limit=1)
    assert rule.conditions == (Condition("judge", "at_least", 0.5),) and rule.evidence is None
    assert store.row("job", JobRow, job_id=-1) is None
    assert store.value("job", int, job_id=job_id) == job_id and store.column("jobs", int, limit=9) == [job_id]
    with pytest.raises(LookupError, match="current_round"):
        store.one("current_round", int)


def test_columns_in_another_order_are_put_in_that_of_the_fields():
    @dataclass(frozen=True)
    class Pair:
        first: int
        second: str

    columns = [("second", "VARCHAR"), ("first", "BIGINT")]
    assert rows_as(Pair, "q", columns)([("a", 1), ("b", 2)]) == [Pair(1, "a"), Pair(2, "b")]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ([("first", "BIGINT")], "missing second"),
        ([("first", "BIGINT"), ("second", "VARCHAR"), ("third", "BIGINT")], "not a field, or twice: third"),
        ([("first", "VARCHAR"), ("second", "VARCHAR")], "Pair.first: the column is VARCHAR, the field is int"),
        ([("first", "BIGINT"), ("second", "VARCHAR[]")], r"Pair.second: the column is VARCHAR\[\], the field is str"),
    ],
)
def test_what_does_not_fit_is_said(columns, said):
    @dataclass(frozen=True)
    class Pair:
        first: int
        second: str | None = None

    with pytest.raises(WrongColumns, match=said):
        rows_as(Pair, "q", columns)


def test_types_of_columns():
    @dataclass(frozen=True)
    class Everything:
        a: float | None
        b: Literal["x", "y"]
        c: tuple[int, ...] | None
        d: datetime
        e: dict[str, Any] | None
        f: tuple[tuple[str, ...], ...]
        g: JobStatus | None

    kinds = ["FLOAT", "ENUM('x', 'y')", "BIGINT[]", "TIMESTAMP WITH TIME ZONE", "JSON", "VARCHAR[][]", "VARCHAR"]
    make = rows_as(Everything, "q", [(field.name, kind) for field, kind in zip(fields(Everything), kinds)])
    now = datetime.now()
    (made,) = make([(None, "x", [1], now, '{"k": 1}', [["a"], []], "done")])
    assert made == Everything(None, "x", (1,), now, {"k": 1}, (("a",), ()), JobStatus.DONE)
    (made,) = make([(0.5, "y", None, now, None, [], None)])
    assert made.c is None and made.e is None and made.g is None


def test_tests_look_for_nulls_that_a_field_does_not_allow(store):
    @dataclass(frozen=True)
    class Where:
        round: int
        checkpoint: str  # NULL before the first round

    columns = [("round", "BIGINT"), ("checkpoint", "VARCHAR")]
    assert rows_as(Where, "q", columns)([(1, "base")]) == [Where(1, "base")]
    with pytest.raises(AssertionError, match="no checkpoint here"):
        rows_as(Where, "q", columns)([(0, None)])
