"""The application context, passed to every use case."""

from dataclasses import dataclass, field

from scones_core.db import Database
from scones_core.ports import Backend
from scones_core.services.background import Background, Progress
from scones_core.settings import Settings

__all__ = ["App", "Progress", "silent"]


def silent(_done: int, _total: int | None, _what: str) -> None:
    """A Progress that does nothing."""


@dataclass(frozen=True)
class App:
    settings: Settings
    backend: Backend
    db: Database
    background: Background = field(default_factory=Background, compare=False, repr=False)

    def close(self) -> None:
        """Stop background work; nothing is lost if an app is not closed."""
        self.background.close()
        self.backend.close()
        self.db.close()
