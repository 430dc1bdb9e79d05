"""What every use case is handed."""

from dataclasses import dataclass, field

from scones_core.db import Database
from scones_core.ports import Backend
from scones_core.services.background import Background, Progress
from scones_core.settings import Settings

__all__ = ["App", "Progress", "silent"]


def silent(_done: int, _total: int | None, _what: str) -> None:
    """A Progress that says nothing."""


@dataclass(frozen=True)
class App:
    settings: Settings
    backend: Backend
    db: Database
    background: Background = field(default_factory=Background, compare=False, repr=False)

    def close(self) -> None:
        """End what runs in the background; an app that is not closed loses nothing."""
        self.background.close()
        self.backend.close()
        self.db.close()
