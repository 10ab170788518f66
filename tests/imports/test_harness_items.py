"""Predictions as lmms-eval, VLMEvalKit and OpenCompass write them: joined by id, number or question, and never by a guess."""

import hashlib
import json

import openpyxl
import pytest

from curation.imports.known_examples import KnownExample
from curation.imports.prediction_file import BadPredictions
from curation.imports.predictions import Asked, join

QUESTIONS = ("How many cups are there?", "Is it red?", "What is left of the cup?")


def examples(positions=True):
    return [
        KnownExample(
            10 * (split == "eval") + i, f"{split}-{i}", split, (gold,), (), "exact_match", i if positions else None, f"{split}: {text}"
        )
        for split in ("train", "eval")
        for i, (text, gold) in enumerate(zip(QUESTIONS, ("3", "yes", "a spoon")))
    ]


def joined(tmp_path, name, content, known=None, split=None, **asked):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return join(path, known or examples(), {}, Asked(split, **asked))


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
    lines = "\n".join(json.dumps(line) for line in log_samples(lambda i: {"question_id": f"train-{i}"}, "train"))
    result = joined(tmp_path, "samples.jsonl", lines)
    assert answers(result) == {0: "answer 0", 1: "answer 1", 2: "answer 2"}
    assert result.by == "joined by id: 3 of 3 items have an id of this dataset, answers are those of 'filtered_resps'"


def test_without_an_id_by_their_number_in_the_split_whose_questions_they_ask(tmp_path):
    lines = "\n".join(json.dumps(line) for line in log_samples())
    result = joined(tmp_path, "samples.jsonl", lines)
    assert answers(result) == {10: "answer 0", 11: "answer 1", 12: "answer 2"}
    assert "joined by their numbers in split eval: 3 of 3 questions or gold answers are the examples'" in result.in_words()
    older = joined(tmp_path, "samples.json", {"args": {}, "logs": log_samples()})
    assert answers(older) == answers(result)


def test_numbers_that_fit_no_split_are_refused_with_examples(tmp_path):
    with pytest.raises(BadPredictions, match=r"fit no split.*split train: .*samples.json#1: it asks 'val: How many.*Give ids"):
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


def lines_of(*items):
    return "\n".join(map(json.dumps, items))


def reasons(result):
    return [(line.source.rpartition(":")[2], line.reason) for line in result.unused]


def test_a_line_without_a_prediction_is_never_scored_by_its_gold_answer(tmp_path):
    result = joined(tmp_path, "p.jsonl", lines_of({"id": "train-0", "answer": "3"}, {"id": "train-1", "answer": "yes", "prediction": "no"}))
    assert answers(result) == {1: "no"} and reasons(result) == [("1", "no_answer")]
    assert "answers are those of 'prediction', 'answer' being the gold one" in result.by


def test_an_id_whose_question_is_anothers_is_not_scored(tmp_path):
    items = [{"index": f"train-{i}", "question": f"train: {QUESTIONS[(i + 1) % 3]}", "prediction": "x"} for i in range(3)]
    result = joined(tmp_path, "p.jsonl", lines_of(*items, {"index": "train-0", "prediction": "y"}))
    assert answers(result) == {} and result.counts()["contradicts"] == 3 and result.counts()["unmatched"] == 1
    assert "'train-0' is an id of the dataset, but it asks 'train: Is it red?'" in result.unused[0].error
    assert "3 of 3 contradict" in result.by


HINTED = KnownExample(1, "7", "eval", ("B",), ("red", "blue"), "exact_match", None, "The sky is clear.\nWhich colour has it?")


@pytest.mark.parametrize("asked", ["Which colour has it?", "the sky is clear. Which colour has it?", f"{HINTED.question}\nA. red\nB. blue"])
def test_a_hint_and_choices_may_stand_beside_the_question(tmp_path, asked):
    assert answers(joined(tmp_path, "h.jsonl", lines_of({"id": "7", "question": asked, "prediction": "B"}), [HINTED])) == {1: "B"}


@pytest.mark.parametrize(("gold", "fits"), [("blue", True), ("b", True), ("A", False), ("red", False), (["x", "Blue."], True)])
def test_a_gold_answer_is_the_examples_letter_or_choice(tmp_path, gold, fits):
    result = joined(tmp_path, "g.jsonl", lines_of({"id": "7", "gold": gold, "prediction": "B"}), [HINTED])
    assert bool(result.answers) is fits


