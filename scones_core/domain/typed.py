"""What stands in a file or an output, read through a typed model: what does not fit is refused with its place."""

from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from scones_core.errors import Damaged

T = TypeVar("T")


def typed(adapter: TypeAdapter[T], data: bytes, file: str, then: str) -> T:
    """What a JSON file of the home holds. Raises Damaged, which names the file and says what to do then."""
    try:
        return adapter.validate_json(data)
    except ValidationError as error:
        raise Damaged(f"The file “{file}” in the home is damaged ({reason(error)}). {then}") from None


def reason(error: ValidationError) -> str:
    """The first thing that does not fit, and where."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
