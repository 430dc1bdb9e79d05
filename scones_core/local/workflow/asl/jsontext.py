"""JSON as Step Functions writes it, and its size limits."""

import json
import math
from typing import Any

from scones_core.domain.json_text import MAX_DEPTH, is_too_deep

__all__ = [
    "MAX_DEPTH",
    "MAX_PAYLOAD_BYTES",
    "dumps",
    "is_integer",
    "is_number",
    "is_too_deep",
    "is_too_large",
    "size",
    "weight",
]

MAX_PAYLOAD_BYTES = 262_144  # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def dumps(value: Any) -> str:
    """Return compact JSON text; characters outside ASCII stay as they are, as in AWS's histories."""
    return _ENCODER.encode(value)


def is_too_large(text: str) -> bool:
    # The length in characters decides nearly always, and spares the encoding.
    if len(text) * 4 <= MAX_PAYLOAD_BYTES:
        return False
    return len(text) > MAX_PAYLOAD_BYTES or size(text) > MAX_PAYLOAD_BYTES


def size(text: str) -> int:
    """Return the number of bytes as UTF-8; half a surrogate pair, which JSON can hold, counts too."""
    return len(text.encode("utf-8", "surrogatepass"))


def weight(value: Any, most: int) -> int:
    """Return about how many characters a value's JSON text has, without writing it; counts little beyond `most`.

    A part that stands in many places of the value counts in each.
    """
    left, waiting = most, [value]
    while waiting and left >= 0:
        part = waiting.pop()
        if isinstance(part, dict):
            left -= sum(map(len, part)) + 4 * len(part) + 2
            waiting.extend(part.values())
        elif isinstance(part, list):
            left -= len(part) + 2
            waiting.extend(part)
        else:
            left -= len(part) + 2 if isinstance(part, str) else 1
    return most - left


def is_number(value: Any) -> bool:
    return is_integer(value) or (isinstance(value, float) and math.isfinite(value))


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
