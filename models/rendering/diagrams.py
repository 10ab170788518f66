"""Where the boxes and arrows of a diagram go: boxes in layers, arrows through gaps between boxes, never behind one (Sugiyama et al. 1981).

An arrow that passes a layer gets a place of its own in it, between the boxes; those that would close a circle point upwards.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

Edge = tuple[str, str, str]  # from, to, label
Point = tuple[float, float]
Node = str | tuple[int, int]  # a box, or the place of an arrow in a layer: (number of the arrow, layer)

BOX_HEIGHT, GAP_ACROSS, GAP_DOWN, MARGIN = 34.0, 36.0, 62.0, 12.0  # pixels
HEAD = 5.0  # pixels from an arrow's end to the box
APART = 9.0  # pixels from the middle, of two arrows between the same boxes
LOOP = 30.0  # pixels that an arrow from a box to itself takes beside it
SWEEPS = 8  # passes over the layers in which boxes move below those that point to them


@dataclass(frozen=True)
class Box:
    """Its centre, in pixels from the top left."""

    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Arrow:
    """`points` from its start to its head; `label`: the middle of its text."""

    points: list[Point]
    text: str
    share: float = 0.5  # of its middle part, up to the label

    @property
    def angle(self) -> float:
        """Of the head, in degrees clockwise from the right."""
        (x, y), (x2, y2) = self.points[-2:]
        return math.degrees(math.atan2(y2 - y, x2 - x)) % 360

    @property
    def label(self) -> Point:
        middle = len(self.points) // 2
        (x, y), (x2, y2) = self.points[middle - 1 : middle + 1]
        return x + (x2 - x) * self.share, y + (y2 - y) * self.share


@dataclass(frozen=True)
class Placed:
    width: float
    height: float
    boxes: dict[str, Box]
    arrows: list[Arrow]


def place(widths: dict[str, float], edges: list[Edge], label_width: float = 0.0) -> Placed:
    """Places for boxes of these widths and the arrows between them; `label_width`: the longest label's, in pixels."""
    downward = _without_circles(edges)
    depth = _depths(list(widths), [edge for edge in downward if edge])
    layers: list[list[Node]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in widths:
        layers[depth[name]].append(name)
    links: list[tuple[Node, Node]] = []
    for number, edge in enumerate(downward):
        if edge is None:
            continue
        passed = range(depth[edge[0]] + 1, depth[edge[1]])
        way: list[Node] = [edge[0], *((number, level) for level in passed), edge[1]]
        for level in passed:
            layers[level].append((number, level))
        links += list(pairwise(way))
    _order(layers, links)
    gap = max(GAP_ACROSS, label_width if any(text for *_, text in edges) else 0.0)
    wide = {node: widths[node] if isinstance(node, str) else 4.0 for layer in layers for node in layer}
    across = [sum(wide[node] for node in layer) + gap * (len(layer) - 1) for layer in layers]
    loops = LOOP if any(start == end for start, end, _ in edges) else 0.0
    width = max(max(across) + 2 * loops, label_width) + 2 * MARGIN
    centre: dict[Node, Point] = {}
    for level, layer in enumerate(layers):
        x = (width - across[level]) / 2
        for node in layer:
            centre[node] = (x + wide[node] / 2, MARGIN + BOX_HEIGHT / 2 + level * (BOX_HEIGHT + GAP_DOWN))
            x += wide[node] + gap
    arrows = [_arrow(number, edge, downward[number], centre, depth, widths, edges) for number, edge in enumerate(edges)]
    boxes = {name: Box(*centre[name], widths[name]) for name in widths}
    return Placed(width, len(layers) * (BOX_HEIGHT + GAP_DOWN) - GAP_DOWN + 2 * MARGIN, boxes, arrows)


def _without_circles(edges: list[Edge]) -> list[tuple[str, str] | None]:
    """Each edge turned so that there are no circles, in the order given: one that would close a circle is turned round. None: to itself."""
    import networkx

    graph: networkx.DiGraph[str] = networkx.DiGraph()
    turned: list[tuple[str, str] | None] = []
    for start, end, _ in edges:
        if start == end:
            turned.append(None)
            graph.add_node(start)
            continue
        back = start in graph and end in graph and networkx.has_path(graph, end, start)
        top, bottom = (end, start) if back else (start, end)
        turned.append((top, bottom))
        graph.add_edge(top, bottom)
    return turned


def _depths(names: list[str], edges: list[tuple[str, str]]) -> dict[str, int]:
    """The layer of each name: one below the lowest of those that point to it."""
    import networkx

    graph: networkx.DiGraph[str] = networkx.DiGraph(edges)
    graph.add_nodes_from(names)
    depth: dict[str, int] = {}
    for name in networkx.topological_sort(graph):
        depth[name] = max((depth[before] + 1 for before in graph.predecessors(name)), default=0)
    return depth


def _order(layers: list[list[Node]], links: list[tuple[Node, Node]]) -> None:
    """Sorts each layer by where its neighbours stand in the one before, downwards and upwards in turn: fewer arrows cross."""
    above: dict[Node, list[Node]] = {}
    below: dict[Node, list[Node]] = {}
    for start, end in links:
        above.setdefault(end, []).append(start)
        below.setdefault(start, []).append(end)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        near = above if down else below
        for layer in layers[1:] if down else layers[-2::-1]:
            place_of = {node: i / max(len(other), 1) for other in layers for i, node in enumerate(other)}
            means = {node: _mean([place_of[neighbour] for neighbour in near.get(node, [])], place_of[node]) for node in layer}
            layer.sort(key=means.__getitem__)


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _arrow(
    number: int,
    edge: Edge,
    downward: tuple[str, str] | None,
    centre: dict[Node, Point],
    depth: dict[str, int],
    widths: dict[str, float],
    edges: list[Edge],
) -> Arrow:
    """The way of one arrow, from border to border."""
    start, end, text = edge
    if downward is None:
        x, y = centre[start]
        side = x + widths[start] / 2
        return Arrow([(side, y - 9), (side + LOOP - 8, y - 9), (side + LOOP - 8, y + 9), (side + HEAD, y + 9)], text)
    same = [i for i, (one, other, _) in enumerate(edges) if {one, other} == {start, end}]
    shift = APART * (2 * same.index(number) - len(same) + 1)
    top, bottom = downward
    points = [(centre[top][0] + shift, centre[top][1] + BOX_HEIGHT / 2)]
    for layer in range(depth[top] + 1, depth[bottom]):
        x, y = centre[(number, layer)]
        points += [(x, y - BOX_HEIGHT / 2), (x, y + BOX_HEIGHT / 2)]
    points.append((centre[bottom][0] + shift, centre[bottom][1] - BOX_HEIGHT / 2))
    if top != start:
        points.reverse()
    (x, y), (x2, y2) = points[-2:]
    length = math.hypot(x2 - x, y2 - y)
    points[-1] = (x2 - (x2 - x) * HEAD / length, y2 - (y2 - y) * HEAD / length)
    return Arrow(points, text, 0.5 if len(same) == 1 else 0.3)  # those of two arrows between the same boxes stand apart
