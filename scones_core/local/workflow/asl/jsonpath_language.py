"""JSONPath: InputPath, Parameters, ResultSelector, ResultPath, OutputPath, and the …Path form of other fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scones_core.local.workflow.asl.errors import (
    RESULT_PATH_MATCH_FAILURE,
    DefinitionError,
    RuntimeFailure,
    StateFailure,
)
from scones_core.local.workflow.asl.fields import MAX_EVALUATED, MAX_INTEGER, Fields
from scones_core.local.workflow.asl.flow import Evaluate, Settled
from scones_core.local.workflow.asl.jsontext import dumps, is_integer, is_number
from scones_core.local.workflow.asl.paths import Path, PathError, ReferencePath, compile_path, reference_path
from scones_core.local.workflow.asl.scope import Scope
from scones_core.local.workflow.asl.template import compile_expression, compile_template, read
from scones_core.local.workflow.asl.variables import checked_names


@dataclass(frozen=True)
class JsonPathFlow:
    """None stands for a null path, which discards, and for a template that is not given."""

    input_path: Path | None
    parameters: Evaluate | None
    result_selector: Evaluate | None
    result_path: ReferencePath | None
    output_path: Path | None
    assign: Evaluate | None

    def effective(self, scope: Scope) -> Scope:
        return scope.about(selected(self.input_path, scope))

    def arguments(self, scope: Scope) -> Any:
        return self.parameters(scope) if self.parameters else scope.data

    def settle(self, scope: Scope) -> Settled:
        return Settled(selected(self.output_path, scope), self._assigned(scope))

    def settle_result(self, scope: Scope, result: Any) -> Settled:
        about_result = scope.about(result)
        assigned = self._assigned(about_result)
        chosen = self.result_selector(about_result) if self.result_selector else result
        placed_ = placed(self.result_path, scope.input, chosen)
        return Settled(selected(self.output_path, scope.about(placed_)), assigned)

    def settle_error(self, scope: Scope, error_output: Any) -> Settled:
        return Settled(placed(self.result_path, scope.input, error_output), self._assigned(scope.about(error_output)))

    def _assigned(self, scope: Scope) -> Mapping[str, Any]:
        return self.assign(scope) if self.assign else {}


def placed(path: ReferencePath | None, raw: Any, result: Any) -> Any:
    """Return the raw input with the result at `path`; a null path discards the result."""
    if path is None:
        return raw
    try:
        return path.write(raw, result)
    except PathError as error:
        cause = f'Unable to apply step "{error}" to input {dumps(raw)}'
        raise StateFailure(RESULT_PATH_MATCH_FAILURE, cause) from None


def selected(path: Path | None, scope: Scope) -> Any:
    if path is None:
        return {}
    if scope.data is None and path.root == "$" and path.steps != ():
        raise RuntimeFailure.because("Unable to apply Path transformation to null or empty input.")
    try:
        return path.read(scope)
    except PathError as error:
        raise RuntimeFailure.because(f"Invalid path '{path.text}' : {error}") from None


class JsonPath:
    name = "JSONPath"
    arguments_field = "Parameters"

    def flow(self, fields: Fields, *allowed: str) -> JsonPathFlow:
        return JsonPathFlow(
            self._path(fields, "InputPath"),
            self._template(fields, "Parameters") if "Parameters" in allowed else None,
            self._template(fields, "ResultSelector") if "ResultSelector" in allowed else None,
            self._reference_path(fields) if "ResultPath" in allowed else reference_path("$"),
            self._path(fields, "OutputPath"),
            self.assign(fields),
        )

    def catcher_flow(self, fields: Fields) -> JsonPathFlow:
        root = compile_path("$")
        return JsonPathFlow(root, None, None, self._reference_path(fields), root, self.assign(fields))

    def rule_flow(self, fields: Fields, state: JsonPathFlow) -> JsonPathFlow:
        """Return the flow of a Choice Rule: the state's paths with the rule's own variables."""
        return JsonPathFlow(state.input_path, None, None, None, state.output_path, self.assign(fields))

    def assign(self, fields: Fields) -> Evaluate | None:
        if "Assign" not in fields:
            return None
        names = [name.removesuffix(".$") for name in fields.object("Assign").given]
        checked_names(fields, names)
        return self.template(fields, "Assign")

    def template(self, fields: Fields, name: str) -> Evaluate:
        compiled: Evaluate = self._compiled(fields, name, compile_template)
        return compiled

    def path(self, fields: Fields, name: str) -> Path:
        compiled: Path = self._compiled(fields, name, compile_path)
        return compiled

    def integer(self, fields: Fields, name: str, *, minimum: int = 0, maximum: int = MAX_INTEGER) -> Evaluate | None:
        fields.only_one(name, name + "Path")
        if name + "Path" not in fields:
            value = fields.integer(name, minimum=minimum, maximum=maximum)
            return None if value is None else lambda scope: value
        path = self.path(fields, name + "Path")
        return lambda scope: _integer(name, path, scope, minimum)

    def number(self, fields: Fields, name: str, *, minimum: float, maximum: float) -> Evaluate | None:
        fields.only_one(name, name + "Path")
        if name in fields:
            value = fields.number(name, 0, minimum=minimum, maximum=maximum)
            return lambda scope: value
        if name + "Path" not in fields:
            return None
        path = self.path(fields, name + "Path")
        return lambda scope: _number(name, path, scope, minimum, maximum)

    def text(self, fields: Fields, name: str) -> Evaluate | None:
        fields.only_one(name, name + "Path")
        if name in fields:
            value = fields.text(name)
            return lambda scope: value
        if name + "Path" not in fields:
            return None
        evaluate = self._compiled(fields, name + "Path", lambda text: compile_expression(text, name + "Path"))
        return lambda scope: _text(name + "Path", evaluate(scope))

    def items(self, fields: Fields) -> Evaluate:
        path = self.path(fields, "ItemsPath") if "ItemsPath" in fields else compile_path("$")

        def evaluate(scope: Scope) -> Any:
            found = read(path, "ItemsPath", scope)
            if not isinstance(found, list):
                cause = f'Reference path "{path.text}" must point to array.'
                raise RuntimeFailure.because(cause)
            return found

        return evaluate

    def _path(self, fields: Fields, name: str) -> Path | None:
        if name not in fields:
            return compile_path("$")
        return None if fields.any(name) is None else self.path(fields, name)

    def _reference_path(self, fields: Fields) -> ReferencePath | None:
        if "ResultPath" not in fields:
            return reference_path("$")
        return None if fields.any("ResultPath") is None else self._compiled(fields, "ResultPath", reference_path)

    def _template(self, fields: Fields, name: str) -> Evaluate | None:
        return self.template(fields, name) if name in fields else None

    def _compiled(self, fields: Fields, name: str, compile_: Any) -> Any:
        try:
            return compile_(fields.any(name))
        except DefinitionError as error:
            raise fields.error(name, f"is wrong: {error}") from None


def _field_value(name: str, path: Path, scope: Scope) -> Any:
    """Return what a …Path field refers to; AWS takes a text of digits for a number."""
    value = selected(path, scope)
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _integer(name: str, path: Path, scope: Scope, minimum: int) -> int:
    value = _field_value(name, path, scope)
    if not is_integer(value) and not (isinstance(value, float) and value.is_integer()):
        shown = value if isinstance(value, str) else dumps(value)
        cause = f'The {name}Path field refers to value "{shown}" which is not a valid integer: {path.text}'
        raise RuntimeFailure.because(cause)
    if value < minimum:
        raise RuntimeFailure.because(f"{name} cannot be {'negative' if minimum == 0 else f'less than {minimum}'}.")
    if value > MAX_EVALUATED:
        raise RuntimeFailure.because(f"{name} cannot be greater than {MAX_EVALUATED}.")
    return int(value)


def _number(name: str, path: Path, scope: Scope, minimum: float, maximum: float) -> float:
    value = _field_value(name, path, scope)
    if not is_number(value):
        shown = value if isinstance(value, str) else dumps(value)
        cause = f'The {name}Path field refers to value "{shown}" which is not a valid float: {path.text}'
        raise RuntimeFailure.because(cause)
    if not minimum <= value <= maximum:
        raise RuntimeFailure.because(f"{name} must be between {minimum:g} and {maximum:g}.")
    return float(value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise RuntimeFailure.because(f"The {name} field must refer to a text, but it refers to {dumps(value)}.")
    return value