def test_numbers_that_are_ids_too_are_held_against_the_questions(tmp_path):
    """Ids 0, 1, 2 in another order than the numbers of a harness: the questions tell."""
    known = [
        KnownExample(i, str(2 - i), "eval", (gold,), (), "exact_match", i, QUESTIONS[i]) for i, gold in enumerate(("3", "yes", "spoon"))
    ]
    items = [{"index": i, "question": text, "prediction": f"p{i}"} for i, text in enumerate(QUESTIONS)]
    result = joined(tmp_path, "p.jsonl", lines_of(*items), known)
    assert answers(result) == {0: "p0", 1: "p1", 2: "p2"} and "by their numbers in split eval" in result.by


def test_a_strange_id_is_unmatched_whatever_its_question(tmp_path):
    line = {"id": "nobody", "question": "train: Is it red?", "prediction": "no"}
    result = joined(tmp_path, "p.jsonl", lines_of(line))
    assert answers(result) == {} and reasons(result) == [("1", "unmatched")]
    assert answers(joined(tmp_path, "p.jsonl", lines_of(line), how="question")) == {1: "no"}


def test_a_question_is_looked_for_in_the_split_that_was_named(tmp_path):
    known = [KnownExample(i, f"q{i}", split, ("yes",), (), "exact_match", None, "Is it red?") for i, split in enumerate(("train", "eval"))]
    line = {"question": "is it red", "prediction": "no"}
    assert answers(joined(tmp_path, "p.jsonl", lines_of(line), known, "eval")) == {1: "no"}
    assert answers(joined(tmp_path, "p.jsonl", lines_of({**line, "split": "train"}), known)) == {0: "no"}
    assert answers(joined(tmp_path, "p.jsonl", lines_of({**line, "split": "validation"}), known)) == {1: "no"}
    assert answers(joined(tmp_path, "p.jsonl", lines_of(line), known)) == {}
    assert answers(joined(tmp_path, "p.jsonl", lines_of({**line, "split": "elsewhere"}), known)) == {}


def test_the_picture_tells_which_of_several_examples_is_asked(tmp_path):
    pictures = {name: hashlib.sha256(f"picture {name}".encode()).hexdigest() for name in "ab"}
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(f"picture {name}".encode())
    known = [
        KnownExample(i, f"q{i}", "eval", ("yes",), (), "exact_match", None, "Is it red?", pictures[name]) for i, name in enumerate("ab")
    ]
    items = [{"image": f"{name}.png", "question": "Is it red?", "prediction": name} for name in ("b", "a", "c", "../b")]
    result = joined(tmp_path, "p.jsonl", lines_of(*items), known, pictures=(tmp_path,))
    assert answers(result) == {0: "a", 1: "b"} and reasons(result) == [("3", "contradicts"), ("4", "unmatched")]


ROWS = [KnownExample(i, f"q{i}", "eval", (f"{i}",), (), "exact_match", i, f"How many are there in row {i}?") for i in range(40)]


def numbered(change):
    """Items as OpenCompass numbers them; `change` makes one, beside its prediction, from its number."""
    return {str(i): {"prediction": "x", **change(i)} for i in range(40)}


def test_each_line_that_is_joined_by_its_number_shows_that_it_is_that_example(tmp_path):
    items = numbered(lambda i: {"question": "How many are there?" if i == 7 else ROWS[i].question})
    result = joined(tmp_path, "oc.json", items, ROWS)
    assert len(result.answers) == 39 and [line.reason for line in result.unused] == ["contradicts"]
    result = joined(tmp_path, "oc.json", numbered(lambda i: {"question": ROWS[i].question} if i < 3 else {}), ROWS)
    assert sorted(result.answers) == [0, 1, 2] and "nothing shows that it is number 3" in result.unused[0].error
    named = joined(tmp_path, "oc.json", numbered(lambda i: {}), ROWS, "eval")
    assert len(named.answers) == 40 and named.by.startswith("joined by their numbers in split eval: the split was named")
    assert len(joined(tmp_path, "oc.json", numbered(lambda i: {"gold": ["x", f"{i}.0"]}), ROWS).answers) == 40


@pytest.mark.parametrize(
    "wrong",
    [lambda i: {"question": "???"}, lambda i: {"question": "row"}, lambda i: {"gold": f"-{i + 1}"}, lambda i: {"gold": [f"{i + 1}"]}],
)
def test_parts_of_words_signs_and_punctuation_do_not_vouch_for_a_number(tmp_path, wrong):
    with pytest.raises(BadPredictions, match="fit no split"):
        joined(tmp_path, "oc.json", numbered(wrong), ROWS)


