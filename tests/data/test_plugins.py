"""Contract tests over every plugin of every family: a new file is covered without touching this one."""

import inspect
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pydantic import BaseModel, ValidationError

from curation.filtering.base import Filter, FilterContext, FilterInput, Need, passes
from curation.prompts.templates import SHIPPED, shipped
from data import metrics, registry
from data.images import ImageStore, load
from data.records import BadLine, Dataset, ExportedSample, SourceExample, Verdict

FAMILIES = {name: value for name, value in vars(registry).items() if isinstance(value, registry.Registry)}
METHODS = {
    "DATASETS": {"about": [], "read": []},
    "EXPORTS": {"write": ["samples", "image_path", "folder"]},
    "BASELINES": {"answer": ["asks"], "embed_images": ["paths"], "load": [], "lora_targets": []},
    "IMAGE_GENERATORS": {"draw": ["prompts", "seeds"], "recipe": []},
    "EMBEDDERS": {"embed": ["items"]},
    "FILTERS": {"setup": ["context"], "__call__": ["batch"]},
}
PLUGINS = [(family, name) for family, found in FAMILIES.items() for name in found.names()]
HEAVY = ["torch", "transformers", "diffusers", "peft", "openai", "gradio", "duckdb", "sentence_transformers", "datasets", "sklearn"]


@pytest.fixture
def one_sample(tmp_path) -> tuple[ImageStore, dict]:
    store, buffer = ImageStore(tmp_path / "images"), io.BytesIO()
    Image.effect_noise((64, 64), 80).save(buffer, "PNG")
    image = store.add(buffer.getvalue())
    sample = {"sample_id": 1, "question": "What?", "answer": "red", "choices": (), "image": image.sha256, "phash": image.phash}
    return store, sample | {"dataset": "d", "error_type": "attribute", "route": "by_hand", "revision": 0, "prompt_suffix": ""}


def test_every_family_has_plugins_and_a_contract():
    assert set(METHODS) == set(FAMILIES)
    assert {family for family, _ in PLUGINS} == set(FAMILIES)


@pytest.mark.parametrize(("family", "name"), PLUGINS)
def test_a_plugin_says_what_it_is_and_takes(family, name):
    plugin = FAMILIES[family].load(name)
    assert issubclass(plugin.Options, BaseModel)
    for field, info in plugin.Options.model_fields.items():
        assert info.description, f"{name}.Options.{field} has no description: forms, flags and --help are made from it"
    json.dumps(plugin.Options.model_json_schema())  # what a form is made from
    assert (plugin.__doc__ or inspect.getmodule(plugin).__doc__ or "").strip()
    for method, arguments in METHODS[family].items():
        takes = list(inspect.signature(getattr(plugin, method)).parameters)
        assert takes[1 : 1 + len(arguments)] == arguments, f"{name}.{method} takes {takes}"


def test_loading_every_plugin_imports_nothing_heavy():
    load_all = "\n".join(f"registry.{family}.load({name!r})" for family, name in PLUGINS)
    code = f"import json, sys\nfrom data import registry\n{load_all}\nprint(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert json.loads(out.stdout) == []


def test_an_unknown_plugin_is_answered_with_those_there_are():
    for plugins in FAMILIES.values():
        with pytest.raises(registry.UnknownPlugin, match=plugins.names()[0]):
            plugins.load("no_such_plugin")


# Datasets ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", registry.DATASETS.names())
def test_a_dataset_plugin(name, tmp_path):
    """It describes itself; pointed at a folder without its files it says so; a built-in one yields usable examples."""
    fields = registry.DATASETS.load(name).Options.model_fields
    needs_path = "path" in fields
    choices = {field: get_args(info.annotation)[0] for field, info in fields.items() if info.is_required() and field != "path"}
    plugin = registry.DATASETS.make(name, choices | ({"path": tmp_path / "nothing"} if needs_path else {}))
    about = plugin.about()
    assert isinstance(about, Dataset)
    assert (about.format, about.metric in metrics.METRICS) == (name, True)
    assert about.name
    assert about.title
    assert about.answer_form
    assert 0 < about.threshold <= 1
    items = [item for _, item in zip(range(50), plugin.read())]
    assert items
    if needs_path:
        assert all(isinstance(item, BadLine) and str(tmp_path) in item.source and item.error for item in items)
        return
    for item in items:
        assert isinstance(item, SourceExample)
        load(item.picture)
        assert metrics.score(about.metric, item.golds[0], item.golds, item.choices).strict >= 0.5


