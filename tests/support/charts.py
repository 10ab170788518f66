"""A chart on a page in Chromium: what is drawn, what the pointer finds, what is downloaded.

chart = Chart(page, "#page-jobs [data-spend]")      # waits until it is drawn
chart.traces()[0]["y"], chart.hover(0.5, 0.5), chart.download("PNG")
"""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

PLOT = ".js-plotly-plot"
DARK_GROUND = "rgb(30, 30, 28)"  # --panel of the dark theme


class Chart:
    """The `number`th chart below `place`."""

    def __init__(self, page: Page, place: str, number: int = 0) -> None:
        self.page = page
        self.box = page.locator(f"{place} .chart:visible").nth(number)
        self.box.locator("svg.main-svg").first.wait_for(state="attached")

    def traces(self) -> list[dict[str, Any]]:
        """Name, type, x and y of each trace that is drawn."""
        return self.box.locator(PLOT).evaluate("plot => plot.data.map(({name, type, x, y}) => ({name, type, x, y}))")

    def labels(self, axis: str) -> list[str]:
        """The tick labels of an axis, "x" or "y"."""
        return self.box.locator(f"g.{axis}tick text").all_text_contents()

    def colours(self) -> set[str]:
        """What its lines, marks, labels and ground are painted with."""
        marks = self.box.locator(".trace path, .xtick text, .ytick text, .bglayer .bg")
        return set(marks.evaluate_all("all => all.flatMap(({style}) => [style.stroke, style.fill])")) - {"", "none", "transparent"}

    def hover(self, x: float, y: float) -> str:
        """The text beside the pointer, which is at that share of the plot's width and height (the axes' inside)."""
        self.box.scroll_into_view_if_needed()
        place = self.box.locator(".nsewdrag").first.bounding_box()
        assert place is not None
        for by in (-3, 0):  # a pointer that comes
            self.page.mouse.move(place["x"] + x * place["width"] + by, place["y"] + y * place["height"])
        self.box.locator(".hoverlayer text").first.wait_for()
        return "\n".join(self.box.locator(".hoverlayer text").all_text_contents())

    def download(self, kind: str) -> tuple[str, bytes]:
        """Name and content of what the button PNG or SVG saves."""
        self.box.hover()
        with self.page.expect_download() as saved:
            self.box.locator(f".modebar-btn[data-title='Download as {kind}']").click()
        return saved.value.suggested_filename, Path(saved.value.path()).read_bytes()


def check(chart: Chart, file: str) -> None:
    """What holds for every chart: no label twice, both downloads, no colour of the light theme in the dark one. The page is light."""
    for axis in ("x", "y"):
        labels = chart.labels(axis)
        assert len(labels) == len(set(labels)), labels
    assert chart.box.get_attribute("aria-label")
    assert chart.box.locator(".modebar-btn").first.is_visible()
    name, png = chart.download("PNG")
    assert name == f"{file}.png" and png.startswith(b"\x89PNG") and len(png) > 5_000
    name, svg = chart.download("SVG")
    assert name == f"{file}.svg" and svg.lstrip().startswith(b"<svg") and b"var(--" not in svg
    light, data = chart.colours(), chart.traces()
    chart.page.evaluate("import('/ui/shared/theme.js').then(({theme}) => theme.choose('dark'))")
    chart.page.wait_for_function(
        f"box => box.querySelector('.main-svg').style.background === '{DARK_GROUND}'", arg=chart.box.element_handle()
    )
    dark = chart.colours()
    assert dark and light and not (light & dark), light & dark
    assert chart.traces() == data
    chart.page.evaluate("import('/ui/shared/theme.js').then(({theme}) => theme.choose('light'))")
