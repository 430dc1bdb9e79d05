"""JSONata: Arguments, Output, Assign, and expressions between {% and %} in other fields.

https://states-language.net/spec.html#jsonata-concepts
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scones_core.local.workflow.asl.errors import DefinitionError, QueryFailure
from scones_core.local.workflow.asl.fields import MAX_EVALUATED, MAX_INTEGER, Fields
from scones_core.local.workflow.asl.flow import Evaluate, Settled
from scones_core.local.workflow.asl.jsonata_expression import compile_expression
from scones_core.local.workflow.asl.jsontext import dumps, is_integer, is_number
from scones_core.local.workflow.asl.paths import json_type
from scones_core.local.workflow.asl.scope import Scope
from scones_core.local.workflow.asl.template import bounded
from scones_core.local.workflow.asl.variables import checked_names


@dataclass(frozen=True)
class JsonataFlow:
    """None stands for a field that is not given."""

    arguments_: Evaluate | None
    output: Evaluate | None
    assign: Evaluate | None

    def effective(self, scope: Scope) -> Scope:
        return scope

    def arguments(self, scope: Scope) -> Any:
        return self.arguments_(scope) if self.arguments_ else scope.input

    def settle(self, scope: Scope) -> Settled:
        return self._settled(scope, scope.input)

    def settle_result(self, scope: Scope, result: Any) -> Settled:
        return self._settled(scope.having(result=result), result)

    def settle_error(self, scope: Scope, error_output: Any) -> Settled:
        return self._settled(scope.having(errorOutput=error_output), error_output)

    def _settled(self, scope: Scope, default: Any) -> Settled:
        assigned: Mapping[str, Any] = self.assign(scope) if self.assign else {}
        return Settled(self.output(scope) if self.output else default, assigned)


class Jsonata:
    name = "JSONata"
    arguments_field = "Arguments"

    def flow(self, fields: Fields, *allowed: str) -> JsonataFlow:
        result = ["result"] if "ResultSelector" in allowed else []  # as JSONPath has it, only work has a result
        return JsonataFlow(
            self._optional(fields, "Arguments") if "Arguments" in allowed else None,
            self._optional(fields, "Output", *result),
            self.assign(fields, *result),
        )

    def catcher_flow(self, fields: Fields) -> JsonataFlow:
        return JsonataFlow(None, self._optional(fields, "Output", "errorOutput"), self.assign(fields, "errorOutput"))

    def rule_flow(self, fields: Fields, state: JsonataFlow) -> JsonataFlow:
        return self.flow(fields)

    def assign(self, fields: Fields, *accessible: str) -> Evaluate | None:
        if "Assign" not in fields:
            return None
        checked_names(fields, fields.object("Assign").given)
        return self.template(fields, "Assign", *accessible)

    def template(self, fields: Fields, name: str, *accessible: str) -> Evaluate:
        try:
            compiled = _compiled(fields.any(name), name, accessible)
        except DefinitionError as error:
            raise fields.error(name, f"is wrong: {error}") from None
        return bounded(compiled, _expressions(fields.given[name]))

    def integer(self, fields: Fields, name: str, *, minimum: int = 0, maximum: int = MAX_INTEGER) -> Evaluate | None:
        if not is_expression(fields.given.get(name)):
            value = fields.integer(name, minimum=minimum, maximum=maximum)
            return None if value is None else lambda scope: value
        return self._typed(
            fields, name, lambda value: is_integer(value) and minimum <= value <= MAX_EVALUATED, "integer"
        )

    def number(self, fields: Fields, name: str, *, minimum: float, maximum: float) -> Evaluate | None:
        if name not in fields:
            return None
        if not is_expression(fields.given[name]):
            value = fields.number(name, 0, minimum=minimum, maximum=maximum)
            return lambda scope: value
        return self._typed(fields, name, lambda value: is_number(value) and minimum <= value <= maximum, "number")

    def text(self, fields: Fields, name: str) -> Evaluate | None:
        if name not in fields:
            return None
        fields.text(name)
        return self._typed(fields, name, lambda value: isinstance(value, str), "string")

    def boolean(self, fields: Fields, name: str, location: str) -> Evaluate:
        if not is_expression(fields.given.get(name)) and not isinstance(fields.any(name), bool):
            raise fields.error(name, "must be true, false or an expression between {% and %}")
        return self._typed(fields, name, lambda value: isinstance(value, bool), "boolean", location)

    def items(self, fields: Fields) -> Evaluate:
        if "Items" in fields:
            return self._typed(fields, "Items", lambda value: isinstance(value, list), "array")

        def evaluate(scope: Scope) -> Any:
            if not isinstance(scope.input, list):
                raise QueryFailure.at("", f"Map state input must be an array but was: {dumps(scope.input)}")
            return scope.input

        return evaluate

    def _typed(
        self, fields: Fields, name: str, accepts: Callable[[Any], bool], type_: str, location: str | None = None
    ) -> Evaluate:
        evaluate = self.template(fields, name)
        text = str(fields.given[name])
        shown = text[2:-2].strip() if is_expression(text) else text
        return lambda scope: _checked(evaluate(scope), accepts, type_, location or name, shown)

    def _optional(self, fields: Fields, name: str, *accessible: str) -> Evaluate | None:
        return self.template(fields, name, *accessible) if name in fields else None


def is_expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}") and len(value) >= 4


def _expressions(value: Any) -> int:
    """Return how many expressions there are in any JSON."""
    if isinstance(value, (list, Mapping)):
        return sum(map(_expressions, value.values() if isinstance(value, Mapping) else value))
    return int(is_expression(value))


def _compiled(value: Any, location: str, accessible: Sequence[str]) -> Evaluate:
    """Compile any JSON; the texts between {% and %} in it are replaced by what they give."""
    if is_expression(value):
        return compile_expression(value[2:-2].strip(), location, accessible)
    if isinstance(value, str) and (value.startswith("{%") or value.endswith("%}")):
        raise DefinitionError(f"{value!r} at {location} is not an expression: begin it with {{% and end it with %}}")
    if isinstance(value, list):
        items = [_compiled(item, f"{location}[{place}]", accessible) for place, item in enumerate(value)]
        return lambda scope: [item(scope) for item in items]
    if isinstance(value, Mapping):
        fields = [(name, _compiled(item, f"{location}/{name}", accessible)) for name, item in value.items()]
        return lambda scope: {name: evaluate(scope) for name, evaluate in fields}
    return lambda scope: value


def _checked(value: Any, accepts: Callable[[Any], bool], type_: str, location: str, text: str) -> Any:
    if accepts(value):
        return value
    raise QueryFailure.at(
        location,
        f"The JSONata expression '{text}' specified for the field '{location}' returned an unexpected result type. "
        f"Expected '{type_}', but was '{json_type(value)}' for value: {dumps(value)}",
    )
