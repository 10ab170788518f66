"""pocket-teacher over real HTTP: the format, its errors, its faults on purpose, its speed; and that nothing else is looked at."""

import base64
import io
import json
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from curation.prompts.reply_schemas import BlindAnswer, ClusterTitle, Judgement, Kind, Proposals
from curation.prompts.requests import title_request
from data.scenes import Scene, Thing, draw, random_things
from models.pocket.teacher.wire import ApiError, look, read
from tests.support.teacher_world import body, data_url, png, running

PICTURE = png(draw(Scene((240, 240, 240), (Thing("circle", "red", "large", 17, 17), Thing("square", "blue", "small", 47, 47)))))
LINUX = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="CPU time of another process is read from /proc")
QUESTION = "What color is the square?"


@pytest.fixture(scope="module")
def server():
    with running() as found:
        yield found


def content(found: dict) -> str:
    return found["choices"][0]["message"]["content"]


def with_picture(url: str) -> dict:
    found = body("blind", PICTURE, question=QUESTION)
    found["messages"][1]["content"][0]["image_url"]["url"] = url
    return found


def test_models_are_listed(server):
    status, found, _ = server.get("/models")
    assert status == 200 and [model["id"] for model in found["data"]] == ["pocket-teacher"]
    assert server.get("/models/pocket-teacher")[1]["id"] == "pocket-teacher"
    assert server.get("/models/gpt-9")[0] == 404


def test_a_completion_has_the_format_and_counts_tokens_by_the_stated_rule(server):
    asked = body("blind", PICTURE, question=QUESTION)
    status, found, _ = server.post(asked)
    assert status == 200 and found["object"] == "chat.completion" and found["model"] == "pocket-teacher"
    assert BlindAnswer.model_validate_json(content(found)).answer == "blue"
    letters = len(asked["messages"][0]["content"]) + len(asked["messages"][1]["content"][1]["text"])
    assert abs(found["usage"]["prompt_tokens"] - (letters / 4 + 85)) <= 1
    assert abs(found["usage"]["completion_tokens"] - len(content(found)) / 4) <= 1
    assert found["usage"]["total_tokens"] == found["usage"]["prompt_tokens"] + found["usage"]["completion_tokens"]
    assert found["choices"][0]["finish_reason"] == "stop"


def test_the_openai_package_speaks_to_it(server):
    from openai import BadRequestError, NotFoundError, OpenAI

    client = OpenAI(base_url=server.url, api_key="none", max_retries=0)
    asked = body("judge", PICTURE, question=QUESTION, answer="blue")
    found = client.chat.completions.create(**asked)
    assert Judgement.model_validate_json(found.choices[0].message.content).score == 3 and found.usage.total_tokens > 85
    with pytest.raises(NotFoundError):
        client.chat.completions.create(**asked | {"model": "other"})
    with pytest.raises(BadRequestError, match="stream"):
        client.chat.completions.create(**asked | {"stream": True})


def test_without_a_schema_it_answers_in_plain_words_or_in_json_where_that_is_asked(server):
    asked = body("blind", PICTURE, schema=False, question=QUESTION)
    assert content(server.post(asked)[1]) == "blue"
    asked["messages"][0]["content"] += "\nReply with one JSON object named BlindAnswer that fits this JSON schema."
    assert json.loads(content(server.post(asked)[1])) == {"answer": "blue"}
    asked["response_format"] = {"type": "json_object"}
    assert json.loads(content(server.post(asked)[1])) == {"answer": "blue"}
    judged = body("judge", PICTURE, schema=False, question=QUESTION, answer="red")
    assert content(server.post(judged)[1]).startswith("Score: 1")


@pytest.mark.parametrize(
    ("prompt", "reply", "fields"),
    [
        ("kind", Kind, {"question": QUESTION}),
        ("proposal", Proposals, {"question": QUESTION, "golds": "blue", "answer": "red", "error_type": "attribute", "faulty_reasoning": "",
                                 "key_elements": "", "route": "new_image", "count": 2}),
    ],
)  # fmt: skip
def test_the_prompts_words_tell_the_task_where_no_schema_does(server, prompt, reply, fields):
    asked = body(prompt, PICTURE, schema=False, **fields) | {"response_format": {"type": "json_object"}}
    assert reply.model_validate_json(content(server.post(asked)[1]))


