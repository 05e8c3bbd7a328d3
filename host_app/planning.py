"""The plan of an operation on a plugin, with the addresses of its `web` module, which only the host knows."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from gigacore import Crm
from gigacore.messages import Msg
from gigacore.plugins import Plugin
from gigacore.plugins.plan import ADD, KEEP, REMOVE, Change, Operation, Plan, plan
from host_app.extensions import Routes, conventional

SIGNS: Final = {"install": ADD, "enable": ADD, "upgrade": KEEP, "disable": REMOVE, "uninstall": REMOVE}
log: Final = logging.getLogger("host_app")


def plan_with_pages(crm: Crm, operation: Operation, name: str) -> Plan:
    """As `gigacore.plugins.plan.plan`; the `web` module of a plugin whose code is here is imported for it."""
    found = plan(crm, operation, name)
    running = any(plugin.name == name for plugin in crm.plugins.enabled)
    coming, going = operation in ("install", "enable"), operation in ("disable", "uninstall")
    if (coming and running) or (going and not running):
        return found  # nothing changes: they are served already, or not at all
    code = crm.plugins.load([name])
    plugin = next((one for one in code.plugins if one.name == name), None)
    changes = tuple(Change(SIGNS[operation], Msg(rule)) for rule in (addresses(plugin) if plugin else ()))
    return replace(found, routes=(*found.routes, *changes))


def addresses(plugin: Plugin) -> list[str]:
    """The addresses that the `web` module of a plugin declares; none when it does not load."""
    try:
        module = conventional(plugin, "web")
        routes = Routes(plugin.name)
        if module is not None:
            module.register(routes)
    except Exception:
        log.exception("the pages of plugin %s could not be looked at", plugin.name)
        return []
    assets = [f"/{plugin.name}/assets/<name>"] if plugin.assets else []
    return [*dict.fromkeys(routes.rules), *assets]
