"""People who sign in: invited, given roles and teams, switched off, signed out, helped with a forgotten password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.access import invitations, roles, teams, users
from gigacore.context import Context
from gigacore.entity import FieldSpec
from gigacore.errors import Conflict, Forbidden, GigaError, Invalid
from gigacore.messages import msg
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.context import current_crm
from host_app.one_time import link_to
from host_app.pages import plain_form
from host_app.pages.cells import initials
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.doing import again, do, problems
from host_app.routing import route

USERS: Final = "/settings/users"
ONE: Final = f"{USERS}/<int:user_id>"
NAME: Final = FieldSpec("name", "text", label="Name", required=True, max_length=200)
EMAIL: Final = FieldSpec("email", "email", label="E-mail", required=True)
PASSWORD: Final = FieldSpec(
    "password", "text", label="First password", help="Leave it empty to get a one-time link instead."
)
ROLE: Final = FieldSpec("role", "choices", label="Roles", required=True)
TEAMS: Final = FieldSpec("teams", "choices", label="Teams")
MAIN: Final = FieldSpec("main_team", "enum", label="Main team", help="The team of the records that this person makes.")
LOCALE: Final = FieldSpec(
    "locale", "enum", label="Language", required=True, default="en", choices=(("en", "English"), ("fr", "French"))
)
TIMEZONE: Final = FieldSpec("timezone", "text", label="Time zone", max_length=60, help="Such as Europe/Paris.")
ON_USER: Final = on_tool("core.user", "edit")


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, USERS, policy=on_tool("core.user", "view"))(show)
    route(app, f"{USERS}/new", policy=on_tool("core.user", "create"))(new)
    route(app, f"{USERS}/new", policy=on_tool("core.user", "create"), methods=["POST"])(create)
    route(app, ONE, policy=on_tool("core.user", "view"))(one)
    route(app, ONE, policy=ON_USER, methods=["POST"])(change)
    route(app, f"{ONE}/active", policy=ON_USER, methods=["POST"])(active)
    route(app, f"{ONE}/link", policy=ON_USER, methods=["POST"])(link)
    route(app, f"{ONE}/sign-out", policy=on_tool("core.session", "edit"), methods=["POST"])(sign_out)


def show() -> ResponseReturnValue:
    """Every user."""
    who = reader()
    labels, named = role_labels(who), {team.id: team for team in teams.all_teams(who.ctx)}
    found = users.all_users(who.ctx)
    in_teams = {user.id: [team.name for team in named.values() if user.id in team.member_ids] for user in found}
    return settings_page(
        "users.html", who, title=who.t(msg("Users")), rows=found, roles=labels, teams=in_teams,
        may_create=access.may(who.ctx, "create", "core.user"), initials=initials, moment=_moment(who),
    )  # fmt: skip


def _moment(who: Reader) -> Any:
    return lambda at: who.formats.relative(at, who.now) if at else ""


def role_labels(who: Reader) -> Mapping[str, str]:
    """What the roles are called, by key."""
    return {found.key: found.label(who.locale) for found in roles.all_roles(who.ctx)}


def _role_field(who: Reader) -> FieldSpec:
    offered = role_labels(who)
    if not who.actor.super_admin:
        offered = {key: label for key, label in offered.items() if key != access.profiles.SUPER_ADMIN}
    return replace(ROLE, choices=tuple(offered.items()))


def _team_fields(who: Reader) -> list[FieldSpec]:
    known = tuple((str(team.id), team.name) for team in teams.all_teams(who.ctx))
    if not known or not access.may(who.ctx, "edit", "core.team"):
        return []
    return [replace(TEAMS, choices=known), replace(MAIN, choices=known)]


def _new_fields(who: Reader) -> list[FieldSpec]:
    return [NAME, EMAIL, _role_field(who), *_team_fields(who), LOCALE, PASSWORD]


def _fields(who: Reader, user: users.User) -> list[FieldSpec]:
    """What may be changed of a present user; nobody changes the own roles here."""
    may_assign = access.may(who.ctx, "assign", "core.role") and user.id != who.actor.user_id
    return [NAME, LOCALE, TIMEZONE, *([_role_field(who)] if may_assign else []), *_team_fields(who)]


def new() -> ResponseReturnValue:
    """The form of a new user."""
    who = reader()
    return _new_form(who, Raw({"role": ["user"], "locale": ["fr" if who.locale == "fr" else "en"]}))


def create() -> ResponseReturnValue:
    """Add the user; without a password, show the link by which the person chooses one."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    if again(raw):
        return _new_form(who, raw)
    try:
        data, secret = plain_form.typed(_new_fields(who), raw, who), ""
        with current_crm().unit_of_work(current()) as ctx:
            zone, password = who.actor.timezone, data["password"] or None
            number = users.create(
                ctx, data["email"], data["name"], password, data["role"], locale=data["locale"], timezone=zone
            )
            _put_teams(ctx, number, data)
            if password is None:
                secret = invitations.issue(ctx, number)
    except (Invalid, Conflict, Forbidden) as error:
        return _new_form(who, raw, error)
    if secret:
        return _page(who, _fresh(number), link=link_to(secret))
    note(who.t(msg("{name} can sign in now.", name=data["name"])))
    return redirect(USERS, 303)


