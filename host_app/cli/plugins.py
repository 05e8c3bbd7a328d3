"""`giga plugin`: what is installed, and what runs."""

from __future__ import annotations

import click

from gigacore.messages import Msg, msg
from gigacore.plugins import PluginState
from host_app.installation import Installation, pass_installation, tell, translator

STATES = {
    PluginState.AVAILABLE: msg("available"),
    PluginState.ENABLED: msg("enabled"),
    PluginState.DISABLED: msg("disabled"),
    PluginState.QUARANTINED: msg("quarantined"),
}


@click.group()
def plugin() -> None:
    """List, enable and disable plugins."""


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
    tell(_changed(msg("Plugin {name} is enabled.", name=found.name)))


@plugin.command()
@click.argument("name")
@pass_installation
def disable(installation: Installation, name: str) -> None:
    """Stop running plugin NAME from the next start on; its data stays."""
    installation.crm.disable(name)
    tell(_changed(msg("Plugin {name} is disabled.", name=name)))


def _changed(what: Msg) -> Msg:
    return msg("{what} Restart the server to make it count.", what=what)
