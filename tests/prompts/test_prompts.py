"""Prompts: a test a rule of the shipped ones, what an edited one may hold, which version a job asks by, and proposals that break rules."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation import error_types
from curation.filtering import proposal_rules
from curation.frontier.client import open_client
from curation.frontier.options import FrontierOptions
from curation.jobs.job_folder import JobFolder
from curation.jobs.manager import JobManager
from curation.prompts import templates, versions
from curation.prompts.reply_schemas import Diagnosis, Judgement, ProposedSample
from curation.prompts.requests import DIFFICULTIES, proposal_request
from curation.prompts.templates import Prompts, joined, parts, render, shipped
from curation.prompts.templates import names as prompt_names
from curation.prompts.validation import BadPrompt, flaws
from curation.stage import Job
from curation.stages import stage_class
from curation.stages.cluster import ClusterOptions
from curation.stages.diagnose import DiagnoseOptions
from curation.stages.filter import FilterOptions
from curation.stages.generate import Generate, GenerateOptions
from curation.workspaces import backups
from data.store import Store
from data.workspace import Workspace
from tests.support.seed import seeded_store

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
        **{f"definition of {one.name}": re.escape(f"- {one.name}: {one.definition}") for one in error_types.ERROR_TYPES},
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
    "kind": {"blind": r"do not know what any model answered"},
    "guess": {"without the image": r"not the images"},
    "on_skill": {
        "one of the list": r"choose from the list the one skill",
        "the list": r"Skills:\n- negated question\n- counting three\n- another skill",
        "none of them": r'choose "another skill"',
        "its own answer first": r"answer the question for yourself first",
    },
}
SEED = {
    "question": "What color is the circle?",
    "choices": [],
    "metric": "vqa_accuracy",
    "answer_form": "one word",
    "dataset": "d",
    "route": "same_image",
    "avoid": ["How many squares are there?"],
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
        said = "\n".join((render(name, **FILLED).system, render(name, **FILLED).user))
        assert "gold-answer" not in said and ("given-answer" in said) == (name == "judge")


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
        there = {field.name: f"‹{field.name}›" for field in shipped(name).fields}
        prompt = render(name, **there)
        assert all(value in prompt.system + prompt.user for value in there.values()), name


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
    found = flaws(shipped("judge"), edited("judge", system=f"{system}\n\n{added}"))
    assert any(problem in flaw.problem for flaw in found), found
    if added != "# user":  # else the rest is the user's part
        assert {(flaw.part, flaw.line) for flaw in found} == {("system", len(system.split("\n")) + 2)}


def test_a_missing_field_is_named_unless_it_is_optional():
    user = parts(shipped("diagnosis").text)[1]
    without = {field.name: re.sub(rf"{{{{ {field.name} }}}}", "", user) for field in shipped("diagnosis").fields}
    for field in shipped("diagnosis").fields:
        found = [flaw.problem for flaw in flaws(shipped("diagnosis"), edited("diagnosis", user=without[field.name]))]
        # choices still stand in their {% if %}: named is named
        expected = field.required and field.name != "choices"
        assert any(f"{{{{ {field.name} }}}} is missing" in problem for problem in found) == expected, field
    assert flaws(shipped("judge"), joined("", parts(shipped("judge").text)[1]))[0].problem == "is empty"
    assert "characters; at most" in flaws(shipped("judge"), edited("judge", system="long " * 10_000))[0].problem


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_typed_is_a_prompt_or_has_a_flaw(system, user):
    """No text raises anything but BadPrompt, and what has no flaw can be filled in."""
    file = shipped("title")
    text = joined(f"{system}\n{{{{ error_type }}}}", f"{user}\n{{{{ members }}}}")
    if not flaws(file, text):
        assert "‹members›" in Prompts({"title": text}).render("title", error_type="‹type›", members="‹members›", neighbours="").user


# Versions


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("home") / "seeded", 60, samples=40)
    yield store, workspace
    store.close()


def test_versions_are_kept_and_the_one_in_use_can_be_taken_back(world):
    store, _ = world
    system, user = parts(shipped("judge").text)
    with pytest.raises(BadPrompt) as bad:
        versions.save(store, "judge", system, user.replace("{{ answer }}", ""), "", "ada")
    assert "{{ answer }} is missing" in str(bad.value)
    first = versions.save(store, "judge", system + "\nBe strict.", user, "stricter", "ada")
    assert versions.in_use(store, "judge") == shipped("judge").version  # saving puts nothing to use
    assert versions.use(store, "judge", first[:6], "ada") == first == versions.in_use(store, "judge")
    second = versions.save(store, "judge", system + "\nBe kind.", user, "kinder", "bob")
    assert versions.save(store, "judge", system + "\nBe strict.  \r\n", user, "again", "bob") == first  # the same text
    found = {row.version: row for row in versions.history(store, "judge")}
    assert next(iter(found)) == second and set(found) == {first, second, shipped("judge").version}
    assert (found[first].note, found[first].author, found[first].in_use) == ("stricter", "ada", True)
    kinds = [line.kind for line in versions.difference(shipped("judge").text, versions.text_of(store, "judge", first))]
    assert kinds.count("new") == 1 and "gone" not in kinds
    versions.use(store, "judge", "shipped", "ada")
    assert versions.in_use(store, "judge") == shipped("judge").version
    for name, version in (("judge", "ffffff"), ("judge", ""), ("none", "shipped")):
        with pytest.raises(versions.UnknownPrompt):
            versions.use(store, name, version, "ada")


def test_versions_come_back_with_a_backup(world, tmp_path):
    store, workspace = world
    system, user = parts(shipped("title").text)
    version = versions.save(store, "title", system + " In English.", user, "", "ada")
    versions.use(store, "title", version, "ada")
    backups.restore(backups.backup(store, workspace, tmp_path / "backup"), Workspace(tmp_path / "again"))
    restored = Store(tmp_path / "again" / "store.duckdb")
    assert versions.in_use(restored, "title") == version
    assert "In English." in versions.text_of(restored, "title", version)
    restored.close()
    versions.use(store, "title", "shipped", "ada")


@pytest.mark.parametrize("options", [DiagnoseOptions, GenerateOptions, ClusterOptions, FilterOptions])
def test_every_stage_that_asks_pins_the_versions_that_it_asks_by(world, options):
    pinned = versions.pinned(world[0], options())
    assert pinned.prompts == {name: versions.in_use(world[0], name) for name in options.PROMPTS} and pinned.prompts
    assert isinstance(pinned, FrontierOptions)
    with pytest.raises(versions.UnknownPrompt):
        versions.pinned(world[0], options(prompts={"nothing": "shipped"}))


def test_a_job_asks_by_the_version_in_use_and_says_so(tmp_path):
    """Also when another one is put to use before it is resumed: its folder holds the texts."""
    store, _, workspace = seeded_store(tmp_path / "w", 40, samples=0)
    jobs = JobManager(store, workspace, stage_class)
    system, user = parts(shipped("proposal").text)
    version = versions.save(store, "proposal", system + "\nA word that only this version has.", user, "", "ada")
    versions.use(store, "proposal", version, "ada")
    asked = {"limit": 3, "route": "same_image", "difficulty": "harder"}
    job_id = jobs.launch("generate", asked, "ada")
    versions.use(store, "proposal", "shipped", "ada")
    ended = jobs.wait(job_id, 240)
    assert ended.status == "done" and ended.options["prompts"] == {"proposal": version}
    spec = json.loads((workspace.job(job_id) / "spec.json").read_text())
    assert spec["options"]["prompts"] == {"proposal": version}
    assert "only this version has" in Prompts.of_job(workspace.job(job_id)).texts["proposal"]
    options, rows = GenerateOptions(**asked), list(JobFolder(workspace.job(job_id)).rows())
    with open_client(options, workspace) as client:
        by = [versions.prompts_for(store, ("proposal",), {"proposal": one}) for one in (version, "shipped")]
        unpaid = []
        for prompts in by:
            asked_again = [proposal_request(row, options.per_failure, options.difficulty, prompts, options.contrasts) for row in rows]
            unpaid.append(client.estimate(asked_again, 3).calls)
    assert unpaid == [0, 3]  # what was asked by the version is in the journal; by the shipped one nothing was
    assert store.column("difficulties") == ["harder"]
    found = {row.version: row.jobs for row in versions.history(store, "proposal")}
    assert found[version] == 1
    jobs.shutdown()
    store.close()


@pytest.fixture(autouse=True)
def queries(monkeypatch):
    from data import queries

    texts = {**queries._texts(), "difficulties": "SELECT DISTINCT difficulty FROM sample WHERE difficulty IS NOT NULL"}
    monkeypatch.setattr(queries, "_texts", lambda: texts)


# Proposals


def proposal(question, answer="red", choices=(), image_prompt=None):
    return {"question": question, "answer": answer, "choices": list(choices), "image_prompt": image_prompt}


@pytest.mark.parametrize(
    "rule, given_proposal, changes",
    [
        ("question", proposal("  ?"), {}),
        ("self-contained", proposal("Is it the same as in the previous question?", "yes"), {}),
        ("self-contained", proposal("What should the gold answer be?"), {}),
        ("answer form", proposal("What color is the square?", ""), {}),
        ("answer form", proposal("What color is the square?", "It is red."), {}),
        ("answer form", proposal("What color is the square?", "a", ["red", "blue"]), {}),
        ("answer form", proposal("What color is the square?", "red"), {"choices": ["x", "y"]}),
        ("answer form", proposal("What color is the square?", "C", ["red", "blue"]), {"choices": ["x", "y"]}),
        ("answer form", proposal("What color is the square?", "A", ["red", "red"]), {"choices": ["x", "y"]}),
        ("answer form", proposal("What is shown?", "a red circle and a blue square beside a green triangle below"), {}),
        ("one answer", proposal("What color is the square?", "red or blue"), {}),
        ("one answer", proposal("What color is the square?", "red / blue"), {}),
        ("answer in question", proposal("What color is the red square?"), {}),
        ("paraphrase", proposal("What is the colour of the circle in this image?"), {}),
        ("paraphrase", proposal("what color is the circle"), {}),
        ("repeated", proposal("How many squares are there?", "2"), {}),
        ("image prompt", proposal("What color is the circle?"), {"route": "new_image"}),
        ("image prompt", proposal("What color is the circle?", image_prompt="  "), {"route": "new_image"}),
        ("image prompt", proposal("What color is the circle?", image_prompt="a circle"), {"route": "new_image"}),
    ],
)
def test_a_proposal_that_breaks_a_rule_is_dropped_with_its_name(rule, given_proposal, changes):
    kept, dropped = proposal_rules.sift([given_proposal], SEED | changes)
    assert kept == [] and [one["rule"] for one in dropped] == [rule], dropped
    assert dropped[0]["reason"] and dropped[0]["place"] == 0 and rule in proposal_rules.RULES


@pytest.mark.parametrize(
    "given_proposal, changes",
    [
        (proposal("What color is the square?"), {}),
        (proposal("Is the circle not red?", "no"), {}),
        (proposal("Is the square left or right of the circle?", "left"), {}),
        (proposal("Can the question be answered, or is it unanswerable?", "unanswerable"), {}),
        (proposal("How fast may one drive here?", "40 km/h"), {}),
        (proposal("What color is the circle?", "blue", image_prompt="a large blue circle at the top left"), {"route": "new_image"}),
        (proposal("How many squares are there?", "2", image_prompt="two red squares"), {"route": "new_image"}),  # as before, but there
        (proposal("Which color has the square?", "B", ["red", "blue"]), {"choices": ["x", "y"]}),
    ],
)
def test_a_proposal_that_keeps_the_rules_stays(given_proposal, changes):
    assert proposal_rules.broken_rule(given_proposal, SEED | changes) is None


def test_alike_proposals_of_one_reply_are_told_by_question_and_picture():
    twice = [
        proposal("What color is the square?"),
        proposal("What is the color of the triangle?"),
        proposal("What color is a square?", "blue"),
    ]
    kept, dropped = proposal_rules.sift(twice, SEED)
    assert [one["question"] for one in kept] == [one["question"] for one in twice[:2]]
    assert dropped[0]["rule"] == "repeated" and dropped[0]["place"] == 2 and "What color is the square?" in dropped[0]["reason"]
    new = [proposal("What color is it?", colour, image_prompt=f"a large {colour} circle") for colour in ("red", "blue", "red")]
    kept, dropped = proposal_rules.sift(new, SEED | {"route": "new_image"})
    assert len(kept) == 2 and [one["place"] for one in dropped] == [2]


def test_a_contrast_stands_beside_a_sample_of_the_same_picture():
    pair = [
        proposal("Which bar is the shortest?", image_prompt="a red bar of 10 and a blue bar of 30"),
        proposal("Which bar is the tallest?", "blue", image_prompt="a red bar of 10 and a blue bar of 30") | {"contrast": True},
    ]
    alone = proposal("Which bar is the tallest?", "green", image_prompt="a green bar of 20 and a red one of 5") | {"contrast": True}
    kept, dropped = proposal_rules.sift([*pair, alone], SEED | {"route": "new_image"})
    assert kept == pair and [(one["rule"], one["place"]) for one in dropped] == [("contrast", 2)]
    kept, dropped = proposal_rules.sift([proposal("  ?"), pair[1]], SEED)
    assert kept == [] and [one["rule"] for one in dropped] == ["question", "contrast"], "what it was beside was dropped"
    twin = proposal("Is the circle not red?", "no"), proposal("Is the circle red?", "yes") | {"contrast": True}
    assert proposal_rules.sift(twin, SEED)[0] == list(twin)


def test_a_sample_keeps_its_skill_and_shares_its_picture_with_its_contrast(tmp_path):
    store, _, _ = seeded_store(tmp_path / "w", 40, samples=0)
    failure = store.rows("prompt_failures", round=1, failure_ids=None, teachable=True, limit=1)[0]
    bars = "a red bar of 10 and a blue bar of 30"
    said = [
        proposal("Which bar is the shortest?", image_prompt=bars) | {"skill": "shortest bar ", "contrast": False},
        proposal("Which bar is the tallest?", "blue", image_prompt=bars) | {"skill": "tallest bar", "contrast": True},
        proposal("Which bar is the shortest?", "blue", image_prompt="another chart of two bars"),
    ]
    names = ("failure_id", "diagnosis_id", "dataset", "error_type", "image")
    result = {
        "key": "1/new_image",
        "route": "new_image",
        "proposals": said,
        "frontier": "m",
        "replies": [],
        **{n: failure[n] for n in names},
    }
    with store.write() as write:
        Generate().collect(write, Job(4, "generate", 1, GenerateOptions(images_per_prompt=2), tmp_path), [result])
    rows = store._cursor().execute("SELECT skill, contrast, seed FROM sample ORDER BY sample_id").fetchall()
    assert [row[:2] for row in rows] == [*[("shortest bar", False)] * 2, *[("tallest bar", True)] * 2, *[(None, False)] * 2]
    seeds = [row[2] for row in rows]
    assert seeds[:2] == seeds[2:4] and len(set(seeds)) == 4, "a picture a prompt and number"
    store.close()


def test_versions_are_hashes_of_the_text_alone(tmp_path, monkeypatch):
    """What a file says about itself may change without making another prompt of it."""
    text = (templates.FOLDER / "judge.md").read_text(encoding="utf-8")
    (tmp_path / "judge.md").write_text(text.replace("Title: Judge", "Title: The judge"), encoding="utf-8")
    version = shipped("judge").version
    monkeypatch.setattr(templates, "FOLDER", tmp_path)
    assert shipped.__wrapped__("judge").version == version and shipped.__wrapped__("judge").title.startswith("The judge")


def test_dropped_proposals_are_kept_counted_and_never_become_samples(tmp_path):
    store, _, workspace = seeded_store(tmp_path / "w", 40, samples=0)
    failure = store.rows("prompt_failures", round=1, failure_ids=None, teachable=True, limit=1)[0]
    row = {**failure, "route": "same_image", "avoid": []}
    said = [proposal(failure["question"]), proposal("Is there a purple star?", "no"), proposal("Is there a purple star?", "no")]
    kept, dropped = proposal_rules.sift([one | {"choices": failure["choices"]} for one in said], row | {"metric": "vqa_accuracy"})
    names = ("failure_id", "diagnosis_id", "dataset", "error_type", "route", "image")
    result = {"key": "1/same_image", "proposals": kept, "dropped": dropped, **{name: row[name] for name in names}}
    job = Job(4, "generate", 1, GenerateOptions(), tmp_path)
    for _ in range(2):  # taken up twice, as after a crash
        with store.write() as write:
            Generate().collect(write, job, [result | {"frontier": "m", "replies": []}])
    assert [one["rule"] for one in store.rows("dropped_proposals", job_id=4, limit=9)] == ["paraphrase", "repeated"]
    assert len(store.column("samples_of_job", job_id=4)) == 1
    assert Generate().finish(store, workspace, job) == "2 proposals broke a rule and were dropped: 1 paraphrase, 1 repeated"
    store.close()


def test_a_diagnosis_may_only_name_the_error_types_there_are():
    from pydantic import ValidationError

    from curation.prompts.reply_schemas import Diagnosis, diagnosis_reply
    from models.frontier.reply_schema import strict_schema, wire_schema

    reply = diagnosis_reply(("counting", "text-reading"))
    assert issubclass(reply, Diagnosis) and reply.__name__ == "Diagnosis" and reply is diagnosis_reply(("counting", "text-reading"))
    for schema in (strict_schema(reply), wire_schema(reply), wire_schema(reply, closed=False, bounds=False)):
        assert schema["properties"]["error_type"]["enum"] == ["counting", "text-reading"]
    said = {"description": "d", "key_elements": [], "faulty_reasoning": "f", "gold_looks_wrong": False, "right_but_misformatted": False}
    assert reply(**said, confidence=1, error_type="Text reading").error_type == "text-reading"
    with pytest.raises(ValidationError, match="'counting' or 'text-reading'"):
        reply(**said, confidence=1, error_type="vibes")
