"""The prompt for samples without a failure: nothing of any model's answer reaches the request, and pocket-teacher answers it."""

import re

from curation.prompts.requests import untargeted_request
from curation.prompts.templates import render, shipped
from tests.prompts.test_prompts import FILLED, RULES

ROW = {
    "key": "1/same_image",
    "question": "Is there a red circle?",
    "choices": [],
    "golds": ["yes"],
    "route": "same_image",
    "answer_form": "one word",
    "avoid": ["Is there a blue square?"],
    "image_path": "picture.png",
}


def test_it_has_the_rules_of_proposals_that_are_not_about_failures():
    system = render("untargeted", **FILLED).system
    for rule in ("self-contained", "one short answer that the image determines", "same number of choices", "no paraphrase"):
        assert re.search(RULES["proposal"][rule], system), rule
    assert "return fewer" in system and "image prompt that fixes every fact" in system


def test_it_says_nothing_of_any_model_or_failure():
    telling = {"answer", "error_type", "faulty_reasoning", "key_elements", "own_answer", "skill"}
    assert not telling & {field.name for field in shipped("untargeted").fields}
    text = "\n".join((render("untargeted", **FILLED).system, render("untargeted", **FILLED).user))
    assert "given-answer" not in text and "negation" not in text and "wrong" not in text


def test_the_request_holds_the_example_and_what_was_written_after_it():
    request = untargeted_request(ROW, 3)
    assert (request.purpose, request.images) == ("untargeted", ("picture.png",))
    for line in ("Question: Is there a red circle?", "Gold answer: yes", "Number of samples: 3", "- Is there a blue square?"):
        assert line in request.text
    assert untargeted_request({**ROW, "avoid": []}, 3).text.count("do not repeat") == 0
