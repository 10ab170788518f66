"""The dataset formats on small files in the official layouts, on broken ones, and on any bytes at all."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.metrics import score
from data.records import BadLine, Skipped, SourceExample
from data.registry import DATASETS

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_all(name: str, path: Path, **options) -> list:
    return list(DATASETS.make(name, {"path": path, **options}).read())


def read(name: str, path: Path, **options) -> tuple[list[SourceExample], list[BadLine]]:
    items = read_all(name, path, **options)
    return [i for i in items if isinstance(i, SourceExample)], [i for i in items if isinstance(i, BadLine)]


def written(path: Path, content) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def lines(path: Path, *rows) -> Path:
    return written(path, "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))


# jsonl and csv -------------------------------------------------------------------------------------------------------


def test_jsonl(tmp_path):
    path = lines(
        tmp_path / "set.jsonl",
        {"id": 7, "image": "a/7.jpg", "question": " What? ", "answers": ["red", "dark red"], "split": "eval", "kind": "attribute/colour"},
        "",
        {"image": "8.png", "question": "How many?", "answer": 3},
    )
    good, bad = read("jsonl", path)
    assert good == [
        SourceExample("7", "eval", "What?", ("red", "dark red"), tmp_path / "a/7.jpg", (), "attribute/colour"),
        SourceExample("3", "train", "How many?", ("3",), tmp_path / "8.png"),
    ]
    assert bad == []


def test_jsonl_with_choices_takes_the_letter_or_the_text(tmp_path):
    item = {"image": "1.png", "question": "Which?", "choices": ["B", "a bus", "4"]}
    path = lines(tmp_path / "m.jsonl", *({**item, "answer": answer} for answer in ("C", "a bus", "B", "c", "D")))
    good, bad = read("jsonl", path, metric="multiple_choice")
    assert [example.golds for example in good] == [("C",), ("B",), ("A",), ("C",)]  # the text "B" is choice A
    assert bad == [BadLine(f"{path}:5", "answer 'D' is neither a letter A to C nor the text of one choice; correct it")]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[1]", "expected an object with the fields image"),
        ('{"image": "1.png", "answer": "x"}', "field 'question' is missing, expected text"),
        ('{"image": "1.png", "question": 3, "answer": "x"}', "field 'question' is number, expected text"),
        ('{"image": "1.png", "question": "  ", "answer": "x"}', "field 'question' is empty"),
        ('{"image": "1.png", "question": "q", "answers": []}', "field 'answers' is an empty list"),
        ('{"image": "1.png", "question": "q", "answers": [["red"]]}', "field 'answer' holds list, expected a text"),
        ('{"image": "1.png", "question": "q", "answer": true}', "field 'answer' holds true or false, expected a text"),
        ('{"image": "1.png", "question": "q", "answer": NaN}', "holds NaN, which is no number of JSON"),
        ('{"image": "1.png", "question": "q", "answer": "x", "answer": "y"}', "field 'answer' stands twice in one object"),
        ('{"image": "1.png", "question": "q"}', "field 'answer' is missing or empty"),
        ('{"image": "1.png", "question": "q", "answer": "\\ud800"}', "characters that are no text"),
        (
            '{"image": "1.png", "question": "q", "answer": "x", "split": "tset"}',
            "split 'tset' is unknown, expected one of train, dev, eval",
        ),
        ('{"image": "../1.png", "question": "q", "answer": "x"}', "is outside"),
        ('{"image": "/etc/passwd", "question": "q", "answer": "x"}', "is outside"),
        ('{"image": "https://x.org/1.png", "question": "q", "answer": "x"}', "images are not downloaded"),
        ('{"id": 1, "image": "1.png", "question": "q", "answer": "x"}', "id '1' is used twice in split train"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_goes_on(tmp_path, line, error):
    path = lines(
        tmp_path / "set.jsonl",
        {"id": 1, "image": "1.png", "question": "q", "answer": "x"},
        line,
        {"image": "3.png", "question": "q", "answer": "x"},
    )
    good, bad = read("jsonl", path)
    assert [example.external_id for example in good] == ["1", "3"]
    assert [item.source for item in bad] == [f"{path}:2"]
    assert error in bad[0].error


def test_lines_that_are_not_utf8(tmp_path):
    path = tmp_path / "set.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"image": "1.png", "question": "q", "answer": "x"}\n{"image": "2.png", "question": "\xff", "answer": "x"}\n'
    )
    good, bad = read("jsonl", path)
    assert (len(good), bad[0].source) == (1, f"{path}:2")


def test_csv(tmp_path):
    path = written(
        tmp_path / "set.csv",
        "id,Image,question,answers,choices,split,kind\n"
        "7,photos/7.jpg,What color?,red|red|dark red,,eval,attribute/colour\n"
        '8,8.png,"Left, or\nright?",B,left|right,,\n'
        "\n"
        "9,9.png,Too many,x,,,,more\n"
        "10,,No picture,x,,,\n",
    )
    good, bad = read("csv", path)
    assert good == [
        SourceExample("7", "eval", "What color?", ("red", "red", "dark red"), tmp_path / "photos/7.jpg", (), "attribute/colour"),
        SourceExample("8", "train", "Left, or\nright?", ("B",), tmp_path / "8.png", ("left", "right")),
    ]
    assert [(item.source, item.error[:27]) for item in bad] == [
        (f"{path}:6", "8 cells under 7 columns; pu"),
        (f"{path}:7", "field 'image' is missing, e"),
    ]


def test_csv_without_a_header(tmp_path):
    path = written(tmp_path / "set.csv", "1.png,What?,red\n")
    assert read("csv", path) == (
        [],
        [
            BadLine(
                f"{path}:1",
                "no column image and question among 1.png, What?, red; expected a first line like id,image,question,answer, "
                "or say which column it is by --map image=COLUMN",
            )
        ],
    )


@pytest.mark.parametrize("name", ["jsonl", "csv"])
def test_a_list_that_is_not_there(tmp_path, name):
    good, bad = read(name, tmp_path / "gone")
    assert good == []
    assert "can't be read (No such file or directory)" in bad[0].error


def test_a_lists_options_and_the_metrics_usual_words(tmp_path):
    about = DATASETS.make("jsonl", {"path": tmp_path / "my set.jsonl", "metric": "multiple_choice"}).about()
    assert (about.name, about.format, about.metric) == ("my set", "jsonl", "multiple_choice")
    assert about.prompt_suffix == "Answer with the option's letter from the given choices directly."
    about = DATASETS.make("csv", {"path": tmp_path / "x.csv", "name": "mine", "prompt_suffix": "", "threshold": 0.9}).about()
    assert (about.name, about.prompt_suffix, about.threshold) == ("mine", "", 0.9)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.sampled_from(["id", "image", "question", "answer", "answers", "choices", "split", "kind"]), JSON, min_size=3)


@SAME_FOLDER
@given(st.lists(st.binary(max_size=80) | FIELDS.map(lambda row: json.dumps(row).encode()), max_size=6), st.sampled_from(["jsonl", "csv"]))
def test_any_line_is_an_example_or_a_bad_line(tmp_path, rows, name):
    path = tmp_path / "any"
    path.write_bytes(b"image,question,answer,choices\n" * (name == "csv") + b"\n".join(rows))
    good, bad = read(name, path)
    for example in good:
        json.dumps(example.to_row() | {"picture": str(example.picture)}, ensure_ascii=False).encode()  # can be kept
        assert score("exact_match", example.golds[0], example.golds).lenient == 1
    for item in bad:
        assert f"{item.source}: {item.error}".encode()


# The official layouts ------------------------------------------------------------------------------------------------


def vizwiz(folder: Path, train: list, val: list) -> Path:
    written(folder / "Annotations" / "train.json", train)
    written(folder / "Annotations" / "val.json", val)
    return folder


def test_vizwiz(tmp_path):
    answers = [{"answer": "unanswerable", "answer_confidence": "yes"}] * 9 + [{"answer": "chair", "answer_confidence": "maybe"}]
    item = {
        "image": "VizWiz_val_00000000.jpg",
        "question": "What is it?",
        "answers": answers,
        "answer_type": "unanswerable",
        "answerable": 0,
    }
    mined = item | {"image": "VizWiz_train_00000001.jpg", "answerable": 1}
    good, bad = read("vizwiz", vizwiz(tmp_path, [mined, mined | {"answers": []}, "?"], [item]), dev_share=0)
    assert [(e.external_id, e.split, len(e.golds), e.kind) for e in good] == [
        ("VizWiz_train_00000001.jpg", "train", 10, None),
        ("VizWiz_val_00000000.jpg", "eval", 10, "unanswerable/photo"),
    ]
    assert good[1].picture == tmp_path / "val" / "VizWiz_val_00000000.jpg"
    assert [item.source for item in bad] == [f"{tmp_path}/Annotations/train.json:1, item 3"]
    assert Skipped(f"{tmp_path}/Annotations/train.json:1, item 2", "no answers") in read_all("vizwiz", tmp_path)


def test_pictures_for_dev_are_a_share_of_those_for_training(tmp_path):
    train = [{"image": f"{i}.jpg", "question": "q", "answers": [{"answer": "x"}]} for i in range(2000)]
    good, _ = read("vizwiz", vizwiz(tmp_path, train, []), dev_share=0.1)
    dev = [example for example in good if example.split == "dev"]
    assert 150 < len(dev) < 250
    again, _ = read("vizwiz", tmp_path, dev_share=0.1)
    assert good == again
    assert len(read("vizwiz", tmp_path, limit=30)[0]) == 30


def test_okvqa(tmp_path):
    question = {"image_id": 297147, "question": "What sport can you use this for?", "question_id": 2971475}
    answers = [{"answer_id": i, "raw_answer": "racing", "answer_confidence": "yes", "answer": "race"} for i in range(1, 11)]
    annotation = {"image_id": 297147, "question_id": 2971475, "question_type": "four", "answer_type": "other", "answers": answers}
    for part in ("train", "val"):
        written(
            tmp_path / f"OpenEnded_mscoco_{part}2014_questions.json",
            {"info": {}, "questions": [question, question | {"question_id": 5}, 7]},
        )
        written(tmp_path / f"mscoco_{part}2014_annotations.json", {"annotations": [annotation, 3], "question_types": {}})
    good, bad = read("okvqa", tmp_path, dev_share=0)
    assert good[1] == SourceExample(
        "2971475",
        "eval",
        "What sport can you use this for?",
        ("race",) * 10,
        tmp_path / "val2014/COCO_val2014_000000297147.jpg",
        (),
        "external-knowledge/sports",
    )
    assert (good[0].split, len(bad)) == ("train", 4)
    assert "question 5 has no annotation" in bad[0].error


def test_infovqa(tmp_path):
    item = {
        "questionId": 65718,
        "question": "Which platform?",
        "image_local_name": "20471.jpeg",
        "answers": ["pinterest"],
        "data_split": "train",
    }
    written(
        tmp_path / "infographicsVQA_train_v1.0.json",
        {"dataset_name": "infographicVQA", "data": [item, item | {"questionId": 2, "answers": 0}]},
    )
    good, bad = read("infovqa", tmp_path, dev_share=0)
    assert good == [SourceExample("65718", "train", "Which platform?", ("pinterest",), tmp_path / "infographicsvqa_images/20471.jpeg")]
    assert "field 'answers' is number, expected list" in bad[0].error
    assert len(bad) == 1  # that val isn't there is no fault


def test_scienceqa(tmp_path):
    item = {"question": "Which is north?", "choices": ["Ohio", "Iowa"], "answer": 1, "hint": "", "image": "image.png", "split": "train"}
    problems = {
        "1": item,
        "2": item | {"image": None},
        "3": item | {"hint": "Look at the map.", "split": "test"},
        "4": item | {"answer": 2},
        "5": item | {"split": "val"},
        "../6": item,
    }
    written(tmp_path / "problems.json", problems)
    good, bad = read("scienceqa", tmp_path)
    assert [(e.external_id, e.split, e.question, e.golds) for e in good] == [
        ("1", "train", "Which is north?", ("B",)),
        ("3", "eval", "Context: Look at the map.\nWhich is north?", ("B",)),
        ("5", "dev", "Which is north?", ("B",)),
        ("../6", "train", "Which is north?", ("B",)),
    ]
    assert good[0].picture == tmp_path / "train/1/image.png"
    assert good[3].picture == tmp_path / "6/image.png"  # never outside the folder
    assert "answer 2 of 2 choices" in bad[0].error


FILES = {
    "vizwiz": ["Annotations/train.json"],
    "okvqa": ["OpenEnded_mscoco_train2014_questions.json", "mscoco_train2014_annotations.json"],
    "infovqa": ["infographicsVQA_train_v1.0.json"],
    "scienceqa": ["problems.json"],
}


@SAME_FOLDER
@given(st.sampled_from(sorted(FILES)), st.data())
def test_any_json_in_an_official_file_is_survived(tmp_path, name, data):
    keys = [
        "questions",
        "annotations",
        "data",
        "image",
        "question",
        "answers",
        "answer",
        "question_id",
        "image_id",
        "choices",
        "split",
        "questionId",
    ]
    shape = (
        st.lists(JSON | st.dictionaries(st.sampled_from(keys), JSON))
        | st.dictionaries(st.sampled_from([*keys, "1", "\ud800"]), JSON)
        | JSON
    )
    for file in FILES[name]:
        written(tmp_path / name / file, json.dumps(data.draw(shape)))
    good, _ = read(name, tmp_path / name)
    for example in good:
        assert example.golds
        json.dumps(example.to_row() | {"picture": str(example.picture)}, ensure_ascii=False).encode()
