"""Review in a real browser, as a person meets it: key to next card, a burst of keys, pages, facets, jumps.

    python -m benchmarks.review --json                                    # makes a workspace of 20,000 samples
    python -m benchmarks.review --json --workspace ~/.mistakebook/full    # measures a copy of that one

Times are taken in the page: from the key's (or click's) time stamp to the frame after which what it asked for is painted.
The app runs as a process of its own; the last line is JSON. Needs Chromium.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.parts.running_app import CHROMIUM, App, chromium, main

DECISIONS, BURST, PAGES = 120, 50, 12
PAUSE = 0.2  # seconds between keys of a quick person

# bench.key: for each key that decides, the time from its stamp to the first paint with another sample's title.
# bench.until(act, done): the time from an action to the first paint when done() holds.
SCRIPT = """
window.bench = { keys: [], pictures: 0 };
bench.painted = (run) => requestAnimationFrame(() => {
  const pipe = new MessageChannel();
  pipe.port1.onmessage = run;
  pipe.port2.postMessage(0);
});
bench.title = () => document.querySelector("#page-review [data-title]")?.textContent;
addEventListener("keydown", (event) => {
  if (!bench.on || event.key === "r") return;
  const before = bench.title();
  const look = () => bench.painted(() => {
    if (bench.title() === before) return look();
    bench.keys.push(performance.now() - event.timeStamp);
    bench.pictures += document.querySelector("#page-review .rev-shot img")?.complete ? 1 : 0;
  });
  look();
}, true);
bench.until = (act, done) => new Promise((resolve, reject) => {
  const begun = performance.now();
  act();
  const look = () => bench.painted(() => {
    const spent = performance.now() - begun;
    if (done()) resolve(spent);
    else if (spent > 20000) reject(new Error(`nothing came of ${act}, at ${location.search}`));
    else look();
  });
  look();
});
bench.cells = () => [...document.querySelectorAll("#page-review [data-grid] .th")].map((cell) => cell.dataset.id).join();
bench.shown = () => {
  const box = document.querySelector("#page-review [data-grid]").getBoundingClientRect();
  const images = [...document.querySelectorAll("#page-review [data-grid] img")];
  const seen = images.filter((image) => image.getBoundingClientRect().top < box.bottom);
  return seen.length > 0 && seen.every((image) => image.complete && image.naturalWidth > 0);
};
"""


def measure(app: App) -> dict[str, Any]:
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(60_000)
        page.add_init_script(SCRIPT)
        started = time.monotonic()
        page.goto(f"{app.address}/?page=review")
        saved = page.locator("#page-review [data-buttons] [data-unsaved]")
        expect(saved).to_have_text("all saved", timeout=60_000)
        figures: dict[str, Any] = {"open_ms": round((time.monotonic() - started) * 1000)}
        page.wait_for_timeout(1500)
        figures |= _keys(page)
        expect(saved).to_have_text("all saved", timeout=60_000)
        figures |= _burst(page, lambda: expect(saved).to_have_text("all saved", timeout=60_000))
        figures["focus_jump_ms"] = _summary(_jumps_in_focus(page))["p95"]
        figures |= _grid(page)
        figures["memory_mb"] = app.memory_mb()
        browser.close()
    return figures


def _keys(page) -> dict[str, Any]:
    page.evaluate("bench.on = true")
    for turn in range(DECISIONS):
        if turn % 4 == 3:
            page.keyboard.press("r")
            page.wait_for_timeout(30)
        page.keyboard.press("1" if turn % 4 == 3 else "a")
        page.wait_for_timeout(PAUSE * 1000)
    times = page.evaluate("bench.on = false, bench.keys")
    assert len(times) == DECISIONS, f"{len(times)} of {DECISIONS} keys led to another card"
    entries = "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/api/review/decide'))"
    answers = page.evaluate(f"{entries}.map((one) => one.responseEnd - one.requestStart)")
    spread = _summary(times)
    acknowledged = _summary(answers)
    return {
        "p50_ms": spread["p50"],
        "p95_ms": spread["p95"],
        "decision_ack_p50_ms": acknowledged["p50"],
        "decision_ack_p95_ms": acknowledged["p95"],
        "pictures_ready": round(page.evaluate("bench.pictures") / DECISIONS, 3),
    }


def _burst(page, settled: Callable[[], None]) -> dict[str, Any]:
    """As many keys as the browser takes, one at once after the other."""
    before = _stored(page)
    started = time.monotonic()
    for _ in range(BURST):
        page.keyboard.press("a")
    pressed = time.monotonic() - started
    settled()
    stored = _stored(page) - before
    return {
        "burst_sent": BURST,
        "burst_stored": stored,
        "burst_s": round(pressed, 2),
        "burst_saved_s": round(time.monotonic() - started, 2),
    }


def _stored(page) -> int:
    """Samples that the store says were decided one by one by us."""
    asked = "fetch('api/review/history?limit=1000').then((answer) => answer.json())"
    rows = page.evaluate(asked)
    return len({row["sample_id"] for row in rows if not row["undone"] and row["samples"] == 1})


def _jumps_in_focus(page) -> list[float]:
    total = "Number(document.querySelector('#page-review [data-place]').textContent.match(/of ([0-9,]+)/)[1].replaceAll(',', ''))"
    done = "() => bench.title() !== before && document.querySelector('#page-review .rev-shot img')?.complete"
    times = []
    for place in _places(page, total):
        typed = f"const input = document.querySelector('#page-review .rev-place input'); input.value = {place};"
        act = f"() => {{ document.querySelector('.rev-there').click(); {typed} input.dispatchEvent(new Event('change')); }}"
        times.append(page.evaluate(f"() => {{ const before = bench.title(); return bench.until({act}, {done}); }}"))
        page.wait_for_timeout(500)
    return times


def _grid(page) -> dict[str, Any]:
    changed = "() => bench.cells() !== before && bench.shown()"
    asked = "() => {{ const before = bench.cells(); return bench.until({act}, " + changed + "); }}"
    first = page.evaluate(asked.format(act="() => document.querySelectorAll('#page-review [data-modes] button')[1].click()"))
    page.wait_for_timeout(800)
    pages = "Number(document.querySelector('#page-review [data-tools] .rev-jump').max)"
    jumps = []
    for place in _places(page, pages):
        typed = f"const input = document.querySelector('#page-review [data-tools] .rev-jump'); input.value = {place};"
        act = f"() => {{ {typed} input.dispatchEvent(new Event('change')); }}"
        jumps.append(page.evaluate(asked.format(act=act)))
        page.wait_for_timeout(500)
    clicks = []
    facets = "[...document.querySelectorAll('#page-review [data-statuses] .facet-value, #page-review [data-facets] .facet-value')]"
    for turn in range(PAGES):
        text = ["Failed a filter", "Approved", "negation", "counting", "Pending"][turn % 5]
        act = f"() => {facets}.find((one) => one.textContent.includes('{text}')).click()"
        clicks.append(page.evaluate(asked.format(act=act)))
        page.wait_for_timeout(700)
    return {
        "cold_page_ms": round(max(first, np.percentile(jumps, 95)), 1),
        "first_page_ms": round(first, 1),
        "jump_ms": _summary(jumps)["p95"],
        "filter_to_images_ms": _summary(clicks)["p95"],
    }


def _places(page, last: str) -> list[int]:
    total = page.evaluate(last)
    return [max(1, int(share * total)) for share in np.random.default_rng(3).permutation(np.linspace(0.04, 1, PAGES))]


def _summary(times: list[float]) -> dict[str, float]:
    return {"p50": round(float(np.percentile(times, 50)), 1), "p95": round(float(np.percentile(times, 95)), 1)}


WORDS = {
    "open_ms": "the page, opened cold, until everything is there",
    "p50_ms": "key to next card painted, median",
    "p95_ms": "key to next card painted, p95 (aim: 20)",
    "pictures_ready": "share of cards whose picture was there at once",
    "decision_ack_p50_ms": "a decision until its answer, on disk, median",
    "decision_ack_p95_ms": "the same, p95 (aim: 30)",
    "burst_sent": "keys of a burst",
    "burst_stored": "decisions of it in the store",
    "burst_s": "seconds that the burst took to press",
    "burst_saved_s": "seconds until all of it was saved",
    "focus_jump_ms": "jump to any place in Focus, p95 (aim: 500)",
    "first_page_ms": "Focus to a grid of 60 with pictures, the first time",
    "cold_page_ms": "a page of 60 with pictures not seen before, p95 (aim: 350)",
    "jump_ms": "jump to any page of the grid, p95 (aim: 500)",
    "filter_to_images_ms": "facet clicked until pictures are there, p95 (aim: 500)",
    "memory_mb": "memory of the app (aim: 1000)",
}


if __name__ == "__main__":
    main(__doc__, measure, WORDS)
