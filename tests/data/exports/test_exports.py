"""The exports, read back."""

import json
import random
import tarfile
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from PIL import Image

from data import scenes
from data.exports import parquet
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
    assert path.name == "train-00000-of-00001.parquet" and [file.name for file in path.parent.iterdir()] == [path.name]
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


def test_parquet_has_several_files_where_one_would_be_large(samples, store, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "SHARD", 1)
    EXPORTS.make("parquet", {"rows_together": 2}).write(iter(samples), store.path, tmp_path)
    files = sorted(tmp_path.glob("*.parquet"))
    assert [file.name for file in files] == [f"train-{number:05}-of-00003.parquet" for number in range(3)]
    assert [id_ for file in files for id_ in pq.read_table(file)["sample_id"].to_pylist()] == [10, 11, 12, 13, 14]


LISTS = {
    "jsonl": "samples.jsonl",
    "llava": "llava.json",
    "llama_factory": "mistakebook.json",
    "ms_swift": "train.jsonl",
    "axolotl": "train.jsonl",
    "trl": "train.jsonl",
    "imagefolder": "metadata.jsonl",
}


def rows_of(path) -> list[dict]:
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", [*LISTS, "webdataset", "parquet"])
def test_every_format_tells_where_a_sample_comes_from(name, samples, store, tmp_path):
    verdict = {"filter": "judge", "version": 2, "score": 3.0, "comparison": "at_least", "threshold": 2.5, "passed": True}
    known = replace(
        samples[0], cluster="colours, red for blue", reviewer="ada", proposed_by="teacher", drawn_by="flux", prompts={"proposal": "ab12"},
        filters=(verdict,), dataset_licence="CC BY 4.0", round=2,
    )  # fmt: skip
    path = EXPORTS.make(name).write([known, samples[1]], store.path, tmp_path)
    if name == "webdataset":
        with tarfile.open(path) as file:
            first, second = [json.load(file.extractfile(member)) for member in file if member.name.endswith(".json")]
    else:
        first, second = pq.read_table(path).to_pylist() if name == "parquet" else rows_of(path)
    assert path.name == LISTS.get(name, path.name)
    columns = {"sample_id", "revision", "dataset", "error_type", "cluster", "route", "round", "status", "reviewer", "proposed_by"}
    assert columns | {"diagnosed_by", "drawn_by", "prompts", "filters", "licence"} <= set(first) and set(first) == set(second)
    assert (first["sample_id"], first["cluster"], first["reviewer"], first["prompts"]) == (10, known.cluster, "ada", ["proposal ab12"])
    assert first["filters"] == [verdict] and second["filters"] == []
    assert first["licence"] == "picture made by flux, after an example of pocket-quiz (CC BY 4.0)"
    assert "licence not stated" in second["licence"]


@pytest.mark.parametrize("name", [*LISTS, "webdataset", "parquet"])
def test_no_format_hands_on_control_tokens_of_peoples_texts(name, samples, store, tmp_path):
    odd = replace(samples[3], question="<image>\nWhat is <image>?<|im_start|>", choices=("[INST] red", "<bbox>"), answer="A</s>")
    path = EXPORTS.make(name).write([odd], store.path, tmp_path)
    text = path.read_bytes().decode("utf-8", "replace") if name != "parquet" else json.dumps(pq.read_table(path).to_pylist(), default=str)
    assert not [token for token in ("<|im_start|>", "[INST]", "</s>", "<bbox>") if token in text]
    assert text.count("<image>") == {"llava": 1, "llama_factory": 1, "ms_swift": 1}.get(name, 0)


def test_the_format_of_llama_factory(samples, store, tmp_path):
    path = EXPORTS.make("llama_factory").write(iter(samples), store.path, tmp_path)
    info = json.loads((tmp_path / "dataset_info.json").read_text())["mistakebook"]
    assert info["file_name"] == path.name and info["formatting"] == "sharegpt"
    row = rows_of(path)[3]
    turns = row[info["columns"]["messages"]]
    assert [turn[info["tags"]["role_tag"]] for turn in turns] == [info["tags"]["user_tag"], info["tags"]["assistant_tag"]]
    assert turns[0]["content"] == "<image>Question “3”?\nA. red\nB. blue\nAnswer with one word." and turns[1]["content"] == "B"
    assert (tmp_path / row[info["columns"]["images"]][0]).read_bytes() == store.path(samples[3].image).read_bytes()


