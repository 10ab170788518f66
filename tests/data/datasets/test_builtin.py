"""The built-in benchmarks: what they hold, that splits share no picture, that a seed says it all."""

import hashlib
import io
from collections import Counter

import pytest
from PIL import Image

from data.datasets.easy_vqa import EasyVQA, kind
from data.datasets.pocket_vqa import ABOUT, ANNOTATORS, COUNTS, KINDS, PocketVQA
from data.metrics import score
from data.registry import DATASETS
from data.scenes import COLOURS, SHAPES, SIZE

FAMILIES = tuple(KINDS)
PLUGINS = [("pocket_vqa", {"family": family}) for family in FAMILIES] + [("easy_vqa", {})]
SMALL = {"train": 60, "dev": 24, "eval": 60}


def bytes_of(example) -> bytes:
    return example.picture if isinstance(example.picture, bytes) else example.picture.read_bytes()


@pytest.fixture(scope="module", params=PLUGINS, ids=lambda p: p[1].get("family", p[0]))
def benchmark(request):
    plugin = DATASETS.make(*request.param)
    return plugin.about(), list(plugin.read())


def test_splits_share_no_picture(benchmark):
    """Not one byte-for-byte copy, whatever file or scene it came from."""
    _, examples = benchmark
    hashes = {split: {hashlib.sha256(bytes_of(e)).hexdigest() for e in examples if e.split == split} for split in ("train", "dev", "eval")}
    assert all(hashes.values())
    assert not hashes["train"] & hashes["dev"]
    assert not hashes["train"] & hashes["eval"]
    assert not hashes["dev"] & hashes["eval"]


def test_every_kind_has_enough_to_measure(benchmark):
    _, examples = benchmark
    counts = Counter(e.kind for e in examples if e.split == "eval")
    assert min(counts.values()) >= 60, counts
    assert {e.kind for e in examples if e.split == "train"} == set(counts)


def test_ids_are_unique_and_pictures_readable(benchmark):
    _, examples = benchmark
    assert len({(e.split, e.external_id) for e in examples}) == len(examples)
    for example in examples[::97]:
        assert Image.open(io.BytesIO(bytes_of(example))).size == (SIZE, SIZE)


def test_gold_answers_score_full_marks(benchmark):
    """Golds, choices and metric fit together: the gold itself is worth 1 under the dataset's own metric."""
    about, examples = benchmark
    for example in examples:
        assert score(about.metric, example.golds[0], example.golds, example.choices).strict == 1.0, example


@pytest.mark.parametrize("family", FAMILIES)
def test_default_counts(family):
    counts = Counter(e.split for e in PocketVQA(PocketVQA.Options(family=family)).read())
    assert (counts["train"], counts["dev"], counts["eval"]) == COUNTS[family]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_says_it_all(family):
    def read(**options):
        return list(PocketVQA(PocketVQA.Options(family=family, **{**SMALL, **options})).read())

    assert read() == read()
    assert {bytes_of(e) for e in read()}.isdisjoint({bytes_of(e) for e in read(seed=1)})
    more = [e for e in read(train=90) if e.split == "eval"]
    assert more == [e for e in read() if e.split == "eval"], "a longer train split must not change eval"


def test_answers_of_the_families():
    for family, allowed in {
        "chart": set(COLOURS),
        "quiz": set("ABC"),
        "knowledge": {"3", "4", "5", "6"},
        "photo": {*COLOURS, *SHAPES, "yes", "no", "1", "2", "3", "left", "right", "top", "bottom", "unanswerable"},
    }.items():
        examples = list(PocketVQA(PocketVQA.Options(family=family)).read())
        assert {e.golds[0] for e in examples} == allowed
        assert {len(e.golds) for e in examples} == {ANNOTATORS if ABOUT[family][0] == "vqa_accuracy" else 1}
        assert {len(e.choices) for e in examples} == ({3} if family == "quiz" else {0})


def test_yes_and_no_are_balanced():
    """Else saying always the same would look like a skill."""
    examples = list(PocketVQA(PocketVQA.Options(family="photo")).read())
    for name in ("recognition/existence", "negation/existence"):
        answers = Counter(e.golds[0] for e in examples if e.kind == name)
        assert 0.4 < answers["yes"] / answers.total() < 0.6


@pytest.mark.parametrize(
    "question, answer, expected",
    [
        ("what color is the shape?", "red", "attribute/colour"),
        ("what is the blue shape?", "circle", "recognition/shape"),
        ("is there a teal shape?", "no", "recognition/existence"),
        ("is there not a teal shape?", "yes", "negation/existence"),
        ("is no circle present?", "no", "negation/existence"),
    ],
)
def test_kinds_of_easy_vqa(question, answer, expected):
    assert kind(question, answer) == expected


def test_limits_of_easy_vqa():
    counts = Counter(e.split for e in EasyVQA(EasyVQA.Options(train_limit=30, dev_limit=20, eval_limit=10)).read())
    assert counts == {"train": 30, "dev": 20, "eval": 10}
