"""Every benchmark's official files are recognised as they come, by `auto`, and read as their authors mean them."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from data.images import load
from data.metrics import score
from data.records import BadLine, Skipped, SourceExample
from data.registry import DATASETS
from tests.support import official_layouts as official


@dataclass
class Read:
    plugin: object
    good: list[SourceExample]
    bad: list[BadLine]
    skipped: Counter

    @property
    def splits(self) -> dict[str, int]:
        return dict(Counter(example.split for example in self.good))


def read(path: Path, format_: str = "auto", **options) -> Read:
    plugin = DATASETS.make(format_, {"path": path, "dev_share": 0, **options})
    items = list(plugin.read())
    kinds = {kind: [item for item in items if isinstance(item, kind)] for kind in (SourceExample, BadLine, Skipped)}
    return Read(plugin, kinds[SourceExample], kinds[BadLine], Counter(item.reason for item in kinds[Skipped]))


LAYOUTS = {
    "vizwiz": (official.vizwiz, {"train": 3, "eval": 2}, {"no answers": 3}, "vqa_accuracy"),
    "okvqa": (official.okvqa, {"train": 1, "eval": 1}, {}, "vqa_accuracy"),
    "vqav2": (official.vqav2, {"train": 2, "eval": 2}, {"no answers": 2}, "vqa_accuracy"),
    "infovqa": (official.infovqa, {"train": 1, "eval": 1}, {"no answers": 1}, "anls"),
    "docvqa": (official.docvqa, {"train": 1, "eval": 1}, {"no answers": 1}, "anls"),
    "scienceqa": (official.scienceqa, {"train": 1, "dev": 1, "eval": 1}, {"no picture": 2}, "multiple_choice"),
    "textvqa": (official.textvqa, {"train": 1, "eval": 1}, {"no answers": 1}, "vqa_accuracy"),
    "gqa": (official.gqa, {"train": 2, "dev": 1, "eval": 2}, {"no answers": 1}, "gqa"),
    "chartqa": (official.chartqa, {"train": 2, "dev": 2, "eval": 2}, {}, "relaxed_accuracy"),
    "aokvqa": (official.aokvqa, {"train": 1, "eval": 1}, {"no answers": 1}, "multiple_choice"),
    "coco_captions": (official.coco_captions, {"train": 1, "eval": 1}, {}, "cider"),
    "mmbench": (official.mmbench, {"eval": 3}, {}, "mmbench"),
}
GENERAL = {
    "hub, ScienceQA": (official.scienceqa_hub, {"train": 1, "dev": 1, "eval": 1}, {"no picture": 3}, "multiple_choice"),
    "hub, MMMU": (
        official.mmmu,
        {"dev": 2, "eval": 2},
        {"an open question, without choices": 2, "no answers": 3},
        "multiple_choice",
    ),
    "hub, MMStar": (official.mmstar, {"train": 2}, {}, "multiple_choice"),
    "hub, save_to_disk": (official.saved_to_disk, {"train": 2, "eval": 2}, {}, "vqa_accuracy"),
    "hub, imagefolder": (official.imagefolder, {"train": 2, "eval": 2}, {}, "exact_match"),
    "llava": (official.llava, {"train": 2}, {"no picture": 1}, "exact_match"),
    "llava, messages": (official.messages, {"train": 2}, {}, "exact_match"),
    "webdataset": (official.webdataset, {"train": 2, "eval": 2}, {}, "exact_match"),
    "webdataset, captions": (official.captioned_shard, {"train": 2}, {}, "cider"),
}
OTHERWISE = {
    "infovqa in two folders": (lambda root: official.infovqa(root, "infographicsvqa_qas"), "infovqa", {"train": 1, "eval": 1}),
    "infovqa of 2021": (lambda root: official.infovqa(root, "", "", "infographicVQA"), "infovqa", {"train": 1, "eval": 1}),
    "docvqa of 2023": (lambda root: official.docvqa(root, newer=True), "docvqa", {"train": 1, "eval": 1}),
    "scienceqa with images": (lambda root: official.scienceqa(root, "images"), "scienceqa", {"train": 1, "dev": 1, "eval": 1}),
    "captions of 2014": (lambda root: official.coco_captions(root, "2014"), "coco_captions", {"train": 1, "eval": 1}),
    "captions in Karpathy's splits": (official.karpathy, "coco_captions", {"train": 2, "dev": 1, "eval": 1}),
    "a file of vizwiz": (lambda root: official.vizwiz(root) / "Annotations/val.json", "vizwiz", {"eval": 2}),
    "a file of okvqa": (lambda root: official.okvqa(root) / "OpenEnded_mscoco_val2014_questions.json", "okvqa", {"eval": 1}),
}


def check_pictures(found: Read) -> None:
    for example in found.good:
        assert load(example.picture).size == (24, 16)
        assert score(found.plugin.about().metric, example.golds[0], example.golds, example.choices).strict >= found.plugin.about().threshold


@pytest.mark.parametrize("name", LAYOUTS)
def test_an_official_layout(name, tmp_path):
    make, splits, skipped, metric = LAYOUTS[name]
    found = read(make(tmp_path / name))
    about = found.plugin.about()
    assert found.bad == []
    assert (about.format, about.metric, found.splits, dict(found.skipped)) == (name, metric, splits, skipped)
    assert found.plugin.why().startswith(f"read as {name}: ")
    check_pictures(found)


@pytest.mark.parametrize("name", GENERAL)
def test_a_general_layout(name, tmp_path):
    make, splits, skipped, metric = GENERAL[name]
    found = read(make(tmp_path / "set"))
    assert found.bad == []
    about = found.plugin.about()
    assert (about.format, about.metric, found.splits, dict(found.skipped)) == (name.partition(",")[0], metric, splits, skipped)
    check_pictures(found)


def test_the_first_of_several_pictures_is_used_and_said(tmp_path):
    found = read(official.mmmu(tmp_path))
    first = found.good[0]
    assert (first.external_id, first.choices, first.golds) == ("dev_Art_1", ("a cat", "Ohm's law"), ("B",))
    assert first.picture == official.picture(1) and first.remarks == ("the first of several pictures is used",)
    assert found.good[1].remarks == ()


def test_choices_in_the_text_of_a_question(tmp_path):
    found = read(official.mmstar(tmp_path))
    assert [(example.question, example.choices) for example in found.good] == [
        ("Which option describes it?", ("A cat, sitting", "A dog", "Two, or three", "None"))
    ] * 2
    assert [(example.golds, example.external_id) for example in found.good] == [(("B",), "0"), (("D",), "1")]


def test_rows_of_the_hub_are_numbered_as_harnesses_do(tmp_path):
    found = read(official.scienceqa_hub(tmp_path))
    assert [(example.external_id, example.golds, example.question) for example in found.good][:1] == [
        ("0", ("B",), "Context: Look.\nWhich is north?")
    ]


def test_conversations(tmp_path):
    found = read(official.llava(tmp_path))
    assert [(example.external_id, example.question, example.golds) for example in found.good] == [
        ("000000033471", "What are the colors?", ("White and red.",)),
        ("000000033471#2", "What is it?", ("A bus.",)),
    ]
    assert found.good[0].remarks == ("the first of several turns is used",)
    assert found.good[1].remarks == ("the id stood before: a number was added",)


def test_what_is_no_table_says_why(tmp_path):
    official.put(tmp_path / "data/train.parquet", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n")
    official.put(tmp_path / "data/test.parquet", b"PAR1 nothing")
    bad = [line.error for line in read(tmp_path).bad]
    assert "is a pointer of Git LFS" in "".join(bad) and "is no parquet file" in "".join(bad)
    assert "no such file or folder; to fetch the dataset lmms-lab/none from the hub" in read(Path("lmms-lab/none")).bad[0].error


@pytest.mark.parametrize("name", OTHERWISE)
def test_another_layout_in_circulation(name, tmp_path):
    make, format_, splits = OTHERWISE[name]
    found = read(make(tmp_path))
    assert found.bad == []
    assert (found.plugin.about().format, found.splits) == (format_, splits)
    check_pictures(found)


def test_an_item_with_one_empty_answer_of_ten_stays(tmp_path):
    found = read(official.vizwiz(tmp_path))
    (example,) = [example for example in found.good if example.external_id == "VizWiz_val_00000001.jpg"]
    assert example.golds == ("cup",) * 9 + ("",)


def test_questions_without_a_picture_are_kept_on_request_and_the_hint_stands_first(tmp_path):
    found = read(official.scienceqa(tmp_path), keep_text_only=True)
    assert found.splits == {"train": 2, "dev": 1, "eval": 2}
    assert [example.remarks for example in found.good if example.external_id == "5"] == [("a white picture stands for none",)]
    questions = {example.external_id: example.question for example in found.good}
    assert questions["3"] == "Context: Look at the map.\nWhich is north?"
    assert [example.golds for example in found.good] == [("B",)] * 5


def test_direct_answers_of_aokvqa_are_asked_for_by_an_option(tmp_path):
    found = read(official.aokvqa(tmp_path), options={"task": "direct_answer"})
    assert (found.plugin.about().metric, found.good[0].golds, found.good[0].choices) == ("vqa_accuracy", ("ride",) * 6 + ("bus",) * 4, ())


def test_rows_of_mmbench_show_the_pictures_that_they_name(tmp_path):
    path = official.mmbench(tmp_path)
    found = read(path)
    assert [(example.external_id, example.golds, example.choices) for example in found.good] == [
        ("0", ("B",), ("cat", "dog")),
        ("1", ("C",), ("red", "blue", "green")),
        ("1000000", ("A",), ("dog", "cat")),
    ]
    assert found.good[0].question == "Context: Look.\nWhich is it?" and found.good[1].question == 'Which "one"?'
    assert len({example.picture for example in found.good}) == 1
    circular = read(path, metric="mmbench_circular")
    assert len(circular.good) == 2
    assert circular.skipped == {"options moved round: circular evaluation asks these itself": 1}


def test_positions_count_as_harnesses_do(tmp_path):
    found = read(official.vizwiz(tmp_path))
    assert [(example.external_id[7:12], example.position) for example in found.good if example.split == "eval"] == [
        ("val_0", 0),
        ("val_0", 2),
    ]


def test_what_is_not_known_is_said_with_what_lies_there(tmp_path):
    official.put(tmp_path / "notes.txt", "hello")
    official.put(tmp_path / "Annotations.zip", b"PK")
    (bad,) = read(tmp_path).bad
    assert "unpack Annotations.zip first" in bad.error and "notes.txt" in bad.error and "vizwiz" in bad.error
    assert "No such file" in read(tmp_path / "gone").bad[0].error


def test_two_benchmarks_in_one_folder_are_both_named(tmp_path):
    official.okvqa(tmp_path)
    official.textvqa(tmp_path)
    (bad,) = read(tmp_path).bad
    assert "holds several benchmarks: okvqa (" in bad.error and "textvqa (" in bad.error
    assert len(read(tmp_path, "okvqa").good) == 2