def test_trl_axolotl_and_ms_swift_have_a_picture_a_question(samples, store, tmp_path):
    for name in ("trl", "axolotl", "ms_swift"):
        rows = rows_of(EXPORTS.make(name).write(iter(samples), store.path, tmp_path / name))
        user, assistant = rows[0]["messages"]
        assert (user["role"], assistant["role"]) == ("user", "assistant")
        if name == "ms_swift":
            assert user["content"] == "<image>Question “0”?\nAnswer with one word." and assistant["content"] == "red"
        else:
            assert [part["type"] for part in user["content"]] == ["image", "text"]
            assert assistant["content"] == [{"type": "text", "text": "red"}]
        picture = user["content"][0]["path"] if name == "axolotl" else rows[0]["images"][0]
        assert (tmp_path / name / picture).read_bytes() == store.path(samples[0].image).read_bytes()


def test_webdataset_is_read_by_its_own_library(samples, store, tmp_path):
    import webdataset

    EXPORTS.make("webdataset", {"samples_a_shard": 2}).write(iter(samples), store.path, tmp_path / "out")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [f"train-{number:05}.tar" for number in range(3)]
    read = list(webdataset.WebDataset(str(tmp_path / "out" / "train-{00000..00002}.tar"), shardshuffle=False).decode("pil"))
    assert [row["json"]["question"] for row in read] == [sample.question for sample in samples]
    assert all(row["png"].size == (64, 64) for row in read)


def test_webdataset_and_imagefolder_are_read_back_by_the_import(samples, store, tmp_path):
    EXPORTS.make("webdataset").write(iter(samples), store.path, tmp_path / "wds")
    EXPORTS.make("imagefolder").write(iter(samples), store.path, tmp_path / "folder")
    for format_, folder in (("webdataset", "wds"), ("auto", "folder")):
        read = [example for example in DATASETS.make(format_, {"path": tmp_path / folder}).read() if isinstance(example, SourceExample)]
        assert [example.question for example in read] == [sample.question for sample in samples], format_
        assert [example.golds for example in read] == [(sample.answer,) for sample in samples], format_


LOADED = {
    "imagefolder": ("imagefolder", {"data_dir": ""}),
    "parquet": ("parquet", {"data_files": "train-*.parquet"}),
    "webdataset": ("webdataset", {"data_files": "train-*.tar"}),
    "trl": ("json", {"data_files": "train.jsonl"}),
    "axolotl": ("json", {"data_files": "train.jsonl"}),
    "ms_swift": ("json", {"data_files": "train.jsonl"}),
    "llama_factory": ("json", {"data_files": "mistakebook.json"}),
}


@pytest.mark.parametrize("name", LOADED)
def test_hugging_face_datasets_reads_it(name, samples, store, tmp_path, monkeypatch):
    """Every sample is a row with its own picture, also those that share one."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "out"
    EXPORTS.make(name).write([replace(samples[0], cluster="c"), *samples[1:]], store.path, folder)
    kind, where = LOADED[name]
    where = {option: str(folder / path) for option, path in where.items()}
    rows = datasets.load_dataset(kind, split="train", cache_dir=str(tmp_path / "cache"), **where)
    assert len(rows) == 5
    if name == "webdataset":
        assert [row["json"]["sample_id"] for row in rows] == [10, 11, 12, 13, 14]
        assert rows[0]["png"].size == (64, 64)
        return
    assert rows["sample_id"][:] == [10, 11, 12, 13, 14]
    if name in ("imagefolder", "parquet"):
        assert rows[3]["choices"] == ["red", "blue"] and rows[0]["cluster"] == "c"
        assert [row["image"].convert("RGB").tobytes() for row in rows] == [store.open(sample.image).tobytes() for sample in samples]
    if name == "trl":  # as the card says
        rows = rows.map(lambda row: {"images": [f"{folder}/{path}" for path in row["images"]]})
        rows = rows.cast_column("images", datasets.List(datasets.Image()))
        assert rows[0]["images"][0].size == (64, 64) and rows[0]["messages"][1]["content"][0]["text"] == "red"
