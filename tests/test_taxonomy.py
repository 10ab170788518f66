"""Edits of the taxonomy: what bears a name follows, nothing of people's is orphaned, versions stay, old stores begin with the default."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curation import taxonomy
from curation.error_types import DEFAULT, ErrorType
from curation.failures import triage
from curation.results import comparison
from curation.taxonomy import BadEdit
from data.store import Store
from tests.support.answers import add_answers, add_examples
from tests.support.seed import seeded_store
from tests.support.stores import differences, log

HUE = ErrorType("hue", "The hue is wrong.", "says teal for blue", "#00AAff")


@pytest.fixture
def world(tmp_path):
    store, _, workspace = seeded_store(tmp_path / "seeded", 60, samples=30)
    yield store, workspace
    store.close()


def by_type(store):
    query = "SELECT error_type, count(*) FROM failure_state WHERE error_type IS NOT NULL GROUP BY 1"
    return dict(store._cursor().execute(query).fetchall())


def correct(store, workspace, to, count=3):
    ids = store.column("failures_known", failure_ids=list(range(1, 400)))[:count]
    triage.record(store, workspace, triage.TriageRequest(ids, f"event-{to}-{count}", "ada", error_type=to))
    return ids


def test_nobody_has_edited_it(store):
    assert taxonomy.current(store) == DEFAULT and taxonomy.current(store).version == 1 and taxonomy.history(store) == []


def test_adding_changing_and_ordering_make_versions_and_keep_the_first(store):
    made = taxonomy.add(store, HUE, "ada")
    assert (made.version, made.text) == (2, "hue added")
    assert taxonomy.current(store).names[-1] == "hue" and taxonomy.current(store).find("hue").colour == "#00aaff"
    taxonomy.change(store, "hue", "ben", definition="  Another hue. ", example="says teal for blue.")
    assert "- hue: Another hue. Example: says teal for blue." in taxonomy.current(store).glossary()
    taxonomy.order(store, ["hue", "counting"], "ada")
    assert taxonomy.current(store).names[:3] == ("hue", "counting", "recognition")
    versions = taxonomy.history(store)
    assert [version.version for version in versions] == [4, 3, 2, 1] and versions[0].author == "ada" and versions[-1].author == "shipped"
    assert versions[-1].error_types == DEFAULT.types and versions[1].text == "hue: definition changed"


def test_a_rename_carries_everything_along_and_rewrites_no_log(world):
    store, workspace = world
    ids = correct(store, workspace, "counting")
    before, logs = by_type(store), {name: log(store, name) for name in ("diagnosis", "triage", "sample")}
    usage = taxonomy.usage(store)["counting"]
    assert usage.corrections == len(ids) and usage.failures == before["counting"] and usage.samples > 0 < usage.clusters
    edited = taxonomy.rename(store, "counting", "quantity", "ada")
    assert edited.carried == usage and edited.text == f"counting renamed quantity; {usage.text} carried along"
    assert by_type(store) == {"quantity" if name == "counting" else name: count for name, count in before.items()}
    assert {name: log(store, name) for name in logs} == logs
    assert taxonomy.usage(store)["quantity"] == usage and "counting" not in taxonomy.usage(store)
    assert taxonomy.current(store).of_kind("counting/3") == "quantity"
    store.rebuild_states()
    assert differences(store) == 0 and by_type(store)["quantity"] == before["counting"]
    taxonomy.rename(store, "quantity", "counting", "ada")  # and back
    assert by_type(store) == before and taxonomy.current(store).aliases == {"quantity": "counting"}


def test_a_merge_carries_along_and_results_follow(world):
    store, workspace = world
    correct(store, workspace, "negation")
    before = by_type(store)
    edited = taxonomy.merge(store, ["negation", "counting"], "comparison", "ada")
    assert edited.carried.corrections == 3 and "negation, counting merged into comparison" in edited.text
    after = by_type(store)
    assert after["comparison"] == sum(before.get(name, 0) for name in ("negation", "counting", "comparison"))
    assert not {"negation", "counting"} & set(after) and differences(store) == 0
    assert not {"negation", "counting"} & {row["error_type"] for row in log(store, "cluster") + log(store, "assignment")}
    assert taxonomy.current(store).find("counting").name == "comparison"
    again = taxonomy.add(store, ErrorType("counting", "The number is wrong.", "three for two", "#efb118"), "ada")
    assert "belongs to it again, not to comparison" in again.text
    assert by_type(store)["counting"] == before["counting"]


def test_results_are_by_the_taxonomy_in_force(store):
    ids = add_examples(store, [{"kind": "counting/2"}] * 5 + [{"kind": "hue/1"}] * 5)
    a, b = (add_answers(store, name, dict.fromkeys(ids, score)) for name, score in (("a", 0.0), ("b", 1.0)))
    assert {line.name for line in comparison.compare(store, a, b).by_error_type} == {"counting", "other"}
    taxonomy.add(store, HUE, "ada")
    taxonomy.rename(store, "counting", "quantity", "ada")
    assert {line.name for line in comparison.compare(store, a, b).by_error_type} == {"quantity", "hue"}


def test_hiding_what_people_named_is_refused_unless_they_keep_it(world):
    store, workspace = world
    correct(store, workspace, "spatial")
    with pytest.raises(BadEdit, match=r"named by 3 corrections of people.*merge it into another.*keep"):
        taxonomy.hide(store, "spatial", "ada")
    assert taxonomy.current(store).version == 1
    before = by_type(store)
    edited = taxonomy.hide(store, "spatial", "ada", keep=True)
    assert edited.text == "spatial hidden; 3 corrections keep it"
    now = taxonomy.current(store)
    assert "spatial" not in now.names and "- spatial:" not in now.glossary() and now.find("spatial").hidden and by_type(store) == before
    taxonomy.show(store, "spatial", "ada")
    assert "spatial" in taxonomy.current(store).names


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda s: taxonomy.add(s, ErrorType("Two Words", "d", "e", "#000000"), "a"), "can't be a name: small letters"),
        (lambda s: taxonomy.add(s, ErrorType("counting", "d", "e", "#000000"), "a"), "already"),
        (lambda s: taxonomy.add(s, ErrorType("other", "d", "e", "#000000"), "a"), "without an error type"),
        (lambda s: taxonomy.add(s, ErrorType("x", "", "e", "#000000"), "a"), "give a definition in one line"),
        (lambda s: taxonomy.add(s, ErrorType("x", "d", "two\nlines", "#000000"), "a"), "give an example"),
        (lambda s: taxonomy.add(s, ErrorType("x", "d", "e", "red"), "a"), "'red' is no colour"),
        (lambda s: taxonomy.rename(s, "nope", "x", "a"), "there is no error type 'nope'; there are: recognition"),
        (lambda s: taxonomy.rename(s, "counting", "negation", "a"), "to join the two, merge"),
        (lambda s: taxonomy.rename(s, "label-error", "x", "a"), "the program goes by"),
        (lambda s: taxonomy.merge(s, ["scorer-artefact"], "counting", "a"), "the program goes by"),
        (lambda s: taxonomy.merge(s, ["counting"], "counting", "a"), "at least one error type other than counting"),
        (lambda s: taxonomy.hide(s, "label-error", "a"), "the program goes by"),
        (lambda s: taxonomy.show(s, "counting", "a"), "not hidden"),
        (lambda s: taxonomy.change(s, "counting", "a"), "stays as it is"),
        (lambda s: taxonomy.order(s, ["recognition"], "a"), "in this order already"),
    ],
)
def test_a_bad_edit_is_refused_and_changes_nothing(store, edit, words):
    with pytest.raises(BadEdit, match=words):
        edit(store)
    assert taxonomy.current(store) == DEFAULT and log(store, "taxonomy") == []


def test_a_name_that_is_gone_says_what_it_is_called_now(store):
    taxonomy.rename(store, "counting", "quantity", "ada")
    with pytest.raises(BadEdit, match="'counting' is called 'quantity' now"):
        taxonomy.hide(store, "counting", "ada")


NAMES = st.sampled_from(["counting", "negation", "spatial", "attribute", "a", "b", "c"])


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["rename", "merge", "add", "hide", "show"]), NAMES, NAMES), max_size=8))
def test_after_any_edits_every_name_ever_used_leads_to_a_present_type(tmp_path_factory, edits):
    opened = Store(tmp_path_factory.mktemp("taxonomy") / "store.duckdb")
    ever, made = set(DEFAULT.names), 1
    for what, name, other in edits:
        try:
            if what == "add":
                taxonomy.add(opened, ErrorType(name, "d", "e", "#123456"), "ada")
                ever.add(name)
            elif what == "merge":
                taxonomy.merge(opened, [name], other, "ada")
            elif what == "rename":
                taxonomy.rename(opened, name, other, "ada")
                ever.add(other)
            else:
                getattr(taxonomy, what)(opened, name, "ada")
            made += 1
        except BadEdit:
            continue
        now = taxonomy.current(opened)
        present = {type_.name for type_ in now.types}
        assert now.version == made and len(present) == len(now.types)
        assert all(now.find(name) is not None for name in ever)
        assert not set(now.aliases) & present and set(now.aliases.values()) <= present
    opened.close()
