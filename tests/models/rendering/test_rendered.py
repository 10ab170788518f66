"""Specs become pictures: the same bytes for the same spec and seed, the exact data, an error for what can't be, in bounded time."""

import hashlib
import io
import json
import os
import random
import time
from itertools import combinations

import numpy as np
import psutil
import pytest
from PIL import Image

from data.picture_specs.spec import PictureSpec
from data.registry import IMAGE_GENERATORS
from data.scenes import COLOURS
from models.image_generators import DrawError, GeneratorContext
from models.pocket.teacher.eyes import see
from models.rendering.diagrams import BOX_HEIGHT, place
from models.rendering.process import CantRender, RenderProcess

pytestmark = pytest.mark.timeout(300)
CITIES = {"columns": ["city", "n"], "rows": [["Oslo", 31], ["Bergen", 18], ["Bodø", 24]]}
BAR = {
    "width": 120,
    "height": 80,
    "mark": "bar",
    "encoding": {"x": {"field": "city", "sort": None}, "y": {"field": "n", "type": "quantitative"}},
}
SPECS = {
    "vega-lite": {"kind": "vega-lite", "title": "Visitors", **CITIES, "vega_lite": json.dumps(BAR)},
    "table": {"kind": "table", "title": "Visitors", **CITIES},
    "document": {
        "kind": "document",
        "title": "Receipt",
        "columns": ["line", "amount"],
        "rows": [
            ["Corner Café, 14 March", ""],
            ["Coffee", "3.50"],
            ["A cake that has a name too long for one line of a small receipt", "4.00"],
        ],
    },
    "diagram": {
        "kind": "diagram",
        "title": "",
        "columns": ["from", "to", "label"],
        "rows": [
            ["Order", "Check", ""],
            ["Check", "Ship", "paid"],
            ["Check", "Cancel", "unpaid"],
            ["Cancel", "Order", "again"],
            ["Log", "Log", ""],
        ],
    },
    "bars": {"kind": "bars", "columns": ["color", "height"], "rows": [["red", 20], ["green", 45], ["blue", 32]]},
}
# SHA-256 of the pictures of seed 7 by vl-convert-python 1.9.0.post1: another version may draw otherwise, then look at them and renew
GOLDEN = {
    "vega-lite": "3aa72998c98fac2d",
    "table": "64ce3507cd3a41b6",
    "document": "4c21de108fa3d3af",
    "diagram": "c88bab59ae68c259",
    "bars": "dd816af1be676005",
}


@pytest.fixture(scope="module")
def renderer():
    made = IMAGE_GENERATORS.make("rendered", {"seconds": 30})
    yield made
    made.close()


def text_of(spec):
    return PictureSpec.model_validate(spec).model_dump_json()


def png(picture):
    if isinstance(picture, Exception):
        raise picture
    if isinstance(picture, bytes):
        return picture
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(png(picture))).convert("RGB"))


@pytest.mark.parametrize("kind", SPECS)
def test_the_same_spec_and_seed_give_the_same_bytes(renderer, kind):
    asked = [text_of(SPECS[kind])] * 2
    first, again = renderer.draw(asked, [7, 7])
    other = IMAGE_GENERATORS.make("rendered", {})
    try:
        (elsewhere,) = other.draw(asked[:1], [7])
        looks = other.draw([asked[0]] * 8, list(range(8)))
    finally:
        other.close()
    assert png(first) == png(again) == png(elsewhere)
    assert hashlib.sha256(pixels(first).tobytes()).hexdigest()[:16] == GOLDEN[kind]
    assert len({png(look) for look in looks}) > 1  # a seed is a look


def test_bars_are_as_high_as_told_in_the_benchmarks_own_style(renderer):
    (picture,) = renderer.draw([text_of(SPECS["bars"])], [1])
    seen = see(picture)
    assert picture.size == (64, 64)
    assert [bar.colour for bar in seen.bars] == ["red", "green", "blue"]
    assert [bar.height for bar in seen.bars] == pytest.approx([20, 45, 32], abs=1.5)


def test_a_charts_bars_are_as_high_as_its_data(renderer):
    """The bars' pixels: 31, 18 and 24 of one scale."""
    marks = {**BAR, "mark": {"type": "bar", "color": "#ff0000"}}
    (picture,) = renderer.draw([text_of({**SPECS["vega-lite"], "vega_lite": json.dumps(marks)})], [3])
    red = (pixels(picture) == (255, 0, 0)).all(axis=2).sum(axis=0)
    heights = [int(red[start:stop].max()) for start, stop in runs(red > 0)]
    assert len(heights) == 3
    assert heights[1] / heights[0] == pytest.approx(18 / 31, abs=0.04)
    assert heights[2] / heights[0] == pytest.approx(24 / 31, abs=0.04)


