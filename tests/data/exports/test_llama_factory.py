"""LLaMA-Factory's own loader reads what is exported for it. It needs older packages than this project, so it lives elsewhere:

python -m venv lf && lf/bin/pip install llamafactory==0.9.5
LLAMAFACTORY_PYTHON=lf/bin/python python -m pytest tests/data/exports/test_llama_factory.py
"""

import json
import os
import subprocess

import pytest

from data.images import ImageStore, png_bytes
from data.records import ExportedSample
from data.registry import EXPORTS
from data.scenes import draw

READ = """
import json, sys
from llamafactory.data.loader import _load_single_dataset
from llamafactory.data.parser import get_dataset_list
from llamafactory.hparams import DataArguments, ModelArguments
from transformers import Seq2SeqTrainingArguments
folder, out = sys.argv[1:]
data = DataArguments(dataset="mistakebook", dataset_dir=folder, media_dir=folder)
(found,) = get_dataset_list(["mistakebook"], folder)
model, training = ModelArguments(model_name_or_path="x", cache_dir=out), Seq2SeqTrainingArguments(output_dir=out, use_cpu=True)
rows = [dict(row) for row in _load_single_dataset(found, model, data, training)]
open(out + "/rows.json", "w").write(json.dumps(rows))
"""


@pytest.mark.skipif("LLAMAFACTORY_PYTHON" not in os.environ, reason="LLAMAFACTORY_PYTHON names no interpreter that has llamafactory")
def test_llama_factory_reads_it(tmp_path):
    store, folder, out = ImageStore(tmp_path / "store"), tmp_path / "out", tmp_path / "read"
    out.mkdir()
    image = store.add(png_bytes(draw([]))).sha256
    texts = ["What is red?", "What does <image> mean?", "And [INST]?"]
    samples = [ExportedSample(i, 0, text, (), "red", image, "d", "attribute", "new_image", "One word.") for i, text in enumerate(texts)]
    EXPORTS.make("llama_factory").write(samples, store.path, folder)
    environment = {**os.environ, "DISABLE_VERSION_CHECK": "1", "HF_HUB_OFFLINE": "1"}
    environment.pop("PYTHONPATH", None)
    command = [os.environ["LLAMAFACTORY_PYTHON"], "-c", READ, str(folder), str(out)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = json.loads((out / "rows.json").read_text())
    assert [row["_prompt"][0]["content"] for row in rows] == [
        "<image>What is red?\nOne word.",
        "<image>What does < image> mean?\nOne word.",
        "<image>And [ INST]?\nOne word.",
    ]
    assert [row["_response"][0]["content"] for row in rows] == ["red"] * 3
    assert all(os.path.isfile(row["_images"][0]) for row in rows)  # noqa: PTH113
