"""How a model is held and asked: types, devices, pixels, limits of answers, memory that runs out, prompts that are too long."""

import numpy as np
import pytest
from PIL import Image

from data.records import Ask
from data.registry import BASELINES
from models.baselines._transformers import TooLong, context_length
from models.weights.files import BadWeights
from tests.support import families


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return str(families.build("qwen2_vl", tmp_path_factory.mktemp("qwen")))


@pytest.fixture(scope="module")
def asks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    made = []
    for i in range(5):
        path = folder / f"{i}.png"
        Image.fromarray(rng.integers(0, 255, (96, 128, 3), dtype=np.uint8)).save(path)
        made.append(Ask(str(i), "What color is this?" + " Really?" * i, str(path)))
    return made


def make(base, **options):
    return BASELINES.make("image_text_to_text", {"model": base, "max_new_tokens": 6, **options})


def test_ways_of_holding_weights_give_the_same_answers(base, asks):
    import torch

    plain = make(base).answer(asks)
    assert make(base, attention="eager").answer(asks) == plain
    assert make(base, device_map="auto").answer(asks) == plain
    half = make(base, dtype="bfloat16")
    assert {p.dtype for p in half._loaded[0].parameters()} == {torch.bfloat16}
    assert all(isinstance(answer, str) for answer in half.answer(asks))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dtype": "int3"}, "dtype 'int3' is none of float32, bfloat16, float16"),
        ({"attention": "telepathy"}, "don't load as qwen2_vl"),
        ({"quantisation": "4bit"}, r"pip install 'mistakebook\[quantised\]'"),
        ({"revision": "v2"}, "has no revisions"),
    ],
)
def test_ways_that_this_machine_lacks_are_refused_by_name(base, options, words):
    import importlib.util

    if "quantisation" in options and importlib.util.find_spec("bitsandbytes"):
        pytest.skip("bitsandbytes is installed")
    with pytest.raises(BadWeights, match=words):
        make(base, **options).warm_up()


def test_pixels_are_limited(base, asks):
    def tokens(**options):
        baseline = make(base, **options)
        return int(baseline.chat.inputs([baseline.picture(asks[0].image_path)], [baseline.chat.prompt("?")])["attention_mask"].sum())

    picture = make(base, max_pixels=1000).picture(asks[0].image_path)
    assert picture.width * picture.height <= 1000 and abs(picture.width / picture.height - 128 / 96) < 0.1
    small = make(base, min_pixels=50_000).picture(asks[0].image_path)
    assert small.width * small.height >= 50_000
    assert make(base).picture(asks[0].image_path).size == (128, 96)
    assert tokens(max_pixels=1000) < tokens()


def test_answers_that_are_cut_are_marked_and_stop_where_they_are_told(base, asks):
    whole = make(base, max_new_tokens=12).answer(asks)
    short = make(base, max_new_tokens=2).answer(asks)
    assert all(answer.cut for answer in short)
    own = [Ask(ask.key, ask.text, ask.image_path, max_new_tokens=12) for ask in asks]
    assert make(base, max_new_tokens=2).answer(own) == whole  # a dataset's own limit
    longest = max(whole, key=len)
    stop = longest[len(longest) // 2 :]
    ends = make(base, max_new_tokens=12, stop=[stop]).answer([asks[whole.index(longest)]])
    assert ends == [longest[: longest.index(stop)].strip()] and not ends[0].cut


def test_limits_of_several_datasets_in_one_batch(base, asks):
    mixed = [Ask(ask.key, ask.text, ask.image_path, max_new_tokens=2 if i % 2 else 9) for i, ask in enumerate(asks)]
    alone = [make(base).answer([ask])[0] for ask in mixed]
    assert make(base).answer(mixed) == alone


def test_a_batch_that_takes_too_much_memory_is_halved_and_remembered(base, asks, monkeypatch):
    import torch

    baseline, sizes = make(base, batch_size=5), []
    model = baseline._loaded[0]
    generate = model.generate

    def with_room_for_two(**inputs):
        sizes.append(len(inputs["input_ids"]))
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return generate(**inputs)

    plain = baseline.answer(asks)
    monkeypatch.setattr(model, "generate", with_room_for_two)
    assert baseline.answer(asks) == plain and sizes == [5, 2, 2, 1]
    assert baseline.answer(asks) == plain and sizes[4:] == [2, 2, 1]
    monkeypatch.setattr(model, "generate", lambda **_: (_ for _ in ()).throw(torch.OutOfMemoryError("CUDA out of memory")))
    assert all("out of memory" in str(answer) for answer in baseline.answer(asks))


def test_one_row_that_fails_fails_alone(base, asks, monkeypatch):
    baseline = make(base)
    plain = baseline.answer(asks)
    prompt = type(baseline.chat).prompt

    def failing(chat, text, answer=None):
        if text == asks[2].text:
            raise ValueError("this text can't be asked")
        return prompt(chat, text, answer)

    monkeypatch.setattr(type(baseline.chat), "prompt", failing)
    answers = baseline.answer(asks)
    assert str(answers[2]) == "this text can't be asked"
    assert [answers[i] for i in (0, 1, 3, 4)] == [plain[i] for i in (0, 1, 3, 4)]


def test_a_prompt_longer_than_the_context_is_an_error_of_its_row(base, asks):
    baseline = make(base)
    room = context_length(baseline._loaded[0])
    long = Ask("long", "word " * room, asks[0].image_path)
    answers = baseline.answer([asks[0], long, asks[1]])
    assert isinstance(answers[1], TooLong) and f"the model reads {room:,}" in str(answers[1])
    assert [answers[0], answers[2]] == baseline.answer(asks[:2])
