"""The comparison operators of JSONPath Choice Rules: https://states-language.net/spec.html#choice-state"""

import operator
import re
from collections.abc import Callable
from typing import Any

from scones_core.local.workflow.asl.choice import Condition
from scones_core.local.workflow.asl.errors import DefinitionError, RuntimeFailure
from scones_core.local.workflow.asl.fields import Fields
from scones_core.local.workflow.asl.jsontext import is_number
from scones_core.local.workflow.asl.paths import Path, PathError, compile_path
from scones_core.local.workflow.asl.scope import Scope
from scones_core.local.workflow.asl.wait import parsed_timestamp

_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}


def _as_is(accepts: Callable[[Any], bool]) -> Callable[[Any], Any]:
    return lambda value: value if accepts(value) else None


# How a value is read for a comparison of this type; None where it is of another type, and the comparison false.
_READERS: dict[str, Callable[[Any], Any]] = {
    "String": _as_is(lambda value: isinstance(value, str)),
    "Numeric": _as_is(is_number),
    "Boolean": _as_is(lambda value: isinstance(value, bool)),
    "Timestamp": parsed_timestamp,
}
_TESTS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsNumeric": is_number,
    "IsString": lambda value: isinstance(value, str),
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: parsed_timestamp(value) is not None,
}
COMPARISONS = {
    type_ + relation: (type_, relation)
    for type_ in _READERS
    for relation in _RELATIONS
    if type_ != "Boolean" or relation == "Equals"
}


def compile_rule(fields: Fields) -> Condition:
    """Compile a Boolean Expression or a Data-test Expression."""
    fields.only_one("And", "Or", "Not", "Variable", required=True)
    for name, combine in (("And", all), ("Or", any)):
        if name in fields:
            rules = [_inner(inner) for inner in fields.objects(name, required=True)]
            return lambda scope, combine=combine, rules=rules: combine(rule(scope) for rule in rules)  # type: ignore[misc]
    if "Not" in fields:
        negated = _inner(fields.object("Not"))
        return lambda scope: not negated(scope)
    return _data_test(fields)


def _inner(fields: Fields) -> Condition:
    if "Next" in fields:
        raise fields.error("Next", "belongs to the outermost rule only")
    condition = compile_rule(fields)
    fields.finish()
    return condition


def _data_test(fields: Fields) -> Condition:
    variable = _path(fields, "Variable")
    operators = [name for name in fields.given if name.removesuffix("Path") in COMPARISONS or name in _TESTS]
    operators += [name for name in ("IsPresent", "StringMatches") if name in fields]
    if len(operators) != 1:
        raise DefinitionError(f"{fields.where}: exactly one comparison operator must be given next to 'Variable'.")
    name = operators[0]
    if name == "IsPresent":
        wanted = fields.flag(name)
        return lambda scope: _is_present(variable, scope) is wanted
    if name in _TESTS:
        test, expected = _TESTS[name], fields.flag(name)
        return lambda scope: test(_value(variable, scope)) is expected
    if name == "StringMatches":
        return _string_matches(fields, variable)
    return _comparison(fields, name, variable)


def _comparison(fields: Fields, name: str, variable: Path) -> Condition:
    type_, relation = COMPARISONS[name.removesuffix("Path")]
    read, holds = _READERS[type_], _RELATIONS[relation]
    other = _other_side(fields, name, type_)

    def condition(scope: Scope) -> bool:
        one, two = read(_value(variable, scope)), read(other(scope))
        return one is not None and two is not None and holds(one, two)

    return condition


def _other_side(fields: Fields, name: str, type_: str) -> Callable[[Scope], Any]:
    if name.endswith("Path"):
        path = _path(fields, name)
        return lambda scope: _value(path, scope)
    value = fields.any(name)
    if _READERS[type_](value) is None:
        raise fields.error(name, f"must be a {type_.lower()} value")
    return lambda scope: value


def _string_matches(fields: Fields, variable: Path) -> Condition:
    parts = wildcard(fields.text("StringMatches"), fields)

    def condition(scope: Scope) -> bool:
        value = _value(variable, scope)
        return isinstance(value, str) and matches(parts, value)

    return condition


def wildcard(text: str, fields: Fields) -> list[str]:
    r"""Return what stands between the * of a text; \* is an asterisk and \\ a backslash."""
    if re.search(r"(?<!\\)(\\\\)*\\(?![\\*])", text):
        raise fields.error("StringMatches", r"has an open \, which must be written as \\")
    parts = [""]
    for part in re.findall(r"\\.|[^\\]", text, re.S):
        if part == "*":
            parts.append("")
        else:
            parts[-1] += part[-1]
    return parts


def matches(parts: list[str], value: str) -> bool:
    """Tell whether the value is the parts with anything between them; each is sought once, from left to right."""
    first, *middle, last = parts if len(parts) > 1 else [parts[0], ""]
    if len(parts) == 1:
        return value == first
    if not value.startswith(first) or not value.endswith(last):
        return False
    position, end = len(first), len(value) - len(last)
    for part in middle:
        found = value.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return position <= end


def _path(fields: Fields, name: str) -> Path:
    try:
        return compile_path(fields.text(name))
    except DefinitionError as error:
        raise fields.error(name, f"is wrong: {error}") from None


def _is_present(path: Path, scope: Scope) -> bool:
    try:
        found = path.read(scope)
    except PathError:
        return False
    return path.steps is not None or bool(found)


def _value(path: Path, scope: Scope) -> object:
    """Return what the path selects; only IsPresent may ask for what is not there."""
    try:
        return path.read(scope)
    except PathError:
        cause = f"Invalid path '{path.text}': The choice state's condition path references an invalid value."
        raise RuntimeFailure.because(cause) from None
