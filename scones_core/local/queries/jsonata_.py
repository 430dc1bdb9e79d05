"""JSONata as Step Functions evaluates it, with the functions that it adds.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

import hashlib
import json
import math
import random
import uuid
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn

from jsonata.jexception import JException  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from scones_core.local.queries.jsonata_reference import Expression, natives
from scones_core.local.queries.jsonata_strings import is_function
from scones_core.local.queries.limits import NoValue

_HASHES = {"SHA-1": "sha1", "SHA-384": "sha384", "SHA-256": "sha256", "SHA-512": "sha512", "MD5": "md5"}
_OUT_OF_RANGE = "D1001: Number out of range: null"
_TOO_DEEP = "Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive."


@lru_cache(maxsize=512)
def compiled(text: str) -> Expression:
    """Raises ValueError on what is not JSONata."""
    try:
        return Expression(text, FUNCTIONS)
    except Exception as error:  # the library raises its own and, on some texts, Python's
        raise ValueError(_reason(error)) from None


def value_of(text: str, bindings: Mapping[str, Any]) -> Any:
    """Evaluate an expression with variables; the value is plain JSON. Raises NoValue, or ValueError with a reason."""
    expression = compiled(text)
    Expression.CURRENT.jsonata = expression  # the library asks the expression that its thread holds for the time
    try:
        value = expression.evaluate(None, {name: bound(value) for name, value in bindings.items()})
    except MemoryError:
        raise
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except ArithmeticError:
        raise ValueError(_OUT_OF_RANGE) from None
    except Exception as error:  # the library raises its own and, where it has a gap, Python's
        raise ValueError(_reason(error)) from None
    if value is None:
        raise NoValue("returned nothing (undefined).")
    if is_function(value):
        raise NoValue("returned an unsupported result type.")
    return plain(value)


def _reason(error: Exception) -> str:
    code = getattr(error, "error", None)
    return _TOO_DEEP if code == "D1011" else f"{code}: {error}" if code else f"{error}"


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
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return _finite(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else _finite(value)
    return value if isinstance(value, (str, int, bool)) else ""


def _finite(value: float) -> float:
    try:
        found = float(value)
    except OverflowError:  # of an integer
        found = math.inf
    if not math.isfinite(found):
        raise ValueError(_OUT_OF_RANGE)
    return found


# The functions of Step Functions. They round towards zero; what is missing gives nothing.


def _parse(text: Any) -> Any:
    if text is None:
        return None
    try:
        found = json.loads(
            text, parse_constant=_invalid, parse_float=_number, parse_int=_number, object_pairs_hook=_without_repetition
        )
    except ValueError:
        raise JException("D3137", -1, "Invalid JSON") from None
    return bound(found)


def _invalid(name: str) -> NoReturn:
    raise ValueError(name)


def _number(text: str) -> int | float:
    """Return an integer of 64 bits as it is, any other number as a floating-point number."""
    if text.lstrip("-").isdigit() and -(2**63) <= int(text) < 2**63:
        return int(text)
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return int(number) if number.is_integer() and abs(number) < 2**63 else number


def _without_repetition(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if len(fields := dict(pairs)) < len(pairs):
        raise ValueError("a name that is given twice")
    return fields


def _partition(array: Any, size: Any) -> Any:
    if array is not None and not isinstance(array, list):
        raise ValueError('T0412: Argument 1 of function "partition" must be an array of undefined')
    if size is not None and int(size) < 0:
        raise JException("D3137", -1, "Second argument must be zero or greater")
    step = len(array or ()) if size is None else int(size)
    if not array or not step:
        return None
    return [array[start : start + step] for start in range(0, len(array), step)]


def _range(first: Any, last: Any, step: Any) -> Any:
    for place, bound_ in enumerate((first, last), 1):
        if bound_ is None:
            raise JException("T0410", -1, place, "range")
    if step is None or not int(step):
        return None
    found = range(int(first), int(last) + (1 if step > 0 else -1), int(step))
    return Utils.create_sequence_from_iter(found) if found else None


def _hash(data: Any, algorithm: Any) -> Any:
    if data is None:
        raise JException("T0410", -1, 1, "hash")
    if algorithm is None:
        return None
    if algorithm not in _HASHES:
        raise JException("D3137", -1, f"Hash algorithm '{algorithm}' must be one of {', '.join(_HASHES)}")
    return hashlib.new(_HASHES[algorithm], data.encode(), usedforsecurity=False).hexdigest()


def _random(seed: Any) -> float:
    """A number of [0, 1); a seed gives the one that Java's java.util.Random begins with."""
    if seed is None:
        return random.random()
    state = (int(seed) ^ 0x5DEECE66D) & (2**48 - 1)
    bits = []
    for count in (26, 27):
        state = (state * 0x5DEECE66D + 0xB) & (2**48 - 1)
        bits.append(state >> (48 - count))
    return ((bits[0] << 27) + bits[1]) / 2.0**53


FUNCTIONS = natives(
    {
        "parse": ("<s?:x>", _parse),
        "partition": ("<x?n?:a>", _partition),
        "range": ("<nnn?:x>", _range),
        "hash": ("<ss?:s>", _hash),
        "random": ("<n?:n>", _random),
        "uuid": ("<:s>", lambda: str(uuid.uuid4())),
    }
)
