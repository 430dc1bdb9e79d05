"""The environment variables of the functions, kept in the home folder."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from scones_core.domain.typed import typed
from scones_core.errors import Damaged
from scones_core.local.files import Parsed, write_atomically
from scones_core.local.workflow.locks import locked

VARIABLES: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])


class Environment:
    """Read before every call of a function, so that changes by other processes apply at once."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._parsed: Parsed[dict[str, str]] = Parsed(_variables)

    def read(self) -> Mapping[str, str]:
        try:
            return self._parsed.read(str(self._file))
        except FileNotFoundError:
            return {}

    def update(self, changes: Mapping[str, str]) -> None:
        """Set the given variables; keep the others."""
        with locked(self._file.with_suffix(".lock")):
            try:
                before = self.read()
            except Damaged:
                before = {}
            if not changes.items() <= before.items():
                write_atomically(self._file, VARIABLES.dump_json({**before, **changes}, indent=2))


def _variables(data: bytes, file: str) -> dict[str, str]:
    return typed(VARIABLES, data, f"workflows/{Path(file).name}", "Set the threshold to rewrite it.")
