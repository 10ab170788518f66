"""What can't be loaded is told in one sentence, and never asked: no random numbers are scored, no code of others is run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from data.registry import BASELINES
from models.weights.files import BadWeights
from models.weights.loading import Placement, load, load_config, locate
from tests.support import families


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return families.build("llava", tmp_path_factory.mktemp("llava") / "base")


@pytest.fixture
def copy(base, tmp_path):
    return Path(shutil.copytree(base, tmp_path / "copy"))


def refused(folder, **options):
    """Why a baseline of these weights can't be warmed up."""
    with pytest.raises(BadWeights) as caught:
        BASELINES.make("image_text_to_text", {"model": str(folder), **options}).warm_up()
    return str(caught.value)


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_tensors_that_are_missing_are_never_random(copy):
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    lacking = {name: value for name, value in weights.items() if "projector.linear_2" not in name}
    save_file(lacking, copy / "model.safetensors", {"format": "pt"})
    text = refused(copy)
    assert "2 tensors of a LlavaForConditionalGeneration are not in the files" in text and "linear_2.bias" in text
    save_file({"something.else": weights[next(iter(weights))]}, copy / "model.safetensors", {"format": "pt"})
    assert "tensors of a LlavaForConditionalGeneration are not in the files" in refused(copy)


def test_tensors_of_other_sizes(copy):
    config = json.loads((copy / "config.json").read_text())
    config["text_config"]["intermediate_size"] = 64
    (copy / "config.json").write_text(json.dumps(config))
    assert "the weights don't load as llava" in refused(copy)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "my_vlm", "auto_map": {"AutoConfig": "config.MyConfig"}}, "its code comes with the weights"),
        ({"model_type": "llava_of_tomorrow"}, "has no family 'llava_of_tomorrow'; a newer one may have it"),
        ({"model_type": "florence2"}, "florence2 is an encoder-decoder"),
        ({"model_type": "llama"}, "transformers loads llama as a text-only language model"),
        ({"model_type": "vilt"}, "transformers loads vilt as a classifier of answers"),
        ({"model_type": "bert"}, "transformers loads bert as "),
        ({"text_config": 7}, "config.json doesn't fit the family llava"),
    ],
)
def test_families_that_are_not_asked(copy, changes, words, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)  # nobody is there to be asked whether code may be run
    edit(copy / "config.json", **changes)
    text = refused(copy)
    assert words in text and "trust_remote_code" not in text


def test_code_beside_weights_of_a_known_family_is_not_run(copy):
    (copy / "processing.py").write_text("raise SystemExit('run')")
    edit(copy / "config.json", auto_map={"AutoConfig": "processing.Config", "AutoModelForImageTextToText": "processing.Model"})
    edit(copy / "processor_config.json", auto_map={"AutoProcessor": "processing.Processor"})
    model, _ = load(copy, "copy", Placement())
    assert type(model).__module__.startswith("transformers.")
    edit(copy / "processor_config.json", processor_class="TheirProcessor")
    load(copy, "copy", Placement())  # the family's own processor


def test_a_processor_of_another_model(copy):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(copy)
    name = next(name for name in ("image_token_id", "image_token_index") if name in json.loads((copy / "config.json").read_text()))
    edit(copy / "config.json", **{name: tokenizer.convert_tokens_to_ids("<unk>")})
    assert "processor and weights are of different models" in refused(copy)


def test_a_processor_whose_files_are_gone(copy):
    (copy / "preprocessor_config.json").unlink()
    assert "LlavaProcessor" in refused(copy)


def test_torchvision_is_named_where_pictures_need_it(tmp_path):
    if families.HAS_TORCHVISION:
        pytest.skip("torchvision is installed")
    folder = tmp_path / "qwen"
    families.build("qwen2_vl", folder)
    edit(folder / "config.json", model_type="mistral3")
    edit(folder / "processor_config.json", processor_class="PixtralProcessor")
    from models.weights.processors import load_processor

    with pytest.raises(BadWeights, match=r"PixtralProcessor needs torchvision, .* pip install 'mistakebook\[families\]'"):
        load_processor(folder, load_config(folder))


def test_a_torchvision_that_does_not_fit_is_named(base, tmp_path):
    """In a process of its own: a package of that name whose import fails as one built for another torch does."""
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    code = "import sys; from models.weights.loading import load_config; load_config(__import__('pathlib').Path(sys.argv[1]))"
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])
    done = subprocess.run([sys.executable, "-c", code, base], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    assert "BadWeights: the torchvision that is installed doesn't fit the torch beside it" in done.stderr


def test_a_template_is_given_where_there_is_none(copy, tmp_path):
    own = (copy / "chat_template.jinja").read_text()
    before = BASELINES.make("image_text_to_text", {"model": str(copy)}).chat.prompt("What?")
    (copy / "chat_template.jinja").unlink()
    assert "has no chat template" in refused(copy) and "llava-1.5" in refused(copy)
    file = tmp_path / "own.jinja"
    file.write_text(own)
    for template in ("LLaVA-1.5", str(file), own):
        chat = BASELINES.make("image_text_to_text", {"model": str(copy), "template": template}).chat
        assert chat.prompt("What?") == before
    assert "no template 'LLaVA-9'" in refused(copy, template="LLaVA-9")


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% for m in messages %}{{ m.role }}{% for c in m.content %}{{ c.text }}{% endfor %}{% endfor %}", "has no place for a picture"),
        ("<image><image>{{ messages[0].content[1].text }}", "writes 2 pictures for one"),
        ("<image>{{ messages | length }}", "leaves out the question"),
        ("{{ raise_exception('no pictures') }}", "fails on a picture and a question"),
    ],
)
def test_a_template_that_does_not_ask(base, template, words):
    assert words in refused(base, template=template)


def test_an_adapter_of_another_model(base, tmp_path):
    from peft import LoraConfig, get_peft_model

    model, _ = load(base, "base", Placement())
    adapter = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
    adapter.save_pretrained(tmp_path / "own")
    BASELINES.make("image_text_to_text", {"model": str(base), "adapter": str(tmp_path / "own")}).warm_up()
    for name, tensors in (("lacking", lambda names: names[:1]), ("foreign", lambda names: names)):
        from safetensors.torch import load_file, save_file

        folder = Path(shutil.copytree(tmp_path / "own", tmp_path / name))
        weights = load_file(folder / "adapter_model.safetensors")
        kept = {key: weights[key] for key in tensors(sorted(weights))}
        if name == "foreign":
            kept |= {f"base_model.model.elsewhere.lora_{side}.weight": weights[sorted(weights)[0]].clone() for side in "AB"}
        save_file(kept, folder / "adapter_model.safetensors")
        assert "was it trained on another?" in refused(base, adapter=str(folder))
    other = families.build("qwen2_vl", tmp_path / "other")
    assert "was it trained on another?" in refused(other, adapter=str(tmp_path / "own"))


def test_revisions(base):
    with pytest.raises(BadWeights, match="is a folder, which has no revisions"):
        locate(str(base), "v2")
    with pytest.raises(BadWeights, match=r"at revision 'v2' is not on this machine"):
        locate("llava-hf/llava-1.5-7b-hf", "v2")
    with pytest.raises(BadWeights, match="neither a folder on this machine nor a hub name"):
        locate("not/a/hub/name")
