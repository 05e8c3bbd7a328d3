"""`giga backup`: make, list, verify, restore, prune, and the restore drill."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from gigacore import backups
from gigacore.backups import Backup, catalogue
from gigacore.backups.jobs import KEEP_DAYS
from gigacore.data import settings
from gigacore.errors import NotFound
from gigacore.messages import Msg, msg
from host_app.cli.options import PASSPHRASE, secrets
from host_app.installation import Installation, pass_installation, tell, translator

MB: Final = 1 << 20
STATES: Final = {
    "running": msg("running"),
    "complete": msg("complete"),
    "failed": msg("failed"),
    "verified": msg("verified"),
    "damaged": msg("damaged"),
}
REASONS: Final = {
    "schedule": msg("scheduled"),
    "by hand": msg("by hand"),
    "before a restore": msg("before a restore"),
    "drill": msg("restore drill"),
}
TRUST: Final = click.option("--trust", is_flag=True, help="Take it although this installation did not sign it.")


@click.group()
def backup() -> None:
    """Look after backups: the database and the files together."""


@backup.command()
@click.option("--encrypt/--plain", default=None, help="Encrypted or not; left out: as the settings say.")
@pass_installation
def create(installation: Installation, encrypt: bool | None) -> None:
    """Make a backup now, while the application goes on."""
    crm = installation.crm
    made = backups.create(crm, reason="by hand", encrypted=encrypt)
    path = installation.settings.backups / made.name
    tell(msg("Backup {path}: {rows} rows, {files} files.", path=path, rows=made.rows, files=made.files))


@backup.command("list")
@pass_installation
def list_backups(installation: Installation) -> None:
    """Every backup, newest first, with time, size and state."""
    found = backups.listing(installation.settings.backups)
    for one in found:
        tell(line_of(one))
    if not found:
        tell(msg("There is no backup in {folder}.", folder=installation.settings.backups))


def line_of(one: Backup) -> str:
    """A backup in one line of a terminal."""
    translate = translator()
    state = STATES[one.state].render(translate)
    reason = REASONS.get(one.reason, Msg(one.reason)).render(translate) if one.reason else ""
    sealed = msg("encrypted").render(translate) if one.sealed else ""
    made = f"{one.made_at:%Y-%m-%d %H:%M:%SZ} {one.size / MB:9.1f} MB"
    return f"{one.name:42} {made}  {state:10} {sealed:9} {reason}".rstrip()


@backup.command()
@click.argument("file", required=False)
@PASSPHRASE
@TRUST
@pass_installation
def verify(installation: Installation, file: str | None, passphrase_file: Path | None, trust: bool) -> None:
    """Read a backup wholly (the newest one unless FILE is named) and compare it with its digests."""
    found = backups.verify(
        installation.unstarted, _file(installation, file), known=secrets(installation, passphrase_file), trusting=trust
    )
    tell(msg("{name} is whole: {rows} rows, {files} files.", name=found.name, rows=found.rows, files=found.files))


@backup.command()
@click.argument("file", required=False)
@click.option("--replace", is_flag=True, help="Replace the records that are here.")
@click.option("--safety/--no-safety", default=True, help="Back up what is here first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@PASSPHRASE
@TRUST
@pass_installation
def restore(
    installation: Installation,
    file: str | None,
    replace: bool,
    safety: bool,
    yes: bool,
    passphrase_file: Path | None,
    trust: bool,
) -> None:
    """Bring database and files to the state of a backup, the newest one unless FILE is named. Stop the server first."""
    crm, path, known = installation.unstarted, _file(installation, file), secrets(installation, passphrase_file)
    found = backups.inspect(crm, path, known=known, trusting=trust)
    tell(
        msg(
            "Backup of {at}: {rows} rows, {files} files, plugins {names}.",
            at=f"{found.made_at:%Y-%m-%d %H:%M:%SZ}",
            rows=found.rows,
            files=found.files,
            names=", ".join(found.plugins),
        )
    )
    for name, count in found.replaced.items():
        tell(f"  - {msg('{count} rows of {name}', name=name, count=count).render(translator())}")
    if found.replaced and replace and not yes:
        click.confirm(msg("Replace all this? Is the server stopped?").render(translator()), abort=True)
    done = backups.restore(crm, path, known=known, trusting=trust, replace=replace, safety=safety)
    if done.safety is not None:
        tell(msg("What was here before: {path}", path=done.safety))
    if done.kept_out:
        tell(msg("{count} records stayed away: they were erased or merged since.", count=done.kept_out))
    if done.lost_files:
        tell(msg("{count} files were lost before the backup was made.", count=done.lost_files))
    tell(msg("Restored: {rows} rows, {files} files. Start the server again.", rows=done.rows, files=done.files))


@backup.command()
@click.argument("file")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@PASSPHRASE
@pass_installation
def export(installation: Installation, file: str, target: Path, passphrase_file: Path | None) -> None:
    """Write one backup with all its files into TARGET, one file that can be restored anywhere."""
    known = secrets(installation, passphrase_file)
    made = backups.export(installation.unstarted, _file(installation, file), target, known=known)
    tell(msg("Written: {path}", path=made))


@backup.command()
@click.option("--days", type=click.IntRange(1), help="How many days to keep; left out: as the settings say.")
@pass_installation
def prune(installation: Installation, days: int | None) -> None:
    """Remove backups past their time; the last good one stays."""
    kept = days or int(_settings(installation).get(KEEP_DAYS) or 30)
    gone = backups.prune(installation.settings.backups, kept, installation.unstarted.clock.now())
    tell(msg("{count} backups removed.", count=len(gone)))


@backup.command()
@click.argument("file", required=False)
@click.option("--scratch-url", default="", help="An empty database to restore into; left out: an SQLite file.")
@click.option("--encrypt", is_flag=True, help="Encrypt the backup that is made for it.")
@pass_installation
def drill(installation: Installation, file: str | None, scratch_url: str, encrypt: bool) -> None:
    """Restore a backup (a new one unless FILE is named) into a scratch place, compare every row and file, start it."""
    path = _file(installation, file) if file else None
    done = backups.drill(installation.crm, path, url=scratch_url, encrypted=encrypt or None)
    tell(
        msg(
            "{name} came back equal: {rows} rows, {files} files; backup {made} s, restore {restored} s.",
            name=done.path.name,
            rows=done.rows,
            files=done.files,
            made=f"{done.backup_seconds:.1f}",
            restored=f"{done.restore_seconds:.1f}",
        )
    )


def _settings(installation: Installation) -> dict[str, Any]:
    with installation.crm.database.connect() as connection:
        return dict(settings.read(connection))


def _file(installation: Installation, file: str | None) -> Path:
    """A path, a name in the list, or the newest backup. Raises NotFound."""
    folder = installation.settings.backups
    if file is None:
        return catalogue.newest(folder)
    for path in (Path(file), folder / Path(file).name):
        if path.is_file():
            return path
    raise NotFound(msg("There is no file {path}.", path=file), fix=msg("See `giga backup list`."))
