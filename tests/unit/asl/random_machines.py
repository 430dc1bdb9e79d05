"""Random state machines for Hypothesis: chains of states, some with states inside."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from tests.unit.asl.machines import FUNCTION, invoke

_leaves = st.sampled_from(
    [
        {"Type": "Pass"},
        {"Type": "Pass", "Result": {"n": 1, "list": [3]}},
        {"Type": "Pass", "Result": 2, "ResultPath": "$.n"},
        {"Type": "Pass", "Parameters": {"n.$": "$.n", "list.$": "$.list", "both.$": "States.Array($.n, $.list)"}},
        {"Type": "Pass", "InputPath": "$.list", "ResultPath": "$.list"},
        {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)", "list.$": "States.ArrayRange(1, 3, 1)"}},
        {"Type": "Pass", "Parameters": {"n.$": "$.list[0]", "list.$": "$.list[*]"}},
        {"Type": "Wait", "Seconds": 0},
        invoke("echo", ResultPath="$.deep.answer"),
        invoke("echo", OutputPath="$.Payload"),
        invoke("echo", ResultSelector={"n": 1, "list.$": "$.Payload.list"}),
        invoke("refuse", Catch=[{"ErrorEquals": ["States.TaskFailed"], "Next": "Last"}]),
        {"Type": "Task", "Resource": FUNCTION + "echo"},
        {"Type": "Task", "Resource": FUNCTION + "echo", "InputPath": "$.n", "ResultPath": "$.n"},
        {
            "Type": "Task",
            "Resource": FUNCTION + "refuse",
            "Catch": [{"ErrorEquals": ["Refused"], "ResultPath": "$.e", "Next": "Last"}],
        },
        {"Type": "Task", "Resource": FUNCTION + "refuse"},
        {"Type": "Fail", "Error": "E", "Cause": "c"},
    ]
)

# These fail with States.Runtime where nothing was put before. Inside a Map or Parallel moto then reports an error of
# its own, and lets the state's Catch have it; AWS lets nothing catch States.Runtime.
_risky_leaves = st.sampled_from(
    [
        {"Type": "Pass", "InputPath": "$.new", "ResultPath": "$.deep.new"},
        {"Type": "Pass", "InputPath": "$.deep", "ResultPath": "$.copy"},
    ]
)


@st.composite
def lines(draw: st.DrawFn, prefix: str, depth: int) -> Mapping[str, Any]:
    """StartAt and States of a chain that ends in the state Last; the names begin with the prefix."""
    count = draw(st.integers(1, 3))
    names = [f"{prefix}{place}" for place in range(count)] + [f"{prefix}Last"]
    states: dict[str, Any] = {}
    for name, after in pairwise(names):
        state = dict(draw(_state(prefix=name, depth=depth)))
        for catcher in state.get("Catch", ()):
            state["Catch"] = [catcher | {"Next": names[-1]}]
        if state["Type"] == "Choice":
            state["Choices"] = [state["Choices"][0] | {"Next": after}]
            state["Default"] = names[-1]
        elif state["Type"] != "Fail":
            state["Next"] = after
        states[name] = state
        if state["Type"] == "Fail":
            break
    if any(names[-1] in (s.get("Next"), s.get("Default")) or s.get("Catch") for s in states.values()):
        states[names[-1]] = {"Type": "Succeed"}
    return {"StartAt": names[0], "States": states}


@st.composite
def _state(draw: st.DrawFn, prefix: str, depth: int) -> Mapping[str, Any]:
    kind = draw(st.sampled_from(["leaf", "leaf", "leaf", "choice", "map", "parallel"] if depth else ["leaf", "choice"]))
    if kind == "leaf":
        return draw(st.one_of(_leaves, _risky_leaves) if depth else _leaves)
    if kind == "choice":
        return {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericGreaterThan": draw(st.integers(-2, 2))}]}
    inside = draw(lines(prefix=prefix + "x", depth=depth - 1))
    catch = draw(
        st.sampled_from([{}, {"Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "Last"}]}])
    )
    if kind == "parallel":
        return {"Type": "Parallel", "Branches": [inside], "ResultPath": "$.new", **catch}
    selector = {"n.$": "$$.Map.Item.Value", "list.$": "$.list"}
    return {
        "Type": "Map", "MaxConcurrency": 1, "ItemsPath": "$.list", "ItemSelector": selector, "ItemProcessor": inside,
        "ResultPath": "$.new", **catch,
    }  # fmt: skip


def machines() -> st.SearchStrategy[Mapping[str, Any]]:
    return lines(prefix="S", depth=1)
