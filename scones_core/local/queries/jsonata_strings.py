"""JSONata's functions of texts and numbers as its reference 2.0.6 has them, where `jsonata-python` differs.

https://docs.jsonata.org/2.0.0/string-functions
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.functions import Functions  # type: ignore[import-untyped]
from jsonata.jexception import JException  # type: ignore[import-untyped]
from jsonata.regex_engine import RegexFlags  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from scones_core.local.queries import jsonata_formats

_DIGITS = Context(prec=15, rounding=ROUND_HALF_UP)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_RADIX = re.compile(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+")
_MOMENT = re.compile(
    r"(\d{4})(?:-([01]\d))?(?:-([0-3]\d))?(?:T([0-2]\d):([0-5]\d):([0-5]\d))?(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?", re.A
)


def number_text(value: float) -> str:
    """Return the number as JavaScript writes it; a fraction has 15 significant digits, a whole number all of them."""
    if isinstance(value, int) and abs(value) < 2**63:
        return str(value)
    if not math.isfinite(value):
        raise JException("D1001", -1, Utils.NULL_VALUE)
    number = Decimal(repr(float(value)))
    if not float(value).is_integer() or abs(value) >= 1e21:
        number = Decimal(repr(float(_DIGITS.plus(Decimal(value)))))
    sign, digits, exponent = number.normalize().as_tuple()
    assert isinstance(exponent, int)
    text, point = "".join(map(str, digits)), len(digits) + exponent  # the point stands behind so many digits
    if number == 0:
        return "0"
    if 0 < point <= 21:
        text = text.ljust(point, "0") if exponent >= 0 else f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        text = "0." + "0" * -point + text
    else:
        text = text[0] + ("." + text[1:] if len(text) > 1 else "") + f"e{point - 1:+d}"
    return "-" * sign + text


def string(value: Any, prettify: Any = None) -> Any:
    if value is None or isinstance(value, str):
        return value
    if is_function(value):
        return ""
    if isinstance(value, float) and not math.isfinite(value):
        raise JException("D3001", -1, value)
    if isinstance(value, Utils.JList) and value.outer_wrapper:  # the input document, where it is an array
        value = value[0]
    return _json(value, "\n" if prettify else "")


def _json(value: Any, line: str) -> str:
    """Return JSON text; `line` begins a line where each item has one of its own."""
    if value is Utils.NULL_VALUE or value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    inner = line + "  " if line else ""
    if isinstance(value, dict):
        colon = ": " if line else ":"
        fields = [f"{_quoted(name)}{colon}{_json(item, inner)}" for name, item in value.items()]
        return "{" + inner + f",{inner}".join(fields) + line + "}" if fields else "{}"
    if isinstance(value, list):
        items = [_json(item, inner) for item in value]
        return "[" + inner + f",{inner}".join(items) + line + "]" if items else "[]"
    return _quoted("" if is_function(value) else value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def number(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        if _NUMBER.fullmatch(value) and math.isfinite(found := float(value)):
            return int(found) if found.is_integer() else found
        if _RADIX.fullmatch(value):
            return int(value, 0)
        raise JException("D3030", -1, value)
    return value


def power(base: Any, exponent: Any) -> Any:
    if base is None:
        return None
    try:
        result = math.pow(base, exponent)
    except (OverflowError, ValueError):
        raise JException("D3061", -1, base, exponent) from None
    return Utils.convert_number(result)


def to_millis(text: Any, picture: Any) -> Any:
    if text is None or picture is not None:
        return jsonata_formats.to_millis(text, picture)
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise JException("D3110", -1, text)
    year, month, day, hour, minute, second = (
        int(part or least) for part, least in zip(found.groups(), (0, 1, 1, 0, 0, 0), strict=False)
    )
    try:
        # As in JavaScript, the 31st of a shorter month is a day of the next one, and 24:00 the end of the day.
        moment = datetime(year, month, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour, minutes=minute)
    except (ValueError, OverflowError):
        raise JException("D3110", -1, text) from None
    milliseconds = int((found[7] or ".0")[1:4].ljust(3, "0"))
    zone = (found[8] or "Z").replace(":", "")
    away = 0 if zone == "Z" else int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[3:5]))
    start = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return start + (second - away * 60) * 1000 + milliseconds


# Regular expressions and other matchers: functions of a text that give {match, start, end, groups, next}.


class Regex(Jsonata.JLambda):  # type: ignore[misc]
    """A regular expression as JSONata has it: \\d, \\w and \\b know ASCII only, and (?<name>…) is a group."""

    def __init__(self, pattern: str, flags: RegexFlags) -> None:
        super().__init__(self.found)
        flag = re.IGNORECASE if flags.case_insensitive else re.ASCII  # which would not ignore the case of ä
        flag |= re.MULTILINE if flags.multiline else 0
        self._pattern = re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", pattern), flag)

    def found(self, given: Any, start: Any = 0) -> Any:
        """Return the first match from `start` on, whose `next` gives the one after it; None without one."""
        text = string(given) or ""
        match = self._pattern.search(text, int(start or 0))
        if match is None:
            return None

        def following() -> Any:
            found = self.found(text, match.end()) if match.end() < len(text) else None
            if found and found["match"] == "":
                raise JException("D1004", -1)
            return found

        return {
            "match": match[0],
            "start": match.start(),
            "end": match.end(),
            "groups": list(match.groups()),
            "next": Jsonata.JLambda(following),
        }


def is_function(value: Any) -> bool:
    return bool(Utils.is_function(value) or Functions.is_lambda(value))


def _matches(matcher: Any, text: str, limit: Any = None) -> Iterator[Mapping[str, Any]]:
    found, count = None if limit == 0 else Functions.func_apply(matcher, [text]), 0
    while found is not None and (limit is None or count < limit):
        if not isinstance(found, dict) or not {"start", "end", "groups", "next"} & set(found):
            raise JException("T1010", -1)
        yield found
        count += 1
        found = Functions.func_apply(found["next"], [])


def contains(text: Any, token: Any) -> Any:
    if text is None:
        return None
    return token in text if isinstance(token, str) else next(_matches(token, text), None) is not None


def match(text: Any, matcher: Any, limit: Any) -> Any:
    if text is None:
        return None
    if limit is not None and limit < 0:
        raise JException("D3040", -1, limit)
    found = (
        {"match": one["match"], "index": one["start"], "groups": one["groups"]}
        for one in _matches(matcher, text, limit)
    )
    return Utils.create_sequence_from_iter(found)


def split(text: Any, separator: Any, limit: Any) -> Any:
    if text is None:
        return None
    if limit is not None and limit < 0:
        raise JException("D3020", -1, limit)
    if isinstance(separator, str):
        parts = text.split(separator) if separator else list(text)
        return parts if limit is None else parts[: math.floor(limit)]
    parts, position = [], 0
    for one in _matches(separator, text, limit):
        parts.append(text[position : one["start"]])
        position = one["end"]
    if limit is None or len(parts) < limit:
        parts.append(text[position:])
    return parts


def replace(text: Any, pattern: Any, replacement: Any, limit: Any) -> Any:
    if text is None:
        return None
    if pattern == "":
        raise JException("D3010", -1, pattern)
    if limit is not None and limit < 0:
        raise JException("D3011", -1, limit)
    if isinstance(pattern, str):
        return _replaced_text(text, pattern, replacement, limit)
    result, position = "", 0
    for one in _matches(pattern, text, limit):
        put = (
            _substituted(replacement, one) if isinstance(replacement, str) else Functions.func_apply(replacement, [one])
        )
        if not isinstance(put, str):
            raise JException("D3012", -1, put)
        result += text[position : one["start"]] + put
        position = one["start"] + len(one["match"])
    return result + text[position:]


def _replaced_text(text: str, pattern: str, replacement: Any, limit: Any) -> str:
    put = replacement if isinstance(replacement, str) else str(string(replacement))
    return text.replace(pattern, put, -1 if limit is None else math.ceil(limit))


def _substituted(replacement: str, one: Mapping[str, Any]) -> str:
    """Return the replacement with $0, $1, … and $$ resolved; of $12, as many digits count as name a group."""
    groups = one["groups"]

    def value(found: "re.Match[str]") -> str:
        sign = found[1]
        if sign in ("$", "0"):
            return "$" if sign == "$" else str(one["match"])
        digits = sign[: len(str(max(1, len(groups))))]
        if len(digits) > 1 and int(digits) > len(groups):
            digits = digits[:-1]
        place = int(digits)
        group = groups[place - 1] if 0 < place <= len(groups) else ""
        return (group if isinstance(group, str) else "") + sign[len(str(place)) :]

    return re.sub(r"\$(\$|0|\d+)", value, replacement)
