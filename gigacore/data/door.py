"""The last lock: a statement on a registered table runs only when its criteria are in it, or the system acts.

Everything that reaches the database passes `before_cursor_execute`: Core selects, `text()`, driver SQL. A statement
says in its execution options for which tables the actor's criteria were added (`SCOPED`); its text is then searched
for registered tables beyond those. The search is done once per text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext
from sqlalchemy.sql.base import Executable

from gigacore.data.survey import WORD
from gigacore.errors import Misuse
from gigacore.messages import msg

SCOPED: Final = "giga_scoped"
"""Execution option: True (criteria are in the statement, or the system acts) or the names of the tables they cover."""
DOOR: Final = "giga_door"
_CACHE_SIZE: Final = 4096
_NOTHING: Final[frozenset[str]] = frozenset()

E = TypeVar("E", bound=Executable)


def mark_scoped(statement: E) -> E:
    """Declare that the criteria of the actor stand in `statement` already. For `records` and `filter` only."""
    return statement.execution_options(**{SCOPED: True})


class Door:
    """Stands open while the session itself writes (flush, trash, rollups); closed for everybody else's statements."""

    __slots__ = ("_depth",)

    def __init__(self) -> None:
        self._depth = 0

    @property
    def is_open(self) -> bool:
        """Whether unmarked statements pass."""
        return self._depth > 0

    def open(self) -> None:
        """Let the session's own statements pass until `shut`."""
        self._depth += 1

    def shut(self) -> None:
        """Undo one `open`."""
        self._depth -= 1

    @contextmanager
    def left_as_found(self) -> Iterator[None]:
        """Whatever happens inside, the door stands afterwards as before."""
        depth = self._depth
        try:
            yield
        finally:
            self._depth = depth

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Let the session's own statements pass."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1


class StatementGuard:
    """Watches the statements of one engine for registered tables."""

    def __init__(self, tables: Iterable[str]) -> None:
        self._tables = frozenset(tables)
        self._seen: dict[str, frozenset[str]] = {}

    def watch(self, engine: Engine) -> None:
        """Start watching."""
        event.listen(engine, "before_cursor_execute", self.check)

    def unwatch(self, engine: Engine) -> None:
        """Stop watching; nothing happens where it was stopped."""
        if event.contains(engine, "before_cursor_execute", self.check):
            event.remove(engine, "before_cursor_execute", self.check)

    def register(self, tables: Iterable[str]) -> None:
        """Watch these tables from now on."""
        self._tables = frozenset(tables)
        self._seen = {}

    def check(
        self,
        connection: Connection,
        cursor: DBAPICursor,
        statement: str,
        parameters: Any,
        context: ExecutionContext | None,
        executemany: bool,
    ) -> None:
        """Raise Misuse for a statement on a registered table without the mark."""
        options = connection.get_execution_options() if context is None else context.execution_options
        scoped = options.get(SCOPED, _NOTHING)
        if scoped is True:
            return
        touched = self._seen.get(statement)
        if touched is None:
            touched = self._search(statement)
        if touched <= scoped:
            return
        door = options.get(DOOR)
        if door is None or not door.is_open:
            self._refuse(touched - scoped)

    def _search(self, statement: str) -> frozenset[str]:
        touched = self._tables.intersection(WORD.findall(statement))
        if len(self._seen) >= _CACHE_SIZE:
            self._seen.clear()
        self._seen[statement] = touched
        return touched

    def _refuse(self, tables: frozenset[str]) -> None:
        raise Misuse(
            msg("A statement on {tables} does not carry the actor's criteria.", tables=", ".join(sorted(tables))),
            fix=msg("Select mapped classes through the session, or use gigacore.data.bulk or a system session."),
        )
