"""The whole loop as a person walks it: mouse and keyboard in Chromium, from the first failure to the measured improvement.

MISTAKEBOOK_SHOTS=folder keeps a picture of every page on the way.
"""

import os
import re
from pathlib import Path

import pytest

from tests.support import loop_world
from tests.support.browser import chromium, executable
from tests.support.failures_page import lasso
from tests.support.running_app import app

pytestmark = [pytest.mark.browser, pytest.mark.timeout(2400)]
SOURCES = {
    "easy-vqa": {"format": "easy_vqa", "source": {"train_limit": 60, "dev_limit": 10, "eval_limit": 40}},
    "pocket-photo": {"format": "pocket_vqa", "source": {"family": "photo", "train": 300, "dev": 10, "eval": 150}},
    "pocket-knowledge": {"format": "pocket_vqa", "source": {"family": "knowledge", "train": 120, "dev": 10, "eval": 80}},
}
PATIENCE = 600_000  # milliseconds for a job on a busy machine


class Walker:
    """What a person does and sees; selectors are texts and roles where the pages have them."""

    def __init__(self, page):
        self.page = page
        self.shots = os.environ.get("MISTAKEBOOK_SHOTS")
        self.taken = 0

    def button(self, text: str | re.Pattern, within: str = "body"):
        return self.page.locator(f"{within} button:visible").filter(has_text=text).first

    def press(self, text: str | re.Pattern, within: str = "body") -> None:
        """Clicks a button as soon as it is there and can be pressed."""
        self.button(text, within).click(timeout=PATIENCE)

    def goes_to(self, title: str) -> None:
        self.page.get_by_role("navigation", name="Pages").get_by_role("link", name=re.compile(f"^{title}")).click()

    def sees(self, text: str | re.Pattern, within: str = "body") -> None:
        self.page.locator(within).get_by_text(text).first.wait_for(state="visible", timeout=PATIENCE)

    def starts(self, dialog_title: str) -> None:
        """The dialog of a stage: its estimate is looked at, then it is launched by its own button."""
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_text("Estimate").wait_for()
        self.page.wait_for_function("() => /\\d/.test(document.querySelector('dialog .card')?.textContent ?? '')", timeout=PATIENCE)
        dialog.get_by_role("button", name=dialog_title, exact=True).click()
        dialog.wait_for(state="detached")

    def number(self, selector: str) -> int:
        return int(re.sub(r"\D", "", self.page.locator(selector).first.inner_text()) or 0)

    def shot(self, name: str) -> None:
        if self.shots:
            self.taken += 1
            Path(self.shots).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(self.shots) / f"walk-{self.taken:02d}-{name}.png")


@pytest.fixture
def prepared(home, monkeypatch):
    """A small workspace that nothing was asked of yet: two benchmarks and the checkpoint that round 1 starts from."""
    executable()
    monkeypatch.setattr(loop_world, "SOURCES", SOURCES)
    world = loop_world.begin(home / "walk")
    world.close()
    return world.workspace


def test_a_person_walks_the_loop_and_ends_on_improved_results(prepared):
    with app(prepared, "--reviewer", "ada", headless=False) as running, chromium(running.owner.address) as page:
        walker = Walker(page)
        collects_failures(walker)
        selects_on_the_map(walker)
        generates(walker)
        decided = reviews(walker)
        stored = running.post("/api/review/bulk/preview", {"matching": {"statuses": ["approved", "rejected"]}, "action": "reset"})
        assert stored["by_status"] == decided
        finetunes(walker)
        looks_at_results(walker, running)


def collects_failures(walker: Walker) -> None:
    """Failures: they come in, are diagnosed and clustered, each from its own button with its estimate."""
    page = walker.page
    walker.sees("pocket-llava is not evaluated yet")
    walker.shot("failures-empty")
    walker.press("Evaluate", "#page-failures")
    walker.starts("Evaluate")
    page.wait_for_function("() => parseInt(document.querySelector('[data-count]')?.textContent) > 0", timeout=PATIENCE)
    walker.sees("✓ done", "#page-failures .steps")
    walker.shot("failures-in")
    walker.press(re.compile(r"^Diagnose \d"), "#page-failures .steps")
    walker.starts("Diagnose")
    page.wait_for_function("() => document.querySelectorAll('#page-failures .steps .okay').length === 2", timeout=PATIENCE)
    walker.shot("failures-diagnosed")
    walker.press(re.compile(r"^Cluster \d"), "#page-failures .steps")
    walker.starts("Cluster")
    page.locator("#page-failures .cl").first.wait_for(timeout=PATIENCE)


def selects_on_the_map(walker: Walker) -> None:
    """A click on a cluster selects it; a key clears it; a lasso selects what it encloses, and that is what is generated for."""
    page = walker.page
    total = walker.number("[data-count]")
    page.locator("#page-failures .cl").first.click()
    page.locator("#page-failures .cl.on .n").wait_for()
    size = walker.number("#page-failures .cl.on .n")
    page.wait_for_function("n => parseInt(document.querySelector('[data-count]').textContent) === n", arg=size)
    assert 0 < size <= total
    page.locator("#page-failures .fail-thumbs .th").first.wait_for()
    walker.shot("failures-cluster")
    page.keyboard.press("x")
    page.wait_for_function("n => parseInt(document.querySelector('[data-count]').textContent) === n", arg=total)
    lasso(page, 0.94, round_=False)
    page.locator("#page-failures .fail-chips .chip.on").wait_for()
    enclosed = walker.number("#page-failures .fail-chips .chip.on")
    page.wait_for_function("n => parseInt(document.querySelector('[data-count]').textContent) === n", arg=enclosed)
    assert total / 4 < enclosed <= total
    walker.shot("failures-lasso")
    walker.press("Generate for selection", "#page-failures")


