"""The database: opening, migration, and transactions safe across processes."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from scones_core.db import evidence_schema, label_checks, likeness_schema  # noqa: F401 – they add to `metadata`
from scones_core.db.schema import metadata
from scones_core.errors import BadInput, Damaged, SconesError, Unavailable
from scones_core.file_lock import FileLock

MIGRATIONS = Path(__file__).parent / "migrations"
WRITE_LOCK = 0x5C0E5  # any number that other users of the PostgreSQL database do not use
HEAD = "0014"  # the newest file of migrations/versions
LOCK_TIMEOUT = 30.0  # seconds
READ_CACHE, WRITE_CACHE = 65_536, 196_608  # KiB a connection; one writes at a time, and to all of a large index
LOCKED = "The database has been locked for {timeout} by {holder}: wait until it finishes, or end it."


class Database:
    """SQLite at `home/scones.db`, or what `url` names.

    Write transactions of all processes are serialized: on PostgreSQL by an advisory lock, on SQLite by a file lock,
    which also keeps checkpoints of two connections apart (SQLite before 3.51.3 has a race there).
    lock_timeout : seconds to wait for either.
    """

    def __init__(self, home: Path, url: str | None = None, *, lock_timeout: float = LOCK_TIMEOUT) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._lock = FileLock(home / "scones.db.lock", lock_timeout, LOCKED)
        self._lock_timeout = lock_timeout
        self._writing: ContextVar[bool] = ContextVar("writing", default=False)
        self.engine = (
            _engine(url) if url else sa.create_engine(sa.URL.create("sqlite", database=str(home / "scones.db")))
        )
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        if self.is_sqlite:
            # Many rows a statement: after each, Python's other threads may hold the next one up for 5 ms.
            self.engine.dialect.use_insertmanyvalues_wo_returning = True
            sa.event.listen(self.engine, "connect", _configure_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        try:
            with _clear_errors():
                self._migrate()
        except BaseException:
            self.engine.dispose()
            raise

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with _clear_errors(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction; it is on disk when the block has ended without an error.

        Raises Unavailable on lock timeout, RuntimeError inside another write transaction, which would deadlock.
        """
        if self._writing.get():
            raise RuntimeError("nested write transaction: pass on the connection of the outer one")
        token = self._writing.set(True)
        try:
            with _clear_errors(), self._transaction() as connection:
                yield connection
        finally:
            self._writing.reset(token)

    @contextmanager
    def turn(self, what: str, *, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
        """One process and thread at a time changes `what`, with as many transactions as it takes.

        Ends with the process, however that ends. Raises Unavailable, naming the holder, after `timeout` seconds.
        """
        refusal = f"The {what} is being changed by {{holder}}: wait until it finishes."
        if self.is_sqlite:
            with FileLock(self._home / f"{what}.lock", timeout, refusal).held():
                yield
            return
        key = zlib.crc32(what.encode())  # 32 bits, as WRITE_LOCK
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            try:
                with _clear_errors():
                    connection.execute(sa.text(f"SET lock_timeout = '{max(timeout, 0.001):g}s'"))
                    self._take_advisory_lock(connection, "pg_advisory_lock", key, refusal)
                yield
            finally:
                _release(connection, key)

    def check(self) -> None:
        """Raises Damaged when a table is missing or a page of the file is damaged, Unavailable."""
        with self.read() as connection:
            lacking = set(metadata.tables) - set(sa.inspect(connection).get_table_names())
            found = connection.scalar(sa.text("PRAGMA quick_check(1)")) if self.is_sqlite else "ok"
        if lacking or found != "ok":
            what = f"without the table {min(lacking)}" if lacking else found
            raise Damaged(f"The database scones.db is damaged ({what}): restore it from a backup.")

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        if not self.is_sqlite:
            with self.engine.begin() as connection:
                connection.execute(sa.text(f"SET LOCAL lock_timeout = '{self._lock_timeout:g}s'"))
                self._take_advisory_lock(connection, "pg_advisory_xact_lock", WRITE_LOCK, LOCKED)
                yield connection
            return
        writing = self.engine.execution_options(scones_write=True)
        with self._lock.held(), writing.begin() as connection:
            yield connection

    def _take_advisory_lock(self, connection: sa.Connection, function: str, key: int, refusal: str) -> None:
        try:
            connection.execute(sa.select(getattr(sa.func, function)(key)))
        except sa.exc.OperationalError:
            raise Unavailable(
                refusal.format(timeout=f"{self._lock_timeout:g} s", holder=self._advisory_holder(key))
            ) from None

    def _advisory_holder(self, key: int) -> str:
        holder = sa.text(
            "SELECT pid, client_addr, application_name, xact_start FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE locktype = 'advisory' AND granted AND objid::bigint = :lock"
        )
        with self.engine.connect() as connection:
            row = connection.execute(holder, {"lock": key}).first()
        since = f" since {row[3]:%H:%M:%S}" if row and row[3] else ""
        return f"the server's process {row[0]} ({row[1] or 'local'}){since}" if row else "a process"

    def _migrate(self) -> None:
        with self.engine.connect() as connection:
            known = sa.inspect(connection).has_table("alembic_version")
            version = connection.scalar(sa.text("SELECT version_num FROM alembic_version")) if known else None
            empty = not known and not sa.inspect(connection).get_table_names()
        if version == HEAD:
            return
        if empty and self._create():
            return
        if version is not None and version not in _versions():
            raise Unavailable(f"The database is from a newer version of this app (schema {version}): update the app.")
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _create(self) -> bool:
        """Create the schema of an empty database, at once instead of by migrations; False if another process has."""
        with self.write() as connection:
            if sa.inspect(connection).get_table_names():
                return False
            metadata.create_all(connection)
            _VERSION.create(connection)
            connection.execute(sa.insert(_VERSION).values(version_num=HEAD))
        return True


_VERSION = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))


