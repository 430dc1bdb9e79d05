"""JSONPath with wildcards, slices and filters, by the library `python-jsonpath`."""

from functools import lru_cache
from typing import Any

import jsonpath

_ENVIRONMENT = jsonpath.JSONPathEnvironment()


@lru_cache(maxsize=4_096)
def compiled(text: str) -> jsonpath.JSONPath:
    """Return a path that begins with `$`. Raises ValueError on anything else."""
    try:
        query = _ENVIRONMENT.compile(text)
    except jsonpath.JSONPathError as error:
        raise ValueError(str(error).splitlines()[0]) from None
    except Exception as error:  # where the library has a gap, as for a regular expression that is none
        raise ValueError(f"{error}") from None
    if not isinstance(query, jsonpath.JSONPath):
        raise ValueError("Step Functions has no unions of paths")
    return query


def matches(text: str, document: Any) -> list[Any]:
    """Return what the path selects. Raises ValueError with a reason."""
    query = compiled(text)
    try:
        return list(query.findall(document))
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(str(error).splitlines()[0] if str(error) else type(error).__name__) from None
