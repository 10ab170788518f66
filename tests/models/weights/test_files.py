"""Folders of weights that can't be used, each told without loading them, and a word for what to do."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tests.support.tiny_llava as tiny_llava
from models.weights.files import BadWeights, check_adapter, check_model, same_base, tensors

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_llava.build(tmp_path_factory.mktemp("tiny") / "base")


@pytest.fixture
def copy(base, tmp_path):
    return Path(shutil.copytree(base, tmp_path / "copy"))


def test_a_whole_folder_passes(base):
    check_model(base)


def pointer(folder):
    (folder / "model.safetensors").write_text(POINTER)


def pointer_of_the_tokenizer(folder):
    (folder / "tokenizer.json").write_text(POINTER)


def pickles_alone(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def cut_off(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def no_tensors(folder):
    (folder / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")


def no_weights(folder):
    (folder / "model.safetensors").unlink()


def a_shard_is_missing(folder):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def torn_config(folder):
    (folder / "config.json").write_text('{"model_type": "lla')


def no_family(folder):
    (folder / "config.json").write_text("{}")


def no_config(folder):
    (folder / "config.json").unlink()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (pointer, "model.safetensors is a pointer of Git-LFS .* `git lfs pull`"),
        (pointer_of_the_tokenizer, "tokenizer.json is a pointer"),
        (pickles_alone, r"pickles \(pytorch_model.bin\).* choose a copy that has model.safetensors"),
        (cut_off, "was cut off"),
        (no_tensors, "model.safetensors holds no weights"),
        (no_weights, "there is no model.safetensors"),
        (a_shard_is_missing, "lacks 1 of its tensors .*model-00002-of-00002.safetensors is missing"),
        (torn_config, "config.json can't be read as JSON"),
        (no_family, "names no model_type"),
        (no_config, "holds no config.json"),
    ],
)
def test_what_is_wrong_is_named(copy, damage, words):
    damage(copy)
    with pytest.raises(BadWeights, match=words) as caught:
        check_model(copy)
    assert str(copy) in str(caught.value)


def test_an_adapter_given_as_the_model_is_told_apart(base, tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(BadWeights, match="holds an adapter: give the folder of its base"):
        check_model(tmp_path)
    with pytest.raises(BadWeights, match=r"there is no adapter_model\.safetensors"):
        check_adapter(tmp_path)
    with pytest.raises(BadWeights, match=r"holds no adapter_config\.json"):
        check_adapter(base)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_upset_the_reader_of_headers(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(content)
    names, flaw = tensors(path)
    assert flaw or names


@pytest.mark.parametrize(
    ("base", "model", "same"),
    [
        ("/a/b/llava-1.5-7b-hf", "llava-hf/llava-1.5-7b-hf", True),
        ("/home/x/.cache/huggingface/hub/models--llava-hf--llava-1.5-7b-hf/snapshots/1a2b", "llava-hf/llava-1.5-7b-hf", True),
        ("llava-hf/llava-1.5-13b-hf", "llava-hf/llava-1.5-7b-hf", False),
        (None, "anything", True),
    ],
)
def test_a_base_is_told_by_the_last_part_of_its_name(base, model, same):
    assert same_base({"base_model_name_or_path": base}, model) is same
