"""JSON as Step Functions writes it, and its size limits."""

import json
import math
from typing import Any

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


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
