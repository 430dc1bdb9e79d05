"""References of a JSONata expression, from the library's syntax tree.

Step Functions refuses some references when it creates a state machine:
https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
"""

from collections.abc import Iterator
from typing import Any

# Attributes of a node with the nodes below it: where `$` means what it means around the node, and where it means
# the value at hand. The steps of a path are of both kinds.
_AROUND = (
    *("lhs", "rhs", "expression", "expressions", "arguments", "procedure"),
    *("body", "condition", "then", "_else"),
)
_OBJECTS = ("lhs_object", "rhs_object", "rhs_terms")
_AT_HAND = ("predicate", "stages", "group", "terms", "pattern", "update", "delete", "expr")


def references_to_input(node: Any, *, nested: bool) -> Iterator[str]:
    """Yield what refers to JSONata's input document, which Step Functions does not provide, and `$eval`.

    Inside a path, a predicate or a transformation, `$` and bare names refer to the value at hand, and are allowed.
    """
    if isinstance(node, list):
        for item in node:
            yield from references_to_input(item, nested=nested)
        return
    type_ = getattr(node, "type", None)
    if type_ is None:
        return
    if type_ == "variable" and (node.value in ("$", "eval") or (node.value == "" and not nested)):
        yield "$" + node.value
    if type_ in ("name", "wildcard", "descendant") and not nested:
        yield f"{node.value}"
    yield from _inner_references(node, nested)


def _inner_references(node: Any, nested: bool) -> Iterator[str]:
    for attribute in _AROUND:
        yield from references_to_input(_below(node, attribute), nested=nested)
    for place, step in enumerate(_below(node, "steps")):
        yield from references_to_input(step, nested=nested or place > 0)
    for attribute in _AT_HAND:
        yield from references_to_input(_below(node, attribute), nested=True)


def states_fields(node: Any) -> Iterator[str]:
    """Yield the names of the fields of `$states` to which the expression refers, as `$states.result` does."""
    steps = _below(node, "steps")
    if len(steps) > 1 and (steps[0].type, steps[0].value) == ("variable", "states") and steps[1].type == "name":
        yield steps[1].value
    for attribute in (*_AROUND, "steps", *_AT_HAND):
        for child in _below(node, attribute):
            yield from states_fields(child)


def variables(node: Any) -> Iterator[str]:
    """Yield the names of the variables to which the expression refers, once for each time."""
    if getattr(node, "type", None) == "variable":
        yield node.value
    for attribute in (*_AROUND, *_OBJECTS, "steps", *_AT_HAND):
        for child in _below(node, attribute):
            yield from variables(child)


def _below(node: Any, attribute: str) -> list[Any]:
    """Return the nodes under an attribute, which holds one, a list, a list of pairs, or nothing."""
    value = getattr(node, attribute, None)
    if value is None:
        return []
    entries = value if isinstance(value, list) else [value]
    return [item for entry in entries for item in (entry if isinstance(entry, (list, tuple)) else [entry])]
