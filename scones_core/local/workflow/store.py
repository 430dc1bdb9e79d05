"""Executions, their histories and their Map Runs in SQLite, shared by every process that works in the same home."""

import json
import sqlite3
import threading
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any

from scones_core.local.workflow.asl.errors import StatesError
from scones_core.local.workflow.asl.history import Event, timestamp
from scones_core.local.workflow.asl.jsontext import dumps
from scones_core.local.workflow.executions_file import opened, telling
from scones_core.local.workflow.locks import locked
from scones_core.local.workflow.writer import Writer
from scones_core.ports import Execution, ExecutionStatus

_COLUMNS = "name, machine, status, started, stopped, input, output, error, cause"
_ENDED = "UPDATE executions SET status = ?, stopped = ?, output = ?, error = ?, cause = ?, history = ?"
_RUNNING = "status = 'RUNNING'"


class Store:
    """Reads from any thread, and writes through one. Every write gives a future, done once it is on disk."""

    def __init__(self, folder: Path) -> None:
        """Raises Damaged, Unavailable."""
        self.file = folder / "executions.sqlite"
        self._lock_file = folder / "executions.lock"
        self._reading = threading.Lock()
        with telling(self.file):
            folder.mkdir(parents=True, exist_ok=True)
            with locked(self._lock_file):
                self._reader = opened(self.file)
        self._writer = Writer(self.file, self._lock_file)

    def is_writing(self) -> bool:
        """Tell whether the thread that writes is alive."""
        return self._writer.is_alive()

    def insert(self, execution: Execution, owner: str, definition: str) -> "Future[Execution | None]":
        """Add a running execution; gives the one that has the name already, or None when it was added."""
        values = [execution.name, execution.machine, execution.status, owner, timestamp(execution.started)]

        def change(connection: sqlite3.Connection) -> Execution | None:
            taken = connection.execute(f"SELECT {_COLUMNS} FROM executions WHERE name = ?", values[:1]).fetchone()
            if taken:
                return _execution(taken)
            connection.execute("INSERT OR IGNORE INTO definitions (text) VALUES (?)", [definition])
            connection.execute(
                "INSERT INTO executions (name, machine, status, owner, started, input, definition)"
                " VALUES (?, ?, ?, ?, ?, ?, (SELECT id FROM definitions WHERE text = ?))",
                [*values, stored(execution.input), definition],
            )
            return None

        return self._writer.submit(change)

    def insert_ended(self, execution: Execution, owner: str, map_run: str, history: Sequence[Event]) -> "Future[None]":
        """Add a child execution, which is written once only, when it has ended."""
        values = [execution.name, execution.machine, map_run, owner, timestamp(execution.started)]

        def change(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO executions (name, machine, map_run, owner, started, input,"
                " status, stopped, output, error, cause, history) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [*values, stored(execution.input), *_end_values(execution, history)],
            )

        return self._writer.submit(change)

    def finish(
        self, execution: Execution, history: Sequence[Event], map_runs: Sequence[Mapping[str, Any]] = ()
    ) -> "Future[None]":
        """Write the end of an execution; one that has ended already stays as it is."""

        def change(connection: sqlite3.Connection) -> None:
            _put_map_runs(connection, execution.name, map_runs)
            values = [*_end_values(execution, history), execution.name]
            connection.execute(f"{_ENDED} WHERE name = ? AND {_RUNNING}", values)

        return self._writer.submit(change)

    def checkpoint(self, name: str, history: Sequence[Event], map_runs: Sequence[Mapping[str, Any]]) -> "Future[None]":
        """Save the progress of an execution, for other processes and after a crash."""

        def change(connection: sqlite3.Connection) -> None:
            _put_map_runs(connection, name, map_runs)
            values = [packed(history), name]
            connection.execute(f"UPDATE executions SET history = ? WHERE name = ? AND {_RUNNING}", values)

        return self._writer.submit(change)

    def ask_to_stop(self, name: str, error: StatesError) -> "Future[None]":
        """Request a stop from the process that runs the execution."""

        def change(connection: sqlite3.Connection) -> None:
            values = [json.dumps([error.error, error.cause]), name]
            connection.execute(f"UPDATE executions SET stop = ? WHERE name = ? AND {_RUNNING}", values)

        return self._writer.submit(change)

    def asked_to_stop(self, owner: str) -> list[tuple[str, StatesError]]:
        """Return the executions of this owner that are to be stopped, with error and cause."""
        query = f"SELECT name, stop FROM executions WHERE {_RUNNING} AND owner = ? AND stop IS NOT NULL"
        return [(name, StatesError(*json.loads(text))) for name, text in self._read(query, [owner])]

    def get(self, name: str) -> Execution | None:
        rows = self._read(f"SELECT {_COLUMNS} FROM executions WHERE name = ?", [name])
        return self._executions(rows)[0] if rows else None

    def history(self, name: str) -> list[Event]:
        """Return the stored events; none yet of an execution that has just begun."""
        rows = self._read("SELECT history FROM executions WHERE name = ?", [name])
        with telling(self.file):
            return unpacked(rows[0][0]) if rows else []

    def definition(self, execution: str) -> str | None:
        """Return the text of the definition that an execution was started with, where it is known."""
        query = "SELECT text FROM definitions WHERE id = (SELECT definition FROM executions WHERE name = ?)"
        rows = self._read(query, [execution])
        return rows[0][0] if rows else None

    def map_runs(self, execution: str) -> list[Mapping[str, Any]]:
        rows = self._read("SELECT description FROM map_runs WHERE execution = ? ORDER BY rowid", [execution])
        with telling(self.file):
            return [json.loads(text) for (text,) in rows]

    def page(
        self,
        machine: str | None,
        status: ExecutionStatus | None,
        limit: int,
        before: str | None,
        map_run: str | None = None,
    ) -> list[Execution]:
        """Newest first. Children are listed only with their Map Run, as on AWS."""
        where = [("machine = ?", machine), ("status = ?", status), ("map_run = ?", map_run)]
        where += [("seq < (SELECT seq FROM executions WHERE name = ?)", before)]
        given = [(text, value) for text, value in where if value is not None]
        condition = " AND ".join(text for text, _ in given) or "TRUE"
        children = "" if map_run else " AND map_run IS NULL"
        query = f"SELECT {_COLUMNS} FROM executions WHERE {condition}{children} ORDER BY seq DESC LIMIT ?"
        return self._executions(self._read(query, [*(value for _, value in given), limit]))

    def running_owners(self) -> set[str]:
        return {owner for (owner,) in self._read(f"SELECT DISTINCT owner FROM executions WHERE {_RUNNING}", [])}

    def running_of(self, owner: str) -> list[Execution]:
        rows = self._read(f"SELECT {_COLUMNS} FROM executions WHERE {_RUNNING} AND owner = ?", [owner])
        return self._executions(rows)

    def check(self) -> None:
        """Raises Damaged when a page of the file is damaged, Unavailable."""
        [(found,)] = self._read("PRAGMA quick_check(1)", [])
        if found != "ok":
            with telling(self.file):
                raise sqlite3.DatabaseError(found)

    def close(self) -> None:
        self._writer.close()
        with self._reading, locked(self._lock_file):
            self._reader.close()

    def _executions(self, rows: Sequence[Sequence[Any]]) -> list[Execution]:
        with telling(self.file):
            return [_execution(row) for row in rows]

    def _read(self, query: str, values: Sequence[Any]) -> list[Any]:
        with telling(self.file), self._reading:
            return self._reader.execute(query, values).fetchall()


def _end_values(execution: Execution, history: Sequence[Event]) -> list[Any]:
    """Return the values of the columns of _ENDED."""
    output = stored(execution.output) if execution.status is ExecutionStatus.SUCCEEDED else None
    stopped = timestamp(execution.stopped) if execution.stopped else None
    return [execution.status, stopped, output, _text(execution.error), _text(execution.cause), packed(history)]


def stored(value: Any) -> str:
    """Return JSON text of ASCII only: SQLite refuses half a surrogate pair, which JSON can hold."""
    return json.dumps(value, separators=(",", ":"))


def _text(given: str | None) -> str | None:
    return None if given is None else given.encode("utf-8", "backslashreplace").decode()


def _put_map_runs(connection: sqlite3.Connection, execution: str, runs: Sequence[Mapping[str, Any]]) -> None:
    connection.executemany(
        "INSERT INTO map_runs (arn, execution, description) VALUES (?, ?, ?)"
        " ON CONFLICT (arn) DO UPDATE SET description = excluded.description",
        [(run["mapRunArn"], execution, stored(run)) for run in runs],
    )


def packed(history: Sequence[Event]) -> bytes:
    """Events as compressed JSON: one image appears in a dozen events, and compresses to one."""
    compressor = zlib.compressobj(1)
    parts = [compressor.compress(b"[")]
    for number, event in enumerate(history):  # one by one, so that others have their turn, and memory is bounded
        parts.append(compressor.compress((("," if number else "") + dumps(event)).encode("utf-8", "surrogatepass")))
    return b"".join([*parts, compressor.compress(b"]"), compressor.flush()])


def unpacked(blob: bytes | None) -> list[Event]:
    if not blob:
        return []
    events: list[Event] = json.loads(zlib.decompress(blob))
    return events


def _value(text: str) -> Any:
    """Return the JSON value of a text; what lies deeper than can be read now stays text."""
    try:
        return json.loads(text)
    except RecursionError:
        return text


def _execution(row: Sequence[Any]) -> Execution:
    name, machine, status, started, stopped, given, output, error, cause = row
    return Execution(
        name=name,
        machine=machine,
        status=ExecutionStatus(status),
        started=datetime.fromisoformat(started),
        input=_value(given),
        stopped=datetime.fromisoformat(stopped) if stopped else None,
        output=None if output is None else _value(output),
        error=error,
        cause=cause,
    )