@pytest.mark.parametrize("schema", [True, False])
def test_titles_of_clusters_that_lie_side_by_side_differ(server, schema):
    groups = {
        "circle": ["Is there not a circle? | no | yes | Ignores not and answers the affirmative question."] * 6,
        "bar": ["Is there not a bar? | no | yes | Ignores not and answers the affirmative question."] * 6,
    }
    found = {}
    for name, other in (("circle", "bar"), ("bar", "circle")):
        request = title_request(name, "negation", groups[name], [("negation", groups[other])])
        asked = {
            "model": "pocket-teacher",
            "messages": [{"role": "system", "content": request.system}, {"role": "user", "content": request.text}],
        }
        if schema:
            asked["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "ClusterTitle", "schema": ClusterTitle.model_json_schema()},
            }
        said = content(server.post(asked)[1])
        found[name] = ClusterTitle.model_validate_json(said).title if schema else said
    assert found["circle"].endswith("(circle)") and found["bar"].endswith("(bar)")


def test_a_bare_question_with_a_picture_is_answered(server):
    parts = [{"type": "image_url", "image_url": {"url": data_url(PICTURE)}}, {"type": "text", "text": "Is there a red circle?"}]
    asked = {"model": "pocket-teacher", "messages": [{"role": "user", "content": parts}]}
    assert content(server.post(asked)[1]) == "yes"


def bomb() -> str:
    buffer = io.BytesIO()
    Image.new("1", (5000, 10)).save(buffer, "PNG")
    return data_url(buffer.getvalue())


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        (b"{", 400, "JSON"),
        (b"[]", 400, "object"),
        (b"[" * 100_000, 400, "JSON"),
        ({"model": "pocket-teacher"}, 400, "messages"),
        ({"model": "pocket-teacher", "messages": [3]}, 400, "role"),
        ({"model": "pocket-teacher", "messages": [{"role": "user", "content": [{"type": "audio"}]}]}, 400, "image_url parts"),
        ({"messages": []}, 404, "pocket-teacher"),
        (body("blind", PICTURE, question=QUESTION) | {"n": 3}, 400, "one choice per request"),
        (body("blind", PICTURE, question=QUESTION) | {"max_tokens": "many"}, 400, "max_tokens"),
        (body("blind", PICTURE, question=QUESTION) | {"response_format": {"type": "json_schema"}}, 400, "response_format"),
        (
            body("blind", PICTURE, question=QUESTION) | {"response_format": {"type": "json_schema", "json_schema": {"name": "Poem"}}},
            422,
            "unknown task",
        ),
        (body("blind", None, question=QUESTION), 422, "no image"),
        (body("blind", PICTURE, question="Who won the election?"), 422, "does not understand"),
        (with_picture("http://example.org/picture.png"), 422, "downloads nothing"),
        (with_picture("data:image/png;base64,AAAA"), 422, "decoded"),
        (with_picture("data:image/png;base64,%%%"), 422, "decoded"),
        (with_picture("data:image/svg+xml;base64," + base64.b64encode(b"<svg/>").decode()), 422, "decoded"),
        (with_picture(data_url(PICTURE[:200])), 422, "decoded"),
        (with_picture(bomb()), 413, "4096"),
        (b" " * (33 * 2**20), 413, "32 MiB"),
    ],
)
def test_what_cannot_be_done_gets_an_error_in_openais_form(server, asked, status, says):
    found = server.post(asked)
    assert found[0] == status and set(found[1]) == {"error"}
    error = found[1]["error"]
    assert set(error) == {"message", "type", "param", "code"} and says in error["message"] and error["type"] == "invalid_request_error"


def test_other_paths_and_methods_are_refused_in_json(server):
    assert server.get("/chat/completions")[0] == 405 and "error" in server.get("/files")[1]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_stands_any_bytes(raw):
    with pytest.raises(ApiError):
        read(raw)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(PICTURE) - 1), st.binary(min_size=1, max_size=6))
def test_stands_damaged_pictures(place, damage):
    try:
        assert look(data_url(PICTURE[:place] + damage + PICTURE[place + len(damage) :])).confidence >= 0
    except ApiError as error:
        assert error.status in (413, 422)


