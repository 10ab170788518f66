"""The Calibration page: what its routes say against a count by hand, the audit lane in Review, the command line; and in Chromium."""

import base64
import json

import numpy as np
import pytest
from pydantic import TypeAdapter

from curation.calibration import auto_approval
from curation.calibration.score_matrix import score_matrix
from curation.cli import main
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.review import decisions
from curation.stages import stage_class
from curation.statistics.intervals import wilson
from curation.ui.server.app import create_app
from data.records import Condition
from tests.support.browser import chromium, executable, served
from tests.support.charts import Chart, check
from tests.support.page_api import PageApi
from tests.support.seed import seeded_store
from tests.support.stores import differences

TARGET = 0.65  # so low that it is shown for the last of the many rules that are checked here, too


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    store, _, workspace = seeded_store(tmp_path_factory.mktemp("home") / "seeded", 80, samples=1500, seed=3)
    yield create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada")), store, workspace
    store.close()


@pytest.fixture
def shut(world):
    """The store, with the gate shut before and after."""
    yield world[1]
    auto_approval.turn_off(world[1], "the test is over", "ada")


@pytest.fixture(scope="module")
def post(world):
    return PageApi(world[0], "calibration")


@pytest.fixture(scope="module")
def review(world):
    return PageApi(world[0], "review")


def opened(store):
    """Opens the gate for the filters as they are set."""
    now = score_matrix(store)
    auto_approval.turn_on(store, [setting.condition for setting in now.settings if setting.enabled], TARGET, "ada")
    return score_matrix(store)


def numbers(text, kind):
    return np.frombuffer(base64.b64decode(text), dtype=kind)


def test_the_table_is_what_a_count_by_hand_says(world, post):
    now, found = score_matrix(world[1]), post("overview")
    judge = next(row for row in found["filters"] if row["filter"] == "judge")
    known = (now.label >= 0) & ~np.isnan(now.scores["judge"])
    passing, good = now.scores["judge"] >= 3, now.label == 1
    assert (judge["labels"], judge["passing"]) == (known.sum(), (known & passing).sum())
    assert judge["precision"]["value"] == pytest.approx(good[known & passing].mean())
    assert judge["false_negative_rate"]["value"] == pytest.approx((~passing)[known & good].mean())
    assert sum(judge["approved_at"]) + sum(judge["rejected_at"]) == known.sum()
    assert found["labels"]["approved"] + found["labels"]["rejected"] == sum(row["labels"] for row in found["error_types"])
    error_type = found["error_types"][0]
    narrow = next(row for row in post("overview", error_type=error_type["error_type"])["filters"] if row["filter"] == "judge")
    of_type = known & (now.error_type == now.error_types.index(error_type["error_type"]))
    assert narrow["labels"] == of_type.sum() <= error_type["labels"] and narrow["labels"] < judge["labels"]
    nothing = next(row for row in post("overview", error_type="no such")["filters"] if row["filter"] == "judge")
    assert nothing["labels"] == 0 and nothing["precision"] == {"value": None, "low": 0, "high": 1}


def test_charts_and_the_interval_are_those_of_the_labels(world, post):
    judge = next(row for row in post("overview")["filters"] if row["filter"] == "judge")
    bars, *dots = judge["figure"]["data"]
    assert dict(zip(bars["x"], bars["y"])) == {str(score): judge["scored"][score] for score in (1, 2, 3)}
    for trace in dots:
        for name, share in zip(trace["x"], trace["y"]):
            good, bad = judge["approved_at"][int(name)], judge["rejected_at"][int(name)]
            assert share == pytest.approx(good / (good + bad))
    rates = next(row for row in post("overview", curves="threshold")["filters"] if row["filter"] == "judge")["figure"]["data"]
    precision = next(trace for trace in rates if trace.get("name") == "precision")
    assert precision["y"][precision["x"].index(3)] == pytest.approx(judge["precision"]["value"])
    low, high = wilson(31, 36)
    assert post("interval", approved=31, labels=36) == {"low": low, "high": high}


@pytest.mark.timeout(600)
def test_charts_are_drawn_by_score_and_by_threshold(world):
    executable()
    with served(world[0]) as address, chromium(f"{address}/?page=calibration&target={TARGET}") as page:
        chart = Chart(page, "#page-calibration [data-charts]")
        assert page.locator("#page-calibration [data-charts] .chart").count() == 8
        assert "samples" in chart.hover(0.8, 0.6)
        check(chart, "approval-by-score-of-judge")
        page.select_option("#page-calibration select[title='What the charts show']", "threshold")
        page.wait_for_url("**curves=threshold**")
        page.wait_for_function(
            "document.querySelector('#page-calibration .js-plotly-plot').data.some(one => one.name === 'false-negative rate')"
        )
        check(chart, "precision-and-false-negative-rate-of-judge")


