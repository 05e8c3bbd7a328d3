"""Users, teams and roles over the API: the services and rules of the settings pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from flask import Flask, Response, g

from gigacore import access
from gigacore.access import invitations, roles, teams, users
from gigacore.access.roles import Role
from gigacore.access.verbs import LEVELS
from gigacore.context import Context
from gigacore.entity.kinds import iso
from gigacore.errors import Invalid, NotFound
from gigacore.messages import msg
from host_app.api.answers import answer, nothing
from host_app.api.body import read_object
from host_app.api.fields import many, mapping, of_kind, read
from host_app.api.once import write
from host_app.api.policies import on_tool
from host_app.api.query import only
from host_app.one_time import link_to
from host_app.routing import route, signed_in

USERS: Final = "/api/v1/core/users"
TEAMS: Final = "/api/v1/core/teams"
ROLES: Final = "/api/v1/core/roles"
TEXT: Final = of_kind("text", max_length=200)
NUMBER: Final = of_kind("integer", may_be_null=True)
PERSON: Final = {
    "email": TEXT, "name": TEXT, "locale": TEXT, "timezone": TEXT, "roles": many("text"), "teams": many("integer"),
    "main_team": NUMBER, "password": TEXT,
}  # fmt: skip
TEAM: Final = {"name": TEXT, "parent_id": NUMBER, "manager_id": NUMBER, "members": many("integer")}
ROLE: Final = {"key": TEXT, "labels": mapping("text"), "like": TEXT}
RIGHTS: Final = {"labels": mapping("text"), "levels": mapping("text"), "fields": mapping("text")}


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, USERS, policy=on_tool("core.user", "view"))(list_users)
    route(app, USERS, policy=on_tool("core.user", "create"), methods=["POST"])(create_user)
    route(app, f"{USERS}/<int:id>", policy=on_tool("core.user", "view"))(get_user)
    route(app, f"{USERS}/<int:id>", policy=on_tool("core.user", "edit"), methods=["PATCH"])(change_user)
    route(app, f"{USERS}/<int:id>/actions/<name>", policy=on_tool("core.user", "edit"), methods=["POST"])(act_on_user)
    route(app, TEAMS, policy=signed_in)(list_teams)
    route(app, TEAMS, policy=on_tool("core.team", "edit"), methods=["POST"])(create_team)
    route(app, f"{TEAMS}/<int:id>", policy=signed_in)(get_team)
    route(app, f"{TEAMS}/<int:id>", policy=on_tool("core.team", "edit"), methods=["PATCH"])(change_team)
    route(app, f"{TEAMS}/<int:id>", policy=on_tool("core.team", "edit"), methods=["DELETE"])(remove_team)
    route(app, ROLES, policy=on_tool("core.role", "view"))(list_roles)
    route(app, ROLES, policy=on_tool("core.role", "edit"), methods=["POST"])(create_role)
    route(app, f"{ROLES}/<key>", policy=on_tool("core.role", "view"))(get_role)
    route(app, f"{ROLES}/<key>", policy=on_tool("core.role", "edit"), methods=["PATCH"])(change_role)
    route(app, f"{ROLES}/<key>", policy=on_tool("core.role", "edit"), methods=["DELETE"])(remove_role)


def list_users() -> Response:
    """Every user."""
    only()
    return answer({"items": [_user(user, g.ctx) for user in users.all_users(g.ctx)]})


def get_user(id: int) -> Response:
    """One user."""
    only()
    return answer(_user(users.get(g.ctx, id), g.ctx))


def _user(user: users.User, ctx: Context) -> dict[str, Any]:
    shown = {name: getattr(user, name) for name in ("id", "uid", "email", "name", "active", "locale", "timezone")}
    last = user.last_sign_in_at
    mine = [team.id for team in teams.all_teams(ctx) if user.id in team.member_ids]
    return {**shown, "roles": list(user.roles), "teams": mine, "last_sign_in_at": iso(last) if last else None}


def create_user() -> Response:
    """A new user; without a password the answer holds a one-time link to choose one, shown this once."""
    only()
    data = read(read_object(), PERSON, required=("email", "name", "roles"))

    def work(ctx: Context) -> Response:
        words = {name: data[name] for name in ("locale", "timezone") if name in data}
        number = users.create(ctx, data["email"], data["name"], data.get("password"), data["roles"], **words)
        _put_teams(ctx, number, data)
        shown = _user(users.get(ctx, number), ctx)
        if "password" not in data:
            shown["link"] = link_to(invitations.issue(ctx, number))
        return answer(shown, 201, Location=f"{USERS}/{number}")

    return write(work)


def _put_teams(ctx: Context, number: int, data: Mapping[str, Any]) -> None:
    if "teams" in data:
        teams.set_teams_of(ctx, number, data["teams"], main=data.get("main_team"))
    elif "main_team" in data:
        raise Invalid.of("teams", msg("This is required."), "required")


def change_user(id: int) -> Response:
    """Name, language, time zone, roles, teams or password of a user; it counts at once."""
    only()
    data = read(read_object(), {name: check for name, check in PERSON.items() if name != "email"})

    def work(ctx: Context) -> Response:
        words: dict[str, str] = {name: data[name] for name in ("name", "locale", "timezone") if name in data}
        if words:
            users.change(ctx, id, words)
        if "roles" in data:
            users.set_roles(ctx, id, data["roles"])
        if "password" in data:
            users.set_password(ctx, id, data["password"])
        _put_teams(ctx, id, data)
        return answer(_user(users.get(ctx, id), ctx))

    return write(work)


def act_on_user(id: int, name: str) -> Response:
    """`activate`, `deactivate`, `invite` (a one-time link, shown this once) or `sign_out` (everywhere)."""
    only()
    if name not in USER_ACTIONS:
        raise NotFound
    return write(lambda ctx: USER_ACTIONS[name](ctx, id))


def _switch(active: bool) -> Callable[[Context, int], Response]:
    def work(ctx: Context, number: int) -> Response:
        users.set_active(ctx, number, active)
        return answer(_user(users.get(ctx, number), ctx))

    return work


def _invite(ctx: Context, number: int) -> Response:
    return answer({"link": link_to(invitations.issue(ctx, number))})


def _sign_out(ctx: Context, number: int) -> Response:
    users.sign_out(ctx, number)
    return answer({"signed_out": True})


USER_ACTIONS: Final[Mapping[str, Callable[[Context, int], Response]]] = {
    "activate": _switch(True), "deactivate": _switch(False), "invite": _invite, "sign_out": _sign_out,
}  # fmt: skip


def list_teams() -> Response:
    """Every team; which there are everybody signed in may know."""
    only()
    return answer({"items": [_team(team) for team in teams.all_teams(g.ctx)]})


def get_team(id: int) -> Response:
    """One team."""
    only()
    return answer(_team(teams.get(g.ctx, id)))


def _team(team: teams.Team) -> dict[str, Any]:
    shown = asdict(team)
    return {**shown, "members": list(shown.pop("member_ids"))} | {"main_ids": list(team.main_ids)}


def create_team() -> Response:
    """A new team."""
    only()
    data = read(read_object(), TEAM, required=("name",))

    def work(ctx: Context) -> Response:
        place = {name: data.get(name) for name in ("parent_id", "manager_id")}
        number = teams.create(ctx, data["name"], members=data.get("members", ()), **place)
        return answer(_team(teams.get(ctx, number)), 201, Location=f"{TEAMS}/{number}")

    return write(work)


def change_team(id: int) -> Response:
    """Name, place in the tree, leader or members of a team."""
    only()
    data = read(read_object(), TEAM)

    def work(ctx: Context) -> Response:
        members = data.pop("members", None)
        if data:
            teams.change(ctx, id, **data)
        if members is not None:
            teams.set_members(ctx, id, members)
        return answer(_team(teams.get(ctx, id)))

    return write(work)


def remove_team(id: int) -> Response:
    """Remove a team that has none below it."""
    only()

    def work(ctx: Context) -> Response:
        teams.remove(ctx, id)
        return nothing()

    return write(work)


def list_roles() -> Response:
    """Every role with how many users have it."""
    only()
    counts = roles.holders(g.ctx)
    return answer({"items": [_role(role) | {"users": counts.get(role.key, 0)} for role in roles.all_roles(g.ctx)]})


def get_role(key: str) -> Response:
    """One role with its grants and closed fields."""
    only()
    return answer(_whole(g.ctx, key))


def _role(role: Role) -> dict[str, Any]:
    return {
        "key": role.key,
        "uid": role.uid,
        "labels": dict(role.labels),
        "builtin": role.builtin,
        "plugin": role.plugin,
    }


def _whole(ctx: Context, key: str) -> dict[str, Any]:
    found = roles.grants_of(ctx, key)
    names = ("entity", "verb", "level", "filter", "forbid")
    return _role(roles.get(ctx, key)) | {
        "grants": [{name: getattr(one, name) for name in names} for one in found.grants],
        "fields": {f"{rule.entity}.{rule.field}": _state(rule) for rule in found.field_rules},
    }


def _state(rule: access.grants.FieldRule) -> str:
    return "open" if rule.write else "read" if rule.read else "hidden"


def create_role() -> Response:
    """A new role, perhaps with the rights of another one."""
    only()
    data = read(read_object(), ROLE, required=("key", "labels"))

    def work(ctx: Context) -> Response:
        roles.create(ctx, data["key"], _texts(data["labels"]), like=data.get("like"))
        return answer(_whole(ctx, data["key"]), 201, Location=f"{ROLES}/{data['key']}")

    return write(work)


def _texts(labels: Mapping[str, Any]) -> dict[str, str]:
    return {language: text or "" for language, text in labels.items()}


def change_role(key: str) -> Response:
    """Names, levels by permission (`{"crm.lead.view": "all"}`, null = as in general) and closed fields of a role."""
    only()
    data = read(read_object(), RIGHTS)
    levels = {_split(name): level for name, level in data.get("levels", {}).items()}
    if wrong := [level for level in levels.values() if level is not None and level not in LEVELS]:
        raise Invalid.of("levels", msg("This is not one of the possible values: {values}.", values=wrong[0]))

    def work(ctx: Context) -> Response:
        if "labels" in data:
            roles.rename(ctx, key, _texts(data["labels"]))
        if levels:
            roles.set_levels(ctx, key, levels)
        for name, state in data.get("fields", {}).items():
            _close(ctx, key, name, state)
        return answer(_whole(ctx, key))

    return write(work)


def _close(ctx: Context, key: str, name: str, state: str | None) -> None:
    entity, field = _split(name)
    if state is None:
        roles.drop_field_rule(ctx, key, entity, field)
    elif state in ("hidden", "read"):
        roles.set_field_rule(ctx, key, entity, field, read=state == "read", write=False)
    else:
        raise Invalid.of("fields", msg("This is not one of the possible values: {values}.", values="hidden, read"))


def _split(name: str) -> tuple[str, str]:
    subject, dot, verb = name.rpartition(".")
    if not dot:
        raise Invalid.of(name[:80], msg("There is no field {name}.", name=name[:80]), "unknown_field")
    return subject, verb


def remove_role(key: str) -> Response:
    """Remove a role that nobody has."""
    only()

    def work(ctx: Context) -> Response:
        roles.remove(ctx, key)
        return nothing()

    return write(work)
