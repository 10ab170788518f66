"""The failure explorer in Chromium, at full scale: map, lasso, facets, search, far jumps, memory.

    python -m benchmarks.explorer --json                        # <MISTAKEBOOK_HOME>/full, made first if it isn't there
    python -m benchmarks.explorer --workspace FOLDER --json

The app runs as its own process, as it does for people; everything is timed inside the page, from the click to the frame that shows
the answer. Nothing in the workspace is changed but its search index. Prints a table, then (with --json) one JSON object as the last line.
"""

import argparse
import base64
import json
import math
import sys
from pathlib import Path

import numpy as np

from benchmarks.parts.machine import machine
from benchmarks.parts.running_app import CHROMIUM, App, chromium
from data import workspace as workspaces

TIMES = 12  # of each action
LASSO = 20_000
REST = 800  # milliseconds between actions, in which what follows an answer (the estimate on a button, say) is done
WINDOW = {"width": 1440, "height": 900}
PADDING = 36  # what map.js keeps free at the edges
GOALS = {  # milliseconds, MB
    "map_ready_ms": 3000,
    "lasso_p95_ms": 300,
    "filter_to_images_p95_ms": 500,
    "far_jump_p95_ms": 500,
    "app_memory_mb": 1000,
}

# Runs in the page. `since(f)` resolves to the milliseconds from the latest pointer or key event to the first frame for which f holds.
WATCH = """
window.bench = { at: 0, frames: [] };
for (const name of ["pointerup", "click", "change", "input"]) addEventListener(name, () => { bench.at = performance.now(); }, true);
bench.arm = () => { bench.at = 0; };
bench.since = (holds) => new Promise((done, fail) => {
  const latest = performance.now() + 60000;
  const look = () => {
    if (bench.at && holds()) requestAnimationFrame(() => done(performance.now() - bench.at));
    else if (performance.now() > latest) fail(new Error("not shown within a minute: " + holds));
    else requestAnimationFrame(look);
  };
  look();
});
bench.count = () => document.querySelector("[data-count]")?.textContent ?? "";
bench.ids = () => [...document.querySelectorAll(".fail-thumbs .th")].slice(0, 6).map((cell) => cell.dataset.id).join();
bench.pictured = () => { const all = [...document.querySelectorAll(".fail-thumbs .th img")].slice(0, 6);
  return all.length > 0 && all.every((img) => img.complete && img.naturalWidth); };
bench.mapped = () => { const from = document.querySelector("[data-map] canvas"); if (!from?.width) return false;
  const small = new OffscreenCanvas(48, 48).getContext("2d"); small.drawImage(from, 0, 0, 48, 48);
  const { data } = small.getImageData(0, 0, 48, 48);
  for (let i = 4; i < data.length; i += 4) if (Math.abs(data[i] - data[0]) + Math.abs(data[i + 1] - data[1]) > 12) return true;
  return false; };
bench.first = (holds) => new Promise((done) => {
  const look = () => (bench[holds]() ? done(performance.now()) : requestAnimationFrame(look));
  look();
});
bench.roll = () => { let last = 0; bench.frames = []; bench.rolling = true;
  const tick = (now) => { if (last) bench.frames.push(now - last); last = now; if (bench.rolling) requestAnimationFrame(tick); };
  requestAnimationFrame(tick); };
"""


def p95(values: list[float]) -> float:
    return round(float(np.percentile(values, 95)), 1)