def _release(connection: sa.Connection, key: int) -> None:
    """Release a session's advisory lock, if it has it; a connection that cannot is ended, and its lock with it."""
    try:
        connection.execute(sa.select(sa.func.pg_advisory_unlock(key)))
        connection.execute(sa.text("RESET lock_timeout"))
    except sa.exc.DBAPIError:
        connection.invalidate()


def _versions() -> set[str]:
    return {file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("*.py")}


def _engine(url: str) -> sa.Engine:
    try:
        engine = sa.create_engine(url)
    except (sa.exc.ArgumentError, ImportError, ValueError, TypeError):  # what they say may hold the password
        engine = None
    if engine is None or engine.dialect.name not in ("sqlite", "postgresql"):
        raise BadInput(
            "SCONES_DATABASE_URL is not a supported database URL: use "
            "postgresql+psycopg://user:password@host/name, or remove it."
        )
    return engine


@contextmanager
def _clear_errors() -> Iterator[None]:
    """A database error as a SconesError: full, read-only, missing or damaged."""
    try:
        yield
    except SconesError:
        raise
    except sa.exc.OperationalError as error:
        text = str(error.orig).strip().splitlines()[0]
        if "no such table" in text or "no such column" in text:
            raise Damaged(f"The database scones.db is damaged ({text}): restore it from a backup.") from None
        raise Unavailable(f"The database cannot be used ({text}): {_way_out(text)}.") from error
    except sa.exc.DatabaseError as error:
        if isinstance(error, sa.exc.IntegrityError | sa.exc.ProgrammingError | sa.exc.DataError):
            raise  # a fault of this program, not of the database's files
        raise Damaged(f"The database scones.db is damaged ({error.orig}): restore it from a backup.") from None


def _way_out(text: str) -> str:
    ways = {
        "full": "free space on the disk of the home",
        "readonly": "give this user the right to write in the home, or choose another with --home",
        "unable to open": "give this user the right to write in the home, or choose another with --home",
        "locked": "end the other program that uses scones.db",
        "disk I/O": "check the disk of the home",
    }
    return next((way for part, way in ways.items() if part in text), "check SCONES_DATABASE_URL")


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event below starts transactions, not the driver
    for pragma in (
        "busy_timeout=30000",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get("scones_write")
    connection.exec_driver_sql(f"PRAGMA cache_size=-{WRITE_CACHE if writing else READ_CACHE}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN DEFERRED")
