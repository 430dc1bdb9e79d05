"""The thread that writes: it puts the changes that wait into one transaction, so that one flush serves them all."""

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from scones_core.local.workflow.locks import locked

_BATCH = 256  # changes per transaction

T = TypeVar("T")
Change = Callable[[sqlite3.Connection], Any]


def connected(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # NORMAL would lose acknowledged changes at a power loss
    return connection


class Writer:
    def __init__(self, file: Path, lock_file: Path) -> None:
        self._file = file
        self._lock_file = lock_file
        self._changes: queue.SimpleQueue[tuple[Change, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="executions-writer", daemon=True)
        self._thread.start()

    def submit(self, change: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        """Queue a change; the future is done once it is on disk."""
        done: Future[T] = Future()
        self._changes.put((change, done))
        return done

    def close(self) -> None:
        """Write what waits, and end the thread."""
        self._changes.put(None)
        self._thread.join()

    def _run(self) -> None:
        connection = connected(self._file)
        going = True
        while going:
            batch = [self._changes.get()]
            while len(batch) < _BATCH and not self._changes.empty():
                batch.append(self._changes.get())
            going = None not in batch
            self._write(connection, [item for item in batch if item is not None])
        with locked(self._lock_file):
            connection.close()

    def _write(self, connection: sqlite3.Connection, batch: Sequence[tuple[Change, "Future[Any]"]]) -> None:
        try:
            # SQLite before 3.51.3 can lose data when two connections checkpoint at once: one writer at a time.
            with locked(self._lock_file):
                connection.execute("BEGIN IMMEDIATE")
                results = [change(connection) for change, _ in batch]
                connection.execute("COMMIT")
        except Exception as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._failed(connection, batch, error)
        else:
            for (_, done), result in zip(batch, results, strict=True):
                done.set_result(result)

    def _failed(
        self, connection: sqlite3.Connection, batch: Sequence[tuple[Change, "Future[Any]"]], error: Exception
    ) -> None:
        """Try the changes one by one, so that a bad one fails alone."""
        if len(batch) == 1:
            batch[0][1].set_exception(error)
            return
        for item in batch:
            self._write(connection, [item])
