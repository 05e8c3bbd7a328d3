"""Settings as forms: the installation's own, and those that plugins declare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore.data import settings
from gigacore.entity import FieldSpec
from gigacore.errors import Forbidden, Invalid, NotFound
from gigacore.messages import Msg, msg
from gigacore.plugins.configuration import Several, SwitchChange
from gigacore.ui import SettingsPage
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.branding import GENERAL, check
from host_app.context import current_crm, host
from host_app.pages import plain_form
from host_app.pages.colours import DARK, LIGHT, NAMED, brand_shades, contrast, rgb
from host_app.pages.notes import note
from host_app.pages.parts import may_see
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.asking import asked_if_lost
from host_app.pages.settings.doing import again
from host_app.routing import route, signed_in

LEAST: Final = 1.8
DEFAULT_ACCENT: Final = NAMED["primary"]
PLUGIN: Final = "/settings/plugin/<name>"


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, "/settings/general", policy=on_tool("core.setting", "view"))(general)
    route(app, "/settings/general", policy=on_tool("core.setting", "edit"), methods=["POST"])(save_general)
    route(app, "/settings/general/look", policy=on_tool("core.setting", "view"))(look)
    route(app, PLUGIN, policy=signed_in)(of_plugin)
    route(app, PLUGIN, policy=signed_in, methods=["POST"])(save_of_plugin)


def general() -> ResponseReturnValue:
    """Name and colour of the installation."""
    who = reader()
    return _show(who, msg("Branding"), GENERAL, _stored(who, GENERAL), template="branding.html")


def save_general() -> ResponseReturnValue:
    """Keep name and colour."""
    who = reader()
    return _save(who, msg("Branding"), GENERAL, "", template="branding.html")


def look() -> ResponseReturnValue:
    """The shades that an accent would have, in light and dark, and what is to be said of it."""
    accent = request.args.get("accent", "").strip()
    shades = brand_shades(accent or DEFAULT_ACCENT)
    return {**shades, "told": _pale(accent, reader()) if shades else ""}


def _page(name: str, who: Reader) -> tuple[SettingsPage, list[FieldSpec], str]:
    """The page called `name`, its fields and the plugin that it belongs to."""
    for plugin in who.crm.plugins.enabled:
        known = {field.name: field for field in plugin.settings}
        for page in plugin.settings_pages:
            if page.name == name:
                if not may_see(page.policy, who, page.name):
                    raise Forbidden(msg("Your role does not allow this."))
                return page, [known[key] for key in page.keys if key in known], plugin.name
    raise NotFound


def of_plugin(name: str) -> ResponseReturnValue:
    """The settings of a plugin."""
    who = reader()
    page, fields, _plugin = _page(name, who)
    return _show(who, msg(page.label), fields, _stored(who, fields), help=page.help)


def save_of_plugin(name: str) -> ResponseReturnValue:
    """Keep the settings of a plugin."""
    who = reader()
    page, fields, plugin = _page(name, who)
    return _save(who, msg(page.label), fields, plugin)


def _stored(who: Reader, fields: Sequence[FieldSpec]) -> Raw:
    return plain_form.filled(fields, _values(who, fields), who)


def _values(who: Reader, fields: Sequence[FieldSpec]) -> dict[str, Any]:
    """What is kept, or the declared default."""
    kept = settings.read(who.ctx.session.connection(), org_id=who.actor.org_id)
    return {field.name: kept.get(field.name, field.default_value()) for field in fields}


def _save(
    who: Reader, title: Msg, fields: Sequence[FieldSpec], plugin: str, template: str = "form.html"
) -> ResponseReturnValue:
    raw = raw_from(request.form.to_dict(flat=False))
    if again(raw):
        return _show(who, title, fields, raw, template=template)
    try:
        typed = plain_form.typed(fields, raw, who)
        check(fields, typed)
    except Invalid as error:
        return _show(who, title, fields, raw, error, template=template)
    wish = Several(_switched_off(typed, fields, who))
    if (page := asked_if_lost(wish, msg("Save these settings?"), msg("Save"), request.path)) is not None:
        return page
    with current_crm().unit_of_work(current()) as ctx:
        for name, value in typed.items():
            settings.put(ctx, name, value, plugin=plugin)
    host().cache.pop("branding", None)
    note(f"{who.t(msg('Saved.'))} {_pale(str(typed.get('core.brand_accent') or ''), who)}".strip())
    return redirect(request.path, 303)


def _switched_off(typed: dict[str, Any], fields: Sequence[FieldSpec], who: Reader) -> tuple[SwitchChange, ...]:
    """The settings that were on, and with which fields go from the forms."""
    before = _values(who, fields)
    switches = {one.switch for spec in who.registry.entities.values() for one in spec.fields.values() if one.switch}
    off = (name for name, value in typed.items() if name in switches and before.get(name) and not value)
    return tuple(SwitchChange(name, value=False) for name in off)


def _pale(accent: str, who: Reader) -> str:
    """What to say of an accent that does not stand out from the page: it is kept, with darker texts and buttons."""
    if not accent or (contrast(rgb(accent), LIGHT[0]) >= LEAST and contrast(rgb(accent), DARK[0]) >= LEAST):
        return ""
    return who.t(msg("This colour hardly stands out from the page; consider a stronger one."))


def _show(
    who: Reader,
    title: Msg,
    fields: Sequence[FieldSpec],
    raw: Raw,
    error: Invalid | None = None,
    help: str = "",
    template: str = "form.html",
) -> ResponseReturnValue:
    problems = plain_form.problems_of(error, who) if error else {}
    inputs = plain_form.inputs(fields, raw, who, problems)
    told = who.t(help) if help else ""
    return settings_page(
        template, who, 422 if error else 200, title=who.t(title), inputs=inputs, home="", help=told,
        trouble=[problems[""]] if "" in problems else [], button=who.t(msg("Save")), accent=DEFAULT_ACCENT,
    )  # fmt: skip
