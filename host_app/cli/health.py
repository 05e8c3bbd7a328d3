"""`giga doctor` and `giga verify`: is the installation sound, and is its data?"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click
import sqlalchemy as sa

from gigacore.data import audit
from gigacore.errors import GigaError
from gigacore.messages import Msg, msg
from gigacore.plugins import PluginState
from gigacore.plugins.calls import STOPS
from gigacore.plugins.health import told
from gigacore.values import dataclass
from host_app.installation import Installation, pass_installation, tell, translator

if TYPE_CHECKING:
    from gigacore import Crm
    from gigacore.plugins.hookspecs import Verifier

SAFE_SQLITE: Final = (3, 51, 3)
FAILED: Final = 1
SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of an examination; `bad` ones make the command fail, `warning` ones do not."""

    text: Msg
    bad: bool = False
    warning: bool = False
    fix: Msg | None = None


@click.command()
@pass_installation
def doctor(installation: Installation) -> int:
    """Examine settings, database and plugins; exit code 1 if something must be mended."""
    return _report(finding for examine in EXAMINATIONS for finding in _safely(examine, installation))


@click.command()
@pass_installation
def verify(installation: Installation) -> int:
    """Check the stored data: audit chain, numbers, files; exit code 1 if something is wrong."""
    return _report(_verified(installation))


def _safely(examine: Callable[[Installation], Iterator[Finding]], installation: Installation) -> Iterator[Finding]:
    try:
        yield from examine(installation)
    except GigaError as error:
        yield Finding(error.message, bad=True, fix=error.fix)
    except sa.exc.OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        yield Finding(msg("The database does not answer: {reason}.", reason=reason), bad=True)


def _report(findings: Iterator[Finding]) -> int:
    translate, failed = translator(), False
    for finding in findings:
        mark = msg("FAILED ") if finding.bad else msg("WARNING") if finding.warning else msg("OK     ")
        tell(f"{mark.render(translate)}  {finding.text.render(translate)}")
        if finding.fix is not None:
            tell(f"         {finding.fix.render(translate)}")
        failed = failed or finding.bad
    return FAILED if failed else 0


def _python(installation: Installation) -> Iterator[Finding]:
    yield Finding(msg("Python {version}", version=sys.version.split()[0]))


def _settings(installation: Installation) -> Iterator[Finding]:
    settings = installation.settings
    yield Finding(msg("Keys are strong and differ."))
    folder = settings.data_dir
    if not os.access(folder if folder.exists() else folder.parent, os.W_OK):
        yield Finding(msg("The data folder {path} cannot be written.", path=folder), bad=True)
    if settings.public_url.startswith("http://"):
        yield Finding(msg("The public address is not https."), warning=True, fix=msg("Set GIGA_PUBLIC_URL=https://..."))


def _database(installation: Installation) -> Iterator[Finding]:
    engine = installation.crm.database.engine
    yield Finding(msg("The database ({name}) answers and has the code's version.", name=engine.dialect.name))
    if engine.dialect.name == "sqlite" and sqlite3.sqlite_version_info < SAFE_SQLITE:
        yield Finding(
            msg("SQLite {version} is older than {wanted}.", version=sqlite3.sqlite_version, wanted="3.51.3"),
            warning=True,
            fix=msg("Fine for one server process; never let two processes share the database."),
        )


def _plugins(installation: Installation) -> Iterator[Finding]:
    for one in installation.crm.plugins.list():
        if one.state is PluginState.QUARANTINED:
            reason = one.reason or msg("unknown")
            yield Finding(msg("Plugin {name} does not run: {reason}", name=one.name, reason=reason), bad=True)
        elif one.state is PluginState.ENABLED:
            yield Finding(msg("Plugin {name} runs.", name=one.name))
    for fault in installation.crm.calls.faults.read()[:SHOWN]:
        reason = told(fault)
        yield Finding(msg("Plugin {name}: {reason}", name=fault.plugin, reason=reason), warning=True)


EXAMINATIONS: Final = (_python, _settings, _database, _plugins)


def _verified(installation: Installation) -> Iterator[Finding]:
    crm = installation.crm
    with crm.database.system_connection("giga verify") as connection:
        yield from _integrity(connection)
        yield from _audit(connection)
    for name, verify in crm.plugins.verifiers().items():
        faults = [Finding(fault, bad=True) for fault in _told_by(crm, name, verify)]
        yield from faults or [Finding(msg("{name}: no faults.", name=name))]


def _told_by(crm: Crm, name: str, verify: Verifier) -> list[Msg]:
    """What a plugin's check finds; a check that fails says so, and the others go on."""
    plugin = name.partition(".")[0]
    try:
        with crm.calls.into(plugin, name), crm.system(f"giga verify {name}") as ctx:
            return list(verify(ctx))
    except STOPS:
        raise
    except BaseException as error:
        if crm.settings.strict:
            raise
        crm.calls.note(plugin, name, error)
        return [msg("{name} could not be checked: {reason}", name=name, reason=str(error) or type(error).__name__)]


def _integrity(connection: sa.Connection) -> Iterator[Finding]:
    if connection.dialect.name != "sqlite":
        return
    answer = connection.exec_driver_sql("PRAGMA quick_check").scalar_one()
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    yield Finding(msg("SQLite's own check: {answer}.", answer=answer), bad=answer != "ok")
    yield Finding(msg("References between tables hold."), bad=broken is not None)


def _audit(connection: sa.Connection) -> Iterator[Finding]:
    audit.seal(connection, datetime.now(UTC))
    faults = audit.verify(connection)
    yield Finding(msg("Faults in the audit chain: {count}.", count=len(faults)), bad=bool(faults))
    for fault in faults[:SHOWN]:
        place = str(fault.audit_id or fault.seq)
        yield Finding(msg("Audit row {place}: {reason}", place=place, reason=fault.message), bad=True)
