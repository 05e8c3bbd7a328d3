"""Users and roles: who there is, a new user, its roles, switched off or on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.access import roles, users
from gigacore.entity import FieldSpec
from gigacore.errors import Conflict, Forbidden, GigaError, Invalid
from gigacore.messages import msg
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import plain_form
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.routing import route

USERS: Final = "/settings/users"
ONE: Final = f"{USERS}/<int:user_id>"
NAME: Final = FieldSpec("name", "text", label="Name", required=True, max_length=200)
EMAIL: Final = FieldSpec("email", "email", label="E-mail", required=True)
PASSWORD: Final = FieldSpec(
    "password",
    "text",
    label="First password",
    required=True,
    help="At least 12 characters; to be changed by the person.",
)
ROLE: Final = FieldSpec("role", "enum", label="Role", required=True, default="user")
LOCALE: Final = FieldSpec(
    "locale", "enum", label="Language", required=True, default="en", choices=(("en", "English"), ("fr", "French"))
)


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, USERS, policy=on_tool("core.user", "view"))(show)
    route(app, f"{USERS}/new", policy=on_tool("core.user", "create"))(new)
    route(app, f"{USERS}/new", policy=on_tool("core.user", "create"), methods=["POST"])(create)
    route(app, f"{ONE}/active", policy=on_tool("core.user", "edit"), methods=["POST"])(active)
    route(app, f"{ONE}/role", policy=on_tool("core.role", "assign"), methods=["POST"])(role)
    route(app, "/settings/roles", policy=on_tool("core.role", "view"))(show_roles)


def show() -> ResponseReturnValue:
    """Every user."""
    who = reader()
    labels = _labels(who)
    may = {verb: access.may(who.ctx, verb, "core.user") for verb in ("create", "edit")}
    return settings_page(
        "users.html",
        who,
        title=who.t(msg("Users")),
        rows=users.all_users(who.ctx),
        roles=labels,
        may=may,
        may_assign=access.may(who.ctx, "assign", "core.role"),
        me=who.actor.user_id,
        moment=lambda at: who.formats.relative(at, who.now) if at else "",
    )


def _labels(who: Reader) -> Mapping[str, str]:
    return {found.key: found.label(who.locale) for found in roles.all_roles(who.ctx)}


def _fields(who: Reader) -> list[FieldSpec]:
    return [NAME, EMAIL, PASSWORD, replace(ROLE, choices=tuple(_labels(who).items())), LOCALE]


def new() -> ResponseReturnValue:
    """The form of a new user."""
    return _form(reader(), Raw({"role": ["user"], "locale": ["fr" if reader().locale == "fr" else "en"]}))


def create() -> ResponseReturnValue:
    """Add the user."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    try:
        data = plain_form.typed(_fields(who), raw, who)
        with current_crm().unit_of_work(current()) as ctx:
            users.create(ctx, data["email"], data["name"], data["password"], data["role"], locale=data["locale"])
    except (Invalid, Conflict, Forbidden) as error:
        return _form(who, raw, error)
    note(who.t(msg("{name} can sign in now.", name=data["name"])))
    return redirect(USERS, 303)


def _form(who: Reader, raw: Raw, error: GigaError | None = None) -> ResponseReturnValue:
    problems: dict[str, Any] = plain_form.problems_of(error, who) if isinstance(error, Invalid) else {}
    trouble = [who.t(error.message)] if error and not any(problems) else []
    inputs = plain_form.inputs(_fields(who), raw, who, problems)
    return settings_page(
        "form.html", who, error.status if error else 200, title=who.t(msg("New user")), inputs=inputs, home=USERS,
        trouble=trouble, button=who.t(msg("Create user")),
    )  # fmt: skip


def active(user_id: int) -> ResponseReturnValue:
    """Switch a user off or on."""
    return _do(lambda ctx: users.set_active(ctx, user_id, request.form.get("active") == "1"))


def role(user_id: int) -> ResponseReturnValue:
    """Give a user another role."""
    return _do(lambda ctx: users.set_roles(ctx, user_id, request.form.getlist("role")))


def _do(work: Any) -> ResponseReturnValue:
    who = reader()
    try:
        with current_crm().unit_of_work(current()) as ctx:
            work(ctx)
    except GigaError as error:
        note(who.t(error.message), kind="error")
    else:
        note(who.t(msg("Saved.")))
    return redirect(USERS, 303)


def show_roles() -> ResponseReturnValue:
    """Every role with what it may do, entity by entity."""
    who = reader()
    found = roles.all_roles(who.ctx)
    verbs = [(verb, who.t(label)) for verb, label in access.VERBS.items()]
    tables = [(role.label(who.locale), role.builtin, _rights(role.key, who)) for role in found]
    return settings_page("roles.html", who, title=who.t(msg("Roles")), tables=tables, verbs=verbs)


def _rights(key: str, who: Reader) -> list[tuple[str, list[str]]]:
    """For each entity, how far each verb reaches."""
    grants, known = roles.grants_of(who.ctx, key), roles.permissions(who.registry)
    by_key = {permission.key: permission for permission in known}
    rows = []
    for spec in who.registry.entities.values():
        cells = [by_key.get(f"{spec.name}.{verb}") for verb in access.VERBS]
        levels = [roles.describe(grants, who.registry, found) if found else "" for found in cells]
        rows.append((who.t(spec.label_plural), [who.t(LEVELS.get(level, level)) if level else "" for level in levels]))
    return rows


LEVELS: Final = {
    "own": msg("own"), "team": msg("team’s"), "tree": msg("teams’ below"), "all": msg("all"), "none": msg("–"),
    "forbidden": msg("forbidden"),
}  # fmt: skip
