"""Proposals with a spec: as a reply has them, whatever a server makes of the schema, and which of them are dropped."""

import json

import pytest

from curation.filtering.proposal_rules import sift
from curation.prompts.reply_schemas import Proposals
from curation.prompts.templates import render
from models.frontier.reply_schema import wire_schema
from models.frontier.structured_output import BadReply, extract

BAR = {"mark": "bar", "encoding": {"x": {"field": "city"}, "y": {"field": "n", "type": "quantitative"}}}
SPEC = {"kind": "vega-lite", "title": "", "columns": ["city", "n"], "rows": [["Oslo", 3], ["Bergen", 2]], "vega_lite": json.dumps(BAR)}
LOWEST = {"op": "argmin", "column": "n", "label": "city", "of": [], "rank": 1, "where": [], "equals": None}
ROW = {
    "question": "Which city has the shortest bar?",
    "choices": [],
    "dataset": "d",
    "metric": "anls",
    "answer_form": "one word",
    "route": "new_image",
    "avoid": ["Which city has the shortest bar?"],
    "skill": "",
}


def proposal(question="Which city has the shortest bar?", answer="Bergen", spec=SPEC, **more):
    given = {"question": question, "choices": [], "answer": answer, "image_prompt": None, "picture_spec": spec, "answer_from": LOWEST}
    return {**given, "skill": "", "contrast": False, **more}


def sifted(*proposals, route="new_image"):
    parsed = Proposals.model_validate({"samples": list(proposals)})
    return sift([sample.model_dump() for sample in parsed.samples], {**ROW, "route": route})


def test_the_schema_of_proposals_is_closed_and_without_references():
    """As OpenAI's strict mode takes it: every object closed, every property required."""

    def walk(node):
        if isinstance(node, dict):
            assert "$ref" not in node and "oneOf" not in node
            if "properties" in node:
                assert node["additionalProperties"] is False and node["required"] == list(node["properties"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    schema = wire_schema(Proposals)
    walk(schema)
    assert "vega-lite" in json.dumps(schema)


def test_the_example_in_the_prompt_is_a_good_reply():
    fields = dict.fromkeys(("question", "choices", "golds", "answer", "error_type", "skill", "faulty_reasoning", "key_elements"), "x")
    prompt = render(
        "proposal", **fields, route="new_image", kind="", count=1, contrasts=0, difficulty="as the seed", answer_form="x", avoid=""
    )
    example = json.loads(next(line for line in prompt.system.splitlines() if line.startswith("{")))
    kept, dropped = sifted(example)
    assert len(kept) == 1 and not dropped
    assert kept[0]["answer_from"]["op"] == "argmin" and kept[0]["picture_spec"]["rows"][1] == ["Bergen", 18]


def test_a_reply_of_a_server_that_ignores_the_schema_is_read_or_told_what_is_wrong():
    as_object = proposal(spec={**SPEC, "vega_lite": BAR, "title": None})
    del as_object["answer_from"]
    proposals = extract(f"Sure:\n```json\n{json.dumps({'samples': [as_object]})}\n```", Proposals)
    assert json.loads(proposals.samples[0].picture_spec.vega_lite) == BAR and proposals.samples[0].answer_from is None
    with pytest.raises(BadReply, match=r"samples.0.picture_spec.kind"):
        extract(json.dumps({"samples": [proposal(spec={**SPEC, "kind": "painting"})]}), Proposals)
    with pytest.raises(BadReply, match=r"samples.0.answer_from.op"):
        extract(json.dumps({"samples": [proposal(answer_from={"op": "eval", "column": "n"})]}), Proposals)


def test_a_spec_that_cannot_be_rendered_is_dropped_with_its_reason_and_the_rest_stay():
    remote = {**SPEC, "vega_lite": json.dumps({**BAR, "data": {"url": "https://example.com/d.csv"}})}
    kept, dropped = sifted(
        proposal(spec=remote), proposal(), proposal(spec={**SPEC, "rows": []}), proposal("Which city is first?", spec=None)
    )
    assert len(kept) == 1
    assert [(row["rule"], row["place"]) for row in dropped] == [("picture spec", 0), ("picture spec", 2), ("image prompt", 3)]
    assert "nothing is fetched" in dropped[0]["reason"] and "no data" in dropped[1]["reason"]


def test_the_same_question_may_be_asked_of_another_spec_but_not_of_the_same():
    other = {**SPEC, "rows": [["Oslo", 1], ["Bergen", 2]]}
    kept, dropped = sifted(proposal(), proposal(answer="Oslo", spec=other), proposal())
    assert len(kept) == 2 and [row["rule"] for row in dropped] == ["repeated"]
    tallest = proposal("Which city has the tallest bar?", "Oslo", contrast=True)
    kept, dropped = sifted(proposal(), tallest)
    assert len(kept) == 2 and not dropped
    kept, dropped = sifted(proposal(), proposal("Which city has the tallest bar?", "Bergen", spec=other, contrast=True))
    assert [row["rule"] for row in dropped] == ["contrast"]


def test_an_expression_that_does_not_fit_is_kept_for_the_filter_to_tell():
    kept, dropped = sifted(proposal(answer_from={**LOWEST, "column": "visitors"}))
    assert len(kept) == 1 and not dropped
