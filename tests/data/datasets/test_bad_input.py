"""Bad input of every kind, closed for all plain formats alike: each flaw is named with file and line, and the rest goes on."""

import json
import os
import unicodedata
from pathlib import Path

import pytest

from data.records import BadLine, SourceExample
from data.registry import DATASETS, UnknownOption
from tests.support.official_layouts import picture, put

ROWS = [
    {"id": "1", "image": "a.png", "question": "Was ist das für ein Café?", "answer": "naïve"},
    {"id": "2", "image": "a.png", "question": "何ですか。", "answer": "赤"},
]


@pytest.fixture
def folder(tmp_path):
    put(tmp_path / "a.png", picture(0))
    return tmp_path


def jsonl(rows) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def table(rows, delimiter=",") -> str:
    return "\n".join([delimiter.join(rows[0]), *(delimiter.join(row.values()) for row in rows)]) + "\n"


WRITE = {
    "jsonl": jsonl,
    "json": lambda rows: json.dumps(rows, ensure_ascii=False),
    "csv": table,
    "tsv": lambda rows: table(rows, "\t"),
}


def read(path: Path, format_: str = "auto", **options) -> tuple[list[SourceExample], list[BadLine]]:
    items = list(DATASETS.make(format_, {"path": path, **options}).read())
    return [item for item in items if isinstance(item, SourceExample)], [item for item in items if isinstance(item, BadLine)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("format_", sorted(WRITE))
def test_each_utf_is_read_whole_with_or_without_its_mark(folder, format_, encoding):
    path = put(folder / f"set.{format_}", WRITE[format_](ROWS).encode(encoding))
    good, bad = read(path)
    assert bad == [] and [(e.external_id, e.question, e.golds) for e in good] == [(r["id"], r["question"], (r["answer"],)) for r in ROWS]


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "shift_jis"])
@pytest.mark.parametrize("format_", sorted(WRITE))
def test_another_encoding_is_named_and_refused(folder, format_, encoding):
    words = {"cp1252": "Ist das Café schön?", "cp1251": "Какого цвета автобус?", "shift_jis": "これは何ですか。バスの色は何色ですか。"}[
        encoding
    ]
    row = {"id": "1", "image": "a.png", "question": words, "answer": "x"}
    path = put(folder / f"set.{format_}", WRITE[format_]([row] * 3).encode(encoding))
    good, bad = read(path, format_)
    assert good == [] and bad and all(str(path) in one.source for one in bad)
    assert f"it looks like {encoding}" in bad[0].error and "save it as UTF-8" in bad[0].error


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_dialects_of_csv(folder, delimiter):
    head = ["id", "image", "question", "answer"]
    lines = [head, ["1", "a.png", '"Left' + delimiter + ' or\nright?"', "left"], ["2", "a.png", '"He said ""stop"""', "stop"]]
    good, bad = read(put(folder / "set.csv", "\r\n".join(delimiter.join(line) for line in lines)))
    assert bad == [] and [e.question for e in good] == [f"Left{delimiter} or\nright?", 'He said "stop"']
    good, bad = read(put(folder / "set.csv", f"sep={delimiter}\n" + "\n".join(delimiter.join(line) for line in lines)))
    assert bad == [] and len(good) == 2


def test_lines_of_a_table_are_counted_with_newlines_in_cells(folder):
    path = put(folder / "set.csv", 'image,question,answer\na.png,"one\ntwo\nthree",x\na.png,,x\na.png,ok,y\n')
    good, (bad,) = read(path)
    assert len(good) == 2 and bad.source == f"{path}:5"


@pytest.mark.parametrize("format_", sorted(WRITE))
def test_a_field_of_200_kb_and_one_of_10_mb(folder, format_):
    rows = [ROWS[0] | {"question": "x" * 200_000}, ROWS[1] | {"question": "y" * 10_000_000}]
    good, bad = read(put(folder / f"set.{format_}", WRITE[format_](rows)))
    assert bad == [] and [len(e.question) for e in good] == [200_000, 10_000_000]


def test_an_id_of_1_0_is_1(folder):
    good, bad = read(put(folder / "set.jsonl", jsonl([ROWS[0] | {"id": 1.0}, ROWS[0] | {"id": 2}, ROWS[0] | {"id": 1.5}])))
    assert bad == [] and [e.external_id for e in good] == ["1", "2", "1.5"]
    _, (bad,) = read(put(folder / "set.jsonl", jsonl([ROWS[0] | {"id": 1.0}, ROWS[0] | {"id": 1}])))
    assert "id '1' is used twice" in bad.error


