"""Tables, documents and diagrams as Vega-Lite: rectangles, lines and text at places in pixels that are worked out here."""

import textwrap
from typing import Any

from data.picture_specs.spec import BadSpec, Cell, PictureSpec
from models.rendering.diagrams import BOX_HEIGHT, place

Marks = dict[str, Any]
CHARACTER = 7.2  # pixels that a character of 13 pixels takes on average
LINE = 24  # pixels, height of a row
LEADING = 17  # pixels from one line of a text to the next
PAD = 10  # pixels
WIDEST = 220  # pixels, of a table's column
INK, RULE, SHADE = "#1f2328", "#8b929a", "#e9ecef"
NARROWEST = 64.0  # pixels, of a box
LARGEST = 1600  # pixels, both ways


def laid_out(spec: PictureSpec, paper: str) -> Marks:
    """The Vega-Lite object of a checked spec of the kind table, document or diagram, on a background color.

    Raises BadSpec if its texts find no place.
    """
    width, height, layers = {"table": _table, "document": _document, "diagram": _diagram}[spec.kind](spec, paper)
    scales = {"x": (0, width), "y": (height, 0)}
    encoding = {axis: {"type": "quantitative", "axis": None, "scale": {"domain": domain, "nice": False}} for axis, domain in scales.items()}
    for layer in layers:
        for axis in ("x", "y"):
            layer["encoding"][axis] = {"field": axis, **encoding[axis]}
    title = {"title": {"text": spec.title, "anchor": "start", "fontSize": 16}} if spec.title else {}
    return {**title, "width": width, "height": height, "layer": layers, "config": {"view": {"stroke": None}}}


def shown(cell: Cell) -> str:
    """A cell as it is printed.

    >>> shown(1234.50), shown(12), shown("a")
    ('1234.5', '12', 'a')
    """
    return cell if isinstance(cell, str) else f"{cell:.10g}" if isinstance(cell, float) else str(cell)


def _wide(text: str) -> float:
    return CHARACTER * len(text) + 2 * PAD


def _texts(rows: list[dict[str, Any]], align: str = "left", bold: bool = False) -> Marks:
    weight = {"fontWeight": "bold"} if bold else {}
    mark = {"type": "text", "align": align, "baseline": "middle", "fontSize": 13, "color": INK, **weight}
    return {"data": {"values": rows}, "mark": mark, "encoding": {"text": {"field": "text", "type": "nominal"}}}


def _boxes(rows: list[dict[str, Any]], fill: str | None, stroke: str | None = RULE, corner: int = 0) -> Marks:
    """Rectangles from (x, y) to (right, bottom)."""
    mark = {"type": "rect", "fill": fill, "stroke": stroke, "cornerRadius": corner}
    return {"data": {"values": rows}, "mark": mark, "encoding": {"x2": {"field": "right"}, "y2": {"field": "bottom"}}}


def _lines(rows: list[dict[str, Any]]) -> Marks:
    mark = {"type": "rule", "color": RULE}
    return {"data": {"values": rows}, "mark": mark, "encoding": {"x2": {"field": "right"}, "y2": {"field": "bottom"}}}


def _table(spec: PictureSpec, paper: str) -> tuple[float, float, list[Marks]]:
    """A header and a row a row, ruled; columns of numbers stand right."""
    numeric = [all(not isinstance(row[i], str) for row in spec.rows) for i in range(len(spec.columns))]
    columns = [[name, *(shown(row[i]) for row in spec.rows)] for i, name in enumerate(spec.columns)]
    widths = [max(48.0, *(_wide(text) for text in column)) for column in columns]
    if widest := next((name for name, width in zip(spec.columns, widths) if width > WIDEST * 2), None):
        raise BadSpec(
            f"a text in the column “{widest}” is too long for a table: at most {int((WIDEST * 2 - 2 * PAD) / CHARACTER)} characters"
        )
    left = [sum(widths[:i]) for i in range(len(widths) + 1)]
    height = LINE * (len(spec.rows) + 1)
    header: dict[str, list[dict[str, Any]]] = {"left": [], "right": []}
    cells: dict[str, list[dict[str, Any]]] = {"left": [], "right": []}
    for i, column in enumerate(columns):
        side = "right" if numeric[i] else "left"
        x = left[i + 1] - PAD if numeric[i] else left[i] + PAD
        header[side].append({"x": x, "y": LINE / 2, "text": column[0]})
        cells[side] += [{"x": x, "y": LINE * (k + 0.5), "text": text} for k, text in enumerate(column) if k]
    rules = [{"x": 0, "right": left[-1], "y": LINE * k, "bottom": LINE * k} for k in range(len(spec.rows) + 2)]
    rules += [{"x": x, "right": x, "y": 0, "bottom": height} for x in left]
    layers = [_boxes([{"x": 0, "right": left[-1], "y": 0, "bottom": LINE}], SHADE, None), _lines(rules)]
    for side in ("left", "right"):
        layers += [_texts(header[side], side, bold=True), _texts(cells[side], side)]
    return left[-1], height, [layer for layer in layers if layer["data"]["values"]]


