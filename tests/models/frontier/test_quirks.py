"""Every quirk of tests/support/quirky_endpoints.py, a row each: understood, remembered, never paid for twice."""

import json
from typing import Literal

import pytest
from PIL import Image
from pydantic import BaseModel, Field

from models.frontier import FrontierStopped, Request
from models.frontier.capabilities import Capabilities, unsupported_parameter
from models.frontier.chat_call import Call, Parameters
from models.frontier.reply_schema import wire_schema
from tests.support.frontier_world import chaos, client
from tests.support.quirky_endpoints import FAILS, REJECTS, SHAPES, nodes, openai_strict


class Inner(BaseModel):
    note: str
    more: str | None = Field(default=None, description="More.")


class Reply(BaseModel):
    answer: str
    score: Literal[1, 2, 3] = Field(description="How good.")
    share: float = Field(ge=0, le=1, description="How much.")
    inner: Inner = Field(description="A reference with words beside it.")


FITS = '{"answer": "ANSWER", "score": 2, "share": 0.5, "inner": {"note": "n", "more": null}}'


@pytest.fixture(scope="module")
def server():
    with chaos(fits=FITS) as server:
        yield server


def requests(images=(), count=6):
    return [Request(f"row{i}", "blind", "You answer.", f"question {i}", images, Reply) for i in range(count)]


# quirk: (the level it ends at, what it does without, calls that the first row makes)
REJECTED = {
    "openai_strict": ("json_schema", (), 1),
    "openai_reasoning": ("json_schema", ("max_tokens", "temperature"), 3),
    "o1_mini": ("json_schema", ("max_tokens", "system", "temperature"), 4),
    "gemini": ("json_schema", ("bounds", "closed"), 3),
    "gemini_vague": ("json_schema", ("bounds", "closed"), 2),
    "gemini_gemma": ("json_schema", ("system",), 2),
    "vllm_gemma": ("json_schema", ("system",), 2),
    "llama_cpp_gemma": ("json_schema", ("system",), 2),
    "lm_studio": ("json_schema", (), 1),
    "lm_studio_without_grammar": ("tool", (), 3),
    "deepseek": ("json_object", (), 2),
    "vllm_old": ("tool", ("required",), 4),
    "thinking": ("tool", ("named", "required"), 5),
    "mistral": ("tool", ("strict",), 4),
    "no_detail": ("json_schema", ("detail",), 2),
    "ollama_without_tools": ("text", (), 4),
    "xgrammar": ("json_schema", ("bounds", "closed"), 2),
    "groq": ("json_schema", (), 1),
    "llama_cpp_cut": ("json_schema", (), 1),
}


@pytest.mark.parametrize(
    ("message", "feature"),
    [
        ("Unsupported parameter: 'max_tokens' is not supported with this model.", "max_tokens"),
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "max_tokens"),
        ("max_tokens: Extra inputs are not permitted", "max_tokens"),
        ("Unrecognized request argument supplied: max_tokens", "max_tokens"),
        ("unknown field `max_tokens`\nat line 1", "max_tokens"),
        ("max_tokens is too large: 99999. This model supports at most 4096 completion tokens", None),
        ("`max_tokens` must be positive", None),
        ("max_tokens exceeds the context window", None),
    ],
)
def test_a_complaint_about_max_tokens_is_understood_whatever_its_wording(message, feature):
    assert unsupported_parameter(message, "json_schema", (), ()) == feature
    assert unsupported_parameter(message, "json_schema", ("max_tokens",), ()) is None


def test_every_quirk_has_its_row():
    assert REJECTED.keys() | {"azure"} == REJECTS.keys()


@pytest.mark.parametrize("quirk", REJECTED)
def test_what_a_server_rejects_is_put_in_other_words_and_remembered(tmp_path, server, quirk):
    level, without, first = REJECTED[quirk]
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red.png")
    images = (str(tmp_path / "red.png"),)
    options = {"model": quirk, "concurrency": 1, "temperature": 0.0, "detail": "low"}
    with client(server, tmp_path / "journal.sqlite", **options) as frontier:
        outcomes = {outcome.key: outcome for outcome in frontier.ask_all(requests(images))}
        assert all(isinstance(outcome.parsed, Reply) for outcome in outcomes.values()), [o.error for o in outcomes.values()]
        garbled = {"groq": 3, "llama_cpp_cut": 3}.get(quirk, 1)  # row 3 is asked at each lower level, and the others aren't
        assert outcomes.pop("row3").asked == garbled or first > 1
        assert sorted(outcome.asked for outcome in outcomes.values())[:-1] == [1] * 4, "only one row had to find out"
        assert max([first, *(outcome.asked for outcome in outcomes.values())]) == first
        known = frontier.journal.capabilities(frontier.endpoint, quirk)
        assert (known["level"], sorted(known["without"])) == (level, list(without))
        if garbled > 1:
            assert sum(row.lost for row in frontier.journal.spend()) == 2, "what was generated and thrown away there is counted"
    with client(server, tmp_path / "journal.sqlite", **options) as frontier:
        (again,) = frontier.ask_all([Request("new", "blind", "You answer.", "another", images, Reply)])
        assert again.asked == 1, "remembered"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("quirk", ["", "tools"])
