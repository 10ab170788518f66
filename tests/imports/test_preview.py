"""Looking before importing: raw rows beside items, the mapping, what would be left out; nothing is stored and reading is bounded."""

import json

import pytest

from curation.imports import preview as previews
from curation.imports.preview import preview
from tests.support import official_layouts as official


@pytest.fixture
def listed(tmp_path):
    """A list whose third row has no picture file, whose fourth is broken, and whose columns have names of their own."""
    for number in range(2):
        official.put(tmp_path / f"{number}.png", official.picture(number))
    rows = [
        {"image": "0.png", "wording": "One?", "gold": "x", "extra": [1, 2]},
        {"image": "1.png", "wording": "Two?", "gold": "y", "extra": "z" * 1000},
        {"image": "gone.png", "wording": "Three?", "gold": "y"},
    ]
    official.put(tmp_path / "own.jsonl", "\n".join([*map(json.dumps, rows), "{"]))
    return tmp_path / "own.jsonl"


def test_rows_stand_beside_what_they_become(listed):
    seen = preview("auto", {"path": str(listed), "map": {"question": "wording"}})
    assert seen.columns == ["image", "wording", "gold", "extra"]
    assert seen.mapping == {"image": "image", "question": "wording", "answers": "gold"} and "kind" in seen.fields
    assert [row.source for row in seen.raw] == [f"{listed}:{line}" for line in (1, 2, 3, 4)]
    assert seen.raw[0].cells == {"image": "0.png", "wording": "One?", "gold": "x", "extra": "[1, 2]"}
    assert seen.raw[0].item.question == "One?" and seen.raw[0].item.picture.startswith("data:image/webp")
    assert len(seen.raw[1].cells["extra"]) < 330 and "(1,000 characters)" in seen.raw[1].cells["extra"]
    assert "gone.png: can't be read" in seen.raw[2].said and "not valid JSON" in seen.raw[3].said
    assert seen.layout.startswith("read as jsonl: own.jsonl")
    assert (seen.looked, seen.unusable, seen.whole) == (4, 2, True)
    assert [bad.source for bad in seen.bad] == [f"{listed}:3", f"{listed}:4"]


def test_a_wrong_guess_still_shows_the_rows(tmp_path):
    path = official.put(tmp_path / "own.csv", "shot,wording,gold\n0.png,One?,x\n")
    seen = preview("auto", {"path": str(path)})
    assert seen.rows == [] and seen.raw[0].cells == {"shot": "0.png", "wording": "One?", "gold": "x"}
    assert "no column image and question among shot, wording, gold" in seen.raw[0].said
    assert seen.mapping == {"answers": "gold"}
    seen = preview("auto", {"path": str(path), "map": {"image": "shoot"}})
    assert "did you mean 'shot'?" in seen.bad[0].error and "image" not in seen.mapping


def test_a_benchmark_knows_its_own_columns(tmp_path):
    seen = preview("auto", {"path": str(official.scienceqa(tmp_path)), "dev_share": 0})
    assert seen.fields == [] and seen.mapping == {} and seen.raw[0].item.external_id == "1"
    assert seen.raw[1].said == "no picture" and seen.skipped == {"no picture": 2}


def test_a_look_ends_at_its_bounds(tmp_path, monkeypatch):
    official.put(tmp_path / "0.png", official.picture(0))
    path = tmp_path / "own.jsonl"
    row = {"image": "0.png", "question": "One?", "answer": "x"}
    path.write_text("\n".join(json.dumps(row) for _ in range(2000)))
    seen = preview("jsonl", {"path": str(path)})
    assert (seen.looked, seen.splits["train"], seen.whole) == (1000, 1000, False)
    monkeypatch.setattr(previews, "SECONDS", -1.0)
    assert preview("jsonl", {"path": str(path)}).whole is False


def test_a_preview_carries_500_characters_of_a_text(tmp_path):
    official.put(tmp_path / "0.png", official.picture(0))
    rows = [{"image": "0.png", "question": "q" * 10_000_000, "answer": "x" * 600}]
    seen = preview("auto", {"path": str(official.put(tmp_path / "own.jsonl", json.dumps(rows[0])))})
    assert seen.rows[0].question == "q" * 500 + "… (10,000,000 characters)" and seen.rows[0].golds[0].endswith("(600 characters)")
    assert len(seen.model_dump_json()) < 10_000
