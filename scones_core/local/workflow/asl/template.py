"""Payload Templates: https://states-language.net/spec.html#payload-template

A field whose name ends in ".$" takes its value from a Path or an Intrinsic Function; every other is copied.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from scones_core.local.workflow.asl.errors import DefinitionError, RuntimeFailure, TooLarge
from scones_core.local.workflow.asl.intrinsics import compile_intrinsic
from scones_core.local.workflow.asl.jsontext import dumps, weight
from scones_core.local.workflow.asl.paths import Path, PathError, compile_path
from scones_core.local.workflow.asl.scope import Scope

Evaluate = Callable[[Scope], Any]

MAX_CHARACTERS = 4_000_000
_MANY = 16  # expressions, each of which may give all of the state's input


def compile_template(template: Any) -> Evaluate:
    """Return a function of the scope that gives the filled template. Raises DefinitionError on a bad path."""
    return bounded(_compiled(template), sum(1 for _ in _expressions(template)))


def bounded(evaluate: Evaluate, expressions: int) -> Evaluate:
    """Refuse a value that many expressions make larger than what is worth writing as text."""
    if expressions <= _MANY:
        return evaluate

    def checked(scope: Scope) -> Any:
        value = evaluate(scope)
        if weight(value, MAX_CHARACTERS) > MAX_CHARACTERS:
            raise TooLarge("The fields of the state give a value that exceeds the maximum number of bytes.")
        return value

    return checked


def _expressions(template: Any) -> Iterator[str]:
    if isinstance(template, Mapping):
        yield from (text for name, text in template.items() if name.endswith(".$"))
    inner = template.values() if isinstance(template, Mapping) else template if isinstance(template, list) else ()
    for item in inner:
        yield from _expressions(item)


def _compiled(template: Any) -> Evaluate:
    if isinstance(template, Mapping):
        return _object(template)
    if isinstance(template, list):
        items = [_compiled(item) for item in template]
        return lambda scope: [item(scope) for item in items]
    return lambda scope: template


def _object(template: Mapping[str, Any]) -> Evaluate:
    fields = [_field(name, value) for name, value in template.items()]
    names = [name for name, _ in fields]
    for name in names:
        if names.count(name) > 1:
            raise DefinitionError(f"the template has {name!r} twice, once with and once without '.$'")
    return lambda scope: {name: evaluate(scope) for name, evaluate in fields}


def _field(name: str, value: Any) -> tuple[str, Evaluate]:
    if not name.endswith(".$"):
        return name, _compiled(value)
    return name.removesuffix(".$"), compile_expression(value, name)


def compile_expression(text: str, field: str) -> Evaluate:
    """Compile what a ".$" field holds: a Path or an Intrinsic Function. Raises DefinitionError."""
    if not isinstance(text, str):
        raise DefinitionError(f"the value of {field!r} must be a path or an intrinsic function")
    if not text.startswith("$"):
        return compile_intrinsic(text)
    path = compile_path(text)
    return lambda scope: read(path, field, scope)


def read(path: Path, field: str, scope: Scope) -> Any:
    """Return what the path selects. Raises RuntimeFailure as AWS words it; the specification's own name for it,
    States.ParameterPathFailure, is not what AWS reports."""
    try:
        return path.read(scope)
    except PathError:
        cause = f"The JSONPath '{path.text}' specified for the field '{field}' could not be found in the input "
        raise RuntimeFailure.because(cause + f"'{dumps(scope.data)}'") from None
