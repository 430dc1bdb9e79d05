"""What every use case is handed."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from scones_core.db import Database
from scones_core.ports import Backend
from scones_core.settings import Settings

Progress = Callable[[int, int | None, str], None]  # done, total if known, what is being done


def silent(_done: int, _total: int | None, _what: str) -> None:
    """A Progress that says nothing."""


@dataclass(frozen=True)
class App:
    settings: Settings
    backend: Backend
    db: Database
    closed: threading.Event = field(default_factory=threading.Event, compare=False, repr=False)

    def close(self) -> None:
        """End what runs in the background; an app that is not closed loses nothing."""
        self.closed.set()
        self.backend.close()
        self.db.close()
