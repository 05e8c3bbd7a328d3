"""`giga db`: migrations of the core and of every plugin."""

from __future__ import annotations

from pathlib import Path

import click
import sqlalchemy as sa

from gigacore import migrate
from gigacore.entity import metadata
from gigacore.messages import msg
from gigacore.plugins import PluginState
from host_app.installation import Installation, pass_installation, tell
from host_app.planning import remember_addresses

FAILED = 1


@click.group()
def db() -> None:
    """Bring the database to the version of the code, and check it."""


@db.command()
@pass_installation
def upgrade(installation: Installation) -> int:
    """Apply every missing migration; each plugin's in one transaction. Exit code 1: that of a plugin failed."""
    applied = installation.upgrade()
    remember_addresses(installation.crm, *(one.name for one in installation.crm.plugins.enabled))
    for owner, revisions in applied.items():
        for revision in revisions:
            tell(f"{owner}: {revision}")
    tell(
        msg("The database is up to date.")
        if any(applied.values())
        else msg("Nothing to do: the database is up to date.")
    )
    stopped = [one for one in installation.crm.plugins.list() if one.state is PluginState.QUARANTINED]
    for one in stopped:
        tell(msg("Plugin {name} does not run: {reason}", name=one.name, reason=one.reason or msg("unknown")))
    return FAILED if stopped else 0


@db.command()
@click.argument("owner")
@click.option("-m", "--message", required=True, help="What changes, in a few words.")
@pass_installation
def revision(installation: Installation, owner: str, message: str) -> None:
    """Write the next migration of OWNER (a plugin, or core) from its declared tables."""
    history = installation.unstarted.plugins.history(owner)
    path: Path | None = migrate.write_revision(history, metadata, sa.create_engine("sqlite://"), message)
    tell(msg("Nothing changed.") if path is None else str(path))


@db.command()
@pass_installation
def check(installation: Installation) -> int:
    """Compare the declared tables with the database; exit code 1 if they differ."""
    found = installation.crm.plugins.check()
    for owner, lines in found.items():
        for line in lines:
            tell(f"{owner}: {line}")
    tell(msg("The database differs from the declarations.") if found else msg("The database fits the declarations."))
    return FAILED if found else 0