def test_numbers_of_tables_may_be_floats_and_nan_is_no_answer(tmp_path):
    rows = [f"{i}.0,eval: {text},{answer}" for i, (text, answer) in enumerate(zip(QUESTIONS, ("3", "nan", "")))]
    table = "\n".join(["index,question,prediction", *rows])
    result = joined(tmp_path, "p.csv", table)
    assert answers(result) == {10: "3"} and [line.reason for line in result.unused] == ["no_answer", "no_answer"]
    wrong = joined(tmp_path, "p.csv", table, blanks="wrong")
    assert answers(wrong) == {10: "3", 11: "", 12: ""} and "2 blank, counted as wrong" in wrong.in_words()


def test_a_list_that_an_object_holds_is_found_and_said(tmp_path):
    items = [{"id": f"train-{i}", "answer": "x"} for i in range(3)]
    result = joined(tmp_path, "p.json", {"model": "m", "results": items})
    assert len(result.answers) == 3 and result.by.endswith("items of its field 'results'")
    with pytest.raises(BadPredictions, match="more than one list of predictions"):
        joined(tmp_path, "p.json", {"a": items, "b": items})
    with pytest.raises(BadPredictions, match="no list of predictions"):
        joined(tmp_path, "p.json", {"model": "m"})


def numbers_and_ids(*questions, golds="abcd"):
    """A split whose ids count from 1: each number is the id of the example before."""
    return [
        KnownExample(i, str(i + 1), "eval", (gold,), (), "exact_match", i, question)
        for i, (question, gold) in enumerate(zip(questions, golds))
    ]


def test_an_index_is_read_as_what_its_lines_state(tmp_path):
    known = numbers_and_ids("One?", "Two?", "Three?", "Four?")
    bare = lines_of(*({"index": i, "prediction": f"p{i}"} for i in (1, 2, 3)))
    with pytest.raises(BadPredictions, match=r"ids of this dataset or numbers from 0.*no item states.*--join id, or --join number"):
        joined(tmp_path, "p.jsonl", bare, known)
    with pytest.raises(BadPredictions, match="--join id, or --join number"):
        joined(tmp_path, "p.jsonl", bare, known, "eval")
    assert answers(joined(tmp_path, "p.jsonl", bare, known, how="id")) == {0: "p1", 1: "p2", 2: "p3"}
    assert answers(joined(tmp_path, "p.jsonl", bare, known, "eval", how="number")) == {1: "p1", 2: "p2", 3: "p3"}
    table = "index,prediction\n0.0,a\n1.0,b\n2.0,c\n"
    assert answers(joined(tmp_path, "p.csv", table, known, "eval")) == {0: "a", 1: "b", 2: "c"}  # 0 is no id, and the split is named


def test_of_a_question_that_several_ask_the_gold_answer_tells_which(tmp_path):
    known = numbers_and_ids(*["What is it?"] * 4)
    items = [{"index": i, "question": "What is it?", "answer": gold, "prediction": f"p{i}"} for i, gold in enumerate("abcd")]
    result = joined(tmp_path, "p.jsonl", lines_of(*items), known)
    assert answers(result) == {i: f"p{i}" for i in range(4)} and "by their numbers" in result.by
    shifted = [{**item, "answer": gold} for item, gold in zip(items, "xyzw")]
    with pytest.raises(BadPredictions, match=r"fit no split.*4 examples ask its question, and it has the gold answer"):
        joined(tmp_path, "oc.json", {str(i): {**item, "index": None} for i, item in enumerate(shifted)}, known)
    alone = [{"question": "One?", "prediction": "p", "answer": "another"}]
    result = joined(tmp_path, "p.jsonl", lines_of(*alone), numbers_and_ids("One?"))
    assert reasons(result) == [("1", "contradicts")] and "one example asks its question, but" in result.unused[0].error


@pytest.mark.parametrize(("asked", "theirs"), [("Is 3 < 5?", "Is 3 > 5?"), ("What is -3 + 4?", "What is 3 + 4?"), ("5%?", "5$?")])
def test_signs_make_another_question(tmp_path, asked, theirs):
    known = [KnownExample(1, "q", "eval", ("0",), (), "exact_match", 0, theirs)]
    assert answers(joined(tmp_path, "p.jsonl", lines_of({"id": "q", "question": asked, "prediction": "x"}), known)) == {}
    assert answers(joined(tmp_path, "p.jsonl", lines_of({"id": "q", "question": theirs.lower(), "prediction": "x"}), known)) == {1: "x"}


def test_an_example_without_gold_answers_contradicts_none(tmp_path):
    known = [KnownExample(1, "q", "eval", (), (), "exact_match", 0, "What?")]
    assert answers(joined(tmp_path, "p.jsonl", lines_of({"id": "q", "answer": "a", "prediction": "x"}), known)) == {1: "x"}
