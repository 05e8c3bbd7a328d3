"""Changes of the schema: each operation is one transaction on both engines, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

from gigacore.data.door import SCOPED
from gigacore.data.engine import BUSY_MS
from gigacore.errors import Conflict
from gigacore.messages import msg
from gigacore.migrate.history import History, state
from gigacore.migrate.reflection import quiet_about_expressions

_LOCK: Final = 7_141_853_902
Steps = Callable[[Any, MigrationContext], Iterable[RevisionStep]]


@contextmanager
def operation(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection in a transaction that may change the schema; it commits at the end or rolls back whole.

    SQLite checks foreign keys at the end instead of during the work: rebuilding a table would otherwise delete the
    rows that cascade from it. PostgreSQL lets one operation run at a time and lifts the time limit of statements.
    Raises Conflict when another operation ran for as long as is waited.
    """
    with _told_when_busy(), engine.execution_options(**{SCOPED: True}).connect() as connection:
        begin = _on_sqlite if engine.dialect.name == "sqlite" else _on_postgresql
        with begin(connection):
            yield connection


@contextmanager
def _told_when_busy() -> Iterator[None]:
    try:
        yield
    except sa.exc.OperationalError as error:
        code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", "")
        if code not in ("55P03", "SQLITE_BUSY", "SQLITE_LOCKED"):
            raise
        raise Conflict(
            msg("Another operation changes this database; it was waited for {count} seconds.", count=BUSY_MS // 1000),
            fix=msg("Nothing was changed. Run the command again when the other one has ended."),
        ) from error


def upgrade(connection: sa.Connection, history: History, target: str = "head") -> list[str]:
    """Applies what is missing up to `target`; returns the revisions applied.

    Raises ConfigurationError for a database that is newer than the code.
    """
    found = state(connection, history)
    found.check_not_newer()
    if not found.pending:
        return []
    script = _script(history)
    _run(connection, history, lambda revision, _: script._upgrade_revs(target, revision))
    done = state(connection, history).pending
    return [revision for revision in found.pending if revision not in done]


def downgrade(connection: sa.Connection, history: History, target: str = "base") -> None:
    """Takes back what came after `target`; from `base` on nothing of the owner is left, its version table included.

    Raises ConfigurationError for a database that is newer than the code.
    """
    found = state(connection, history)
    found.check_not_newer()
    if found.current is not None:
        script = _script(history)
        _run(connection, history, lambda revision, _: script._downgrade_revs(target, revision))
    if target == "base":
        sa.Table(history.version_table, sa.MetaData()).drop(connection, checkfirst=True)


def _script(history: History) -> ScriptDirectory:
    return ScriptDirectory(str(history.directory), version_locations=[str(history.versions)])


def _run(connection: sa.Connection, history: History, steps: Steps) -> None:
    options = {"version_table": history.version_table, "fn": steps, "render_as_batch": True, "transactional_ddl": True}
    context = MigrationContext.configure(connection, opts=options)
    with Operations.context(context), quiet_about_expressions():
        context.run_migrations()


@contextmanager
def _on_sqlite(connection: sa.Connection) -> Iterator[None]:
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        with connection.begin():
            yield
            _check_foreign_keys(connection)
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


@contextmanager
def _on_postgresql(connection: sa.Connection) -> Iterator[None]:
    with connection.begin():
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        yield


def _check_foreign_keys(connection: sa.Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(5)
    if broken:
        raise Conflict(
            msg(
                "Rows would point to records that do not exist: {rows}.",
                rows=", ".join(f"{row[0]} {row[1]} → {row[2]}" for row in broken),
            ),
            fix=msg("Nothing was changed. Mend these rows, then run the command again."),
        )
