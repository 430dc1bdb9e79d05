"""JSONata by the library `jsonata-python`, with the functions that Step Functions adds.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

import hashlib
import json
import math
import random
import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NoReturn

import jsonata  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

MAX_DEPTH = 400  # calls within each other, which the library counts; deeper ones end Python
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class Undefined(Exception):
    """The expression gives nothing, which is not null."""


@lru_cache(maxsize=512)
def compiled(text: str) -> jsonata.Jsonata:
    """Raises ValueError on what is not JSONata."""
    try:
        expression = jsonata.Jsonata(text)
    except Exception as error:  # the library raises its own and, on some texts, Python's
        raise ValueError(f"{error}") from None
    expression.set_output_convert_nulls(False)  # to tell null from nothing
    for name, function in FUNCTIONS.items():
        expression.register_lambda(name, function)
    return expression


def value_of(text: str, bindings: Mapping[str, Any]) -> Any:
    """Evaluate an expression with variables; the value is plain JSON. Raises Undefined, or ValueError with a reason."""
    expression = compiled(text)
    # The library asks the expression that its thread holds for the time, and counts depth from when bounds are set,
    # also across evaluations that failed.
    jsonata.Jsonata.CURRENT.jsonata = expression
    expression.environment.set_runtime_bounds(None, MAX_DEPTH)
    try:
        value = expression.evaluate(None, {name: bound(value) for name, value in bindings.items()})
    except MemoryError:
        raise
    except Exception as error:  # the library raises its own and, where it has a gap, Python's
        code = getattr(error, "error", None)
        raise ValueError(f"{code}: {error}" if code else f"{error}") from None
    if value is None:
        raise Undefined
    return plain(value)


def bound(value: Any) -> Any:
    """Return JSON data as the library takes it: its None is nothing, and null is a value of its own."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {name: bound(item) for name, item in value.items()}
    return [bound(item) for item in value] if isinstance(value, (list, tuple)) else value


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


def _partition(array: Any, size: Any) -> list[Any]:
    if size < 1:
        raise ValueError("the chunk size must be a positive integer")
    return [list(array[start : start + int(size)]) for start in range(0, len(array), int(size))]


def _parse(text: str) -> Any:
    return bound(json.loads(text, parse_constant=_no_number))


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "partition": _partition,
    "range": _range,
    "hash": _hash,
    "random": lambda seed=None: random.Random(seed).random(),
    "uuid": lambda: str(uuid.uuid4()),
    "parse": _parse,
}