def _document(spec: PictureSpec, paper: str) -> tuple[float, float, list[Marks]]:
    """A page with a line a row: the label left, the value right; a row without a value is a heading."""
    pairs = [(shown(row[0]), shown(row[1])) for row in spec.rows]
    width = min(560.0, max(280.0, *(_wide(label) + _wide(value) for label, value in pairs)))
    wrap = max(12, int((width - 3 * PAD) / CHARACTER) - 2)
    labels: list[dict[str, Any]] = []
    values: list[dict[str, Any]] = []
    headings: list[dict[str, Any]] = []
    rules, y = [], float(PAD)
    for label, value in pairs:
        room = max(8, wrap - len(value) - 2) if value else wrap
        lines = textwrap.wrap(label, room) or [""]
        value_lines = textwrap.wrap(value, max(8, wrap - min(len(label), room) - 2)) or [""]
        height = LEADING * max(len(lines), len(value_lines)) + 8
        (labels if value else headings).extend(_stacked(PAD, y + height / 2, lines))
        if value:
            values.extend(_stacked(width - PAD, y + height / 2, value_lines))
        y += height
        rules.append({"x": PAD, "right": width - PAD, "y": y, "bottom": y})
    page = [{"x": 0, "right": width, "y": 0, "bottom": y + PAD}]
    layers = [_boxes(page, paper), _lines(rules), _texts(headings, bold=True), _texts(labels), _texts(values, "right")]
    return width, y + PAD, [layer for layer in layers if layer["data"]["values"]]


def _stacked(x: float, middle: float, lines: list[str]) -> list[dict[str, Any]]:
    """Lines of text one below the other, around a height."""
    return [{"x": x, "y": middle + LEADING * (i - (len(lines) - 1) / 2), "text": line} for i, line in enumerate(lines)]


def _diagram(spec: PictureSpec, paper: str) -> tuple[float, float, list[Marks]]:
    """Boxes in layers from the top, each below those that point to it, and arrows between them; a third column labels the arrows."""
    edges = [(shown(row[0]).strip(), shown(row[1]).strip(), shown(row[2]).strip() if len(row) > 2 else "") for row in spec.rows]
    if not all(start and end for start, end, _ in edges):
        raise BadSpec("a row of a diagram must name two boxes: from and to")
    names = list(dict.fromkeys(name for start, end, _ in edges for name in (start, end)))
    layout = place({name: max(NARROWEST, _wide(name)) for name in names}, edges, max(_wide(text) for *_, text in edges))
    if layout.width > LARGEST or layout.height > LARGEST:
        raise BadSpec(f"the diagram would have {layout.width:.0f} x {layout.height:.0f} pixels, at most {LARGEST} a side: use fewer boxes")
    boxes = [
        {"x": box.x - box.width / 2, "right": box.x + box.width / 2, "y": box.y - BOX_HEIGHT / 2, "bottom": box.y + BOX_HEIGHT / 2}
        for box in layout.boxes.values()
    ]
    lines = [
        {"x": x, "y": y, "right": x2, "bottom": y2} for arrow in layout.arrows for (x, y), (x2, y2) in zip(arrow.points, arrow.points[1:])
    ]
    heads: Marks = {
        "data": {"values": [{"x": arrow.points[-1][0], "y": arrow.points[-1][1], "angle": arrow.angle} for arrow in layout.arrows]},
        "mark": {"type": "point", "shape": "triangle-right", "filled": True, "size": 80, "color": INK, "opacity": 1},
        "encoding": {"angle": {"field": "angle", "type": "quantitative", "scale": {"domain": [0, 360], "range": [0, 360]}}},
    }
    labels = [{"x": arrow.label[0], "y": arrow.label[1], "text": arrow.text} for arrow in layout.arrows if arrow.text]
    written = [{"x": box.x, "y": box.y, "text": name} for name, box in layout.boxes.items()]
    halo = _texts(labels, "center")
    halo["mark"] |= {"stroke": paper, "strokeWidth": 5, "strokeJoin": "round"}  # no line runs through a label
    layers = [_lines(lines), heads, halo, _texts(labels, "center"), _boxes(boxes, paper, INK, 5), _texts(written, "center")]
    return layout.width, layout.height, [layer for layer in layers if layer["data"]["values"]]
