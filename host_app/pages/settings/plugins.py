"""Plugins: which there are, in which state and why; a Super Admin sees what a switch would change, then does it."""

from __future__ import annotations

from typing import Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.errors import Forbidden, GigaError
from gigacore.messages import msg
from gigacore.plugins import PluginState
from gigacore.plugins.faults import Fault
from gigacore.plugins.plan import plan
from host_app.api.policies import on_tool
from host_app.context import current_crm
from host_app.pages.notes import note
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.routing import route

MOST_FAULTS: Final = 5
LIST: Final = "/settings/plugins"
STATES: Final = {
    PluginState.AVAILABLE: (msg("Not installed"), "grey"),
    PluginState.ENABLED: (msg("On"), "green"),
    PluginState.DISABLED: (msg("Off"), "grey"),
    PluginState.QUARANTINED: (msg("Stopped by a fault"), "red"),
}


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, LIST, policy=on_tool("core.plugin", "view"))(show)
    route(app, f"{LIST}/<name>", policy=on_tool("core.plugin", "edit"))(preview)
    route(app, f"{LIST}/<name>", policy=on_tool("core.plugin", "edit"), methods=["POST"])(switch)


def show() -> ResponseReturnValue:
    """Every plugin with its state and, where it does not run, the reason."""
    who = reader()
    faults = who.crm.calls.faults.read()
    rows = [
        {
            "name": found.name,
            "label": who.t(found.label),
            "version": found.version,
            "state": who.t(STATES[found.state][0]),
            "colour": STATES[found.state][1],
            "reason": who.t(found.reason) if found.reason else "",
            "requires": ", ".join(found.requires),
            "faults": [_shown(fault, who) for fault in faults if fault.plugin == found.name][:MOST_FAULTS],
            "wish": "" if found.builtin else "disable" if found.state is PluginState.ENABLED else "enable",
        }
        for found in who.crm.plugins.list()
    ]
    return settings_page(
        "plugins.html", who, title=who.t(msg("Plugins")), rows=rows, may_switch=access.permits(who.ctx, "super_admin")
    )


def _shown(fault: Fault, who: Reader) -> str:
    """A fault of the past days: where, how often, when the last time, and the error."""
    return who.t(
        msg(
            "Failed in {place}, lately {at} ({count} ×): {error}",
            place=fault.place,
            count=fault.count,
            at=who.formats.datetime(fault.at),
            error=fault.error,
        )
    )


def preview(name: str) -> ResponseReturnValue:
    """What switching the plugin on or off would change, and the button that does it."""
    who, wish = reader(), "disable" if request.args.get("wish") == "disable" else "enable"
    _only_super_admin(who)
    found = plan(who.crm, "disable" if wish == "disable" else "enable", name)
    sections = [
        (who.t(title), [(change.sign, who.t(change.what)) for change in changes]) for title, changes in found.sections()
    ]
    refusal = found.refusal
    refused = " ".join(who.t(text) for text in (refusal.reason, refusal.fix) if text) if refusal else ""
    title = msg("Switch {name} off?", name=who.t(found.label)) if wish == "disable" else None
    return settings_page(
        "plugin_plan.html",
        who,
        title=who.t(title or msg("Switch {name} on?", name=who.t(found.label))),
        name=name,
        wish=wish,
        sections=sections,
        refused=refused,
        dependents=", ".join(found.dependents),
    )


def _only_super_admin(who: Reader) -> None:
    if not access.permits(who.ctx, "super_admin"):
        raise Forbidden(msg("Only a Super Admin may do this."))


def switch(name: str) -> ResponseReturnValue:
    """Enable or disable a plugin; it counts at once."""
    who, wish = reader(), request.form.get("wish", "")
    _only_super_admin(who)
    crm = current_crm()
    try:
        if wish == "disable":
            crm.disable(name)
        else:
            crm.enable(name)
    except GigaError as error:
        note(" ".join(who.t(text) for text in (error.message, error.fix) if text), kind="error")
    else:
        done = msg("{name} is off.", name=name) if wish == "disable" else msg("{name} is on.", name=name)
        note(who.t(done))
    return redirect(LIST, 303)
