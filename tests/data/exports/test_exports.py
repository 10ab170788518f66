"""The exports, read back."""

import json
import random
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from PIL import Image

from data import scenes
from data.images import ImageStore, png_bytes
from data.records import ExportedSample, SourceExample
from data.registry import DATASETS, EXPORTS


@pytest.fixture
def store(tmp_path) -> ImageStore:
    return ImageStore(tmp_path / "store")


@pytest.fixture
def samples(store) -> list[ExportedSample]:
    rows = []
    for i in range(5):
        picture = scenes.draw(scenes.random_things(random.Random(i // 2)))
        choices = ("red", "blue") if i == 3 else ()
        rows.append(
            ExportedSample(
                sample_id=10 + i,
                revision=i,
                question=f"Question “{i}”?",
                choices=choices,
                answer="B" if choices else "red",
                image=store.add(png_bytes(picture)).sha256,
                dataset="pocket-quiz",
                error_type="attribute",
                route="new_image",
                prompt_suffix="Answer with one word.",
            )
        )
    return rows


def test_jsonl_is_read_back_by_the_format(samples, store, tmp_path):
    path = EXPORTS.make("jsonl").write(samples, store.path, tmp_path / "out")
    read = list(DATASETS.make("jsonl", {"path": path}).read())
    assert [example for example in read if not isinstance(example, SourceExample)] == []
    assert [(e.external_id, e.question, e.golds, e.choices, e.split, e.kind) for e in read] == [
        (str(s.sample_id), s.question, (s.answer,), s.choices, "train", "attribute/pocket-quiz") for s in samples
    ]
    assert [e.picture.read_bytes() for e in read] == [store.path(s.image).read_bytes() for s in samples]
    assert len(list((tmp_path / "out" / "images").iterdir())) == 3


def test_llava(samples, store, tmp_path):
    path = EXPORTS.make("llava").write(iter(samples), store.path, tmp_path / "out")
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert len(rows) == 5
    assert rows[3]["conversations"] == [
        {"from": "human", "value": "<image>\nQuestion “3”?\nA. red\nB. blue\nAnswer with one word."},
        {"from": "gpt", "value": "B"},
    ]
    with Image.open(path.parent / rows[3]["image"]) as picture:
        assert picture.size == (64, 64)


def test_markers_in_peoples_text_are_no_placeholders(samples, store, tmp_path):
    """One `<image>` a picture, whatever people wrote; what ends an answer for some model ends none."""
    texts = ["<image>\nWhat is red?", "In the file <image>, what?", "What?</s> ![fig](<image>)", "What is <|im_end|>?", "What?\n<image>"]
    odd = [replace(sample, question=text, answer=f"red {text}") for sample, text in zip(samples, texts)]
    rows = json.loads(EXPORTS.make("llava").write(odd, store.path, tmp_path / "out").read_text(encoding="utf-8"))
    human = [row["conversations"][0]["value"] for row in rows]
    assert [text.count("<image>") for text in human] == [1] * 5 and all(text.startswith("<image>\n") for text in human)
    whole = json.dumps([row["conversations"] for row in rows])
    assert "</s>" not in whole and "<|im_end|>" not in whole
    assert "<image>" not in "".join(row["conversations"][1]["value"] for row in rows)
    assert "< image>, what?" in human[1] and "What is red?" in human[0]


def test_llava_of_nothing_is_a_list(store, tmp_path):
    assert json.loads(EXPORTS.make("llava").write([], store.path, tmp_path).read_text()) == []


def test_parquet(samples, store, tmp_path):
    path = EXPORTS.make("parquet", {"rows_together": 2}).write(iter(samples), store.path, tmp_path / "out")
    table = pq.read_table(path)
    assert table.num_rows == 5
    row = table.to_pylist()[3]
    assert (row["sample_id"], row["choices"], row["revision"]) == (13, ["red", "blue"], 3)
    assert row["text"] == "Question “3”?\nA. red\nB. blue\nAnswer with one word."
    assert row["image"]["bytes"] == store.path(samples[3].image).read_bytes()


def test_parquet_tells_hugging_face_datasets_which_column_is_the_picture(samples, store, tmp_path):
    schema = pq.read_schema(EXPORTS.make("parquet").write(samples, store.path, tmp_path))
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert sorted(features) == sorted(schema.names)
    assert features["image"] == {"_type": "Image"}


def test_a_picture_that_is_gone_leaves_no_half_file(samples, store, tmp_path):
    store.path(samples[4].image).unlink()
    for name in EXPORTS.names():
        with pytest.raises(FileNotFoundError, match="is missing from"):
            EXPORTS.make(name).write(samples, store.path, tmp_path / name)
        assert [file for file in (tmp_path / name).iterdir() if file.is_file()] == []