@pytest.mark.parametrize(("on_disk", "in_list"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_names_composed_and_decomposed(folder, on_disk, in_list):
    put(folder / unicodedata.normalize(on_disk, "café.png"), picture(1))
    good, bad = read(put(folder / "set.jsonl", jsonl([ROWS[0] | {"image": unicodedata.normalize(in_list, "café.png")}])))
    assert bad == [] and good[0].picture.exists()


def test_absolute_paths_inside_the_folder_and_links_that_leave_it(folder, tmp_path_factory):
    outside = put(tmp_path_factory.mktemp("outside") / "secret.png", picture(2))
    (folder / "link.png").symlink_to(outside)
    (folder / "linked").symlink_to(outside.parent)
    (folder / "sound.png").symlink_to(folder / "a.png")
    names = [str(folder / "a.png"), str(outside), "link.png", "linked/secret.png", "sound.png"]
    path = put(folder / "set.jsonl", jsonl([ROWS[0] | {"id": str(i), "image": name} for i, name in enumerate(names)]))
    good, bad = read(path)
    assert [e.external_id for e in good] == ["0", "4"]
    assert [one.source for one in bad] == [f"{path}:{line}" for line in (2, 3, 4)]
    assert "is outside" in bad[0].error and all("symbolic link that leaves" in one.error for one in bad[1:])


def test_percent_encoded_names_are_read_where_no_file_has_that_very_name(folder, tmp_path_factory):
    """The case picture-paths."""
    for name in ("p/6.png", "100%41.png", "100A.png"):
        put(folder / name, picture(0))
    put(folder.parent / "secret.png", picture(1))
    names = ["p%2F6.png", "100%41.png", "..%2Fsecret.png", "p%2Fgone.png"]
    path = put(folder / "set.jsonl", jsonl([ROWS[0] | {"id": str(i), "image": name} for i, name in enumerate(names)]))
    good, (bad,) = read(path)
    assert [(one.picture.name, one.picture.exists()) for one in good] == [("6.png", True), ("100%41.png", True), ("p%2Fgone.png", False)]
    assert bad.source == f"{path}:3" and "is outside" in bad.error


@pytest.mark.parametrize("text", [json.dumps(ROWS), json.dumps(ROWS, indent=1)])
def test_an_array_under_the_format_of_lines_says_which_format_reads_it(folder, text):
    """The case json-array."""
    path = put(folder / "array.json", text)
    good, (bad,) = read(path, "jsonl")
    assert good == [] and str(path) in f"{bad.source}: {bad.error}"
    assert "is one JSON array, not an object a line; import it with the format auto (--format auto), or json" in bad.error
    assert len(read(path, "json")[0]) == len(read(path)[0]) == 2


@pytest.mark.parametrize(("value", "said"), [("NaN", "NaN"), ("Infinity", "Infinity"), ("-Infinity", "-Infinity")])
def test_no_numbers_of_json(folder, value, said):
    path = put(folder / "set.jsonl", jsonl(ROWS[:1]) + f'{{"image": "a.png", "question": "q", "answer": {value}}}\n')
    good, (bad,) = read(path)
    assert len(good) == 1 and bad.source == f"{path}:2" and f"holds {said}, which is no number of JSON" in bad.error


def test_keys_and_columns_that_stand_twice(folder):
    path = put(folder / "set.jsonl", '{"image": "a.png", "question": "q", "question": "p", "answer": "x"}\n' + jsonl(ROWS[:1]))
    good, (bad,) = read(path)
    assert len(good) == 1 and bad.source == f"{path}:1" and "field 'question' stands twice" in bad.error
    for name, delimiter in (("set.csv", ","), ("set.tsv", "\t")):
        path = put(folder / name, delimiter.join(["image", "question", "Question", "answer"]) + "\n")
        _, (bad,) = read(path, name[-3:])
        assert bad.source == f"{path}:1" and "column 'question' stands twice" in bad.error


@pytest.mark.parametrize("format_", sorted(WRITE))
def test_a_pipe_is_no_file(folder, format_):
    pipe = folder / f"set.{format_}"
    os.mkfifo(pipe)
    _, bad = read(pipe, format_)
    assert any("it is a pipe, not a file" in one.error for one in bad), bad
    _, bad = read(pipe)
    assert bad


def test_a_picture_that_is_a_pipe_is_told_when_it_is_kept(folder):
    from data.images import BadImage, load

    os.mkfifo(folder / "pipe.png")
    (good,), _ = read(put(folder / "set.jsonl", jsonl([ROWS[0] | {"image": "pipe.png"}])))
    with pytest.raises(BadImage, match="it is a pipe, not a file"):
        load(good.picture)


def test_unknown_options_are_refused(folder):
    with pytest.raises(UnknownOption, match=r"has no option 'metrik' .did you mean 'metric'"):
        DATASETS.make("jsonl", {"path": folder, "metrik": "anls"})


def test_an_archive_is_refused_by_name_with_what_to_do(folder):
    for name, content in (("set.zip", b"PK\x03\x04" + b"x" * 40), ("set.7z", b"7z\xbc\xaf\x27\x1c" + b"x" * 40)):
        path = put(folder / name, content)
        _, (bad,) = read(path)
        assert bad.source == str(path) and "unpack" in bad.error and name in bad.error
    _, (bad,) = read(put(folder / "other/set.zip", b"PK\x03\x04").parent)
    assert "unpack set.zip first" in bad.error


def test_marks_of_direction_stay_in_the_text(folder):
    """What turns the direction of text is shown by the pages as marks; the import keeps it as it is."""
    (good,), bad = read(put(folder / "set.jsonl", jsonl([ROWS[0] | {"question": "a\u202eb\u2066c?"}])))
    assert bad == [] and good.question == "a\u202eb\u2066c?"