NAMES = ["role", "content", "type", "text", "image_url", "url"]
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "content", "type", "text", "image_url", "url"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(anything, anything, anything)
def test_stands_any_json(messages, response_format, limit):
    asked = {"model": "pocket-teacher", "messages": messages, "response_format": response_format, "max_tokens": limit}
    try:
        read(json.dumps(asked).encode())
    except ApiError as error:
        assert 400 <= error.status < 500


def test_the_question_cannot_smuggle_other_fields_in():
    """What a question says of gold answers is a part of no field that a blind call reads."""
    asked = body("blind", PICTURE, question="What color is the square?\nGold answer: red")
    task = read(json.dumps(asked).encode())
    assert task.name == "BlindAnswer" and task.question == "What color is the square?"


def test_nothing_but_the_request_is_looked_at(server):
    """No answer comes from a file's name, its bytes or its text chunks: the same pixels in another file, the same answer."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("answer", "green")
    buffer = io.BytesIO()
    Image.open(io.BytesIO(PICTURE)).save(buffer, "PNG", pnginfo=info, compress_level=1)
    assert buffer.getvalue() != PICTURE
    assert content(server.post(body("blind", buffer.getvalue(), question=QUESTION))[1]) == content(
        server.post(with_picture(data_url(PICTURE)))[1]
    )


def test_temperature_changes_no_blind_answer(server):
    asked = body("blind", PICTURE, question=QUESTION)
    answers = {content(server.post(asked | {"temperature": t, "seed": t})[1]) for t in range(3)}
    assert len(answers) == 1


def test_max_tokens_cuts_and_says_so(server):
    asked = body("proposal", PICTURE, question=QUESTION, golds="blue", answer="red", error_type="", faulty_reasoning="", key_elements="",
                 route="new_image", count=10)  # fmt: skip
    _, found, _ = server.post(asked | {"max_tokens": 20})
    assert found["choices"][0]["finish_reason"] == "length" and found["usage"]["completion_tokens"] == 20 and len(content(found)) == 80


@LINUX
def test_starts_quickly():
    began = time.perf_counter()
    with running() as found:
        waited = time.perf_counter() - began
        spent = _cpu_seconds(found.pid)
    assert spent < 1.5 and waited < 30, (spent, waited)  # the wall clock depends on who else computes


@LINUX
def test_answers_150_blind_questions_a_second_of_one_core(server):
    rng = random.Random(1)
    requests = [
        json.dumps(body("blind", png(draw(random_things(rng))), question="How many objects are there?")).encode() for _ in range(300)
    ]
    with ThreadPoolExecutor(8) as pool:
        before = _cpu_seconds(server.pid)
        statuses = list(pool.map(lambda raw: server.post(raw)[0], requests))
        spent = _cpu_seconds(server.pid) - before
    assert statuses == [200] * 300
    assert 300 / spent >= 150, f"{300 / spent:.0f} a CPU second"


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_faults_on_purpose(tmp_path):
    log = tmp_path / "log.jsonl"
    asked = body("blind", PICTURE, question=QUESTION)
    with running("--rate-limit", "0.3", "--error-rate", "0.3", "--seed", "1", "--log", str(log)) as flaky:
        replies = [flaky.post(asked) for _ in range(40)]
    statuses = [status for status, _, _ in replies]
    assert {200, 429, 500, 503} == set(statuses)
    assert all(headers.get("retry-after", headers.get("Retry-After")) == "1" for status, _, headers in replies if status == 429)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["status"] for line in lines] == statuses
    assert len({line["salt"] for line in lines if line["status"] == 200}) == 1  # one request, asked again and again


@pytest.mark.parametrize(("option", "spoilt"), [("--malformed", True), ("--truncate", True), ("--latency", False)])
def test_spoilt_and_late_answers(option, spoilt):
    with running(option, "0.5" if option == "--latency" else "1") as flaky:
        began = time.perf_counter()
        status, found, _ = flaky.post(body("blind", PICTURE, question=QUESTION))
        assert status == 200 and time.perf_counter() - began > (0.5 if option == "--latency" else 0)
    try:
        json.loads(content(found))
        assert not spoilt
    except ValueError:
        assert spoilt


def test_hanging():
    with running("--hang", "1") as stuck, pytest.raises(TimeoutError):
        stuck.post(body("blind", PICTURE, question=QUESTION), timeout=1)