def test_what_the_sliders_count_is_what_the_gate_counts(world, post):
    joint, rng = post("joint"), np.random.default_rng(1)
    assert "held_approved" not in joint  # how the held-back half was decided stays on the server
    codes = numbers(joint["codes"], np.uint8).reshape(len(joint["filters"]), joint["rows"])
    counts = {name: numbers(joint[name], "<u4") for name in ("open", "labels", "approved", "held")}
    for _ in range(8):
        positions = [
            int(rng.integers(slider["position"], len(slider["cuts"]) + 1)) if rng.random() < 0.4 else slider["position"]
            for slider in joint["filters"]
        ]
        inside = (codes >= np.array(positions)[:, None]).all(axis=0)
        rule = [_asked(slider, at) for slider, at in zip(joint["filters"], positions) if at]
        checked = post("check", conditions=rule, target=TARGET)
        assert checked["becomes"] == counts["open"][inside].sum()
        assert checked["searched"]["labels"] == counts["labels"][inside].sum()
        assert checked["searched"]["approved"] == counts["approved"][inside].sum()
        assert checked["held"]["labels"] == counts["held"][inside].sum()


def _asked(one, position):
    return {"filter": one["filter"], "comparison": one["comparison"], "threshold": one["cuts"][position - 1]}


def test_a_rule_that_has_not_shown_it_is_refused_with_its_numbers(shut, post):
    rule = [{"filter": "judge", "comparison": "at_least", "threshold": 3}]
    assert "the target 0.99" in post("on", 409, conditions=rule, target=0.99)["error"]
    assert "there are: judge" in post("on", 409, conditions=[{**rule[0], "filter": "nope"}])["error"]
    assert post("check", conditions=rule, target=0.99)["rules_checked"] >= post("propose", target=0.99)["rules_checked"] - 1 >= 1
    assert post("off")["done"] is False


def test_what_is_drawn_for_labelling_is_given_blind(shut, post, review):
    drawn = post("draw", conditions=[{"filter": "judge", "comparison": "at_least", "threshold": 3}], count=15)["sample_ids"]
    again = post("draw", conditions=[{"filter": "judge", "comparison": "at_least", "threshold": 3}], count=15)["sample_ids"]
    assert len(set(drawn)) == 15 and not set(drawn) & set(again)
    cards = review("next", matching={"queue": "mine", "sample_ids": drawn})["cards"]
    assert {card["sample_id"] for card in cards} == set(drawn)
    assert all(card["blind"] and card["verdicts"] == [] for card in cards)


def test_the_audit_lane_is_a_blind_queue_and_hides_everywhere(shut, post, review):
    now = opened(shut)
    lane = shut.column("audit_waiting")
    facets = review("facets", queue="audit")
    assert facets["audit"] == len(lane) > 3 and facets["facets"]["status"] == []
    cards = review("next", matching={"queue": "audit"}, order="informative", count=100)
    assert {card["sample_id"] for card in cards["cards"]} == set(lane) and cards["order"] == "random"
    for card in cards["cards"]:
        assert card["blind"] and card["verdicts"] == [] and card["status"] == "pending" and card["decided_by"] is None
    everywhere = review("page", matching={"statuses": ["auto_approved", "failed"]}, limit=200)["rows"]
    assert {row["status"] for row in everywhere if row["sample_id"] in lane} <= {"pending"}
    first = cards["cards"][0]
    review("decide", sample_id=first["sample_id"], revision=first["revision"], action="approve", event_id=decisions.new_event())
    shown = review("card", sample_id=first["sample_id"])
    assert not shown["blind"] and shown["verdicts"] and first["sample_id"] not in shut.column("audit_waiting")
    given = set(shut.column("samples_assigned"))
    bulk = [i for i in now.sample_ids[now.auto].tolist() if i not in given][:200]
    preview = review("bulk/preview", matching={"sample_ids": bulk}, action="approve")  # the lane doesn't stand in the way of bulk work
    assert preview["total"] == len(bulk) and set(bulk) & set(lane)


