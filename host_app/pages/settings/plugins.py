"""Plugins: which there are, in which state and why; a Super Admin sees what a switch would change, then does it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.access import modules, roles, users
from gigacore.access.profiles import SUPER_ADMIN
from gigacore.entity import FieldSpec
from gigacore.errors import Forbidden, GigaError, Invalid, NotFound
from gigacore.messages import Msg, msg
from gigacore.plugins import PluginState
from gigacore.plugins.faults import Fault
from gigacore.plugins.right_changes import ModuleAccess
from host_app.api.policies import on_tool
from host_app.auth import keep_cookie
from host_app.context import current_crm
from host_app.pages import plain_form
from host_app.pages.fresh import is_fresh, prove
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.asking import asked_if_lost
from host_app.pages.settings.doing import again, do, problems
from host_app.planning import plan_with_pages, remember_addresses
from host_app.routing import route

MOST_FAULTS: Final = 5
LIST: Final = "/settings/plugins"
FOR_ROLES: Final = FieldSpec("roles", "choices", label="Roles")
FOR_PEOPLE: Final = FieldSpec("people", "choices", label="People")
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
    route(app, f"{LIST}/<name>/access", policy=on_tool("core.plugin", "edit"))(admission)
    route(app, f"{LIST}/<name>/access", policy=on_tool("core.plugin", "edit"), methods=["POST"])(admit)


def show() -> ResponseReturnValue:
    """Every plugin with its state and, where it does not run, the reason."""
    who = reader()
    faults = who.crm.calls.faults.read()
    limited = modules.read(who.ctx.session.connection())
    rows = [
        {
            "limited": found.name in limited,
            "builtin": found.builtin,
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
            error=Msg(fault.error),
        )
    )


def preview(name: str) -> ResponseReturnValue:
    """What switching the plugin on or off would change, and the button that does it."""
    return _preview(name, "disable" if request.args.get("wish") == "disable" else "enable")


def _preview(name: str, wish: str, problem: str = "") -> Response:
    who = reader()
    _only_super_admin(who)
    found = plan_with_pages(who.crm, "disable" if wish == "disable" else "enable", name)
    sections = [
        (who.t(title), [(change.sign, who.t(change.what)) for change in changes]) for title, changes in found.sections()
    ]
    refusal = found.refusal
    refused = " ".join(who.t(text) for text in (refusal.reason, refusal.fix) if text) if refusal else ""
    title = msg("Switch {name} off?", name=who.t(found.label)) if wish == "disable" else None
    return settings_page(
        "plugin_plan.html",
        who,
        422 if problem else 200,
        title=who.t(title or msg("Switch {name} on?", name=who.t(found.label))),
        name=name,
        wish=wish,
        sections=sections,
        refused=refused,
        dependents=", ".join(found.dependents),
        ask_password=not is_fresh(),
        problem=problem,
    )


def _only_super_admin(who: Reader) -> None:
    if not access.permits(who.ctx, "super_admin"):
        raise Forbidden(msg("Only a Super Admin may do this."))


def switch(name: str) -> ResponseReturnValue:
    """Enable or disable a plugin; it counts at once. A sign-in that is not fresh asks for the password."""
    who, wish = reader(), request.form.get("wish", "")
    _only_super_admin(who)
    try:
        raw = prove()
    except Invalid as error:
        return _preview(name, wish, who.t(error.message))
    _switch(name, wish, who)
    response = redirect(LIST, 303)
    if raw:
        keep_cookie(response, raw)  # type: ignore[arg-type]  # redirect() answers with werkzeug's base class
    return response


def _switch(name: str, wish: str, who: Reader) -> None:
    crm = current_crm()
    try:
        if wish == "disable":
            crm.disable(name, by=who.actor)
        else:
            crm.enable(name, by=who.actor)
            remember_addresses(crm, name)
    except GigaError as error:
        note(" ".join(who.t(text) for text in (error.message, error.fix) if text), kind="error")
    else:
        done = msg("{name} is off.", name=name) if wish == "disable" else msg("{name} is on.", name=name)
        note(who.t(done))


def admission(name: str) -> ResponseReturnValue:
    """Who may use the module."""
    who = reader()
    _only_super_admin(who)
    limited = modules.read(who.ctx.session.connection()).get(_known(name, who))
    values = {
        "roles": [str(number) for number in limited.role_ids] if limited else [],
        "people": [str(number) for number in limited.user_ids] if limited else [],
    }
    return _admission_form(name, who, plain_form.filled(_admission_fields(who), values, who))


def _known(name: str, who: Reader) -> str:
    if name not in {found.name for found in who.crm.plugins.list()} or name == modules.CORE:
        raise NotFound
    return name


def _admission_fields(who: Reader) -> list[FieldSpec]:
    held = tuple((str(role.id), role.label(who.locale)) for role in roles.all_roles(who.ctx) if role.key != SUPER_ADMIN)
    people = tuple((str(number), name) for number, name in users.names(who.ctx))
    return [replace(FOR_ROLES, choices=held), replace(FOR_PEOPLE, choices=people)]


def _admission_form(name: str, who: Reader, raw: Raw, error: GigaError | None = None) -> Response:
    wrong = problems(error, who)
    return settings_page(
        "form.html", who, error.status if error else 200, title=who.t(msg("Who may use {name}", name=name)), home=LIST,
        crumb=who.t(msg("Plugins")), inputs=plain_form.inputs(_admission_fields(who), raw, who, wrong),
        help=who.t(msg("Choose nobody to leave it to everybody whose role allows it. Super Admins always may.")),
        trouble=list(wrong.values()), button=who.t(msg("Save")),
    )  # fmt: skip


def admit(name: str) -> ResponseReturnValue:
    """Let only the chosen roles and people use the module; nobody chosen opens it. Who loses it is shown first."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    _only_super_admin(who)
    if again(raw):
        return _admission_form(_known(name, who), who, raw)
    data = plain_form.typed(_admission_fields(who), raw, who)
    chosen = {key: tuple(int(text) for text in data[key] or () if text.isdecimal()) for key in ("roles", "people")}
    wish = ModuleAccess(_known(name, who), chosen["roles"], chosen["people"])
    title = msg("Change who may use {name}?", name=name)
    if (page := asked_if_lost(wish, title, msg("Save"), f"{LIST}/{name}/access")) is not None:
        return page
    return do(wish.run, LIST)