# Exports -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", registry.EXPORTS.names())
def test_an_export_plugin(name, tmp_path, one_sample):
    store, sample = one_sample[0], ExportedSample.from_row(one_sample[1])
    plugin = registry.EXPORTS.load(name)
    assert plugin.USE.strip() and (plugin.DATA_FILES is None or isinstance(plugin.DATA_FILES, str))
    for samples in ([], [sample], [replace(sample, choices=("a", "b"), answer="B")]):
        folder = tmp_path / f"{name} {len(samples)}"
        path = registry.EXPORTS.make(name).write(iter(samples), store.path, folder)
        assert path.is_file()
        assert path.parent == folder


# Filters -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", registry.FILTERS.names())
def test_a_filter_plugin(name, tmp_path, one_sample):
    store, sample = one_sample
    plugin = registry.FILTERS.load(name)
    assert issubclass(plugin, Filter)
    assert plugin.name == name and plugin.title
    assert plugin.version >= 1
    assert plugin.comparison in ("at_least", "at_most")
    assert passes(plugin.threshold, plugin.threshold, plugin.comparison)
    assert plugin.needs <= set(get_args(Need))
    assert ("frontier" in plugin.needs) == (plugin.prompt is not None)
    made = registry.FILTERS.make(name)
    item = FilterInput.from_row(
        {**sample, "metric": "exact_match", "answer_form": "one word", "image_path": str(store.path(sample["image"]))}
    )
    asked = made.requests(item, SHIPPED)
    assert [request.prompt_version for request in asked] == [shipped(plugin.prompt).version] * len(asked) if plugin.prompt else asked == []
    assert all(bool(request.images) == ("image" in plugin.needs) for request in asked)
    assert plugin.stamp(SHIPPED, "20000:7") < 2**31
    assert (plugin.stamp(SHIPPED, "1:1") != plugin.stamp(SHIPPED, "2:2")) == plugin.reads_eval
    assert plugin.overridable_in_bulk or not passes(1.0, plugin.loosest, plugin.comparison)
    if plugin.needs & {"frontier", "baseline"}:
        return  # test_filters_frontier.py, test_filters_teacher.py and test_filters_known.py ask real ones
    pq.write_table(pa.Table.from_pylist([{**sample, "choices": [], "example_id": 1, "golds": ["red"]}]), tmp_path / "all.parquet")
    made.setup(FilterContext(store.root, samples_parquet=tmp_path / "all.parquet", eval_parquet=tmp_path / "all.parquet"))
    undrawn = FilterInput(2, 0, "What?", "red", "d", "exact_match", "one word")
    verdicts = sorted(made([item, undrawn]), key=lambda verdict: verdict.sample_id)
    assert [(verdict.sample_id, verdict.filter, verdict.version) for verdict in verdicts] == [
        (1, name, plugin.stamp(SHIPPED)),
        (2, name, plugin.stamp(SHIPPED)),
    ]
    assert all(isinstance(verdict, Verdict) for verdict in verdicts)
    assert 0 <= verdicts[0].score <= 1
    assert (verdicts[1].score is None) == ("image" in plugin.needs)
    assert (verdicts[1].error is None) == (verdicts[1].score is not None)
    assert list(made([])) == []


# Embedders -----------------------------------------------------------------------------------------------------------


def test_text_vectors_have_length_1():
    vectors = registry.EMBEDDERS.make("minilm").embed(["a red bus", "a red bus", "a cat"])
    assert (vectors.dtype, len(vectors)) == (np.float32, 3)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors[0], vectors[1], atol=1e-5)
    assert vectors[0] @ vectors[2] < 0.9


def test_bad_options_are_refused():
    with pytest.raises(ValidationError):
        registry.FILTERS.make("agreement", {"k": 0})


def test_an_option_that_is_not_there_is_refused_with_the_likely_one(tmp_path):
    with pytest.raises(registry.UnknownOption, match=r"jsonl has no option 'metrik' \(did you mean 'metric'\?\); there are: path, images"):
        registry.DATASETS.make("jsonl", {"path": tmp_path, "metrik": "anls"})
    with pytest.raises(registry.UnknownOption, match="llava has no option 'nonsense'"):
        registry.EXPORTS.make("llava", {"nonsense": "3"})
