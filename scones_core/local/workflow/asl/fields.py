"""Reads the fields of a definition one by one, and refuses what is wrong, missing or left over."""

from collections.abc import Mapping, Sequence
from typing import Any

from scones_core.local.workflow.asl.errors import DefinitionError
from scones_core.local.workflow.asl.jsontext import is_integer, is_number

MAX_INTEGER = 99_999_999  # AWS's bound for durations and numbers of attempts
MAX_EVALUATED = 1_000_000_000  # of what an expression may give for an integer field


class Fields:
    """The fields of one JSON object of a definition. `where` names it in messages, as "State 'A': Retry[0]"."""

    def __init__(self, given: Any, where: str) -> None:
        self.where = where
        if not isinstance(given, Mapping):
            raise DefinitionError(f"{where} must be a JSON object.")
        self.given = given
        self._read = {"Comment"}

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def error(self, name: str, message: str) -> DefinitionError:
        return DefinitionError(f"{self.where}: the field {name!r} {message}.")

    def any(self, name: str) -> Any:
        """Return the value of a field that must be there."""
        if name not in self.given:
            raise self.error(name, "is missing")
        self._read.add(name)
        return self.given[name]

    def text(self, name: str) -> str:
        value = self.any(name)
        if not isinstance(value, str) or not value:
            raise self.error(name, "must be a text that is not empty")
        return value

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if name in self else None

    def choice(self, name: str, default: str, allowed: Sequence[str]) -> str:
        value = self.any(name) if name in self else default
        if value not in allowed:
            raise self.error(name, f"must be one of {', '.join(allowed)}")
        return str(value)

    def flag(self, name: str) -> bool:
        value = self.any(name) if name in self else False
        if not isinstance(value, bool):
            raise self.error(name, "must be true or false")
        return value

    def integer(
        self, name: str, default: int | None = None, *, minimum: int = 0, maximum: int = MAX_INTEGER
    ) -> int | None:
        """Return the integer, or the default where the field is missing. AWS bounds every duration by 99999999."""
        if name not in self:
            return default
        value = self.any(name)
        if not is_integer(value) or not minimum <= value <= maximum:
            raise self.error(name, f"must be an integer from {minimum} to {maximum}")
        return int(value)

    def number(self, name: str, default: float, *, minimum: float, maximum: float = float("inf")) -> float:
        value = self.any(name) if name in self else default
        if not is_number(value) or not minimum <= value <= maximum:
            raise self.error(name, f"must be a number of at least {minimum:g}")
        return float(value)

    def objects(self, name: str, *, required: bool = False) -> "list[Fields]":
        """Return the objects of a list; an optional list may be missing or empty."""
        if name not in self and not required:
            return []
        value = self.any(name)
        if not isinstance(value, list) or (required and not value):
            raise self.error(name, "must be a list" + (" that is not empty" if required else ""))
        return [Fields(item, f"{self.where}: {name}[{place}]") for place, item in enumerate(value)]

    def object(self, name: str) -> "Fields":
        return Fields(self.any(name), f"{self.where}: {name}")

    def only_one(self, *names: str, required: bool = False) -> None:
        """Refuse more than one of the fields, and none where one is required."""
        found = [name for name in names if name in self]
        if len(found) > 1:
            raise DefinitionError(f"{self.where}: only one of the fields {' and '.join(found)} may be given.")
        if required and not found:
            raise DefinitionError(f"{self.where}: one of the fields {', '.join(names)} is missing.")

    def finish(self) -> None:
        """Refuse fields that have not been read."""
        for name in self.given:
            if name not in self._read:
                raise self.error(name, "is not known or not supported here")
