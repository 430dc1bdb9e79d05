"""The drawing of a state machine: everything is shown, nothing overlaps, and it tells what happened."""

from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest

from scones_core.domain.history import StateRun, StateStatus
from scones_core.ui.workflow.graph.component import drawing, path
from scones_core.ui.workflow.graph.layout import layout
from scones_core.ui.workflow.graph.model import END, START, Graph, Node

NOW = datetime(2025, 10, 4, 8, 44, tzinfo=UTC)


def task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", **fields}


LINE = {"StartAt": "A", "States": {"A": task(Next="B"), "B": task(End=True)}}
CHOICE = {
    "StartAt": "Ask",
    "States": {
        "Ask": {"Type": "Choice", "Choices": [{"Next": "Yes"}, {"Next": "Maybe"}], "Default": "No"},
        "Yes": {"Type": "Succeed"},
        "Maybe": {"Type": "Wait", "Seconds": 1, "Next": "Ask"},
        "No": {"Type": "Fail"},
    },
}
CATCH = {
    "StartAt": "Try",
    "States": {
        "Try": task(Next="Good", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Bad"}]),
        "Good": task(End=True),
        "Bad": {"Type": "Fail"},
    },
}
MAP = {
    "StartAt": "Each",
    "States": {
        "Each": {"Type": "Map", "ItemProcessor": LINE, "Next": "Both"},
        "Both": {
            "Type": "Parallel",
            "Branches": [CATCH, {"StartAt": "Z", "States": {"Z": task(End=True)}}],
            "End": True,
        },
    },
}
ALL = pytest.mark.parametrize("definition", [LINE, CHOICE, CATCH, MAP], ids=["line", "choice", "catch", "map"])


def named(graph: Graph) -> dict[str, Node]:
    return {node.name: node for node in graph.nodes}


def inside(inner: Node, outer: Node) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width
        and inner.y + inner.height <= outer.y + outer.height
    )


def apart(a: Node, b: Node) -> bool:
    return a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y


@ALL
def test_no_two_states_overlap_unless_one_is_the_box_around_the_other(definition: dict[str, Any]) -> None:
    for a, b in combinations(layout(definition).nodes, 2):
        assert apart(a, b) or inside(a, b) or inside(b, a), f"{a.name} and {b.name}"


@ALL
def test_everything_lies_within_the_drawing(definition: dict[str, Any]) -> None:
    graph = layout(definition)
    whole = Node("", "", (), graph.width + 0.01, graph.height + 0.01)
    assert all(inside(node, whole) for node in graph.nodes)
    assert all(-0.01 <= x <= graph.width + 0.01 for edge in graph.edges for x, _ in edge.points)


def test_states_follow_each_other_from_top_to_bottom_in_one_line() -> None:
    nodes = named(layout(LINE))
    order = [nodes[START], nodes["A"], nodes["B"], nodes[END]]
    assert [node.y for node in order] == sorted(node.y for node in order)
    middles = {round(node.x + node.width / 2, 3) for node in order}
    assert len(middles) == 1


def test_a_choice_shows_each_rule_and_the_default_with_a_label() -> None:
    edges = {(edge.source, edge.target): edge for edge in layout(CHOICE).edges}
    assert edges["Ask", "Yes"].label == "Rule 1"
    assert edges["Ask", "No"].label == "Default"
    assert edges["Ask", "No"].label_at is not None
    assert ("Maybe", "Ask") in edges


def test_states_of_a_map_and_of_the_branches_of_a_parallel_lie_within_its_box() -> None:
    nodes = named(layout(MAP))
    assert all(inside(nodes[name], nodes["Each"]) for name in "AB")
    assert all(inside(nodes[name], nodes["Both"]) for name in ("Try", "Good", "Bad", "Z"))
    assert nodes["Each"].inner
    assert not nodes["A"].inner


def test_a_long_name_is_broken_into_lines() -> None:
    name = "Notify the reviewers of everything that happened since yesterday evening"
    graph = layout({"StartAt": name, "States": {name: task(End=True)}})
    assert len(named(graph)[name].lines) == 3


def test_a_state_that_nothing_leads_to_and_a_state_that_leads_to_itself_are_drawn() -> None:
    states = {"A": task(Next="A"), "Lost": task(End=True)}
    assert {"A", "Lost"} <= set(named(layout({"StartAt": "A", "States": states})))


def test_a_large_definition_is_laid_out_at_once() -> None:
    states = {f"S{i}": task(Next=f"S{i + 1}", Catch=[{"ErrorEquals": ["x"], "Next": "S99"}]) for i in range(99)}
    graph = layout({"StartAt": "S0", "States": {**states, "S99": task(End=True)}})
    assert len(graph.nodes) == 102


def run(name: str, status: StateStatus, after: str | None = None) -> StateRun:
    return StateRun(name, "Task", status, NOW, NOW, after=after)


def test_the_drawing_colours_states_and_ways_by_what_happened() -> None:
    runs = [run("Try", StateStatus.CAUGHT), run("Bad", StateStatus.FAILED, after="Try")]
    drawn = drawing(layout(CATCH), runs, selected="Bad")
    status = {node["name"]: node["status"] for node in drawn["nodes"]}
    assert (status["Try"], status["Bad"], status["Good"]) == ("caught", "failed", "not reached")
    assert {(edge["kind"], edge["label"]) for edge in drawn["edges"] if edge["taken"]} == {
        ("next", ""),
        ("catch", "Catch 1"),
    }
    assert [node["name"] for node in drawn["nodes"] if node["selected"]] == ["Bad"]


def test_the_drawing_is_told_in_words_as_well() -> None:
    drawn = drawing(layout(LINE), [run("A", StateStatus.SUCCEEDED)], selected=None)
    assert drawn["label"] == "State machine with 2 states: A succeeded, B not reached."


def test_a_way_not_taken_is_not_marked() -> None:
    assert not [edge for edge in drawing(layout(LINE), [], None)["edges"] if edge["taken"]]


def test_a_path_leaves_and_meets_its_points_vertically() -> None:
    assert path([(0, 0), (0, 10)]) == "M0.0 0.0 L0.0 10.0"
    assert path([(0, 0), (8, 10)]) == "M0.0 0.0 C0.0 5.0 8.0 5.0 8.0 10.0"
