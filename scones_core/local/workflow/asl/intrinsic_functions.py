"""The Intrinsic Functions themselves: https://states-language.net/spec.html#appendix-b

Each raises ValueError with one sentence where Step Functions reports States.IntrinsicFailure.
"""

import base64
import binascii
import hashlib
import json
import math
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

from scones_core.local.workflow.asl.jsontext import dumps, is_number

MAX_CHARACTERS = 10_000  # of what is hashed, encoded or decoded
MAX_RANGE = 1_000
MAX_INTEGER = 2**63 - 1
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_PLACE = re.compile(r"\\([{}])|\{\}")


def format_(template: Any, *values: Any) -> str:
    places = len([found for found in _PLACE.finditer(_text(template)) if not found[1]])
    if places != len(values):
        raise ValueError(f"the template has {places} places for {len(values)} arguments")
    left = iter(values)
    return _PLACE.sub(lambda found: found[1] or shown(next(left)), template)


def shown(value: Any) -> str:
    """Return the text that States.Format puts in a place; objects and arrays look as Java prints them."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={shown(item)}" for name, item in value.items()) + "}"
    return dumps(value)


def string_to_json(text: Any) -> Any:
    if text is None or not _text(text).strip():
        return None
    try:
        return json.loads(text, parse_constant=_text_of_no_number)
    except ValueError:
        raise ValueError("the text is not JSON") from None


def _text_of_no_number(name: str) -> None:
    raise ValueError(name)


def array_partition(array: Any, size: Any) -> list[Any]:
    items, step = _array(array), _integer(size)
    if step <= 0:
        raise ValueError("the chunk size must be a positive integer")
    return [items[start : start + step] for start in range(0, len(items), step)]


def array_contains(array: Any, value: Any) -> bool:
    return any(same(item, value) for item in _array(array))


def array_range(first: Any, last: Any, step: Any) -> list[int]:
    start, end, increment = _integer(first), _integer(last), _integer(step)
    if increment == 0:
        raise ValueError("the increment must not be zero")
    found = range(start, end + (1 if increment > 0 else -1), increment)
    if abs(end - start) // abs(increment) >= MAX_RANGE and found:
        raise ValueError(f"the array would have more than {MAX_RANGE} elements")
    return list(found)


def array_get_item(array: Any, index: Any) -> Any:
    items, place = _array(array), _integer(index)
    if not 0 <= place < len(items):
        raise ValueError(f"the array has no element {place}")
    return items[place]


def array_unique(array: Any) -> list[Any]:
    unique: dict[Any, Any] = {}
    for item in _array(array):
        unique.setdefault(_key(item), item)
    return list(unique.values())


def _key(value: Any) -> Any:
    """Return something hashable that is equal for values that are the same."""
    if isinstance(value, list):
        return (list, *map(_key, value))
    if isinstance(value, dict):
        return (dict, frozenset((name, _key(item)) for name, item in value.items()))
    return isinstance(value, bool), value


def same(one: Any, other: Any) -> bool:
    """JSON equality; Python holds true equal to 1."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def base64_encode(text: Any) -> str:
    return base64.b64encode(_short(text).encode()).decode("ascii")


def base64_decode(text: Any) -> str:
    try:
        return base64.b64decode(_short(text), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError("the text is not the base64 encoding of a text") from None


def hash_(data: Any, algorithm: Any) -> str:
    if algorithm not in _HASHES:
        raise ValueError(f"the algorithm must be one of {', '.join(_HASHES)}")
    text = _short(data if isinstance(data, str) else dumps(data))
    return hashlib.new(_HASHES[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def json_merge(one: Any, other: Any, deep: Any) -> dict[str, Any]:
    if not isinstance(one, dict) or not isinstance(other, dict):
        raise ValueError("the first two arguments must be JSON objects")
    if deep is not False:
        raise ValueError("the third argument must be false: Step Functions merges shallowly only")
    return one | other


def math_random(start: Any, end: Any, seed: Any = None) -> int:
    low, high = _integer(start), _integer(end)
    if low >= high:
        raise ValueError("the start must be less than the end")
    return random.Random(None if seed is None else _integer(seed)).randrange(low, high)


def math_add(one: Any, other: Any) -> int:
    return _integer(one) + _integer(other)


def string_split(text: Any, separators: Any) -> list[str]:
    """Every character of `separators` separates; empty parts are left out, as AWS does."""
    if not _text(separators):
        return [part for part in [_text(text)] if part]
    parts = _text(text).translate(dict.fromkeys(map(ord, separators), separators[0])).split(separators[0])
    return [part for part in parts if part]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("the argument must be a text")
    return value


def _short(value: Any) -> str:
    if len(_text(value)) > MAX_CHARACTERS:
        raise ValueError(f"the text has more than {MAX_CHARACTERS} characters")
    return str(value)


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("the argument must be an array")
    return value


def _integer(value: Any) -> int:
    """Step Functions rounds what is not an integer, halves up as Java does."""
    if not is_number(value) or not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise ValueError("the argument must be a number of at most 64 bits")
    return value if isinstance(value, int) else math.floor(value + 0.5)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "States.Format": format_,
    "States.StringToJson": string_to_json,
    "States.JsonToString": dumps,
    "States.Array": lambda *values: list(values),
    "States.ArrayPartition": array_partition,
    "States.ArrayContains": array_contains,
    "States.ArrayRange": array_range,
    "States.ArrayGetItem": array_get_item,
    "States.ArrayLength": lambda array: len(_array(array)),
    "States.ArrayUnique": array_unique,
    "States.Base64Encode": base64_encode,
    "States.Base64Decode": base64_decode,
    "States.Hash": hash_,
    "States.JsonMerge": json_merge,
    "States.MathRandom": math_random,
    "States.MathAdd": math_add,
    "States.StringSplit": string_split,
    "States.UUID": lambda: str(uuid.uuid4()),
}

_MANY = 1_000
ARITY: dict[str, tuple[int, int]] = {
    "States.Format": (1, _MANY),
    "States.StringToJson": (1, 1),
    "States.JsonToString": (1, 1),
    "States.Array": (0, _MANY),
    "States.ArrayPartition": (2, 2),
    "States.ArrayContains": (2, 2),
    "States.ArrayRange": (3, 3),
    "States.ArrayGetItem": (2, 2),
    "States.ArrayLength": (1, 1),
    "States.ArrayUnique": (1, 1),
    "States.Base64Encode": (1, 1),
    "States.Base64Decode": (1, 1),
    "States.Hash": (2, 2),
    "States.JsonMerge": (3, 3),
    "States.MathRandom": (2, 3),
    "States.MathAdd": (2, 2),
    "States.StringSplit": (2, 2),
    "States.UUID": (0, 0),
}
