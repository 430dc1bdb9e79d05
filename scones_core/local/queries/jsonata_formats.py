"""JSONata's pictures of numbers and dates, and its functions of URLs, as its reference 2.0.6 has them.

https://docs.jsonata.org/2.0.0/numeric-functions#formatnumber
"""

import math
import re
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import reduce, wraps
from typing import Any

from jsonata.constants import Constants  # type: ignore[import-untyped]
from jsonata.datetimeutils import DateTimeUtils  # type: ignore[import-untyped]
from jsonata.functions import Functions  # type: ignore[import-untyped]
from jsonata.jexception import JException  # type: ignore[import-untyped]

_SYMBOLS = {
    "decimal-separator": ".",
    "grouping-separator": ",",
    "exponent-separator": "e",
    "minus-sign": "-",
    "percent": "%",
    "per-mille": "‰",
    "zero-digit": "0",
    "digit": "#",
    "pattern-separator": ";",
}
_CODES = {
    Constants.ERR_MSG_SEQUENCE_UNSUPPORTED: "D3130",
    Constants.ERR_MSG_DIFF_DECIMAL_GROUP: "D3131",
    Constants.ERR_MSG_INVALID_NAME_MODIFIER: "D3133",
    Constants.ERR_MSG_TIMEZONE_FORMAT: "D3134",
    Constants.ERR_MSG_NO_CLOSING_BRACKET: "D3135",
    Constants.ERR_MSG_MISSING_FORMAT: "D3136",
}


class Symbols:
    """The characters of a picture, some of them of the caller's choice."""

    def __init__(self, options: Mapping[str, str]) -> None:
        given = _SYMBOLS | dict(options)
        self.point, self.comma = given["decimal-separator"], given["grouping-separator"]
        self.exponent, self.minus = given["exponent-separator"], given["minus-sign"]
        self.percent, self.per_mille = given["percent"], given["per-mille"]
        self.pattern, self.optional = given["pattern-separator"], given["digit"]
        self.digits = [chr(ord(given["zero-digit"][0]) + place) for place in range(10)]

    def counted(self, part: str, *, optional: bool = False) -> int:
        """Return how many digits a part asks for; with `optional`, also those that it merely allows."""
        return sum(one in self.digits or (optional and one == self.optional) for one in part)

    def is_active(self, one: str) -> bool:
        return one in (*self.digits, self.point, self.comma, self.optional, self.pattern)

    def shown(self, number: Decimal, places: int) -> str:
        return "".join(self.digits[int(one)] if one.isdigit() else one for one in f"{abs(number):.{places}f}")


@dataclass(frozen=True)
class SubPicture:
    """A picture of positive or of negative numbers: `whole` and `fraction` are the parts around the point."""

    text: str
    prefix: str
    suffix: str
    active: str
    mantissa: str
    exponent: str | None
    whole: str
    fraction: str

    @classmethod
    def of(cls, text: str, symbols: Symbols) -> "SubPicture":
        places = [place for place, one in enumerate(text) if symbols.is_active(one)]
        if not places:
            raise JException("D3085", -1)
        first, last = places[0], places[-1]
        active = mantissa = text[first : last + 1]
        exponent = None
        found = text.find(symbols.exponent, first)
        if -1 < found <= last + 1:
            mantissa, exponent = active[:found], active[found + 1 :]
        whole, _, fraction = mantissa.partition(symbols.point)
        return cls(text, text[:first], text[last + 1 :], active, mantissa, exponent, whole, fraction)

    def check(self, symbols: Symbols) -> None:
        """Raise the last error that the picture has: https://www.w3.org/TR/xpath-functions-31/#syntax-of-picture-string"""
        at = self.text.find(symbols.point)
        around = (self.text[max(0, at - 1) : at], self.text[at + 1 : at + 2]) if at >= 0 else ()
        per = symbols.percent in self.text or symbols.per_mille in self.text
        faults = {
            "D3081": self.text.count(symbols.point) > 1,
            "D3082": self.text.count(symbols.percent) > 1,
            "D3083": self.text.count(symbols.per_mille) > 1,
            "D3084": symbols.percent in self.text and symbols.per_mille in self.text,
            "D3085": not symbols.counted(self.mantissa, optional=True),
            "D3086": any(not symbols.is_active(one) and one != symbols.exponent for one in self.active),
            "D3087": symbols.comma in around,
            "D3088": at < 0 and self.whole.endswith(symbols.comma),
            "D3089": symbols.comma * 2 in self.text,
            "D3090": symbols.optional in self.whole
            and symbols.counted(self.whole[: self.whole.index(symbols.optional)]) > 0,
            "D3091": symbols.optional in self.fraction
            and symbols.counted(self.fraction[self.fraction.rindex(symbols.optional) :]) > 0,
            "D3092": bool(self.exponent) and per,
            "D3093": self.exponent is not None and (not self.exponent or set(self.exponent) - set(symbols.digits)),
        }
        for code in reversed(faults):
            if faults[code]:
                raise JException(code, -1)

    def sizes(self, symbols: Symbols) -> tuple[int, int, int]:
        """Return the least digits before the point, and the least and the most digits behind it."""
        whole, least = symbols.counted(self.whole), symbols.counted(self.fraction)
        most = symbols.counted(self.fraction, optional=True)
        if whole == most == 0:
            if self.exponent is None:
                whole = 1
            else:
                least = most = 1
        if self.exponent is not None and not whole and symbols.optional in self.whole:
            whole = 1
        return whole, least if whole or least else 1, most

    def groups(self, symbols: Symbols) -> list[int]:
        """Return how many digits stand behind each separator of the whole part."""
        places = [place for place, one in enumerate(self.whole) if one == symbols.comma]
        return [symbols.counted(self.whole[place:], optional=True) for place in places]


