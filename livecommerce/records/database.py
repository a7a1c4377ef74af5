"""One database, two doors: `read()` for looking, `write()` for one transaction.

SQLite runs in WAL with one writing connection per process (`BEGIN IMMEDIATE`, so that a transaction never fails
half-way with "locked" when it turns from reading to writing) and a few reading ones. PostgreSQL uses one pool for both.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import importlib
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from livecommerce.errors import DatabaseAway, LiveCommerceError, StorageFull
from livecommerce.ops.redaction import redact_text
from livecommerce.records.errors import DatabaseMoved, DatabaseNewer
from livecommerce.records.marks import MOVED_TO, mark
from livecommerce.records.tables import marks

MIGRATIONS = Path(__file__).with_name("migrations")
BUSY_TIMEOUT_MS = (
    10_000  # another process may hold the SQLite write lock for one projection batch; 10 s is far past that
)
READERS_MAX = 4  # SQLite readers are threads; a web process needs few, they are short
POSTGRES_CONNECTIONS_MAX = 8  # per process: 10 processes stay under PostgreSQL's default of 100
POSTGRES_IDLE_MS_MAX = 30_000  # between two statements of a transaction: a machine that vanished in one frees its rows
CONNECT_SECONDS_MAX = 3.0  # to PostgreSQL; a server on the same network answers in milliseconds
POOL_SECONDS_MAX = 3.0  # of waiting for one of our own connections: all are taken while the database stalls
STATEMENT_SECONDS_MAX = 10.0  # ours take milliseconds, the longest (a report) a second
FULL_SECONDS = 60.0  # how long a write that found no room is told of, where no other one was tried since
# No room for a row, and none for the 32 KiB of the index that the processes of a WAL database share ("disk I/O error").
SQLITE_FULL = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")
ENGINES = ("sqlite+aiosqlite", "postgresql+asyncpg")
# SQLSTATE: connection, resources (too many clients), operator (shutting down, starting up), system.
AWAY_CLASSES = ("08", "53", "57", "58")
ADVISORY_LOCK = 0x6C63_6D69  # "lcmi": any fixed number, the same in all processes


def plain_url(url: str) -> str:
    """`postgres://` and `postgresql://`, as providers print them, by the driver that we use."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}" if separator and scheme in ("postgres", "postgresql") else url


def database_url(configured: str, data_folder: str) -> str:
    """The URL to open: the configured one, else SQLite `shop.db` in the data folder."""
    if configured:
        return plain_url(configured)
    return f"sqlite+aiosqlite:///{Path(data_folder).absolute() / 'shop.db'}"


