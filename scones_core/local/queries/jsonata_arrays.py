"""JSONata's functions of arrays as its reference 2.0.6 has them, where `jsonata-python` differs.

https://docs.jsonata.org/2.0.0/array-functions
"""

from collections.abc import Callable
from typing import Any

from jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.functions import Functions  # type: ignore[import-untyped]
from jsonata.jexception import JException  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]


def sort(items: Any, comparator: Any) -> Any:
    """Sort stably; the comparator tells whether two items are to be swapped."""
    if items is None or len(items) <= 1:
        return items
    if comparator is None:
        if not (Utils.is_array_of_numbers(items) or Utils.is_array_of_strings(items)):
            raise JException("D3070", -1)
        return sorted(
            items, key=lambda item: item.encode("utf-16-be", "surrogatepass") if isinstance(item, str) else item
        )
    if Utils.is_function(comparator) or Functions.is_lambda(comparator):
        return _merged(items, lambda one, other: Jsonata.boolize(Functions.func_apply(comparator, [one, other])))
    return _merged(items, lambda one, other: comparator(one, other) > 0)  # the library's own, of the operator ^


def _merged(items: Any, swapped: Callable[[Any, Any], bool]) -> list[Any]:
    """The reference's merge sort: with any comparator, the order of what it does not swap stays."""
    if len(items) <= 1:
        return list(items)
    middle = len(items) // 2
    left, right = _merged(items[:middle], swapped), _merged(items[middle:], swapped)
    merged: list[Any] = []
    one = other = 0
    while one < len(left) and other < len(right):
        if swapped(left[one], right[other]):
            merged.append(right[other])
            other += 1
        else:
            merged.append(left[one])
            one += 1
    return merged + left[one:] + right[other:]


def distinct(value: Any) -> Any:
    if not isinstance(value, list) or len(value) <= 1:
        return value
    found: list[Any] = []
    for item in value:
        if not any(Utils.is_deep_equal(item, other) for other in found):
            found.append(item)
    return Utils.create_sequence_from_iter(found) if Utils.is_sequence(value) else found
