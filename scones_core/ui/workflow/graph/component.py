"""The graph of a state machine, with states coloured by status; a click or a key selects one."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import streamlit as st

from scones_core.domain.history import StateRun, StateStatus, status_by_state, steps_taken
from scones_core.ui.workflow.graph.layout import layout
from scones_core.ui.workflow.graph.model import END, START, Definition, Edge, Graph, Node, Point, fanned_out

_HERE = Path(__file__).parent


@cache
def _component() -> Any:
    return st.components.v2.component(
        "scones_state_machine",
        html='<div class="graph"></div>',
        css=(_HERE / "graph.css").read_text("utf-8"),
        js=(_HERE / "graph.js").read_text("utf-8"),
    )


def state_graph(
    definition: Definition, runs: Sequence[StateRun], *, selected: str | None, key: str, choice: str
) -> None:
    """Draw the states with the status of their runs; a picked state is stored under `choice` before the rerun."""
    key = hashlib.sha256(key.encode()).hexdigest()  # unlike names, a component's key cannot contain two underscores

    def picked() -> None:
        st.session_state[choice] = st.session_state[key]["picked"]

    elsewhere = fanned_out(definition, {run.name for run in runs})
    _component()(key=key, data=drawing(_laid_out(definition), runs, selected, elsewhere), on_picked_change=picked)


@st.cache_data(show_spinner=False, max_entries=50)
def _laid_out(definition: Definition) -> Graph:
    return layout(definition)


def drawing(
    graph: Graph, runs: Sequence[StateRun], selected: str | None, elsewhere: Collection[str] = ()
) -> dict[str, Any]:
    """The component's data, as JSON values; `elsewhere`: states that ran in child executions."""
    statuses: dict[str, StateStatus | None] = {
        **dict.fromkeys(elsewhere, StateStatus.FANNED_OUT),
        **status_by_state(runs),
    }
    taken = _taken(graph, runs)
    if not runs:  # a definition without an execution
        statuses = {node.name: None for node in graph.nodes}
    return {
        "width": graph.width,
        "height": graph.height,
        "label": in_words(graph, statuses),
        "nodes": [_node(node, statuses, selected, taken) for node in graph.nodes],
        "edges": [_edge(edge, (edge.source, edge.target, edge.kind) in taken) for edge in graph.edges],
    }


def in_words(graph: Graph, statuses: Mapping[str, StateStatus | None]) -> str:
    """The graph as a sentence, for screen readers."""
    states = [node for node in graph.nodes if node.name not in (START, END)]
    told = (f"{node.name} {statuses.get(node.name, StateStatus.NOT_REACHED) or node.type}" for node in states)
    return f"State machine with {len(states)} states: {', '.join(told)}."


def _node(
    node: Node, statuses: Mapping[str, StateStatus | None], selected: str | None, taken: set[tuple[str, str, str]]
) -> dict[str, Any]:
    status = statuses.get(node.name, StateStatus.NOT_REACHED)
    return {
        "name": node.name,
        "type": node.type,
        "lines": node.lines,
        "label": ", ".join(filter(None, (node.name, node.type, status))),
        "status": str(status or ""),
        "inner": node.inner,
        "terminal": node.name in (START, END),
        "taken": any(node.name in (source, target) for source, target, _ in taken),
        "selected": node.name == selected,
        "x": node.x,
        "y": node.y,
        "width": node.width,
        "height": node.height,
    }


def _edge(edge: Edge, taken: bool) -> dict[str, Any]:
    return {
        "path": path(edge.points),
        "kind": edge.kind,
        "taken": taken,
        "label": edge.label,
        "label_at": edge.label_at,
    }


def path(points: Sequence[Point]) -> str:
    """An SVG path through the points, vertical at each."""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x1, y1), (x2, y2) in pairwise(points):
        middle = (y1 + y2) / 2
        parts.append(
            f"L{x2:.1f} {y2:.1f}"
            if abs(x1 - x2) < 0.5
            else f"C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}"
        )
    return " ".join(parts)


def _taken(graph: Graph, runs: Sequence[StateRun]) -> set[tuple[str, str, str]]:
    """The edges that the execution took."""
    if not runs:
        return set()
    statuses, steps = status_by_state(runs), steps_taken(runs)
    left = {source for source, _ in steps}
    done = (StateStatus.SUCCEEDED, StateStatus.CAUGHT)
    catching = {edge.source for edge in graph.edges if edge.kind == "catch"}
    ended = {run.name for run in runs if run.name not in left and (run.status in done or run.type == "Fail")}
    return {
        (edge.source, edge.target, edge.kind)
        for edge in graph.edges
        if edge.source == START
        or (edge.target == END and edge.source in ended)
        or ((edge.source, edge.target) in steps and _fits(edge, statuses[edge.source], catching))
    }


def _fits(edge: Edge, status: StateStatus, catching: Collection[str]) -> bool:
    """A caught failure leaves by a Catch edge, if one is drawn; everything else by another edge."""
    return edge.source not in catching or (edge.kind == "catch") == (status is StateStatus.CAUGHT)