def runs(mask):
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return list(zip(edges[::2], edges[1::2]))


def test_a_bad_spec_is_an_error_of_its_own_and_the_rest_goes_on(renderer):
    bars = SPECS["bars"]
    bad = [
        (
            text_of({**SPECS["vega-lite"], "vega_lite": json.dumps({**BAR, "data": {"url": "https://example.com/d.csv"}})}),
            "nothing is fetched",
        ),
        ("a large red circle", "no spec of a picture"),
        ('{"kind": "painting", "columns": [], "rows": []}', "no spec of a picture"),
        (text_of({**SPECS["vega-lite"], "vega_lite": json.dumps({"mark": "blob", "encoding": {}})}), "can't be rendered"),
        (
            text_of({**SPECS["vega-lite"], "vega_lite": json.dumps({**BAR, "transform": [{"calculate": "nonsense(", "as": "x"}]})}),
            "can't be rendered",
        ),
        (text_of({**bars, "rows": [["pink", 3]]}), "“pink” is no color of a bar"),
        (text_of({**bars, "rows": [["red", -3]]}), "a number above 0"),
        (text_of({**bars, "rows": [["red", 1], ["blue", 5000]]}), "can't be seen"),
        (
            text_of(
                {**SPECS["diagram"], "rows": [[f"box {i}", f"a box with a very long name {k}", ""] for i in range(2) for k in range(30)]}
            ),
            "pixels",
        ),
        (text_of({**SPECS["table"], "rows": [["x" * 150, 1]]}), "too long for a table"),
    ]
    asked = [text for pair in ((text, text_of(SPECS["table"])) for text, _ in bad) for text in pair]
    pictures = renderer.draw(asked, [1] * len(asked))
    for (_, says), picture, good in zip(bad, pictures[::2], pictures[1::2]):
        assert isinstance(picture, DrawError) and says in str(picture), picture
        assert png(good)


def test_a_spec_that_takes_for_ever_is_stopped_and_the_next_is_drawn():
    slow = {
        "mark": "point",
        "transform": [{"calculate": "sequence(0, 1e9)", "as": "x"}, {"flatten": ["x"]}],
        "encoding": {"x": {"field": "x"}},
    }
    made = IMAGE_GENERATORS.make("rendered", {"seconds": 3})
    try:
        began = time.monotonic()
        hung, good = made.draw([text_of({**SPECS["vega-lite"], "vega_lite": json.dumps(slow)}), text_of(SPECS["vega-lite"])], [1, 1])
        assert isinstance(hung, DrawError) and ("within 3 seconds" in str(hung) or "memory" in str(hung)), hung
        assert png(good)
        assert time.monotonic() - began < 90
    finally:
        made.close()


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_painted():
    made = IMAGE_GENERATORS.make("rendered", {"most_pixels": 10_000})
    wide = {"hconcat": [{**BAR, "width": 2000}] * 20}
    try:
        pictures = made.draw([text_of(SPECS["vega-lite"]), text_of({**SPECS["vega-lite"], "vega_lite": json.dumps(wide)})], [1, 1])
    finally:
        made.close()
    assert all(isinstance(picture, DrawError) and "pixels; at most 10,000" in str(picture) for picture in pictures), pictures


def test_after_a_stop_the_rest_is_left_for_later(tmp_path):
    made, asked = IMAGE_GENERATORS.make("rendered"), []

    def stops():
        asked.append(1)
        return len(asked) > 2

    made.open(GeneratorContext(tmp_path / "journal", tmp_path, should_stop=stops))
    pictures = made.draw([text_of(SPECS["bars"])] * 4, [1] * 4)
    assert [picture is None for picture in pictures] == [False, False, True, True]


def renderers():
    return {process for process in psutil.Process(os.getpid()).children() if "models.rendering.child" in process.cmdline()}


