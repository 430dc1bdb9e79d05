"""Model of a drawing: nodes for states, edges for transitions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

START, END = "\0start", "\0end"  # no state can have these names

Point = tuple[float, float]
Definition = Mapping[str, Any]


@dataclass(frozen=True)
class Node:
    """A state, or START or END; x and y: its upper left corner. inner: it is a box around other states."""

    name: str
    type: str
    lines: tuple[str, ...]
    width: float
    height: float
    inner: bool = False
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Edge:
    """A transition. kind: next, choice or catch; points: ends and bends of the line; label_at: the label's centre."""

    source: str
    target: str
    kind: str
    label: str
    points: tuple[Point, ...] = ()
    label_at: Point | None = None

    def moved(self, dx: float, dy: float) -> "Edge":
        points = tuple((x + dx, y + dy) for x, y in self.points)
        return replace(self, points=points, label_at=self.label_at and (self.label_at[0] + dx, self.label_at[1] + dy))


@dataclass(frozen=True)
class Graph:
    """A drawing, or a part of one. Lengths are CSS pixels; y grows downwards."""

    width: float
    height: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def moved(self, dx: float, dy: float) -> "Graph":
        nodes = tuple(replace(node, x=node.x + dx, y=node.y + dy) for node in self.nodes)
        return replace(self, nodes=nodes, edges=tuple(edge.moved(dx, dy) for edge in self.edges))


def transitions(name: str, state: Mapping[str, Any]) -> list[Edge]:
    """Transitions out of a state, in evaluation order."""
    edges = [
        Edge(name, rule["Next"], "choice", f"Rule {number}")
        for number, rule in enumerate(state.get("Choices", ()), start=1)
        if "Next" in rule
    ]
    if "Default" in state:
        edges.append(Edge(name, state["Default"], "choice", "Default"))
    if "Next" in state:
        edges.append(Edge(name, state["Next"], "next", ""))
    catches = [
        Edge(name, catch["Next"], "catch", f"Catch {number}") for number, catch in enumerate(state.get("Catch", ()), 1)
    ]
    return edges + catches


def inner_machines(state: Mapping[str, Any]) -> list[Definition]:
    """Branches of a Parallel, or processor of a Map; `Iterator` is the old name of `ItemProcessor`."""
    found = [*state.get("Branches", ()), state.get("ItemProcessor"), state.get("Iterator")]
    return [machine for machine in found if machine and "States" in machine]


def fanned_out(definition: Definition, entered: Collection[str]) -> set[str]:
    """States inside the distributed Maps that were entered: they ran in child executions, one per item."""
    found: set[str] = set()
    for name, state in definition["States"].items():
        for machine in inner_machines(state):
            inside = machine.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED" and name in entered
            found |= set(all_names(machine)) if inside else fanned_out(machine, entered)
    return found


def all_names(definition: Definition) -> list[str]:
    """The names of all states, each followed by those nested in it."""
    names: list[str] = []
    for name, state in definition["States"].items():
        names.append(name)
        for machine in inner_machines(state):
            names.extend(all_names(machine))
    return names
