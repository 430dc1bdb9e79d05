"""The writer thread: groups pending changes into one transaction, so that they share one flush."""

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from scones_core.errors import Unavailable
from scones_core.local.workflow.executions_file import connected
from scones_core.local.workflow.locks import locked

_BATCH = 256  # changes per transaction
_log = logging.getLogger(__name__)

T = TypeVar("T")
Change = Callable[[sqlite3.Connection], Any]
Waiting = tuple[Change, "Future[Any]"]


class Writer:
    """A change that fails, or whose future was cancelled meanwhile, ends neither the others nor the thread."""

    def __init__(self, file: Path, lock_file: Path) -> None:
        self._file = file
        self._lock_file = lock_file
        self._connection: sqlite3.Connection | None = None
        self._told = ""  # the error that was logged last
        self._changes: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="executions-writer", daemon=True)
        self._thread.start()

    def submit(self, change: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        """Queue a change; the future is done once it is on disk. Cancelled before its turn, it is left out."""
        done: Future[T] = Future()
        self._changes.put((change, done))
        return done

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        """Write what waits, and end the thread."""
        self._changes.put(None)
        self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            batch = [self._changes.get()]
            while len(batch) < _BATCH and not self._changes.empty():
                batch.append(self._changes.get())
            going = None not in batch
            # From here on a future cannot be cancelled any more, so that its result always finds a place.
            self._write([item for item in batch if item is not None and item[1].set_running_or_notify_cancel()])
        self._disconnect()

    def _write(self, batch: Sequence[Waiting]) -> None:
        try:
            # SQLite before 3.51.3 can lose data when two connections checkpoint at once: one writer at a time.
            with locked(self._lock_file):
                results = _in_one_transaction(self._connected(), [change for change, _ in batch])
        except Exception as error:
            self._failed(batch, error)
        else:
            self._told = ""
            for (_, done), result in zip(batch, results, strict=True):
                done.set_result(result)

    def _failed(self, batch: Sequence[Waiting], error: Exception) -> None:
        """Try the changes one by one, so that a bad one fails alone; where the file is at fault, all fail."""
        self._disconnect()
        if len(batch) > 1 and not isinstance(error, (sqlite3.OperationalError, OSError, Unavailable)):
            for item in batch:
                self._write([item])
            return
        if f"{error}" != self._told:  # whoever waits for a change asks again and again
            self._told = f"{error}"
            _log.error("%d changes of %s were not written: %s", len(batch), self._file.name, error)
        for _, done in batch:
            done.set_exception(error)

    def _connected(self) -> sqlite3.Connection:
        self._connection = self._connection or connected(self._file)
        return self._connection

    def _disconnect(self) -> None:
        """Close the connection, which ends a transaction that is still open."""
        connection, self._connection = self._connection, None
        with suppress(sqlite3.Error, OSError, Unavailable), locked(self._lock_file):
            if connection is not None:
                connection.close()


def _in_one_transaction(connection: sqlite3.Connection, changes: Sequence[Change]) -> list[Any]:
    connection.execute("BEGIN IMMEDIATE")
    results = [change(connection) for change in changes]
    connection.execute("COMMIT")
    return results