def generates(walker: Walker) -> None:
    """Generate: the estimate stands before the launch; drawing and filtering follow by themselves."""
    page = walker.page
    walker.sees("selection of failures", "#page-generate")
    page.get_by_label("Samples per failure").fill("2")
    page.get_by_label("Maximum failures").fill("60")
    walker.sees(re.compile(r"60 failures · 120 calls · 240 samples · 120 images"), "#page-generate [data-estimate]")
    walker.shot("generate-estimate")
    walker.press("Generate 240 samples", "#page-generate")
    funnel = page.locator("#page-generate [data-funnel] .num")
    funnel.first.wait_for(timeout=PATIENCE)
    review = walker.button(re.compile(r"^Review \d+"), "#page-generate [data-follow]")
    review.wait_for(timeout=PATIENCE)
    page.wait_for_function(
        "() => document.querySelectorAll('#page-generate [data-follow] .chip.ok').length === 2", timeout=PATIENCE
    )  # draw and filter are done
    asked, parsed, drawn, passed, approved = (int(re.sub(r"\D", "", text)) for text in funnel.all_inner_texts())
    assert asked == 240 >= parsed == drawn > passed > 60 and approved == 0
    walker.shot("generate-done")
    review.click()


def reviews(walker: Walker) -> dict[str, int]:
    """Review: by keys one by one, with an undo; then all that pass at once, after a look at the preview."""
    page = walker.page
    title, saved = page.locator("#page-review [data-title]"), page.locator("#page-review").get_by_text("all saved")
    page.wait_for_function("() => document.querySelector('#page-review [data-title]').textContent.startsWith('Sample ')")
    pending = int(re.search(r"of ([\d,]+)", page.locator("#page-review [data-place]").inner_text())[1].replace(",", ""))
    walker.shot("review")
    first = title.inner_text()

    def key(keys: str) -> None:
        """Types, and sees the next sample."""
        before = title.inner_text()
        page.keyboard.type(keys)
        page.wait_for_function("was => document.querySelector('#page-review [data-title]').textContent !== was", arg=before)

    key("a")
    key("a")
    key("r1")
    key("a")
    key("u")  # takes the last one back and shows it again
    key("k")
    key("k")
    key("k")
    assert title.inner_text() == first
    saved.first.wait_for()
    page.keyboard.press("g")
    page.locator("#page-review [data-grid] .th").first.wait_for()
    walker.sees(re.compile(rf"All {pending - 3} matching|All {pending - 3:,} matching"), "#page-review [data-bulk]")
    walker.shot("review-grid")
    walker.press("Approve", "#page-review [data-bulk]")
    walker.sees(f"{pending - 3} samples of {pending - 3} will be approved", "dialog")
    walker.shot("review-bulk")
    walker.press(re.compile(rf"^Approve {pending - 3}"), "dialog")
    page.get_by_role("dialog").wait_for(state="detached")
    walker.sees("No matching samples", "#page-review [data-grid]")
    return {"approved": pending - 1, "rejected": 1}


def finetunes(walker: Walker) -> None:
    """Finetune: launched, its loss is seen to move, and the new checkpoint is evaluated by itself."""
    page = walker.page
    walker.goes_to("Finetune")
    launch = walker.button("Launch finetune", "#page-finetune")
    launch.wait_for()
    walker.sees("samples", "#page-finetune [data-mix]")
    walker.shot("finetune-mix")
    launch.click()
    page.locator("#page-finetune [data-chart] :is(svg, canvas)").first.wait_for(state="visible", timeout=PATIENCE)
    walker.sees("training loss", "#page-finetune [data-chart] .legend")
    walker.shot("finetune-live")
    page.wait_for_function("() => document.querySelector('#page-finetune [data-follow] .chip.ok')", timeout=PATIENCE)  # evaluated
    walker.shot("finetune-done")
    walker.press("Results", "#page-finetune [data-run-actions]")


def looks_at_results(walker: Walker, running) -> None:
    """Results: what the page says is what the store holds, and it is better than before."""
    page = walker.page
    walker.sees("Accuracy", "#page-results")
    shown = page.locator("#page-results [data-main] .cards .card").first.inner_text()
    before, after = (float(text) for text in re.search(r"(0?\.\d+)\s*→\s*(0?\.\d+)", shown).groups())
    page.locator("#page-results [data-ledger] > *").first.wait_for()
    walker.shot("results")
    comparison = running.get("/api/command/results")
    assert (before, after) == (
        pytest.approx(comparison["overall"]["before"], abs=6e-4),
        pytest.approx(comparison["overall"]["after"], abs=6e-4),
    )
    assert comparison["before"] == "pocket-llava" and comparison["examples"] == 270
    assert after > before and comparison["overall"]["low"] > 0 and comparison["fixed"] > comparison["broken"], shown
    page.keyboard.press("b")
    page.wait_for_url(re.compile("which=broken"))
    walker.shot("results-broken")
