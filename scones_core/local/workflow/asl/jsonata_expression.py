"""One JSONata expression, with the functions that Step Functions adds and the restrictions it sets.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

import hashlib
import json
import math
import random
import uuid
from collections.abc import Callable, Collection
from typing import Any

import jsonata  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from scones_core.local.workflow.asl.errors import DefinitionError, QueryFailure
from scones_core.local.workflow.asl.intrinsic_functions import array_partition
from scones_core.local.workflow.asl.jsonata_syntax import references_to_input, states_fields
from scones_core.local.workflow.asl.scope import Scope

Evaluate = Callable[[Scope], Any]

# All executions share one thread: an expression that never ends must not hold it.
_MAX_MILLISECONDS = 2_000
_MAX_DEPTH = 400
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def compile_expression(text: str, location: str, accessible: Collection[str] = ()) -> Evaluate:
    """Return a function of the scope that gives the value. Raises DefinitionError on bad syntax.

    accessible : which of `$states.result` and `$states.errorOutput` the field may refer to
    """
    expression = parsed(text, accessible)

    def evaluate(scope: Scope) -> Any:
        value = _evaluated(expression, scope, text, location)
        if value is None:
            cause = (
                f"The JSONata expression '{text}' specified for the field '{location}' returned nothing (undefined)."
            )
            raise QueryFailure.at(location, cause)
        return plain(value)

    return evaluate


def parsed(text: str, accessible: Collection[str]) -> jsonata.Jsonata:
    try:
        expression = jsonata.Jsonata(text)
    except Exception as error:  # the library raises its own and, on some texts, Python's
        raise DefinitionError(f"{text!r} is not JSONata: {error}") from None
    for name in references_to_input(expression.ast, nested=False):
        raise DefinitionError(
            f"{text!r} refers to {name}, which Step Functions does not provide: use $states or a variable"
        )
    for name in {"result", "errorOutput"} & set(states_fields(expression.ast)) - set(accessible):
        raise DefinitionError(f"{text!r} refers to $states.{name}, which this field has no access to")
    expression.set_output_convert_nulls(False)  # to tell null from nothing
    for name, function in FUNCTIONS.items():
        expression.register_lambda(name, function)
    return expression


def _evaluated(expression: jsonata.Jsonata, scope: Scope, text: str, location: str) -> Any:
    states = {"input": scope.input, "context": scope.context, **scope.states}
    bindings = {**scope.variables, "states": states}
    # The library asks the expression that its thread holds for the time, and counts time and depth from when bounds are
    # set, also across evaluations that failed.
    jsonata.Jsonata.CURRENT.jsonata = expression
    expression.environment.set_runtime_bounds(_MAX_MILLISECONDS, _MAX_DEPTH)
    try:
        return expression.evaluate(None, bindings)
    except Exception as error:  # the library raises its own and, where it has a gap, Python's
        code = getattr(error, "error", None)
        reason = f"{code}: {error}" if code else f"{error}"
        cause = (
            f"The JSONata expression '{text}' specified for the field '{location}' threw an error during evaluation. "
        )
        raise QueryFailure.at(location, cause + reason) from None


def plain(value: Any) -> Any:
    """Return the value as JSON data: the library's null and sequences replaced, functions as empty text."""
    if value is Utils.NULL_VALUE or value is None:
        return None
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else _finite(value)
    return value if isinstance(value, (str, int, bool)) else ""


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("the number is not finite")
    return value


def _hash(data: Any, algorithm: Any) -> str:
    if algorithm not in _HASHES:
        raise ValueError(f"$hash knows the algorithms {', '.join(_HASHES)}")
    return hashlib.new(_HASHES[algorithm], str(data).encode(), usedforsecurity=False).hexdigest()


def _range(first: Any, last: Any, step: Any) -> list[Any]:
    if not step:
        raise ValueError("$range needs a step other than zero")
    count = max(0, math.floor((last - first) / step) + 1)
    return [first + place * step for place in range(count)]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "partition": lambda array, size: array_partition(list(array), size),
    "range": _range,
    "hash": _hash,
    "random": lambda seed=None: random.Random(seed).random(),
    "uuid": lambda: str(uuid.uuid4()),
    "parse": json.loads,
}
