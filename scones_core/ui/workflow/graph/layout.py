"""Layout of a definition: layers from top to bottom, nested states in boxes."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scones_core.ui.workflow.graph.layers import Cell, align, join, order, ranks_of
from scones_core.ui.workflow.graph.model import END, START, Definition, Edge, Graph, Node, inner_machines, transitions

_GAP_X, _GAP_Y, _PADDING, _HEADER = 28.0, 13.0, 20.0, 34.0
_LABEL_HEIGHT, _LINE_HEIGHT, _LETTER = 16.0, 18.0, 7.4
_WEIGHTS = {"next": 1.0, "choice": 1.0, "catch": 0.002}  # how much a transition pulls its states into one line


def layout(definition: Definition) -> Graph:
    """Place all states of a definition in the Amazon States Language, including those inside Parallel and Map."""
    return _Level(definition, outermost=True).placed()


def _node(name: str, state: Mapping[str, Any]) -> Node:
    lines = tuple(textwrap.wrap(name, 26, max_lines=3, placeholder="…")) or (name,)
    width = max(132.0, max(len(line) for line in lines) * _LETTER + 56)
    return Node(name, str(state.get("Type", "")), lines, width, 30 + len(lines) * _LINE_HEIGHT)


def _terminal(name: str) -> Node:
    return Node(name, "", ("Start" if name == START else "End",), 64, 28)


class _Level:
    """One level of states: the machine itself, a branch of a Parallel, or the processor of a Map."""

    def __init__(self, definition: Definition, *, outermost: bool = False) -> None:
        states: Mapping[str, Any] = definition["States"]
        self.inner: dict[str, Graph] = {}
        self.nodes = {name: self._box(name, state) for name, state in states.items()}
        self.edges = [edge for name, state in states.items() for edge in transitions(name, state)]
        self.edges = [edge for edge in self.edges if edge.target in states]
        if outermost:
            self._add_terminals(definition["StartAt"])
        self.ranks = ranks_of(list(self.nodes), self.edges, START if outermost else definition["StartAt"])

    def _box(self, name: str, state: Mapping[str, Any]) -> Node:
        """The node of a state; nested states are laid out first, and the node encloses them."""
        inside = [_Level(machine).placed() for machine in inner_machines(state)]
        node = _node(name, state)
        if not inside:
            return node
        self.inner[name] = drawn = _side_by_side(inside)
        width = max(drawn.width + 2 * _PADDING, len(name) * _LETTER + 110)
        return replace(node, lines=(name,), width=width, height=drawn.height + _HEADER + _PADDING, inner=True)

    def _add_terminals(self, start: str) -> None:
        leaving = {edge.source for edge in self.edges if edge.kind != "catch"}
        last = [name for name in self.nodes if name not in leaving]
        self.nodes = {START: _terminal(START), **self.nodes, END: _terminal(END)}
        self.edges = [
            Edge(START, start, "next", ""),
            *self.edges,
            *(Edge(name, END, "next", "") for name in last),
        ]

    def placed(self) -> Graph:
        layers, chains = self._layers()
        order(layers)
        align(layers)
        tops, heights = self._rows(layers)
        left = min(cell.center - cell.width / 2 for layer in layers for cell in layer)
        for layer in layers:
            for cell in layer:
                cell.center -= left
        nodes = [
            replace(self.nodes[cell.node], x=cell.center - cell.width / 2, y=tops[rank])
            for rank, layer in enumerate(layers)
            for cell in layer
            if cell.node
        ]
        by_name = {node.name: node for node in nodes}
        edges = [_routed(edge, chain, by_name, tops, heights, self.ranks) for edge, chain in chains]
        width = max(cell.center + cell.width / 2 for layer in layers for cell in layer)
        loops = max((point[0] for edge in edges for point in edge.points), default=0.0)
        whole = Graph(max(width, loops), tops[-1] + heights[-1], tuple(nodes), tuple(edges))
        return self._with_inner(whole, by_name)

    def _layers(self) -> tuple[list[list[Cell]], list[tuple[Edge, dict[int, Cell]]]]:
        """Cells by layer, and the bends of each edge by rank, from top to bottom."""
        layers: list[list[Cell]] = [[] for _ in range(max(self.ranks.values()) + 1)]
        cells = {name: Cell(node.width, name) for name, node in self.nodes.items()}
        for name, cell in cells.items():
            layers[self.ranks[name]].append(cell)
        chains: list[tuple[Edge, dict[int, Cell]]] = []
        for edge in self.edges:
            upper, lower = sorted((edge.source, edge.target), key=self.ranks.__getitem__)
            chain = self._bends(edge, self.ranks[upper], self.ranks[lower])
            if upper != lower:
                join([cells[upper], *chain.values(), cells[lower]], _WEIGHTS[edge.kind])
            for rank, cell in chain.items():
                layers[rank].append(cell)
            chains.append((edge, chain))
        return layers, chains

    def _bends(self, edge: Edge, top: int, bottom: int) -> dict[int, Cell]:
        """One for the label, below the upper end, and one per layer that the edge passes."""
        chain = {top + 1: Cell(len(edge.label) * _LETTER + 14)} if edge.label and top < bottom else {}
        return chain | {rank: Cell(14.0) for rank in range(top + 2, bottom, 2)}

    def _rows(self, layers: Sequence[Sequence[Cell]]) -> tuple[list[float], list[float]]:
        """Top and height of each layer; the odd ones hold labels only."""
        labelled = {self._label_rank(edge) for edge in self.edges if edge.label}
        tops, heights, y = list[float](), list[float](), 0.0
        for rank, layer in enumerate(layers):
            height = max((self.nodes[cell.node].height for cell in layer if cell.node), default=0.0)
            height = height or (_LABEL_HEIGHT if rank in labelled else 0.0)
            tops.append(y)
            heights.append(height)
            y += height + _GAP_Y
        return tops, heights

    def _label_rank(self, edge: Edge) -> int:
        return min(self.ranks[edge.source], self.ranks[edge.target]) + 1

    def _with_inner(self, graph: Graph, by_name: Mapping[str, Node]) -> Graph:
        nodes, edges = list(graph.nodes), list(graph.edges)
        for name, inside in self.inner.items():
            box = by_name[name]
            moved = inside.moved(box.x + (box.width - inside.width) / 2, box.y + _HEADER)
            nodes.extend(moved.nodes)
            edges.extend(moved.edges)
        return replace(graph, nodes=tuple(nodes), edges=tuple(edges))


def _routed(
    edge: Edge,
    chain: Mapping[int, Cell],
    nodes: Mapping[str, Node],
    tops: Sequence[float],
    heights: Sequence[float],
    ranks: Mapping[str, int],
) -> Edge:
    """The edge with its points, from the source's border to the target's."""
    source, target = nodes[edge.source], nodes[edge.target]
    if source is target:
        return _loop(edge, source)
    downwards = ranks[edge.source] < ranks[edge.target]
    upper, lower = (source, target) if downwards else (target, source)
    points = [(upper.x + upper.width / 2, upper.y + upper.height)]
    label_at = None
    for rank, cell in chain.items():
        if rank % 2:
            label_at = (cell.center, tops[rank] + heights[rank] / 2)
            points.append(label_at)
        else:
            points += [(cell.center, tops[rank]), (cell.center, tops[rank] + heights[rank])]
    points.append((lower.x + lower.width / 2, lower.y))
    return replace(edge, points=tuple(points if downwards else points[::-1]), label_at=label_at)


def _loop(edge: Edge, node: Node) -> Edge:
    right, top = node.x + node.width, node.y
    points = ((right, top + 10), (right + 16, top + node.height / 2), (right, top + node.height - 10))
    return replace(edge, points=points)


def _side_by_side(graphs: Sequence[Graph]) -> Graph:
    nodes, edges, x = list[Node](), list[Edge](), 0.0
    for graph in graphs:
        moved = graph.moved(x, 0.0)
        nodes.extend(moved.nodes)
        edges.extend(moved.edges)
        x += graph.width + _GAP_X
    return Graph(x - _GAP_X, max(graph.height for graph in graphs), tuple(nodes), tuple(edges))
