"""Functions, and builders of small state machines, for tests."""

from collections.abc import Callable, Mapping
from typing import Any

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
INVOKE = "arn:aws:states:::lambda:invoke"


class Refused(Exception):
    """What the function `refuse` raises."""


def _refuse(event: Any) -> Any:
    raise Refused(f"no {type(event).__name__}")


def _double(event: Any) -> Any:
    return event * 2


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "echo": lambda event: event,
    "double": _double,
    "refuse": _refuse,
    "constant": lambda event: {"a": {"b": [1, 2, 3]}, "text": 'é"\\'},
    "nothing": lambda event: None,
    "large": lambda event: "x" * 262_145,
}


def one(state: Mapping[str, Any], **others: Mapping[str, Any]) -> Mapping[str, Any]:
    """A machine of the state S, and of others to which it leads."""
    last = {} if {"Next", "End"} & set(state) or state["Type"] in ("Choice", "Succeed", "Fail") else {"End": True}
    return {"StartAt": "S", "States": {"S": {**state, **last}, **others}}


def passing(**fields: Any) -> Mapping[str, Any]:
    return one({"Type": "Pass", **fields})


def task(function: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION + function, **fields}


def invoke(function: str, **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": INVOKE,
        "Parameters": {"FunctionName": FUNCTION + function, "Payload.$": "$"},
        **fields,
    }


def mapping(states: Mapping[str, Any], start: str = "I", **fields: Any) -> Mapping[str, Any]:
    return {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": {"StartAt": start, "States": states}, **fields}


def parallel(*branches: Mapping[str, Any], **fields: Any) -> Mapping[str, Any]:
    return {
        "Type": "Parallel",
        "Branches": [{"StartAt": next(iter(states)), "States": states} for states in branches],
        **fields,
    }


END = {"Type": "Pass", "End": True}
CATCH_ALL = [{"ErrorEquals": ["States.ALL"], "Next": "C"}]
