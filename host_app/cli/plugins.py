"""`giga plugin`: what is installed, what runs, and what an operation would change."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from gigacore.messages import Msg, msg
from gigacore.plugins import PluginState
from gigacore.plugins.health import examine
from gigacore.plugins.plan import OPERATIONS, Operation, Plan
from gigacore.plugins.reinstallation import reinstall as reinstall_plugin
from gigacore.plugins.removal import uninstall as uninstall_plugin
from gigacore.plugins.upgrading import install as install_plugin
from gigacore.plugins.upgrading import upgrade as upgrade_plugin
from host_app.cli.options import PASSPHRASE, secrets
from host_app.installation import Installation, pass_installation, tell, translator
from host_app.planning import plan_with_pages, remember_addresses

STATES = {
    PluginState.AVAILABLE: msg("available"),
    PluginState.ENABLED: msg("enabled"),
    PluginState.DISABLED: msg("disabled"),
    PluginState.QUARANTINED: msg("quarantined"),
}
ARCHIVE: Final = click.option(
    "--archive", type=click.Path(dir_okay=False, path_type=Path), help="Another archive than the newest one."
)


@click.group()
def plugin() -> None:
    """Look after plugins: plan, install, enable, disable, upgrade, uninstall, reinstall."""


@plugin.command("list")
@pass_installation
def list_plugins(installation: Installation) -> None:
    """Every plugin that is installed or could be, with its state."""
    for one in installation.crm.plugins.list():
        state = STATES[one.state].render(translator())
        tell(f"{one.name:24} {one.version or '-':10} {state}")
        if one.reason is not None:
            tell(f"  {one.reason.render(translator())}")


@plugin.command()
@click.argument("name")
@pass_installation
def enable(installation: Installation, name: str) -> None:
    """Install the tables of plugin NAME if need be, and run it from the next start on."""
    found = installation.crm.enable(name)
    remember_addresses(installation.crm, name)
    tell(_changed(msg("Plugin {name} is enabled.", name=found.name)))


@plugin.command()
@click.argument("name")
@pass_installation
def disable(installation: Installation, name: str) -> None:
    """Stop running plugin NAME from the next start on; its data stays."""
    installation.crm.disable(name)
    tell(_changed(msg("Plugin {name} is disabled.", name=name)))


@plugin.command()
@click.argument("operation", type=click.Choice(OPERATIONS))
@click.argument("name")
@ARCHIVE
@PASSPHRASE
@pass_installation
def plan(
    installation: Installation, operation: Operation, name: str, archive: Path | None, passphrase_file: Path | None
) -> int:
    """Show what OPERATION on plugin NAME would change; nothing is changed. Exit code 1: it would be refused."""
    found = plan_with_pages(
        installation.crm, operation, name, archive=archive, secrets=secrets(installation, passphrase_file)
    )
    _show(found)
    return 1 if found.refusal else 0


@plugin.command()
@click.argument("name")
@pass_installation
def install(installation: Installation, name: str) -> None:
    """Create the tables of plugin NAME and run it from the next start on."""
    found = install_plugin(installation.crm, name)
    remember_addresses(installation.crm, name)
    tell(_changed(msg("Plugin {name} is installed and enabled.", name=found.name)))


@plugin.command()
@click.argument("name")
@pass_installation
def upgrade(installation: Installation, name: str) -> None:
    """Bring plugin NAME to the version of its code; where tables change, an archive is written first."""
    done = upgrade_plugin(installation.crm, name)
    remember_addresses(installation.crm, name)
    if done.archive is not None:
        tell(msg("Its records as they were: {path}", path=done.archive))
    tell(_changed(msg("Plugin {name}: {count} migrations applied.", name=name, count=len(done.revisions))))


@plugin.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--encrypt", is_flag=True, help="Encrypt the archive.")
@pass_installation
def uninstall(installation: Installation, name: str, yes: bool, encrypt: bool) -> None:
    """Write a signed archive of plugin NAME, then remove its tables and everything that it owns."""
    found = plan_with_pages(installation.crm, "uninstall", name)
    if not yes and found.refusal is None:
        _show(found)
        click.confirm(msg("Remove all this, after an archive was written?").render(translator()), abort=True)
    path = uninstall_plugin(installation.crm, name, encrypted=encrypt)
    tell(
        msg("The archive, encrypted: {path}", path=path)
        if encrypt
        else msg("The archive, in plain text and signed: {path}", path=path)
    )
    tell(_changed(msg("Plugin {name} is removed. Bring it back with `giga plugin reinstall {name}`.", name=name)))


@plugin.command()
@click.argument("name")
@ARCHIVE
@PASSPHRASE
@pass_installation
def reinstall(installation: Installation, name: str, archive: Path | None, passphrase_file: Path | None) -> None:
    """Install plugin NAME and link its archive again."""
    done = reinstall_plugin(installation.crm, name, archive, secrets(installation, passphrase_file))
    remember_addresses(installation.crm, name)
    if done.left_out:
        tell(msg("{count} rows were left out: what they belong to is gone since.", count=done.left_out))
    tell(_changed(msg("Plugin {name} is back from {path}.", name=name, path=done.archive.name)))


@plugin.command()
@pass_installation
def doctor(installation: Installation) -> int:
    """Check every plugin: code, tables, requirements, leftovers, jobs, archives. Exit code 1: something is wrong."""
    found = examine(installation.crm)
    for finding in found:
        tell(f"{finding.plugin}: {finding.message.render(translator())}")
        if finding.fix is not None:
            tell(f"  {finding.fix.render(translator())}")
    if not found:
        tell(msg("Every plugin is in order."))
    return 1 if any(finding.serious for finding in found) else 0


def _show(found: Plan) -> None:
    translate = translator()
    tell(msg("Plan: {operation} {name}", operation=found.operation, name=found.plugin))
    for title, changes in found.sections():
        tell(f"\n{title.render(translate)}")
        for change in changes:
            tell(f"  {change.sign} {change.what.render(translate)}")
    if found.dependents:
        tell(msg("These plugins require it: {names}.", names=", ".join(found.dependents)))
    if found.refusal is not None:
        tell("\n" + msg("It would be refused: {reason}", reason=found.refusal.reason).render(translate))
        if found.refusal.fix is not None:
            tell(found.refusal.fix)


def _changed(what: Msg) -> Msg:
    return msg("{what} Restart the server to make it count.", what=what)