def test_enough_rejections_in_the_lane_stop_the_rule(shut, review):
    now = opened(shut)
    place = dict(zip(now.sample_ids.tolist(), now.auto.tolist()))
    lane = [card for card in review("next", matching={"queue": "audit"}, count=100)["cards"] if place[card["sample_id"]]]
    for card in lane:
        review("decide", sample_id=card["sample_id"], revision=card["revision"], action="reject", event_id=decisions.new_event())
        if auto_approval.state(shut).state == "stopped":
            break
    assert auto_approval.state(shut).state == "stopped" and differences(shut) == 0
    gate = review.client.get("/api/workspace").json()["gate"]
    assert gate["state"] == "stopped" and "below 0.65" in gate["why"]
    assert review("facets")["audit"] is None


def test_finetune_tells_rules_from_people(shut, world):
    now = opened(shut)
    plan = PageApi(world[0], "finetune")("plan")
    by = {row["value"]: row["samples"] for row in plan["status"]}
    assert by["auto_approved"] == now.auto.sum() > 0 and by["approved"] > 0
    assert plan["samples"] == by["auto_approved"] + by["approved"]


def test_the_command_line_says_the_same(shut, world, post, monkeypatch, capsys):
    class Direct:
        def __init__(self, name, reviewer=None):
            pass

        def post(self, path, body, as_):
            return TypeAdapter(as_).validate_python(post(path.removeprefix("/api/calibration/"), **body))

    monkeypatch.setattr("curation.commands.calibrate.App", Direct)
    for flags in ([], ["--target", str(TARGET)]):
        with pytest.raises(SystemExit) as ended:
            main(["calibrate", *flags])
        assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "not reachable at this precision" in text and "target reached" in text and "judge" in text
    with pytest.raises(SystemExit):
        main(["calibrate", "--target", str(TARGET), "--on", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["turned_on"]["becomes"] == score_matrix(shut).auto.sum() == printed["proposal"]["becomes"] > 0
    with pytest.raises(SystemExit):
        main(["calibrate", "--off"])
    assert capsys.readouterr().out == "auto-approval is off\n" and auto_approval.open_rule(shut) is None


def test_a_rule_is_slid_checked_turned_on_audited_and_stopped(shut, world):
    executable()
    app, store, _ = world
    with served(app) as address, chromium(f"{address}/?page=calibration&target={TARGET}") as page:
        page.wait_for_selector("#page-calibration .gate >> text=held-out half reviewers approved")
        reset = page.locator("#page-calibration >> text=Reset to filter settings")
        if reset.count():
            reset.click()
        inside = lambda: int(page.get_attribute("#page-calibration [data-becomes]", "data-becomes"))  # noqa: E731
        before = inside()
        slider = page.locator("#page-calibration .slide[data-filter=duplicate] input")
        slider.fill("20")
        threshold = float(page.inner_text("#page-calibration .slide[data-filter=duplicate] .at").split()[1])
        now = score_matrix(store)
        assert 0 < inside() < before and inside() == (now.open & now.meets(Condition("duplicate", "at_most", threshold))).sum()
        page.keyboard.press("c")
        page.wait_for_selector("#page-calibration .gate >> text=held-out half reviewers approved")
        page.click("#page-calibration >> text=Reset to filter settings")
        assert inside() == before == now.open.sum()
        page.click("#page-calibration >> text=Check on held-out labels")
        page.click(f"#page-calibration >> text=Turn on: approve {before:,}")
        page.click(f"dialog >> text=Approve {before:,}")
        page.wait_for_selector("#page-calibration >> text=approved by this rule")
        assert score_matrix(store).auto.sum() == before
        page.wait_for_selector(".mb-rail a[data-page=calibration] >> text=on")

        page.click("#page-calibration >> text=Review the audit queue")
        page.wait_for_selector("#page-review.on .rev-text")
        for _ in range(40):
            if auto_approval.state(store).state == "stopped":
                break
            left = len(store.column("audit_waiting"))
            page.keyboard.press("r")
            page.keyboard.press("1")
            for _ in range(100):
                if len(store.column("audit_waiting")) < left:
                    break
                page.wait_for_timeout(30)
        page.wait_for_selector(".mb-head >> text=Auto-approval was stopped by its audit")
        page.click(".mb-head >> text=Auto-approval was stopped by its audit")
        page.wait_for_selector("#page-calibration >> text=was turned off by its audit")
        page.click("#page-calibration >> text=Dismiss")
        page.wait_for_selector(".mb-head >> text=Auto-approval was stopped by its audit", state="detached")
    assert score_matrix(store).auto.sum() == 0 and differences(store) == 0