def _put_teams(ctx: Context, user_id: int, data: Mapping[str, Any]) -> None:
    if "teams" not in data:
        return
    wanted = [int(text) for text in data["teams"] or () if text.isdigit()]
    main = int(data["main_team"]) if str(data.get("main_team") or "").isdigit() else None
    if main is not None and main not in wanted:
        wanted.append(main)
    present = {team.id for team in teams.all_teams(ctx) if user_id in team.member_ids}
    if set(wanted) != present or main is not None:
        teams.set_teams_of(ctx, user_id, wanted, main=main)


def _new_form(who: Reader, raw: Raw, error: GigaError | None = None) -> ResponseReturnValue:
    wrong = problems(error, who)
    inputs = plain_form.inputs(_new_fields(who), raw, who, wrong)
    return settings_page(
        "form.html", who, error.status if error else 200, title=who.t(msg("New user")), inputs=inputs, home=USERS,
        trouble=[wrong[""]] if "" in wrong else [], button=who.t(msg("Create user")),
    )  # fmt: skip


def one(user_id: int) -> ResponseReturnValue:
    """One user: name, language, roles, teams, sessions."""
    who = reader()
    return _page(who, users.get(who.ctx, user_id))


def _fresh(user_id: int) -> users.User:
    """A user as it is now: the request's own reading began before the change."""
    with current_crm().read(current()) as ctx:
        return users.get(ctx, user_id)


def _page(
    who: Reader, user: users.User, raw: Raw | None = None, error: GigaError | None = None, link: str = ""
) -> Response:
    wrong, fields = problems(error, who), _fields(who, user)
    may = {
        "edit": access.may(who.ctx, "edit", "core.user"),
        "sessions": access.may(who.ctx, "view", "core.session"),
        "sign_out": access.may(who.ctx, "edit", "core.session"),
        "explain": access.may(who.ctx, "view", "core.role"),
    }
    filled = raw if raw is not None else plain_form.filled(fields, _values(who, user), who)
    return settings_page(
        "user.html", who, error.status if error else 200, title=user.name, user=user, me=who.actor.user_id, may=may,
        inputs=plain_form.inputs(fields, filled, who, wrong), trouble=[wrong[""]] if "" in wrong else [], link=link,
        roles=[role_labels(who).get(key, key) for key in user.roles], home=USERS, moment=_moment(who),
        devices=users.devices(who.ctx, user.id) if may["sessions"] else [], initials=initials,
    )  # fmt: skip


def _values(who: Reader, user: users.User) -> dict[str, Any]:
    mine = [team for team in teams.all_teams(who.ctx) if user.id in team.member_ids]
    main = next((str(team.id) for team in mine if user.id in team.main_ids), None)
    return {
        "name": user.name, "locale": user.locale, "timezone": user.timezone, "role": list(user.roles),
        "teams": [str(team.id) for team in mine], "main_team": main,
    }  # fmt: skip


def change(user_id: int) -> ResponseReturnValue:
    """Keep what was changed of a user; it counts at once, in open sessions, too."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    user = users.get(who.ctx, user_id)
    if again(raw):
        return _page(who, user, raw)
    try:
        data = plain_form.typed(_fields(who, user), raw, who)
        with current_crm().unit_of_work(current()) as ctx:
            zone = data["timezone"] or user.timezone
            users.change(ctx, user_id, {"name": data["name"], "locale": data["locale"], "timezone": zone})
            if "role" in data and set(data["role"]) != set(user.roles):
                users.set_roles(ctx, user_id, data["role"])
            _put_teams(ctx, user_id, data)
    except (Invalid, Conflict, Forbidden) as error:
        return _page(who, user, raw, error)
    note(who.t(msg("Saved.")))
    return redirect(f"{USERS}/{user_id}", 303)


def active(user_id: int) -> ResponseReturnValue:
    """Switch a user off or on."""
    wish = request.form.get("active") == "1"
    return do(lambda ctx: users.set_active(ctx, user_id, wish), f"{USERS}/{user_id}")


def link(user_id: int) -> ResponseReturnValue:
    """A one-time link to choose a password; it is shown this once."""
    who = reader()
    user = users.get(who.ctx, user_id)
    try:
        with current_crm().unit_of_work(current()) as ctx:
            secret = invitations.issue(ctx, user_id)
    except (Conflict, Forbidden) as error:
        return _page(who, user, error=error)
    return _page(who, user, link=link_to(secret))


def sign_out(user_id: int) -> ResponseReturnValue:
    """End one of a user's sessions, or all."""
    device = request.form.get("device") or None
    done = msg("Signed out everywhere.") if device is None else msg("The session has ended.")
    return do(lambda ctx: users.sign_out(ctx, user_id, device), f"{USERS}/{user_id}", done)
