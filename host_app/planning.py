"""The plan of an operation on a plugin, with the addresses of its `web` module, which only the host knows."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from gigacore import Crm, migrate
from gigacore.files.sealed import Secrets
from gigacore.messages import Msg
from gigacore.plugins import Plugin, stored
from gigacore.plugins.calls import STOPS
from gigacore.plugins.plan import ADD, KEEP, REMOVE, Change, Operation, Plan, plan
from gigacore.plugins.tables import DISABLED
from host_app.extensions import Routes, conventional

log: Final = logging.getLogger("host_app")


def plan_with_pages(
    crm: Crm, operation: Operation, name: str, *, archive: Path | None = None, secrets: Secrets | None = None
) -> Plan:
    """As `gigacore.plugins.plan.plan`; the `web` module of a plugin whose code is here is imported for it."""
    found = plan(crm, operation, name, archive=archive, secrets=secrets)
    row = crm.plugins.stored().get(name)
    before = row.manifest.get(stored.ADDRESSES) if row and row.state != DISABLED else ()
    changes: tuple[Change, ...]
    if operation in ("disable", "uninstall"):
        changes = _all(REMOVE, _declared(crm, name) if before is None else before)
    elif before is None or (before and operation != "upgrade"):
        # Enabled already; or before addresses were kept, and then nobody can tell which of them are new.
        changes = _all(KEEP, _declared(crm, name)) if operation == "upgrade" else ()
    else:
        now = _declared(crm, name)
        gone, come = [one for one in before if one not in now], [one for one in now if one not in before]
        changes = (*_all(REMOVE, gone), *_all(ADD, come))
    return replace(found, routes=(*found.routes, *changes))


def remember_addresses(crm: Crm, *names: str) -> None:
    """Keeps what the `web` modules of these plugins serve, so that a plan of their upgrade tells what changes."""
    wanted = [plugin for plugin in crm.plugins.enabled if plugin.name in names]
    found = {plugin.name: addresses(plugin) for plugin in wanted}
    with migrate.operation(crm.engine) as connection:
        for name, rules in found.items():
            stored.remember_addresses(connection, name, rules)


def _all(sign: str, rules: Iterable[str]) -> tuple[Change, ...]:
    return tuple(Change(sign, Msg(rule)) for rule in rules)


def _declared(crm: Crm, name: str) -> list[str]:
    """The addresses that the plugin's code declares; none where it does not load."""
    plugin = next((one for one in crm.plugins.load([name]).plugins if one.name == name), None)
    return addresses(plugin) if plugin else []


def addresses(plugin: Plugin) -> list[str]:
    """The addresses that the `web` module of a plugin declares; none when it does not load."""
    try:
        module = conventional(plugin, "web")
        routes = Routes(plugin.name)
        if module is not None:
            module.register(routes)
    except STOPS:
        raise
    except BaseException:  # a plugin may raise anything, SystemExit included
        log.exception("the pages of plugin %s could not be looked at", plugin.name)
        return []
    assets = [f"/{plugin.name}/assets/<name>"] if plugin.assets else []
    return [*dict.fromkeys(routes.rules), *assets]
