"""Classification of cheap expressions: those whose cost is at most linear in any data."""

from collections.abc import Iterator
from typing import Any

import jsonpath
from jsonpath.segments import JSONPathChildSegment
from jsonpath.selectors import IndexSelector, NameSelector, SliceSelector, WildcardSelector

_STEPS = (NameSelector, IndexSelector, SliceSelector, WildcardSelector)
# Nested calls of others, such as $string, double what they get.
_FUNCTIONS = {"merge", "count", "sum", "min", "max", "average", "exists", "not", "boolean", "length", "uuid", "millis"}
_OPERATORS = {"+", "-", "*", "/", "%", "=", "!=", "<", "<=", ">", ">=", "and", "or", "in", "&"}
_MOST_NODES = 200
_MOST_JOINS = 6  # every & can double the backslashes of the text before it
_MOST_VARIABLES = 16
_BEYOND = ("predicate", "group", "index", "focus", "ancestor", "tuple")  # of a step of a path


def is_cheap_path(query: jsonpath.JSONPath) -> bool:
    """Tell whether a JSONPath has one selector a step, and neither filters nor descents."""
    return all(
        isinstance(segment, JSONPathChildSegment)
        and len(segment.selectors) == 1
        and isinstance(segment.selectors[0], _STEPS)
        for segment in query.segments
    )


def is_cheap_expression(node: Any) -> bool:
    """Tell whether a JSONata syntax tree has nothing but references, operators, constructors and harmless functions."""
    kinds = list(_kinds(node))
    return (
        None not in kinds
        and len(kinds) <= _MOST_NODES
        and kinds.count("&") <= _MOST_JOINS
        and kinds.count("variable") <= _MOST_VARIABLES
    )


def _kinds(node: Any) -> Iterator[str | None]:
    """Yield what the tree consists of: None for what is not plainly cheap, operators by their sign, others by type."""
    kind, value = getattr(node, "type", None), getattr(node, "value", None)
    if kind in ("string", "number", "value", "variable"):
        yield kind
    elif kind == "path":
        yield from _of_path(node)
    elif kind == "binary" and value in _OPERATORS:
        yield value
        yield from _of_all([node.lhs, node.rhs])
    elif kind == "unary" and value in ("[", "{", "-"):
        yield kind
        inner = {"[": node.expressions, "{": getattr(node, "lhs_object", None), "-": [node.expression]}[value]
        yield from _of_all([part for entry in inner or () for part in _parts(entry)])
    elif kind == "condition":
        yield from _of_all([node.condition, node.then, *_parts(getattr(node, "_else", None))])
    elif kind == "function" and node.procedure.type == "variable" and node.procedure.value in _FUNCTIONS:
        yield kind
        yield from _of_all(node.arguments)
    else:
        yield None


def _of_all(nodes: Any) -> Iterator[str | None]:
    for node in nodes or ():
        yield from _kinds(node)


def _of_path(node: Any) -> Iterator[str | None]:
    first, *names = node.steps
    plain = first.type == "variable" and all(step.type == "name" for step in names) and not getattr(node, "group", None)
    yield "variable" if plain and all(_is_plain(step) for step in node.steps) else None


def _is_plain(step: Any) -> bool:
    stages = getattr(step, "stages", None) or ()
    indices = all(stage.type == "filter" and stage.expr.type == "number" for stage in stages)
    return indices and not any(getattr(step, name, None) for name in _BEYOND)


def _parts(entry: Any) -> list[Any]:
    if entry is None:
        return []
    return list(entry) if isinstance(entry, (list, tuple)) else [entry]
