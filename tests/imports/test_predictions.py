"""Predictions made elsewhere: what is matched, what is not and why; the cases of public complaints; into a real store."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation import checkpoints
from curation.imports.known_examples import KnownExample
from curation.imports.prediction_file import BadPredictions
from curation.imports.predictions import is_blank, join
from curation.jobs.job_folder import JobFolder
from curation.scoring import Corpora, Scorer
from curation.stage import Context, Job, NothingToDo
from curation.stages.import_predictions import ImportPredictions, ImportPredictionsOptions
from data.store import Store
from data.workspace import Workspace

STAGE = ImportPredictions()


def examples(count=6, metric="exact_match", golds=("0",), choices=()):
    return [KnownExample(i + 1, f"q{i}", "train" if i < 4 else "eval", golds, choices, metric) for i in range(count)]


def joined(tmp_path, content, known=None, answered=None):
    path = tmp_path / "preds.jsonl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return join(path, examples() if known is None else known, answered or {})


def answers(result):
    return {example: answer for example, (_, answer) in result.answers.items()}


def reasons(result):
    return {line.source.rpartition("/")[2]: line.reason for line in result.unused}


def test_what_is_no_text_is_no_answer(tmp_path):
    """The case null-predictions."""
    lines = ['{"id":"q0","answer":null}', '{"id":"q1","answer":""}', '{"id":"q2","answer":NaN}', '{"id":"q3","answer":["0"]}']
    result = joined(tmp_path, "\n".join([*lines, '{"id":"q4","answer":null}', '{"id":"q5","answer":"0"}']))
    assert answers(result) == {6: "0"}
    assert reasons(result) == {f"preds.jsonl:{line}": "no_answer" for line in (1, 2, 3, 4, 5)}
    assert result.in_words().startswith("1 matched · 0 unmatched · 0 duplicate · 5 no answer · 1 still unanswered · joined by id")
    assert [word in line.error for word, line in zip(("null", "blank", "NaN", "a list"), result.unused)] == [True] * 4


def test_of_two_lines_for_one_example_the_last_counts_and_is_told(tmp_path):
    """The case duplicate-predictions."""
    result = joined(tmp_path, '{"id": "q0", "answer": "blue"}\n{"id": "q0", "answer": "red"}\n{"id": "q1", "answer": "green"}\n')
    assert answers(result) == {1: "red", 2: "green"}
    assert reasons(result) == {"preds.jsonl:1": "duplicate"} and "preds.jsonl:2, which counts" in result.unused[0].error
    assert result.in_words().startswith("2 matched · 0 unmatched · 1 duplicate · 0 no answer")


@pytest.mark.parametrize(
    ("line", "reason", "words"),
    [
        ("rubbish", "unreadable", "not valid JSON"),
        ("[1]x", "unreadable", "not valid JSON"),
        ("17", "unreadable", "found a JSON a number"),
        ('{"answer": "0"}', "unreadable", "no field 'id'"),
        ('{"id": "q0"}', "no_answer", "no field 'answer'"),
        ('{"id": "q0", "answer": "1", "answer": "0"}', "unreadable", "stands twice"),
        ('{"id": "q9", "answer": "0"}', "unmatched", "no example 'q9'"),
        ('{"id": "q0", "answer": "0", "split": "eval"}', "unmatched", "in split 'eval'"),
        ('{"id": "q0", "answer": true}', "no_answer", "true"),
        ('{"id": "q0", "answer": {"text": "0"}}', "no_answer", "an object"),
        ('{"id": "q0", "answer": -Infinity}', "no_answer", "NaN or infinite"),
    ],
)
def test_a_line_that_cannot_be_used_says_why_and_the_rest_goes_on(tmp_path, line, reason, words):
    result = joined(tmp_path, '{"id": "q1", "answer": "0"}\n' + line)
    assert answers(result) == {2: "0"} and reasons(result) == {"preds.jsonl:2": reason} and words in result.unused[0].error


def test_other_names_and_forms(tmp_path):
    known = [KnownExample(1, "17", "train", ("0",), (), "exact_match"), KnownExample(2, "1.5", "train", ("0",), (), "exact_match")]
    lines = '\ufeff{"question_id": 17.0, "prediction": 1.50}\r\n\r\n{"index": "1.5", "prediction": 3}'
    assert answers(joined(tmp_path, lines, known)) == {1: "1.50", 2: "3"}  # a number counts as it is written
    array = json.dumps([{"id": "17", "answer": "a"}, {"id": "q", "answer": "b"}])
    result = joined(tmp_path, array, known)
    assert answers(result) == {1: "a"} and reasons(result) == {"preds.jsonl#2": "unmatched"}


def test_an_id_in_several_splits_wants_its_split(tmp_path):
    known = [KnownExample(i, "7", split, ("0",), (), "exact_match") for i, split in enumerate(("train", "eval"), 1)]
    result = joined(tmp_path, '{"id": 7, "answer": "a"}\n{"id": 7, "answer": "b", "split": "eval"}', known)
    assert answers(result) == {2: "b"} and "splits eval, train" in result.unused[0].error


def test_what_was_answered_before_stays_and_is_told(tmp_path):
    result = joined(tmp_path, '{"id": "q0", "answer": "0"}\n{"id": "q1", "answer": "1"}', answered={1: "0", 2: "2"})
    assert answers(result) == {} and reasons(result) == {"preds.jsonl:1": "known", "preds.jsonl:2": "changed"}
    assert "1 answered before · 1 answered otherwise before (the earlier answer stays" in result.in_words()


def test_a_file_in_another_encoding_is_refused_by_name(tmp_path):
    with pytest.raises(BadPredictions, match="UTF-16, expected UTF-8"):
        joined(tmp_path, '{"id": "q0", "answer": "0"}'.encode("utf-16"))
    with pytest.raises(BadPredictions, match="not valid JSON in line 1"):
        joined(tmp_path, '[{"id": "q0", "answer": "0"}')
    assert reasons(joined(tmp_path, b'{"id": "q0", "answer": "caf\xe9"}')) == {"preds.jsonl:1": "unreadable"}


def test_circular_evaluation_takes_the_answers_to_all_rotations(tmp_path):
    known = examples(metric="mmbench_circular", golds=("B",), choices=("red", "blue"))
    result = joined(tmp_path, '{"id": "q0", "answer": ["B", "A"]}\n{"id": "q1", "answer": "B"}\n{"id": "q2", "answer": ["B"]}', known)
    assert answers(result) == {1: '["B", "A"]'} and "a list of 2 texts" in result.unused[0].error


@given(st.lists(st.tuples(st.integers(0, 8), st.none() | st.text(max_size=5) | st.integers() | st.booleans()), max_size=30))
def test_every_line_is_counted_once(tmp_path_factory, lines):
    content = "\n".join(json.dumps({"id": f"q{i}", "answer": answer}) for i, answer in lines)
    result = joined(tmp_path_factory.mktemp("lines"), content)
    counts = result.counts()
    assert sum(counts[name] for name in ("matched", *result.REASONS)) == len(lines)
    last = {i: answer for i, answer in lines if i < 6 and not isinstance(answer, bool | None) and not is_blank(str(answer))}
    assert answers(result) == {i + 1: str(answer) for i, answer in last.items()}


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "store.duckdb")
    about = {"name": "d", "metric": "exact_match", "threshold": 0.5, "prompt_suffix": "", "answer_form": ""}
    captions = {**about, "name": "captions", "metric": "cider", "threshold": 0.05}
    rows = [
        {"dataset": "d", "external_id": f"q{i}", "split": "train" if i < 4 else "eval", "image": "aa", "question": "How many?"}
        for i in range(6)
    ]
    described = [["a dog on a beach"], ["a cat on a table"], ["a dog with a kite"]]
    with made.write() as write:
        write.insert("dataset", [about, captions])
        write.insert("example", [row | {"golds": ["0"], "choices": []} for row in rows])
        write.insert(
            "example",
            [
                {**rows[0], "dataset": "captions", "external_id": f"c{i}", "golds": golds, "choices": []}
                for i, golds in enumerate(described)
            ],
        )
    yield made
    made.close()


def imported(store, tmp_path, lines, **options):
    """Both halves of the stage, one after the other; returns its closing message and what was stored."""
    path = tmp_path / "preds.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    given = ImportPredictionsOptions(**{"path": str(path), "dataset": "d", "checkpoint": "other", **options})
    workspace = Workspace(tmp_path / "home")
    job = Job(7, "import_predictions", 0, given, tmp_path)
    rows = list(STAGE.select(store, workspace, job))
    STAGE.setup(Context(workspace, tmp_path, given, lambda: False, lambda event: None))
    results = list(STAGE(json.loads(json.dumps(rows))))
    with store.write() as write:
        STAGE.collect(write, job, results)
    message = STAGE.finish(store, workspace, job)
    return (
        message,
        {row["example_id"]: row["answer"] for row in store.rows("answers_of_checkpoint", checkpoint_id=1, dataset=given.dataset)},
        results,
    )


def test_an_import_stores_what_matches_and_lists_the_rest(store, tmp_path):
    message, stored, results = imported(
        store, tmp_path, [{"id": "q0", "answer": None}, {"id": "q1", "answer": "The answer is 0."}, {"id": "q8", "answer": "1"}]
    )
    assert stored == {2: "The answer is 0."} and results[0]["read"] == "0" and (results[0]["strict"], results[0]["lenient"]) == (0, 1)
    assert message.startswith("1 matched · 1 unmatched · 0 duplicate · 1 no answer · 3 still unanswered · joined by id: 2 of 3 items have")
    assert message.endswith("what was left out, line by line: mistakebook jobs skipped 7")
    skipped = {line.source.rpartition(":")[2]: line.reason for line in JobFolder(tmp_path).skipped_lines()}
    assert skipped == {"1": "no_answer", "3": "unmatched"} and JobFolder(tmp_path).skipped_count() == 2
    assert checkpoints.current_round(store) == 1 and store.value("job_error_count", job_id=7) == 0  # there is nothing to retry


def test_checkpoint_and_round_come_with_the_first_results(store, tmp_path):
    """An import whose process dies leaves neither."""
    path = tmp_path / "preds.jsonl"
    path.write_text('{"id": "q0", "answer": "0"}', encoding="utf-8")
    options = ImportPredictionsOptions(path=str(path), dataset="d", checkpoint="other")
    assert len(list(STAGE.select(store, Workspace(tmp_path / "home"), Job(7, "import_predictions", 0, options, tmp_path)))) == 1
    assert checkpoints.current_round(store) == 0 and store.rows("checkpoints") == []


def test_a_blank_answer_that_counts_as_wrong_scores_nothing(store, tmp_path):
    """Not even where the gold answer is an empty text."""
    lines = [{"id": "q0", "answer": "\u200b"}, {"id": "q1"}, {"id": "q2", "answer": float("nan")}, {"id": "q3", "answer": ["0"]}]
    message, stored, results = imported(store, tmp_path, lines, blank_answers="wrong")
    assert stored == {1: "", 2: "", 3: ""} and {(result["strict"], result["lenient"]) for result in results} == {(0, 0)}
    assert "1 no answer" in message and "3 blank, counted as wrong" in message


def test_an_import_without_a_match_leaves_nothing_and_says_why(store, tmp_path):
    with pytest.raises(
        NothingToDo,
        match=r"no prediction to import.*0 matched · 0 unmatched · 0 duplicate · 1 no answer(.|\n)*preds.jsonl:1: answer is null",
    ):
        imported(store, tmp_path, [{"id": "q0", "answer": None}])
    assert checkpoints.current_round(store) == 0 and store.rows("checkpoints") == []
    with pytest.raises(NothingToDo, match=r"no dataset 'x' in this workspace; there are: (captions, d|d, captions)"):
        imported(store, tmp_path, [{"id": "q0", "answer": "0"}], dataset="x")


def test_importing_again_says_that_nothing_is_new(store, tmp_path):
    lines = [{"id": "q0", "answer": "0"}]
    imported(store, tmp_path, lines)
    with pytest.raises(NothingToDo, match="1 answered before"):
        imported(store, tmp_path, lines)


def test_the_estimate_is_the_report_and_writes_nothing(store, tmp_path):
    path = tmp_path / "preds.jsonl"
    path.write_text('{"id": "q0", "answer": "0"}\n{"id": "q0", "answer": "1"}', encoding="utf-8")
    options = ImportPredictionsOptions(path=str(path), dataset="d", checkpoint="other")
    estimate = STAGE.estimate(store, Workspace(tmp_path / "home"), options)
    assert estimate.rows == 1 and estimate.detail["duplicate"] == 1 and estimate.detail["first"][0].startswith(f"{path}:1: ")
    assert store.rows("checkpoints") == []


def test_captions_are_weighed_by_all_golds_of_their_split(store, tmp_path):
    _, _, results = imported(store, tmp_path, [{"id": "c0", "answer": "a dog on a beach"}], dataset="captions")
    assert results[0]["strict"] == pytest.approx(1)
    row = {"metric": "cider", "golds": ["a dog on a beach"], "choices": [], **Corpora(store, tmp_path).of("cider", "captions", "train")}
    assert Scorer(tmp_path).scores(row, "a")["strict"] == 0  # all captions hold it
    assert Corpora(store, tmp_path).of("anls", "captions", "train") == {}
