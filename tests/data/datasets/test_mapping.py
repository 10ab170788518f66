"""Columns of one's own names: guessed, told by the option `map`, refused where they aren't there; the same for every plain format."""

import json
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.datasets._columns import FIELDS
from data.records import BadLine, SourceExample
from data.registry import DATASETS
from tests.support.official_layouts import picture, put

ROWS = [
    {"nr": "7", "shot": "a.png", "Q": "What is it?", "right": "a bus", "opts": ["a bus", "a car"], "part": "train", "skill": "object/bus"},
    {"nr": "8", "shot": "b.png", "Q": "How many?", "right": "B", "opts": ["1", "2"], "part": "testdev", "skill": None},
]
MAP = {"id": "nr", "image": "shot", "question": "Q", "answers": "right", "choices": "opts", "split": "part", "kind": "skill"}


def as_table(path: Path, delimiter: str) -> None:
    lines = [delimiter.join(ROWS[0])]
    lines += [delimiter.join("|".join(v) if isinstance(v, list) else v or "" for v in row.values()) for row in ROWS]
    path.write_text("\n".join(lines))


def as_workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(list(ROWS[0]))
    for row in ROWS:
        book.active.append(["|".join(v) if isinstance(v, list) else v for v in row.values()])
    book.save(path)


WRITE = {
    "jsonl": ("set.jsonl", lambda path: path.write_text("\n".join(map(json.dumps, ROWS)))),
    "json": ("set.json", lambda path: path.write_text(json.dumps(ROWS))),
    "csv": ("set.csv", lambda path: as_table(path, ";")),
    "tsv": ("set.tsv", lambda path: as_table(path, "\t")),
    "xlsx": ("set.xlsx", as_workbook),
    "hub": ("set.parquet", lambda path: pq.write_table(pa.Table.from_pylist(ROWS), path)),
}


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate("ab"):
        put(tmp_path / f"{name}.png", picture(number))
    return tmp_path


def read(path: Path, format_: str = "auto", **options) -> list:
    return list(DATASETS.make(format_, {"path": path, **options}).read())


@pytest.mark.parametrize("format_", sorted(WRITE))
def test_each_format_takes_a_mapping_of_every_field(folder, format_):
    name, write = WRITE[format_]
    write(folder / name)
    for reader in ("auto", format_):
        good = read(folder / name, reader, map=MAP, metric="multiple_choice")
        assert [type(item) for item in good] == [SourceExample, SourceExample], good
        assert [(e.external_id, e.split, e.question, e.golds, e.choices, e.kind) for e in good] == [
            ("7", "train", "What is it?", ("A",), ("a bus", "a car"), "object/bus"),
            ("8", "eval", "How many?", ("B",), ("1", "2"), None),
        ]


@pytest.mark.parametrize("format_", sorted(WRITE))
def test_a_column_that_is_not_there_is_refused_with_the_nearest_one(folder, format_):
    name, write = WRITE[format_]
    write(folder / name)
    (bad,) = read(folder / name, map={**MAP, "answers": "rihgt"})
    assert bad.source == f"{folder / name}:1"
    assert "there is no column 'rihgt' for answers (did you mean 'right'?); there are: nr, shot, Q, right, opts, part, skill" in bad.error
    (bad,) = read(folder / name, map={"questoin": "Q"})
    assert f"there is no field 'questoin' (did you mean 'question'?); there are: {', '.join(FIELDS)}" in bad.error


def test_a_column_that_some_rows_lack_is_empty_in_these(folder):
    """`skill` stands in the first row only: the second has no kind; one without the question's column says which column was missed."""
    rows = [ROWS[0], {k: v for k, v in ROWS[1].items() if k != "skill"}, {k: v for k, v in ROWS[1].items() if k != "Q"} | {"nr": "9"}]
    put(folder / "set.jsonl", "\n".join(map(json.dumps, rows)))
    good, other, bad = read(folder / "set.jsonl", map=MAP)
    assert (good.kind, other.kind) == ("object/bus", None)
    assert bad == BadLine(f"{folder / 'set.jsonl'}:3", "field 'question' (column 'Q') is missing, expected text; correct it")


def test_a_field_without_a_column_says_how_to_name_one(folder):
    put(folder / "set.jsonl", json.dumps({"image": "a.png", "wording": "What?", "answer": "x"}))
    (bad,) = read(folder / "set.jsonl")
    assert "No column is question by its name (there are: image, wording, answer): say which by --map question=COLUMN" in bad.error


def test_choices_in_columns_of_their_own_and_a_column_called_by_a_number(folder):
    put(folder / "set.csv", "shot,Q,1,2,right\na.png,What?,left,right,left\n")
    (good,) = read(folder / "set.csv", map={"image": "shot", "question": "Q", "answers": "right", "choices": "1,2"})
    assert (good.choices, good.golds) == (("left", "right"), ("A",))
    (bad,) = read(folder / "set.csv", map={"image": "shot", "question": "Q,right", "answers": "2"})
    assert "question takes one column" in bad.error


def test_a_field_mapped_to_nothing_has_no_column(folder):
    put(folder / "set.csv", "image,question,answer,kind\na.png,What?,x,y\n")
    (good,) = read(folder / "set.csv", map={"kind": ""})
    assert good.kind is None


@pytest.mark.parametrize(("told", "split"), [("test", "eval"), ("validation", "dev"), ("val", "dev"), ("testdev", "eval"), ("dev", "dev")])
def test_names_of_splits_in_use(folder, told, split):
    """Beside a test split with answers, val and its like steer."""
    put(folder / "set.csv", f"image,question,answer,split\na.png,One?,x,{told}\nb.png,Two?,y,test\n")
    assert read(folder / "set.csv")[0].split == split
