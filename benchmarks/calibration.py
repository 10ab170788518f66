"""Calibration in a real browser: the page opened cold, thresholds slid, rules proposed, turned on and off.

    python -m benchmarks.calibration --json                                    # makes a workspace of 20,000 samples
    python -m benchmarks.calibration --json --workspace ~/.mistakebook/full    # measures a copy of that one

A slide is timed in the page, from the slider's event until the counts stand in the document; the routes are timed as the browser sees them.
The last line is JSON. Needs Chromium.
"""

import time
from typing import Any

import numpy as np

from benchmarks.parts.running_app import CHROMIUM, App, chromium, main

ROWS = 500_000  # of the worst case: as if no two samples met the same thresholds

# calibration.slide: moves every slider through all its stops; the milliseconds of each. calibration.worst: the same pass over so many rows.
SCRIPT = """
window.calibration = {
  slide() {
    const times = [];
    for (const input of document.querySelectorAll("#page-calibration .slide input")) {
      for (const value of [...Array(Number(input.max) + 1).keys()].slice(Number(input.min)).concat(Number(input.min))) {
        const begun = performance.now();
        input.value = value;
        input.dispatchEvent(new Event("input"));
        times.push(performance.now() - begun);
      }
    }
    return times;
  },
  async worst(rows) {
    const { Rule } = await import(new URL("ui/calibration/approval_rule.js", document.baseURI));
    const filters = Array.from({ length: 8 }, () => ({ position: 0, codes: Uint8Array.from({ length: rows }, () => 49 * Math.random()) }));
    const ones = new Uint32Array(rows).fill(1);
    const rule = { filters, positions: filters.map((_, i) => (i % 2 ? 5 : 2)), open: ones, labels: ones, approved: ones, held: ones };
    return Array.from({ length: 30 }, () => {
      const begun = performance.now();
      Rule.prototype.count.call(rule);
      return performance.now() - begun;
    });
  },
  async ask(path, body) {
    const begun = performance.now();
    const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(new URL(`api/${path}`, document.baseURI), options);
    return [performance.now() - begun, await answer.json(), answer.ok];
  },
};
"""


def measure(app: App) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        page.add_init_script(SCRIPT)
        page.goto(f"{app.address}/?page=jobs")
        page.wait_for_selector("#page-jobs.on")
        opened = {}
        for name in ("cold_ms", "warm_ms"):
            begun = time.monotonic()
            page.click(".mb-rail a[data-page=calibration]")
            page.wait_for_selector("#page-calibration.on:not(.loading) [data-becomes]")
            opened[name] = round((time.monotonic() - begun) * 1000)
            page.click(".mb-rail a[data-page=jobs]")
        page.click(".mb-rail a[data-page=calibration]")
        page.wait_for_selector("#page-calibration .gate >> text=held-out half")
        figures = {**opened, "slide_p95_ms": _p95(page.evaluate("calibration.slide()"))}
        worst = page.evaluate(f"calibration.worst({ROWS})")
        figures |= {"worst_slide_p50_ms": round(float(np.median(worst)), 1), "worst_slide_p95_ms": _p95(worst)}
        figures |= _routes(page)
        figures["memory_mb"] = app.memory_mb()
        browser.close()
    return figures


def _routes(page) -> dict[str, Any]:
    def ask(path: str, **body) -> tuple[float, Any]:
        spent, answer, fine = page.evaluate("([path, body]) => calibration.ask(path, body)", [path, body])
        assert fine, f"{path}: {answer}"
        return spent, answer

    target = 0.6
    _, overview = ask("calibration/overview")
    proposed, rule = ask("calibration/propose", target=target)
    asked = {"conditions": rule["conditions"], "target": target}
    first = overview["filters"][0]
    preview = {"filter": first["filter"], "enabled": True, "threshold": first["threshold"] * 0.9}
    checks = [ask("calibration/check", **asked)[0] for _ in range(12)]
    previews = [ask("settings/filter_preview", **preview)[0] for _ in range(12)]
    on, evidence = ask("calibration/on", **asked)
    lane, facets = ask("review/facets", queue="audit")
    off, _ = ask("calibration/off")
    return {
        "propose_ms": round(proposed, 1),
        "check_p95_ms": _p95(checks),
        "filter_preview_p95_ms": _p95(previews),
        "turn_on_ms": round(on, 1),
        "becomes": evidence["becomes"],
        "audit_lane": facets["audit"],
        "audit_facets_ms": round(lane, 1),
        "turn_off_ms": round(off, 1),
    }


def _p95(times: list[float]) -> float:
    return round(float(np.percentile(times, 95)), 1)


WORDS = {
    "cold_ms": "the page opened, nothing read before",
    "warm_ms": "the page opened again",
    "slide_p95_ms": "a threshold slid until the counts are there, p95 (aim: 100)",
    "worst_slide_p95_ms": f"the count over {ROWS:,} rows, eight conditions, p95",
    "worst_slide_p50_ms": "the same, median",
    "propose_ms": "a rule proposed",
    "check_p95_ms": "a rule checked on held-back labels, p95",
    "filter_preview_p95_ms": "Settings: what a filter's threshold would move, p95",
    "turn_on_ms": "a rule turned on, states included",
    "becomes": "samples that it approves",
    "audit_lane": "of these and of the rejected, in the audit lane",
    "audit_facets_ms": "facets of the audit lane, the first time",
    "turn_off_ms": "the rule turned off",
    "memory_mb": "memory of the app (aim: 1000)",
}


if __name__ == "__main__":
    main(__doc__, measure, WORDS)
