"""Predictions as lmms-eval, VLMEvalKit and OpenCompass write them: joined by id, number or question, and never by a guess."""

import json

import openpyxl
import pytest

from curation.imports.predictions import BadPredictions, KnownExample, join

QUESTIONS = ("How many cups are there?", "Is it red?", "What is left of the cup?")


def examples(positions=True):
    return [
        KnownExample(
            10 * (split == "eval") + i, f"{split}-{i}", split, (gold,), (), "exact_match", i if positions else None, f"{split}: {text}"
        )
        for split in ("train", "eval")
        for i, (text, gold) in enumerate(zip(QUESTIONS, ("3", "yes", "a spoon")))
    ]


def joined(tmp_path, name, content, known=None, split=None):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return join(path, known or examples(), {}, split)


def answers(result):
    return {example: answer for example, (_, answer) in result.answers.items()}


def log_samples(doc=lambda i: {}, split="eval"):
    """Lines of lmms-eval's --log_samples."""
    return [
        {
            "doc_id": i,
            "doc": {"question": f"{split}: {text}", **doc(i)},
            "target": "x",
            "arguments": [["prompt", {"until": ["\n"]}]],
            "resps": [[f"Answer {i}."]],
            "filtered_resps": [f"answer {i}"],
        }
        for i, text in enumerate(QUESTIONS)
    ]


def test_log_samples_of_lmms_eval_are_joined_by_the_id_in_their_doc(tmp_path):
    lines = "\n".join(json.dumps(line) for line in log_samples(lambda i: {"question_id": f"train-{i}"}))
    result = joined(tmp_path, "samples.jsonl", lines)
    assert answers(result) == {0: "answer 0", 1: "answer 1", 2: "answer 2"} and result.by == ""


def test_without_an_id_by_their_number_in_the_split_whose_questions_they_ask(tmp_path):
    lines = "\n".join(json.dumps(line) for line in log_samples())
    result = joined(tmp_path, "samples.jsonl", lines)
    assert answers(result) == {10: "answer 0", 11: "answer 1", 12: "answer 2"}
    assert result.in_words().endswith("joined by their numbers in split eval")
    older = joined(tmp_path, "samples.json", {"args": {}, "logs": log_samples()})
    assert answers(older) == answers(result)


def test_numbers_that_fit_no_split_are_refused_with_examples(tmp_path):
    with pytest.raises(BadPredictions, match=r"fit no split.*split train: .*samples.json#1 asks 'val: How many.*Give ids"):
        joined(tmp_path, "samples.json", log_samples(split="val"))
    with pytest.raises(BadPredictions, match="is number 2, and there is none"):
        joined(tmp_path, "samples.json", log_samples(), [example for example in examples() if example.position != 2])
    with pytest.raises(BadPredictions, match="doesn't know its examples' places; import the dataset again"):
        joined(tmp_path, "samples.json", log_samples(), examples(positions=False))


def test_opencompass_numbers_its_items_and_the_gold_answers_tell_the_split(tmp_path):
    known = [example for example in examples() if example.split == "eval"]
    items = {str(i): {"origin_prompt": "…", "prediction": f"p{i}", "gold": gold} for i, gold in enumerate(("3", "yes", "a spoon"))}
    assert answers(joined(tmp_path, "oc.json", items, known)) == {10: "p0", 11: "p1", 12: "p2"}
    with pytest.raises(BadPredictions, match="name it by --split"):
        joined(tmp_path, "oc.json", items)  # both splits have these gold answers
    assert answers(joined(tmp_path, "oc.json", items, split="train")) == {0: "p0", 1: "p1", 2: "p2"}
    items["1"]["gold"] = "no"
    with pytest.raises(BadPredictions, match="has the gold answer 'no', the example 'yes'"):
        joined(tmp_path, "oc.json", items, known)


def test_a_table_of_vlmevalkit_holds_the_gold_answer_beside_the_prediction(tmp_path):
    rows = [("index", "question", "answer", "prediction")]
    rows += [
        (i, f"eval: {text}", gold, answer)
        for i, (text, gold, answer) in enumerate(zip(QUESTIONS, ("3", "yes", "a spoon"), ("4", "no", None)))
    ]
    tsv = "\n".join("\t".join("" if cell is None else str(cell) for cell in row) for row in rows)
    result = joined(tmp_path, "m.tsv", tsv)
    assert answers(result) == {10: "4", 11: "no"} and result.counts()["no_answer"] == 1
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "m.xlsx")
    assert answers(join(tmp_path / "m.xlsx", examples(), {})) == {10: "4", 11: "no"}


def test_questions_that_stand_once_tell_the_example_and_others_do_not(tmp_path):
    known = [*examples(), KnownExample(99, "again", "eval", ("3",), (), "exact_match", None, "eval: Is it red?")]
    lines = [
        {"question": "eval: Is it red?", "response": "yes"},
        {"question": "train: Is it red?", "response": "no"},
        {"question": "?", "response": "a"},
    ]
    result = joined(tmp_path, "q.jsonl", "\n".join(map(json.dumps, lines)), known)
    assert answers(result) == {1: "no"}
    assert ["stands 2 times" in result.unused[0].error, "no example with its question" in result.unused[1].error] == [True, True]
