"""Prompts: a test a rule of the shipped ones, what an edited one may hold, and what replies may hold."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation import error_types
from curation.prompts.reply_schemas import Diagnosis, Judgement, ProposedSample
from curation.prompts.requests import DIFFICULTIES
from curation.prompts.templates import Prompts, joined, parts, render, shipped
from curation.prompts.templates import names as prompt_names
from curation.prompts.validation import flaws

FILLED = {
    "question": "Is there not a red circle?",
    "choices": "A. yes\nB. no",
    "golds": "gold-answer",
    "answer": "given-answer",
    "own_answer": "own-answer",
    "error_types": error_types.glossary(),
    "answer_form": "one word",
    "error_type": "negation",
    "skill": "negated question",
    "skills": "- negated question\n- counting three",
    "contrasts": 1,
    "faulty_reasoning": "Ignores “not”.",
    "key_elements": "the word not",
    "route": "new_image",
    "count": 3,
    "difficulty": DIFFICULTIES["harder"],
    "avoid": "- Is there a blue square?",
    "members": "a member",
    "neighbours": "",
    "number": 1,
    "times": 3,
    "kind": "presence of a thing",
    "known": "- presence of a thing",
}
RULES = {  # prompt: what its request must say, rule by rule
    "blind": {
        "the image determines the answer": r"answer only from what the image and common knowledge determine",
        "unanswerable is an answer": r'answer "unanswerable"',
        "answer only": r"with the answer alone",
        "the form of the source task": r"Answer form: one word",
    },
    "agreement": {
        "the image determines the answer": r"answer only from what the image and common knowledge determine",
        "answer only": r"with the answer alone",
        "the form of the source task": r"Answer form: one word",
    },
    "diagnosis": {
        "description": r"what the image shows",
        "key elements": r"key visual elements",
        "faulty reasoning": r"Hypothesise .* reasoning",
        "one error type": r"exactly one error type",
        "the skill": r"Name the skill that the question needs",
        "own answer, blind first": r"given before you saw the gold: own-answer",
        "gold looks wrong": r"gold answer itself looks wrong",
        "answer means the same": r"means the same as the gold answer",
        "confidence": r"how sure you are .* from 0 .* to 1",
        **{f"definition of {type_.name}": re.escape(f"- {type_.name}: {type_.definition}") for type_ in error_types.ERROR_TYPES},
    },
    "proposal": {
        "self-contained": r"stands by itself",
        "one short answer that the image determines": r"image determines one short answer",
        "same answer form": r"form of the seed's answer",
        "same number of choices": r"same number of choices",
        "image prompt fixes every fact": r"image prompt that fixes every fact the answer needs",
        "no paraphrase": r"No paraphrase of the seed question",
        "answers vary": r"vary the answers, so that none can be guessed",
        "the skill that failed": r"Skill to practise: negated question",
        "states its skill": r"State each sample's skill",
        "the task's own words": r"Ask as the seed asks: its wording",
        "several wordings": r"vary the wording as other questions of the same task would",
        "most keep one of two answers": r"most samples have the right answer of the seed",
        "the failing answer is kept": r"the samples have that right answer too",
        "contrasts": r"A contrast is the opposite question[^\n]*\n(.*\n)*Of these contrasts: 1",
        "at the edge": r"at the edge of what the model can do",
        "difficulty asked for": r"Difficulty: harder than the seed",
        "what is known already": r"do not repeat:\n- Is there a blue square\?",
        "fewer rather than bad": r"return fewer",
    },
    "untargeted": {"self-contained": r"stands by itself", "answers vary": r"Vary the answers as the dataset would"},
    "judge": {"scores 1 to 3": r"Score from 1 to 3", "what 3 means": r"3 = correct and of high quality", "a reason": r"Give the reason"},
    "title": {"plain words": r"plain words", "ten of them": r"At most ten words"},
    "kind": {
        "blind": r"do not know what any model answered",
        "by what is asked": r"Not by the form of the answer",
        "names come again": r"(?s)word for word.*Kinds so far:\n- presence of a thing",
    },
    "guess": {"without the image": r"not the images"},
    "on_skill": {
        "one of the list": r"choose from the list the one skill",
        "the list": r"Skills:\n- negated question\n- counting three\n- another skill",
        "none of them": r'choose "another skill"',
        "its own answer first": r"answer the question for yourself first",
    },
}


@pytest.mark.parametrize("name, rule", [(name, rule) for name, rules in RULES.items() for rule in rules])
def test_a_shipped_prompt_says_its_rule(name, rule):
    prompt = render(name, **FILLED)
    assert re.search(RULES[name][rule], f"{prompt.system}\n{prompt.user}"), rule


def test_every_shipped_prompt_has_rules_and_no_flaw():
    assert set(RULES) == set(prompt_names())
    for name in prompt_names():
        assert flaws(shipped(name), shipped(name).text) == []


def test_blind_prompts_have_no_field_that_would_tell():
    """Own answer, agreement, judge, guess and on_skill: neither gold nor diagnosis, and but for the judge no proposed answer."""
    for name in ("blind", "agreement", "judge", "guess", "on_skill"):
        telling = {"golds", "error_type", "skill", "faulty_reasoning", "key_elements", "own_answer"}
        telling |= set() if name == "judge" else {"answer"}
        assert not telling & {field.name for field in shipped(name).fields}
        text = "\n".join((render(name, **FILLED).system, render(name, **FILLED).user))
        assert "gold-answer" not in text and ("given-answer" in text) == (name == "judge")


def test_replies_hold_what_the_prompts_ask_for():
    assert {
        "description",
        "key_elements",
        "faulty_reasoning",
        "error_type",
        "skill",
        "gold_looks_wrong",
        "right_but_misformatted",
        "confidence",
    } == set(Diagnosis.model_fields)
    asked = {"question", "choices", "answer", "image_prompt", "picture_spec", "answer_from", "skill", "contrast"}
    assert asked == set(ProposedSample.model_fields)
    assert {"score", "reason"} == set(Judgement.model_fields)
    with pytest.raises(ValueError):
        Judgement(score=4, reason="")


def test_every_field_reaches_the_request():
    for name in prompt_names():
        fields = {field.name: f"‹{field.name}›" for field in shipped(name).fields}
        prompt = render(name, **fields)
        assert all(value in prompt.system + prompt.user for value in fields.values()), name


def test_what_a_dataset_says_is_never_read_as_a_template():
    prompt = render("blind", question="{{ 7 * 7 }} {% for x in y %}", choices="", answer_form="one word")
    assert "{{ 7 * 7 }} {% for x in y %}" in prompt.user


# What an edited prompt may hold


def edited(name, system="", user=""):
    was = parts(shipped(name).text)
    return joined(system or was[0], user or was[1])


@pytest.mark.parametrize(
    "added, problem",
    [
        ("{{ golfs }}", "unknown field “golfs”; there are: question, choices, answer, answer_form"),
        ("{{ question | shout }}", "unknown filter “shout”"),
        ("{% for x in question %}{{ x }}{% endfor %}", "for is not possible here"),
        ("{{ question.__class__ }}", "getattr is not possible here"),
        ("{{ question[0] }}", "getitem is not possible here"),
        ("{{ range(3) }}", "call is not possible here"),
        ("{{ 9 ** 9 ** 9 }}", "pow is not possible here"),
        ("{{ question ~ answer }}", "concat is not possible here"),
        ("{% include 'judge.md' %}", "include is not possible here"),
        ("{% set question = 1 %}", "assign is not possible here"),
        ("{% if question %}", "Unexpected end of template"),
        ("{{ question", "unexpected end of template"),
        ("{{ }}", "Expected an expression"),
        ("# user", "divides the two parts"),
    ],
)
def test_a_flaw_names_its_line(added, problem):
    system = parts(shipped("judge").text)[0]
    problems = flaws(shipped("judge"), edited("judge", system=f"{system}\n\n{added}"))
    assert any(problem in flaw.problem for flaw in problems), problems
    if added != "# user":  # else the rest is the user's part
        assert {(flaw.part, flaw.line) for flaw in problems} == {("system", len(system.split("\n")) + 2)}


def test_a_missing_field_is_named_unless_it_is_optional():
    user = parts(shipped("diagnosis").text)[1]
    without = {field.name: re.sub(rf"{{{{ {field.name} }}}}", "", user) for field in shipped("diagnosis").fields}
    for field in shipped("diagnosis").fields:
        problems = [flaw.problem for flaw in flaws(shipped("diagnosis"), edited("diagnosis", user=without[field.name]))]
        # choices still stand in their {% if %}: named is named
        expected = field.required and field.name != "choices"
        assert any(f"{{{{ {field.name} }}}} is missing" in problem for problem in problems) == expected, field
    assert flaws(shipped("judge"), joined("", parts(shipped("judge").text)[1]))[0].problem == "is empty"
    assert "characters; at most" in flaws(shipped("judge"), edited("judge", system="long " * 10_000))[0].problem


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_typed_is_a_prompt_or_has_a_flaw(system, user):
    """No text raises anything but BadPrompt, and what has no flaw can be filled in."""
    file = shipped("title")
    text = joined(f"{system}\n{{{{ error_type }}}}", f"{user}\n{{{{ members }}}}")
    if not flaws(file, text):
        assert "‹members›" in Prompts({"title": text}).render("title", error_type="‹type›", members="‹members›", neighbours="").user


def test_a_diagnosis_may_only_name_the_error_types_there_are():
    from pydantic import ValidationError

    from curation.prompts.reply_schemas import Diagnosis, diagnosis_reply
    from models.frontier.reply_schema import strict_schema, wire_schema

    reply = diagnosis_reply(("counting", "text-reading"))
    assert issubclass(reply, Diagnosis) and reply.__name__ == "Diagnosis" and reply is diagnosis_reply(("counting", "text-reading"))
    for schema in (strict_schema(reply), wire_schema(reply), wire_schema(reply, closed=False, bounds=False)):
        assert schema["properties"]["error_type"]["enum"] == ["counting", "text-reading"]
    answer = {"description": "d", "key_elements": [], "faulty_reasoning": "f", "gold_looks_wrong": False, "right_but_misformatted": False}
    assert reply(**answer, confidence=1, error_type="Text reading").error_type == "text-reading"
    with pytest.raises(ValidationError, match="'counting' or 'text-reading'"):
        reply(**answer, confidence=1, error_type="vibes")