def test_the_child_has_no_keys_and_ends_with_its_owner(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    process, others = RenderProcess(10), renderers()
    process.start()
    (child,) = renderers() - others
    assert not {"OPENAI_API_KEY", "HTTPS_PROXY"} & child.environ().keys()
    del process
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_child_that_was_killed_is_started_again():
    process, others = RenderProcess(30), renderers()
    marks = {**BAR, "data": {"values": [{"city": "Oslo", "n": 1}]}}
    first = process.render(marks, {}, 1.0, 10**6)
    (child,) = renderers() - others
    child.kill()
    child.wait()
    assert process.render(marks, {}, 1.0, 10**6) == first
    process.close()


def test_nothing_is_fetched_even_past_the_check(tmp_path):
    """What would slip through the check of the spec finds no address that may be fetched, and no file."""
    process = RenderProcess(30)
    secret = tmp_path / "secret.csv"
    secret.write_text("city,n\nSECRET,5\n")
    encoding = {"x": {"field": "city", "type": "nominal"}, "y": {"field": "n", "type": "quantitative"}}

    def drawn(data):
        return process.render({**BAR, "encoding": encoding, "data": data}, {}, 1.0, 10**6)

    try:
        for url in ("http://127.0.0.1:9/d.csv", "https://example.com/d.csv", str(secret), "secret.csv"):
            with pytest.raises(CantRender, match="not allowed"):
                drawn({"url": url})
        nothing, told = drawn({"values": []}), drawn({"values": [{"city": "SECRET", "n": 5}]})
        assert drawn({"url": secret.as_uri()}) == nothing != told
        shot = {"data": {"values": [{"u": "http://127.0.0.1:9/x.png"}]}, "mark": "image", "encoding": {"url": {"field": "u"}}}
        with pytest.raises(CantRender, match="fetched"):
            process.render(shot, {}, 1.0, 10**6)
    finally:
        process.close()


def test_text_is_drawn_whatever_font_is_named_and_no_character_is_left_out_silently(renderer):
    """A font that the machine lacks would leave its text out."""
    marks = {
        "width": 200,
        "height": 60,
        "mark": {"type": "text", "font": "No Such Font", "fontSize": 30},
        "encoding": {"text": {"field": "city"}},
        "config": {"font": "Arial", "style": {"text": {"font": "Papyrus"}}},
    }
    spec = {"kind": "vega-lite", "columns": ["city"], "vega_lite": json.dumps(marks)}
    shown, empty, unknown = renderer.draw([text_of({**spec, "rows": [[text]]}) for text in ("Tromsø → €", " ", "Troms\ue123")], [1, 1, 1])
    assert (pixels(shown) < 128).sum() > 500 and (pixels(empty) < 128).sum() == 0
    assert isinstance(unknown, DrawError) and "no font at hand has the characters \ue123" in str(unknown)


def test_no_arrow_of_a_diagram_runs_behind_a_box():
    rng = random.Random(3)
    for _ in range(60):
        names = [f"box {i}" for i in range(rng.randint(2, 9))]
        edges = [(*rng.choices(names, k=2), rng.choice(("", "label"))) for _ in range(rng.randint(1, 14))]
        widths = {name: rng.uniform(60, 160) for name in dict.fromkeys(end for edge in edges for end in edge[:2])}
        layout = place(widths, edges, 50)
        assert len(layout.arrows) == len(edges) and set(layout.boxes) == set(widths)
        for box in layout.boxes.values():
            assert box.x - box.width / 2 >= 0 and box.x + box.width / 2 <= layout.width and box.y + BOX_HEIGHT / 2 <= layout.height
        for first, other in combinations(layout.boxes.values(), 2):
            assert first.y != other.y or abs(first.x - other.x) > (first.width + other.width) / 2
        for arrow, (start, end, _) in zip(layout.arrows, edges):
            for (x, y), (x2, y2) in zip(arrow.points, arrow.points[1:]):
                for share in np.linspace(0, 1, 40):
                    at_x, at_y = x + (x2 - x) * share, y + (y2 - y) * share
                    inside = [
                        n for n, b in layout.boxes.items() if abs(b.x - at_x) < b.width / 2 - 1 and abs(b.y - at_y) < BOX_HEIGHT / 2 - 1
                    ]
                    assert not inside, (start, end, inside)


def test_the_colors_of_bars_are_those_of_the_benchmark(renderer):
    spec = {**SPECS["bars"], "rows": [[colour, 10 + 7 * i] for i, colour in enumerate(COLOURS)]}
    (picture,) = renderer.draw([text_of(spec)], [2])
    assert [bar.colour for bar in see(picture).bars] == list(COLOURS)
