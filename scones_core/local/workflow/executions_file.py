"""The SQLite file of the executions: opening, schema, errors."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scones_core.errors import Damaged, Unavailable

# Each is run once in a home, in this order; PRAGMA user_version counts them.
_MIGRATIONS = [
    """
CREATE TABLE IF NOT EXISTS executions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    machine TEXT NOT NULL,
    status TEXT NOT NULL,
    owner TEXT NOT NULL,
    started TEXT NOT NULL,
    stopped TEXT,
    input TEXT NOT NULL,
    output TEXT,
    error TEXT,
    cause TEXT,
    history BLOB
) STRICT;
CREATE INDEX IF NOT EXISTS executions_by_machine ON executions (machine, seq);
CREATE INDEX IF NOT EXISTS executions_by_status ON executions (status, seq);
""",
    """
ALTER TABLE executions ADD COLUMN map_run TEXT;  -- ARN of the Map Run that started it
ALTER TABLE executions ADD COLUMN stop TEXT;  -- error and cause with which another process wants it stopped
CREATE INDEX executions_by_map_run ON executions (map_run, seq);
CREATE TABLE map_runs (arn TEXT PRIMARY KEY, execution TEXT NOT NULL, description TEXT NOT NULL) STRICT;
CREATE INDEX map_runs_by_execution ON map_runs (execution);
""",
    """
CREATE TABLE definitions (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
ALTER TABLE executions ADD COLUMN definition INTEGER;  -- null of children, and of executions before this column
""",
]


def connected(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # NORMAL would lose acknowledged changes at a power loss
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def telling(file: Path) -> Iterator[None]:
    """Raise Damaged or Unavailable, naming the file and the way out, for what SQLite and the system raise."""
    name = f"{file.parent.name}/{file.name}"
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.ProgrammingError, OSError) as error:
        way_out = "free disk space or make the file writable, then try again"
        raise Unavailable(f"The executions cannot be read or written ({name}: {_why(error)}): {way_out}.") from error
    except (sqlite3.Error, zlib.error, ValueError, TypeError) as error:
        way_out = "restore it from a backup, or move it away to start without executions"
        raise Damaged(f"The file of the executions is damaged ({name}: {_why(error)}): {way_out}.") from error


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or f"{error}"


def opened(file: Path) -> sqlite3.Connection:
    connection = connected(file)
    try:
        migrate(connection, f"{file.parent.name}/{file.name}")
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(connection: sqlite3.Connection, name: str = "executions.sqlite") -> None:
    """Bring the schema up to date; the caller holds the lock. Raises Unavailable where it is of a newer program."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(_MIGRATIONS):
        raise Unavailable(
            f"The file of the executions was written by a newer version of this program ({name}): "
            "update the program, or open another home."
        )
    for number, script in enumerate(_MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
