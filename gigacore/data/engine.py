"""One engine per database URL: the SQLite and PostgreSQL profiles, and the check of an engine made elsewhere."""

from __future__ import annotations

import sqlite3
import time
from types import FrameType
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from gigacore.entity.folding import fold
from gigacore.errors import ConfigurationError
from gigacore.messages import msg

READ: Final = "giga_read"
BUSY_MS: Final = 10_000
IDLE_SECONDS: Final = 5.0
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA cache_size=-65536",
    "PRAGMA temp_store=MEMORY",
)
_WANTED: Final = (("journal_mode", ("wal", "memory")), ("synchronous", (2, 3)), ("foreign_keys", (1,)))


def loads(value: Any) -> Any:
    """A value of a JSON column; SQLite has turned bare numbers into its own already."""
    return orjson.loads(value) if isinstance(value, str | bytes | memoryview) else value


def dumps(value: Any) -> str:
    """JSON text of `value`, as columns of type JSON store it."""
    return orjson.dumps(value).decode()


def create_engine(url: str | sa.URL, *, statement_timeout: int = 30, pool_size: int = 10, **options: Any) -> Engine:
    """An engine with the profile that the library relies on.

    SQLite: WAL, `synchronous=FULL`, foreign keys, `BEGIN IMMEDIATE` unless the connection only reads. PostgreSQL: READ
    COMMITTED, `statement_timeout` seconds, a ping before a connection is used that lay idle for five seconds.
    """
    parsed = sa.make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        options = _sqlite_options(parsed, pool_size) | options
    elif backend == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        options = _postgres_options(statement_timeout, pool_size) | options
    else:
        raise ConfigurationError(
            msg("The database {name} is not supported.", name=backend), fix=msg("Use SQLite or PostgreSQL.")
        )
    engine = sa.create_engine(parsed, json_serializer=dumps, json_deserializer=loads, **options)
    prepare_engine(engine)
    return engine


def prepare_engine(engine: Engine) -> None:
    """Give an embedder's engine the profile. Call it before the engine's first connection."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "checkin", _stamp)
        event.listen(engine, "checkout", _ping_when_idle)


def check_engine(engine: Engine) -> None:
    """Refuse an engine that breaks what the library promises. Raises ConfigurationError that lists what is wrong."""
    if engine.dialect.name not in ("sqlite", "postgresql"):
        raise ConfigurationError(
            msg("The database {name} is not supported.", name=engine.dialect.name), fix=msg("Use SQLite or PostgreSQL.")
        )
    wrong = _sqlite_faults(engine) if engine.dialect.name == "sqlite" else _postgres_faults(engine)
    if wrong:
        raise ConfigurationError(
            msg("The database engine does not have the settings that are needed: {list}.", list=", ".join(wrong)),
            fix=msg("Make it with gigacore.data.create_engine, or call prepare_engine before its first connection."),
        )


def reading(engine: Engine) -> Engine:
    """The same pool for connections that only read: a deferred transaction on SQLite, autocommit on PostgreSQL."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{READ: True})
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _sqlite_options(url: sa.URL, pool_size: int) -> dict[str, Any]:
    if url.database in (None, "", ":memory:"):
        return {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    return {"pool_size": pool_size, "max_overflow": pool_size, "connect_args": {"timeout": BUSY_MS / 1000}}


def _postgres_options(statement_timeout: int, pool_size: int) -> dict[str, Any]:
    # Compiling what looks expensive (the columns of a board for who sees few records) takes longer than running it.
    settings = f"-c statement_timeout={statement_timeout}s -c lock_timeout={BUSY_MS} -c timezone=UTC -c jit=off"
    return {
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "isolation_level": "READ COMMITTED",
        "connect_args": {"options": settings, "prepare_threshold": 3},
    }


def _on_sqlite_connect(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by its own rules
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    connection.create_function("giga_fold", 1, _fold, deterministic=True)


def _fold(value: object) -> str | None:
    return None if value is None else fold(str(value))


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get(READ)
    raw: Any = connection.connection.dbapi_connection
    statement = "BEGIN" if reads else "BEGIN IMMEDIATE"
    try:
        raw.execute(statement)
    except sqlite3.OperationalError as error:
        raise sa.exc.OperationalError(statement, None, error) from error


def waits_to_write(frame: FrameType) -> bool:
    """Whether a thread that stands at `frame` waits on SQLite for another to end its writing, at most `BUSY_MS`."""
    return frame.f_code is _begin_sqlite.__code__


def _stamp(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    record.info["idle_since"] = time.monotonic()


def _ping_when_idle(connection: DBAPIConnection, record: ConnectionPoolEntry, proxy: object) -> None:
    since = record.info.get("idle_since")
    if since is None or time.monotonic() - since < IDLE_SECONDS:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise InvalidatePoolError from error


def _sqlite_faults(engine: Engine) -> list[str]:
    wrong = []
    with reading(engine).connect() as connection:
        for pragma, wanted in _WANTED:
            if (found := connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()) not in wanted:
                wrong.append(f"{pragma}={found}")
        if (busy := connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()) < BUSY_MS:
            wrong.append(f"busy_timeout={busy}")
    if not event.contains(engine, "begin", _begin_sqlite):
        wrong.append("BEGIN IMMEDIATE")
    return wrong


def _postgres_faults(engine: Engine) -> list[str]:
    if engine.dialect.driver != "psycopg":
        return [f"driver={engine.dialect.driver}"]
    with engine.connect() as connection:
        level = connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
    return [] if level == "read committed" else [f"isolation={level}"]
