"""One owner's migrations: where they lie, which tables they may touch, and how far a database has come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from gigacore.errors import ConfigurationError
from gigacore.messages import msg


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

    def script(self) -> ScriptDirectory:
        """Alembic's view of the revision files; the folder may be absent while there are none."""
        present = self.versions.is_dir()
        return ScriptDirectory(str(self.directory if present else Path()), version_locations=[str(self.versions)])

    def head(self) -> str | None:
        """The newest revision. Raises ConfigurationError when two revisions follow the same one."""
        heads = self.script().get_heads()
        if len(heads) > 1:
            raise ConfigurationError(
                msg("The migrations of {owner} have several ends: {names}.", owner=self.owner, names=", ".join(heads)),
                fix=msg("Let each revision follow another one."),
            )
        return heads[0] if heads else None

    def revisions(self) -> list[str]:
        """Every known revision, oldest first."""
        return [script.revision for script in reversed(list(self.script().walk_revisions()))]


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
                msg("The database lacks {count} migration(s) of {owner}.", count=len(self.pending), owner=self.owner),
                fix=msg("Make a backup, then run `giga db upgrade`."),
            )


def current(connection: sa.Connection, history: History) -> str | None:
    """The revision at which the database stands, None when nothing of this history was ever applied."""
    options = {"version_table": history.version_table}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def state(connection: sa.Connection, history: History) -> State:
    """Compares the database with the revision files."""
    known, at, head = history.revisions(), current(connection, history), history.head()
    if at is not None and at not in known:
        return State(history.owner, at, head, (), newer=at)
    done = 0 if at is None else known.index(at) + 1
    return State(history.owner, at, head, tuple(known[done:]))


def states(connection: sa.Connection, histories: Iterable[History]) -> list[State]:
    """`state` of several histories, in their order."""
    return [state(connection, history) for history in histories]
