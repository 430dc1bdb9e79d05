"""JSON from outside, sanitized for display.

Source: RFC 8259, sections 6 (numbers) and 8.2 (half of a surrogate pair is allowed in a text, but is no character).
"""

import json
from typing import Any

MAX_DEPTH = 200  # of objects and arrays within each other; a reader's stack holds little more


def value_of(text: Any) -> Any:
    """The value of JSON text; other or too deeply nested text unchanged.

    Numbers that JSON does not have (NaN, Infinity) become text, and half a surrogate pair becomes U+FFFD.
    """
    if not isinstance(text, str):
        return text
    try:
        value = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text
    return text if is_too_deep(value, text) else whole(value, text)


def whole(value: Any, text: str) -> Any:
    """The value with no half surrogate pairs in its texts.  text : the JSON from which it was read"""
    return _whole(value) if "\\ud" in text or "\\uD" in text else value


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return {_whole(key): _whole(item) for key, item in value.items()} if isinstance(value, dict) else value


def is_too_deep(value: Any, text: str) -> bool:
    """Tell whether objects and arrays lie too deep within each other for every program to read `text`, the value's."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = [list(part.values()) if isinstance(part, dict) else part for part in level]
        level = [item for part in inner for item in part if isinstance(item, (dict, list))]
        if not level:
            return False
    return True
