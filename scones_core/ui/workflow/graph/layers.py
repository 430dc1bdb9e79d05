"""Layers of a drawing: the layer of each state, the order within it, and the horizontal position.

Method: Sugiyama, Tagawa & Toda 1981: layers by longest path, order by barycentres, positions by least squares.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from scones_core.ui.workflow.graph.model import Edge

_GAP = 28.0  # between neighbours of a layer, in CSS pixels
_SWEEPS = 8


@dataclass
class Cell:
    """An item of a layer: a state, or a bend of a passing line (node None), possibly with its label.

    above, below : neighbours and the weights of the lines to them.
    """

    width: float
    node: str | None = None
    center: float = 0.0
    above: list[tuple["Cell", float]] = field(default_factory=list)
    below: list[tuple["Cell", float]] = field(default_factory=list)

    @property
    def weight(self) -> float:
        """Straight lines weigh more than centred states."""
        return 1.0 if self.node else 3.0


def join(cells: Sequence[Cell], weight: float) -> None:
    """Make each cell, from top to bottom, the neighbour of the next."""
    for above, below in pairwise(cells):
        above.below.append((below, weight))
        below.above.append((above, weight))


def ranks_of(names: Sequence[str], edges: Sequence[Edge], start: str) -> dict[str, int]:
    """Layer of each state: twice the longest path from the start, without loops. States without a predecessor get 0."""
    ways: dict[str, list[str]] = {name: [] for name in names}
    for edge in edges:
        if edge.target not in (edge.source, *ways[edge.source]):
            ways[edge.source].append(edge.target)
    names_in_order, back = _depth_first(ways, start)
    ranks = dict.fromkeys(names, 0)
    for name in names_in_order:
        for target in ways[name]:
            if (name, target) not in back:
                ranks[target] = max(ranks[target], ranks[name] + 2)
    return ranks


def _depth_first(ways: Mapping[str, Sequence[str]], start: str) -> tuple[list[str], set[tuple[str, str]]]:
    """A topological order, and the back edges it ignores."""
    done: list[str] = []
    back: set[tuple[str, str]] = set()
    seen: set[str] = set()
    for root in (start, *ways):
        if root in seen:
            continue
        seen.add(root)
        path = [(root, iter(ways[root]))]
        while path:
            name, rest = path[-1]
            target = next(rest, None)
            if target is None:
                done.append(path.pop()[0])
            elif target not in seen:
                seen.add(target)
                path.append((target, iter(ways[target])))
            elif any(target == on_path for on_path, _ in path):
                back.add((name, target))
    return done[::-1], back


def order(layers: list[list[Cell]]) -> None:
    """Sort each layer by the mean position of its neighbours, sweeping down and up alternately."""
    places = {id(cell): float(place) for layer in layers for place, cell in enumerate(layer)}
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        for layer in layers if downwards else layers[::-1]:
            wanted = [_mean(cell.above if downwards else cell.below, places) for cell in layer]
            ranked = [
                (places[id(cell)] if mean is None else mean, cell) for cell, mean in zip(layer, wanted, strict=True)
            ]
            layer[:] = [cell for _, cell in sorted(ranked, key=lambda pair: pair[0])]
            places.update((id(cell), float(place)) for place, cell in enumerate(layer))


def align(layers: Sequence[Sequence[Cell]]) -> None:
    """Align each cell with its neighbours above and below, as far as the rest of its layer allows.

    The last sweep goes upwards, so that a state with one successor is straight above it.
    """
    for layer in layers:
        _settle(layer, [0.0] * len(layer))
    for sweep in range(2 * _SWEEPS):
        downwards = sweep % 2 == 0
        for layer in layers if downwards else layers[::-1]:
            _settle(layer, [_wanted_center(cell, downwards) for cell in layer])


def _wanted_center(cell: Cell, downwards: bool) -> float:
    near = cell.above if downwards else cell.below
    found = _mean(near, {id(other): other.center for other, _ in near})
    return cell.center if found is None else found


def _mean(near: Sequence[tuple[Cell, float]], values: Mapping[int, float]) -> float | None:
    total = sum(weight for _, weight in near)
    return sum(values[id(cell)] * weight for cell, weight in near) / total if total else None


def _settle(layer: Sequence[Cell], wanted: Sequence[float]) -> None:
    """Centres nearest to the wanted ones (weighted least squares) that keep order and distance.

    Pool adjacent violators: Barlow et al. 1972.
    """
    offsets, total = [0.0] if layer else [], 0.0
    for left, right in pairwise(layer):
        total += (left.width + right.width) / 2 + _GAP
        offsets.append(total)
    blocks: list[tuple[float, float, int]] = []  # mean, weight, cells
    for cell, want, offset in zip(layer, wanted, offsets, strict=True):
        blocks.append((want - offset, cell.weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (m2, w2, n2), (m1, w1, n1) = blocks.pop(), blocks.pop()
            blocks.append(((m1 * w1 + m2 * w2) / (w1 + w2), w1 + w2, n1 + n2))
    settled = [mean for mean, _, count in blocks for _ in range(count)]
    for cell, mean, offset in zip(layer, settled, offsets, strict=True):
        cell.center = mean + offset
