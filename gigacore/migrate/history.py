"""One owner's migrations: where they lie, which tables they may touch, and how far a database has come."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import field
from pathlib import Path
from types import MappingProxyType
from typing import Final

import sqlalchemy as sa

from gigacore.errors import ConfigurationError
from gigacore.messages import msg
from gigacore.values import dataclass

_ASSIGNED: Final = MappingProxyType(
    {name: re.compile(rf"^{name}(?:\s*:.*?)?\s*=\s*(\S+)\s*$", re.MULTILINE) for name in ("revision", "down_revision")}
)


@dataclass(frozen=True, slots=True)
class History:
    """The migrations of the core or of one plugin, in `directory`/versions, with a version table of their own."""

    owner: str
    directory: Path
    tables: frozenset[str] = field(default_factory=frozenset)

    @property
    def version_table(self) -> str:
        """The table that holds the revision at which a database stands."""
        return f"core_version_{self.owner}"

    @property
    def versions(self) -> Path:
        """The folder of the revision files."""
        return self.directory / "versions"

    def revisions(self) -> list[str]:
        """Every known revision, oldest first; the files are read, not imported.

        Raises ConfigurationError when the revisions do not form one line.
        """
        after = dict(_links(path) for path in sorted(self.versions.glob("*.py")))
        line: list[str] = []
        while (found := [name for name, down in after.items() if down == (line[-1] if line else None)]) != []:
            if len(found) > 1:
                raise self._broken(found)
            line += found
        if len(line) != len(after):
            raise self._broken(sorted(set(after) - set(line)))
        return line

    def head(self) -> str | None:
        """The newest revision, None when there is none."""
        known = self.revisions()
        return known[-1] if known else None

    def _broken(self, names: list[str]) -> ConfigurationError:
        return ConfigurationError(
            msg("The migrations of {owner} form no line at {names}.", owner=self.owner, names=", ".join(names)),
            fix=msg("Let each revision follow another one, and only one be the first."),
        )


@dataclass(frozen=True, slots=True)
class State:
    """How far a database has come in one history. `newer` is a revision that the code does not know."""

    owner: str
    current: str | None
    head: str | None
    pending: tuple[str, ...]
    newer: str | None = None

    @property
    def up_to_date(self) -> bool:
        """Whether code and database match."""
        return not self.pending and self.newer is None

    def check_not_newer(self) -> None:
        """Raises ConfigurationError when the database was written by a newer version of the code."""
        if self.newer is not None:
            raise ConfigurationError(
                msg(
                    "The database is at revision {revision} of {owner}, which this version does not know.",
                    revision=self.newer,
                    owner=self.owner,
                ),
                fix=msg("Install the version that wrote it, or restore a backup made before the upgrade."),
            )

    def check_up_to_date(self) -> None:
        """Raises ConfigurationError when database and code do not match, in either direction."""
        self.check_not_newer()
        if self.pending:
            raise ConfigurationError(
                msg("The database lacks {count} migrations of {owner}.", count=len(self.pending), owner=self.owner),
                fix=msg("Make a backup, then run `giga db upgrade`."),
            )


def current(connection: sa.Connection, history: History) -> str | None:
    """The revision at which the database stands, None when nothing of this history was ever applied."""
    if not sa.inspect(connection).has_table(history.version_table):
        return None
    version = sa.table(history.version_table, sa.column("version_num"))
    return connection.execute(sa.select(version.c.version_num)).scalar()


def state(connection: sa.Connection, history: History) -> State:
    """Compares the database with the revision files."""
    known, at = history.revisions(), current(connection, history)
    head = known[-1] if known else None
    if at is not None and at not in known:
        return State(history.owner, at, head, (), newer=at)
    done = 0 if at is None else known.index(at) + 1
    return State(history.owner, at, head, tuple(known[done:]))


def states(connection: sa.Connection, histories: Iterable[History]) -> list[State]:
    """`state` of several histories, in their order."""
    return [state(connection, history) for history in histories]


def _links(path: Path) -> tuple[str, str | None]:
    text = path.read_text("utf-8")
    revision, down = (_ASSIGNED[name].search(text) for name in ("revision", "down_revision"))
    if revision is None or down is None:
        raise ConfigurationError(
            msg("{path} names no revision or no down_revision.", path=path),
            fix=msg("Move the file away and write it anew with `giga db revision`."),
        )
    return revision[1].strip("\"'"), None if down[1] == "None" else down[1].strip("\"'")
