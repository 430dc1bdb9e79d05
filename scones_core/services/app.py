"""What every use case is handed."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from scones_core.db import Database
from scones_core.ports import Backend
from scones_core.settings import Settings

Progress = Callable[[int, int | None, str], None]  # done, total if known, what is being done


def silent(_done: int, _total: int | None, _what: str) -> None:
    """A Progress that says nothing."""


@dataclass(frozen=True)
class App:
    """patience: seconds for which a caller waits for what goes on without it; None waits until it has ended."""

    settings: Settings
    backend: Backend
    db: Database
    patience: float | None = None
    closed: threading.Event = field(default_factory=threading.Event, compare=False, repr=False)
    under_way: "UnderWay" = field(default_factory=lambda: UnderWay(), compare=False, repr=False)

    def close(self) -> None:
        """End what runs in the background; an app that is not closed loses nothing."""
        self.closed.set()
        self.backend.close()
        self.db.close()


class UnderWay:
    """Work of this process that may outlast the patience of whoever needs it, by name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: dict[str, tuple[float, Future[None]]] = {}

    def names(self) -> list[str]:
        with self._lock:
            return [name for name, (_, future) in self._begun.items() if not future.done()]

    def done(self, name: str, work: Callable[[], None], patience: float | None) -> bool:
        """Tell whether the work is done, `patience` seconds after its beginning at the latest; begin it if need be.

        Raises what the work raised; the next call then begins anew.
        """
        if patience is None:
            work()
            return True
        with self._lock:
            if name not in self._begun:
                self._begun[name] = time.monotonic(), _in_a_thread(work, name)
            begun, future = self._begun[name]
        try:
            future.result(max(0.0, begun + patience - time.monotonic()))
        except TimeoutError:
            if not future.done():
                return False
            raise
        finally:
            with self._lock:
                if future.done() and self._begun.get(name) == (begun, future):
                    del self._begun[name]
        return True


def _in_a_thread(work: Callable[[], None], name: str) -> "Future[None]":
    future: Future[None] = Future()

    def run() -> None:
        try:
            work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(None)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