def test_replies_of_every_shape_are_found(tmp_path, server, shape, quirk):
    with client(server, tmp_path / "journal.sqlite", model=shape) as frontier:
        (outcome,) = frontier.ask_all(requests(count=1))
    assert outcome.asked == 1 and outcome.parsed.answer != "draft", outcome.error


@pytest.mark.parametrize("name", FAILS)
def test_what_an_error_means(tmp_path, server, name, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    expected = FAILS[name][3]
    with client(server, tmp_path / "journal.sqlite", model=name) as frontier:
        if expected == "retried":
            (outcome,) = frontier.ask_all(requests(count=1))
            assert outcome.parsed and outcome.asked == 2
        elif expected.startswith(("row: ", "refused: ")):
            (outcome,) = frontier.ask_all(requests(count=1))
            assert outcome.parsed is None and outcome.asked == 1, "asking again is no use"
            assert outcome.refused == expected.startswith("refused")
            assert outcome.error.startswith(expected.removeprefix("row: ").partition(".*")[0])
        else:
            with pytest.raises(FrontierStopped, match=expected) as stopped:
                list(frontier.ask_all(requests()))
            assert stopped.value.resumable == expected.startswith("quota exhausted")
        assert frontier.journal.spent_usd()[1] == 0


@pytest.mark.parametrize("endpoint", ["/openai/deployments/azure?api-version=2024-10-21", "?api-version=2024-10-21"])
def test_azure(tmp_path, server, endpoint, monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "azure-key")
    url = server.url.removesuffix("/v1") + endpoint
    with client(url, tmp_path / "journal.sqlite", model="azure", api_key_env="AZURE_OPENAI_API_KEY") as frontier:
        outcomes = list(frontier.ask_all(requests()))
    assert all(outcome.parsed for outcome in outcomes), [outcome.error for outcome in outcomes]
    assert {body["_path"] for body in server.log()["by_model"]["azure"]} == {"/openai/deployments/azure/chat/completions"}


def test_a_tool_call_is_repaired_by_another(tmp_path):
    order = {"rejects": ["json_schema", "json_object"], "wrong_schema": 0.3, "seed": 5, "bodies": 200}
    with chaos(**order, fits=FITS) as server, client(server, tmp_path / "journal.sqlite", concurrency=4) as frontier:
        outcomes = list(frontier.ask_all(requests(count=30)))
        assert all(outcome.parsed for outcome in outcomes if len(outcome.replies) < 3)
        repaired = [outcome for outcome in outcomes if outcome.parsed and len(outcome.replies) == 2]
        assert len(repaired) >= 4
        bodies = [body for body in server.log()["bodies"] if len(body["messages"]) > 2]
        assert bodies and all(body["tools"] for body in bodies)
        assert "Call the function Reply again" in bodies[0]["messages"][-1]["content"]
        assert bodies[0]["messages"][-2] == {"role": "assistant", "content": '{"wrong": true}'}


def test_the_wire_schema_fits_the_strict_mode_and_loses_nothing():
    for closed in (True, False):
        for bounds in (True, False):
            schema = wire_schema(Reply, closed, bounds)
            rejected = openai_strict({"response_format": {"json_schema": {"strict": True, "schema": schema}}})
            assert (rejected is None) == closed
            assert set(schema["properties"]) == {"answer", "score", "share", "inner"}
            assert ("minimum" in schema["properties"]["share"]) == bounds == ("enum" in schema["properties"]["score"])
    descriptions = [node["description"] for _, node in nodes(schema) if "description" in node]
    assert descriptions == ["How good. (one of 1, 2, 3)", "How much. (at least 0; at most 1)", "A reference with words beside it.", "More."]


def test_keys_dont_depend_on_the_capabilities():
    parameters = Parameters("here", "m", 100, None, None, 1000)
    call = Call(requests(count=1)[0], parameters, ())
    assert call.key == "e9994f4748735d48dc874980288df3baf1ededddf9bb9eb42fb4a91f7f33f1b1", (
        "what was bought with an earlier version must be found again"
    )
    assert json.dumps(call.body("tool", (), [])) != json.dumps(call.body("text", (), []))


def test_capabilities_that_an_earlier_version_saved_are_read():
    saved = {"level": "tool", "good": 3, "bad": 1, "without": ["strict"]}
    capabilities = Capabilities.load(saved)
    assert (capabilities.level, capabilities.unsupported, capabilities.is_known) == ("tool", ("strict",), True)
    assert json.loads(json.dumps(capabilities.as_saved())) == saved
    assert Capabilities.load({"level": "tool", "strict": False}) == Capabilities.load(None) == Capabilities()