def circles(points: dict, width: float, height: float) -> list[list[tuple[float, float]]]:
    """Circles of about LASSO points each, in pixels of the fitted map (as map.js fits it), as corners to drag along."""
    x, y = (np.frombuffer(base64.b64decode(points[name]), "<f4").astype(float) for name in ("x", "y"))
    wanted = min(LASSO, len(x) // 3)
    scale = min((width - 2 * PADDING) / np.ptp(x), (height - 2 * PADDING) / np.ptp(y))
    middle = (x.min() + x.max()) / 2, (y.min() + y.max()) / 2
    rng = np.random.default_rng(1)
    lassos = []
    while len(lassos) < TIMES:
        i = rng.integers(len(x))
        cx, cy = x[i] * 0.5 + middle[0] * 0.5, y[i] * 0.5 + middle[1] * 0.5
        radius = np.partition(np.hypot(x - cx, y - cy), wanted)[wanted]
        at = [
            ((cx + radius * math.cos(a) - middle[0]) * scale + width / 2, (cy + radius * math.sin(a) - middle[1]) * scale + height / 2)
            for a in np.linspace(0, 2 * math.pi, 49)
        ]
        if all(2 < px < width - 2 and 2 < py < height - 2 for px, py in at):
            lassos.append(at)
    return lassos


class Page:
    """The Failures page, and what is timed on it."""

    def __init__(self, context, address: str):
        self.page = context.new_page()
        self.page.set_default_timeout(120_000)
        self.page.add_init_script(WATCH)
        self.address = address

    def open(self) -> dict[str, float]:
        """Milliseconds from the navigation to pictures and map, and of the map from its data."""
        self.page.goto(f"{self.address}/?page=failures", wait_until="commit")
        pictures, drawn = (self.page.evaluate("one => bench.first(one)", name) for name in ("pictured", "mapped"))
        data = self.page.evaluate("performance.getEntriesByType('resource').find(r => r.name.endsWith('failures/points')).responseEnd")
        return {"pictures": pictures, "map": drawn, "map_after_data": max(0.0, drawn - data)}

    def timed(self, act, holds: str) -> float:
        """Milliseconds from the page's event to the first frame for which `holds` is true; `was` is what was shown before."""
        was = self.page.evaluate("() => { bench.arm(); return { count: bench.count(), ids: bench.ids() }; }")
        self.page.evaluate(f"was => {{ bench.result = bench.since(() => {holds}); }}", was)
        act()
        took = self.page.evaluate("bench.result")
        self.page.wait_for_timeout(REST)
        return took

    def clear(self) -> None:
        self.page.keyboard.press("x")
        self.page.wait_for_function("() => !bench.count().endsWith('selected')")
        self.page.wait_for_timeout(REST)

    def map_box(self) -> dict:
        return self.page.locator("[data-map]").bounding_box()

    def frames(self) -> list[float]:
        """Milliseconds between frames while the map is panned and zoomed."""
        box, mouse = self.map_box(), self.page.mouse
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        durations = []
        self.page.keyboard.press("p")
        for turn in range(3):
            mouse.move(x, y)
            self.page.evaluate("bench.roll()")
            for _ in range(6):
                mouse.wheel(0, -240 if turn < 2 else 240)
            mouse.down()
            for step in range(40):
                mouse.move(x + 120 * math.sin(step / 6), y + 90 * math.cos(step / 6))
            mouse.up()
            durations += self.page.evaluate("() => { bench.rolling = false; return bench.frames; }")
        self.page.keyboard.press("p")
        self.page.keyboard.press("f")
        self.page.wait_for_timeout(REST)
        return durations

    def lasso(self, corners: list[tuple[float, float]]) -> float:
        box, mouse = self.map_box(), self.page.mouse

        def drag() -> None:
            mouse.move(box["x"] + corners[0][0], box["y"] + corners[0][1])
            mouse.down()
            for px, py in corners[1:]:
                mouse.move(box["x"] + px, box["y"] + py)
            mouse.up()

        return self.timed(drag, "bench.count() !== was.count && bench.count().endsWith('selected')")

    def facet(self, nth: int) -> tuple[float, float]:
        """Milliseconds from the click on a value to the first pictures, and of the request for the counts."""
        values = self.page.locator("#page-failures .facet-value:not(.none):visible")
        took = self.timed(lambda: values.nth(nth % values.count()).click(), "bench.count() !== was.count && bench.pictured()")
        facets = self.page.evaluate(
            "performance.getEntriesByType('resource').filter(r => r.name.endsWith('failures/facets')).at(-1).duration"
        )
        self.page.evaluate("performance.clearResourceTimings()")
        return took, facets

    def search(self, words: str) -> float:
        """From the last letter to the count; the quarter of a second that the field waits for more letters is taken off."""
        field = self.page.locator("#page-failures [data-search]")
        took = self.timed(lambda: field.fill(words), "bench.count() !== was.count && bench.count().endsWith('selected')")
        field.fill("")
        field.blur()
        self.page.wait_for_function("() => !bench.count().endsWith('selected')")
        self.page.wait_for_timeout(REST)
        return max(0.0, took - 250)

    def jump(self, number: int) -> float:
        field = self.page.locator("#page-failures [data-place] input")

        def go() -> None:
            field.fill(str(number))
            field.press("Enter")

        return self.timed(go, "bench.ids() !== was.ids && bench.pictured()")

    def slices(self) -> float:
        return self.timed(lambda: self.page.locator(".tab", has_text="Slices").click(), "document.querySelector('.slices tbody tr')")


def measure(app: App, browser) -> dict:
    context = browser.new_context(viewport=WINDOW)
    cold = Page(context, app.address).open()
    context.close()
    page = Page(browser.new_context(viewport=WINDOW), app.address)
    page.open()
    page.page.wait_for_timeout(1500)
    warm = page.open()
    page.page.wait_for_timeout(1500)
    box, points = page.map_box(), app.post("failures/points", {})
    frames = page.frames()
    lassos = []
    for corners in circles(points, box["width"], box["height"]):
        lassos.append(page.lasso(corners))
        page.clear()
    clicks = []
    for nth in range(TIMES):
        clicks.append(page.facet(2 + 2 * nth))
        page.clear()
    searches = [page.search(words) for words in ("the", "is there", '"how many"', "hexagon", "shor")]
    pages = math.ceil(points["count"] / 60)
    jumps = [page.jump(max(2, round(pages * share))) for share in (0.98, 0.5, 0.75, 0.25, 0.9, 0.1, 0.6)]
    slices = page.slices()
    return {
        "points": points["count"],
        "map_ready_ms": round(cold["map_after_data"], 1),
        "map_from_navigation_ms": round(cold["map"], 1),
        "map_frame_p95_ms": p95(frames),
        "map_frame_median_ms": round(float(np.median(frames)), 1),
        "lasso_median_ms": round(float(np.median(lassos)), 1),
        "lasso_p95_ms": p95(lassos),
        "filter_to_images_median_ms": round(float(np.median([milliseconds for milliseconds, _ in clicks])), 1),
        "filter_to_images_p95_ms": p95([milliseconds for milliseconds, _ in clicks]),
        "facets_p95_ms": p95([facets for _, facets in clicks]),
        "search_p95_ms": p95(searches),
        "slices_ms": round(slices, 1),
        "painted_cold_ms": round(cold["pictures"], 1),
        "painted_warm_ms": round(warm["pictures"], 1),
        "far_jump_p95_ms": p95(jumps),
        "app_memory_mb": round(app.memory_mb(), 1),
        "app_start_s": round(app.start_seconds, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, help="its folder; <MISTAKEBOOK_HOME>/full unless given")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    given = parser.parse_args()
    executable = chromium()
    from playwright.sync_api import sync_playwright

    folder = (given.workspace or workspaces.home() / "full").resolve()
    if not (folder / "store.duckdb").exists():
        from benchmarks import workspace

        print(f"making {folder} …", file=sys.stderr)
        workspace.make(folder, workspace.SAMPLES, workspace.FAILURES, say=lambda text: print(f"  {text}", file=sys.stderr))
    app = App(folder)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM))
            figures = measure(app, browser)
            browser.close()
    finally:
        app.stop()
    print(f"{'':32}{'measured':>12}    goal")
    for name, value in figures.items():
        goal = GOALS.get(name)
        target = "" if goal is None else f"< {goal:,}{'' if value < goal else '  MISSED'}"
        print(f"{name.replace('_', ' '):32}{value:>12,}    {target}")
    about = machine()
    print("machine: " + ", ".join(f"{name} {value}" for name, value in about.items()))
    if given.json:
        print(json.dumps({**figures, "machine": about}))


if __name__ == "__main__":
    main()
