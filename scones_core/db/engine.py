"""The database: opening, migrating, and transactions that two processes can trust."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from scones_core.errors import Damaged, Unavailable

MIGRATIONS = Path(__file__).parent / "migrations"
WRITE_LOCK = 0x5C0E5  # any number that other users of the PostgreSQL database do not use
HEAD = "0004"  # the newest file of migrations/versions


class Database:
    """SQLite at `home/scones.db`, or what `url` names.

    Write transactions of all processes run one after another, so that none meets another's half-made state. On
    PostgreSQL an advisory lock sees to it; on SQLite a file lock, which is fair, and which keeps checkpoints of two
    connections apart (SQLite before 3.51.3 has a race there).
    """

    def __init__(self, home: Path, url: str | None = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._lock_file = home / "scones.db.lock"
        self.engine = sa.create_engine(url or f"sqlite:///{home / 'scones.db'}")
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _configure_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        try:
            self._migrate()
        except sa.exc.OperationalError as error:
            raise Unavailable(f"The database cannot be opened ({error.orig}): check SCONES_DATABASE_URL.") from None
        except sa.exc.DatabaseError as error:
            raise Damaged(f"The database is damaged ({error.orig}): restore it from a backup.") from None

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction; it is on disk when the block has ended without an error."""
        writing = self.engine.execution_options(scones_write=True)
        with self._serialised(), writing.begin() as connection:
            if not self.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITE_LOCK)))
            yield connection

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _serialised(self) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        with self._lock_file.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _migrate(self) -> None:
        with self.engine.connect() as connection:
            known = sa.inspect(connection).has_table("alembic_version")
            if known and connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == HEAD:
                return
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event below starts transactions, not the driver
    for pragma in (
        "busy_timeout=30000",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-65536",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get("scones_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN DEFERRED")