def _cause(error: BaseException, known: LiveCommerceError) -> str:
    """In one line: what is the matter, and the driver's own words."""
    inner = getattr(error, "orig", None) or error
    words = redact_text((str(inner).strip() or type(inner).__name__).splitlines()[0])
    if isinstance(known, StorageFull):
        return f"cannot store more: {words}. Free space on its disk"
    if refused_login(error):
        return f"refuses us: {words}. Correct LIVECOMMERCE_DATABASE_URL: postgresql://user:password@host/name"
    if isinstance(inner, sqlite3.Error):
        return f"cannot be used: {words}. Look at its file, its folder and their disk"
    return f"is away: {words}. Start it, or correct LIVECOMMERCE_DATABASE_URL"


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    """Holds an exclusive lock on `path` (created 0600); freed by the kernel when the process dies."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    refuse_newer(connection)
    command.upgrade(config, revision)


def refuse_newer(connection: Connection) -> None:
    """
    Raises:
        DatabaseNewer: a version of the server that we know nothing of wrote it.
    """
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise DatabaseNewer(
            f"The database is at revision {current}, which this version of livecommerce does not know: a newer "
            "one wrote it. Nothing was changed. Start the newer version again, or restore the backup made before the "
            'upgrade (docs/operations.md, "Upgrading").'
        )


async def refuse_moved(connection: AsyncConnection) -> None:
    """
    Raises:
        DatabaseMoved: another database is the shop's since.
    """
    if not await connection.run_sync(lambda sync: inspect(sync).has_table(marks.name)):
        return  # of an older version, which did not mark
    moved_to = await mark(connection, MOVED_TO)
    if moved_to:
        raise DatabaseMoved(
            f"This database was moved to {moved_to}, which has been the shop's since. Nothing was changed. Set "
            "LIVECOMMERCE_DATABASE_URL to it (a new shell or a service unit may lack it)."
        )


def _has_room_to_be_shared(path: str) -> bool:
    """False on a disk that is wholly full, where nobody else has the database open."""
    if not Path(path).exists():
        return True
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        except sqlite3.OperationalError as error:
            return error.sqlite_errorname not in SQLITE_FULL
    return True


def _configure_sqlite(engine: AsyncEngine, *, writes: bool, alone: bool = False) -> None:
    """Sets the pragmas on each new connection and takes over BEGIN from the driver."""

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not open transactions by itself
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        if alone:  # before the first access: the index then stays in memory and needs no room
            cursor.execute("PRAGMA locking_mode = EXCLUSIVE")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # an order that was confirmed survives a power cut
        cursor.execute("PRAGMA foreign_keys = ON")
        if not writes:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def absence(error: BaseException) -> LiveCommerceError | None:
    """The numbered error where `error` says that the database is away, stalled or full; None for faults of a statement.

    The driver's own errors come bare while a connection is made (`OSError`, asyncpg's), later inside SQLAlchemy's.
    """
    inner = getattr(error, "orig", None) or error
    text = str(inner)
    if getattr(inner, "sqlite_errorname", "") in SQLITE_FULL or getattr(inner, "sqlstate", "") == "53100":
        return StorageFull(retry_after_ms=5_000)
    if "disk is full" in text or "No space left" in text:
        return StorageFull(retry_after_ms=5_000)
    if refused_login(error) or str(getattr(inner, "sqlstate", None) or "")[:2] in AWAY_CLASSES:
        return DatabaseAway(retry_after_ms=2_000)
    if isinstance(error, PoolTimeout | OSError) or getattr(error, "connection_invalidated", False):
        return DatabaseAway(retry_after_ms=2_000)
    if isinstance(error, OperationalError | InterfaceError):
        return DatabaseAway(retry_after_ms=2_000)
    return DatabaseAway(retry_after_ms=2_000) if type(inner).__module__.startswith("asyncpg") else None


def refused_login(error: BaseException) -> bool:
    """Whether PostgreSQL knows no such user, password or database: waiting cannot help."""
    inner = getattr(error, "orig", None) or error
    return str(getattr(inner, "sqlstate", "")) in ("28000", "28P01", "3D000")


def _driver_errors() -> tuple[type[Exception], ...]:
    """PostgreSQL's driver's own, where it is installed: with SQLite alone it need not be."""
    try:
        driver = importlib.import_module("asyncpg")
    except ImportError:
        return ()
    return (driver.PostgresError, driver.InterfaceError)


_FAULTS: tuple[type[Exception], ...] = (SQLAlchemyError, OSError, *_driver_errors())


class Database:
    """The SQL database of one process. `start()` migrates; then `read()` and `write()` give connections.

    Raises (from any use):
        DatabaseAway: it is away, stalled, or refuses the connection.
        StorageFull: it cannot store more.
        sqlalchemy.exc.SQLAlchemyError: it refuses a statement.
    """

    def __init__(self, url: str, *, by_command: bool = False) -> None:
        """`by_command`: a person asks, and one thing after the other. Then a disk without any room hinders no reading:
        one connection has SQLite's file for itself."""
        self.url: URL = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        # False while a role waits for its first answer: its schema may be an older one, or it another shop's.
        self.is_open = True
        self.closed_why = "nobody has looked yet whether it is ours"
        self._full: tuple[float, str] = (0.0, "")
        if self.is_sqlite and by_command and not _has_room_to_be_shared(self.url.database or ""):
            self._writer = create_async_engine(self.url, pool_size=1, max_overflow=0)
            self._reader = self._writer
            _configure_sqlite(self._writer, writes=True, alone=True)
        elif self.is_sqlite:
            self._writer = create_async_engine(self.url, pool_size=1, max_overflow=0)
            self._reader = create_async_engine(self.url, pool_size=READERS_MAX, max_overflow=0)
            _configure_sqlite(self._writer, writes=True)
            _configure_sqlite(self._reader, writes=False)
        else:
            self._writer = create_async_engine(
                self.url,
                pool_size=POSTGRES_CONNECTIONS_MAX,
                max_overflow=0,
                pool_pre_ping=True,
                pool_timeout=POOL_SECONDS_MAX,
                connect_args={
                    "timeout": CONNECT_SECONDS_MAX,
                    "command_timeout": STATEMENT_SECONDS_MAX,
                    "server_settings": {"idle_in_transaction_session_timeout": str(POSTGRES_IDLE_MS_MAX)},
                },
            )
            self._reader = self._writer

    @classmethod
    async def open(cls, configured: str, data_folder: str) -> Database:
        """The configured database (see `database_url`) for a command, its schema brought up to date."""
        database = cls.of(configured, data_folder, by_command=True)
        await database.start()
        return database

    @classmethod
    def of(cls, configured: str, data_folder: str, *, by_command: bool = False) -> Database:
        """As `open`, not connected and not migrated yet."""
        return cls(database_url(configured, data_folder), by_command=by_command)

    async def start(self, revision: str = "head") -> None:
        """Brings the schema up to date (or up to an older `revision`, for a backup of then). Several processes may call
        it at once: one migrates, the others wait.

        Raises:
            DatabaseMoved, DatabaseNewer: it may not be opened.
        """
        if self.is_sqlite and self.url.database:
            path = Path(self.url.database)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = _file_lock(path.with_name(path.name + ".migrate-lock"))
            await asyncio.to_thread(lock.__enter__)  # waiting for another process must not stop this one's loop
            try:
                async with self._numbered(), self._writer.begin() as connection:
                    await connection.run_sync(_upgrade, revision)
                    if revision == "head":
                        await refuse_moved(connection)
            finally:
                lock.__exit__(None, None, None)
            await asyncio.to_thread(path.chmod, 0o600)  # it holds names and orders
            return
        # Without the limit on a statement: a migration of many rows, or waiting for another process that migrates.
        engine = create_async_engine(self.url, connect_args={"timeout": CONNECT_SECONDS_MAX})
        try:
            async with self._numbered(), engine.begin() as connection:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
                await connection.run_sync(_upgrade, revision)
                if revision == "head":
                    await refuse_moved(connection)
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for looking; what is written through it is refused (SQLite) or never meant."""
        self._refuse_unopened()
        async with self._numbered(), self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        self._refuse_unopened()
        async with self._numbered(), self._writer.begin() as connection:
            yield connection
        self._full = (0.0, "")

    @asynccontextmanager
    async def _numbered(self) -> AsyncIterator[None]:
        try:
            yield
        except LiveCommerceError:
            raise
        except _FAULTS as error:
            known = None if isinstance(error, IntegrityError) else absence(error)
            if known is None:
                raise
            known.cause = f"{redact_text(self.url.render_as_string())} {_cause(error, known)}"
            if isinstance(known, StorageFull):
                self._full = (time.monotonic(), known.cause)
            raise known from error

    @property
    def full(self) -> str:
        """Why it stored nothing lately; empty when it stores."""
        when, cause = self._full
        return cause if cause and time.monotonic() - when < FULL_SECONDS else ""

    def _refuse_unopened(self) -> None:
        if not self.is_open:
            away = DatabaseAway(retry_after_ms=2_000)
            away.cause = f"{redact_text(self.url.render_as_string())} is not in use: {self.closed_why}"
            raise away

    async def ping(self) -> None:
        """Asks the database for one row; raises when it is away. For health checks."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()
