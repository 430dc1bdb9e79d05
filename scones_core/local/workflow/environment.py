"""The environment variables of the functions, kept in the home folder."""

import json
from collections.abc import Mapping
from pathlib import Path

from scones_core.local.files import Parsed, write_atomically
from scones_core.local.workflow.locks import locked


class Environment:
    """Looked at before every call of a function, so that a change by another process counts at once."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._parsed: Parsed[dict[str, str]] = Parsed(json.loads)

    def read(self) -> Mapping[str, str]:
        try:
            return self._parsed.read(str(self._file))
        except FileNotFoundError:
            return {}

    def update(self, changes: Mapping[str, str]) -> None:
        """Set the given variables; the others stay as they are."""
        with locked(self._file.with_suffix(".lock")):
            write_atomically(self._file, json.dumps({**self.read(), **changes}, indent=2).encode())
