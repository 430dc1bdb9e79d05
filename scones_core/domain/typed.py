"""Validation of files and outputs with typed models; errors name the field."""

from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from scones_core.errors import Damaged

T = TypeVar("T")


def typed(adapter: TypeAdapter[T], data: bytes, file: str, then: str) -> T:
    """Contents of a JSON file of the home. Raises Damaged naming the file and the remedy."""
    try:
        return adapter.validate_json(data)
    except ValidationError as error:
        raise Damaged(f"The file “{file}” in the home is damaged ({reason(error)}). {then}") from None


def reason(error: ValidationError) -> str:
    """The first validation error, and its field."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