def format_number(value: Any, picture: Any, options: Any = None) -> Any:
    if value is None:
        return None
    symbols = Symbols(options or {})
    texts = picture.split(symbols.pattern)
    if len(texts) > 2:
        raise JException("D3080", -1)
    pictures = [SubPicture.of(text, symbols) for text in texts]
    for one in pictures:
        one.check(symbols)
    chosen = pictures[0 if value >= 0 else -1]
    sign = symbols.minus if value < 0 and len(pictures) == 1 else ""
    factor = 100 if symbols.percent in chosen.text else 1000 if symbols.per_mille in chosen.text else 1
    return sign + chosen.prefix + _figure(value * factor, chosen, symbols) + chosen.suffix


def _figure(value: float, picture: SubPicture, symbols: Symbols) -> str:
    """Return the digits with their point, separators and exponent."""
    if not math.isfinite(value):
        raise JException("D1001", -1, None)
    whole, least, most = picture.sizes(symbols)
    power = None
    if picture.exponent is not None:
        value, power = _scaled(value, symbols.counted(picture.whole))
    number = Decimal(repr(value)).quantize(Decimal(1).scaleb(-most), ROUND_HALF_EVEN)
    zero = symbols.digits[0]
    before, _, behind = symbols.shown(number, most).partition(".")
    before = before.lstrip(zero).rjust(whole, zero)
    behind = behind.rstrip(zero).ljust(least, zero)
    text = _grouped(before, picture, symbols)
    if behind and symbols.point in picture.text:
        text += symbols.point + _grouped_behind(behind, picture, symbols)
    if power is not None:
        digits = symbols.shown(Decimal(power), 0).rjust(len(picture.exponent or ""), zero)
        text += symbols.exponent + (symbols.minus if power < 0 else "") + digits
    return text


def _scaled(value: float, digits: int) -> tuple[float, int]:
    """Return the mantissa with so many digits before the point, and the exponent."""
    power = 0
    while value and abs(value) < 10.0 ** (digits - 1):
        value, power = value * 10, power - 1
    while abs(value) > 10.0**digits:
        value, power = value / 10, power + 1
    return value, power


def _grouped(before: str, picture: SubPicture, symbols: Symbols) -> str:
    places = picture.groups(symbols)
    size = reduce(math.gcd, places, 0)
    if places and all(size * number in places for number in range(1, len(places) + 1)):
        places = list(range(size, len(before), size))  # the same all the way to the left
    for place in sorted((place for place in places if place < len(before)), reverse=True):
        before = before[:-place] + symbols.comma + before[-place:]
    return before


def _grouped_behind(behind: str, picture: SubPicture, symbols: Symbols) -> str:
    if symbols.comma not in picture.fraction:
        return behind
    place = symbols.counted(picture.fraction[: picture.fraction.index(symbols.comma)], optional=True)
    return behind[:place] + symbols.comma + behind[place:]


def _coded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of pictures that fails with the reference's codes, where the library has Python's errors."""

    @wraps(function)
    def called(*args: Any) -> Any:
        try:
            return function(*args)
        except KeyError as error:
            raise JException("D3132", -1, error.args[0]) from None
        except RuntimeError as error:
            for text, code in _CODES.items():
                begin, _, end = text.partition("%s")
                if str(error).startswith(begin) and str(error).endswith(end):
                    raise JException(code, -1, str(error)[len(begin) : len(str(error)) - len(end)]) from None
            raise

    return called


to_millis = _coded(Functions.datetime_to_millis)


def _url(name: str, function: Callable[[str], str]) -> Callable[[Any], Any]:
    """Return a function of URLs that refuses what is none."""

    def called(text: Any) -> Any:
        if text is None:
            return None
        try:
            return function(text)
        except UnicodeError:
            raise JException("D3140", -1, name, text) from None

    return called


def _decoded(text: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise UnicodeError("a percent sign without two hexadecimal digits")
    return urllib.parse.unquote(text, errors="strict")


def _decoded_url(text: str) -> str:
    """Decode all but the characters that separate the parts of a URL."""
    return _decoded(re.sub("%(?=3B|2F|3F|3A|40|26|3D|2B|24|2C|23)", "%25", text, flags=re.IGNORECASE))


_URLS = {
    "encodeUrl": Functions.encode_url,
    "encodeUrlComponent": Functions.encode_url_component,
    "decodeUrl": _decoded_url,
    "decodeUrlComponent": _decoded,
}


def _worded(lookup: Callable[..., str]) -> Callable[..., str]:
    """Numbers in words are taken apart as JavaScript's, which are floating-point numbers."""
    return lambda number, previous, ordinal: lookup(float(number), previous, ordinal)


def adapt() -> None:
    """Replace what the library has no hook for."""
    for name in ("ERR_MSG_SEQUENCE_UNSUPPORTED", "ERR_MSG_INVALID_NAME_MODIFIER"):
        setattr(Constants, name, getattr(Constants, name).replace("%s", "{}"))
    DateTimeUtils._lookup = staticmethod(_worded(DateTimeUtils._lookup))


FUNCTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "formatNumber": ("<n-so?:s>", format_number),
    "formatInteger": ("<n-s:s>", _coded(Functions.format_integer)),
    "parseInteger": ("<s-s:n>", _coded(Functions.parse_integer)),
    "fromMillis": ("<n-s?s?:s>", _coded(Functions.datetime_from_millis)),
    **{name: ("<s-:s>", _url(name, function)) for name, function in _URLS.items()},
}
