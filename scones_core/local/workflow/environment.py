"""The environment variables of the functions, kept in the home folder."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scones_core.local.files import write_atomically
from scones_core.local.workflow.locks import locked


class Environment:
    """Read at every call of a function, so that a change by another process counts at once."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._known: tuple[Any, dict[str, str]] = (None, {})

    def read(self) -> Mapping[str, str]:
        with self._lock:
            stamp = self._stamp()
            if stamp != self._known[0]:
                self._known = (stamp, self._load() if stamp else {})
            return self._known[1]

    def update(self, changes: Mapping[str, str]) -> None:
        """Set the given variables; the others stay as they are."""
        with locked(self._file.with_suffix(".lock")):
            write_atomically(self._file, json.dumps(self._load() | dict(changes), indent=2).encode())

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _load(self) -> dict[str, str]:
        try:
            loaded: dict[str, str] = json.loads(self._file.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        return loaded
