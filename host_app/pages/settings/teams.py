"""Teams in their tree: named, moved, given a leader and members, removed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.access import teams, users
from gigacore.access.teams import Team
from gigacore.context import Context
from gigacore.entity import FieldSpec
from gigacore.errors import Conflict, GigaError, Invalid
from gigacore.messages import msg
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import plain_form
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.doing import again, do, problems
from host_app.routing import route

TOOL: Final = "core.team"
TEAMS: Final = "/settings/teams"
ONE: Final = f"{TEAMS}/<int:team_id>"
NAME: Final = FieldSpec("name", "text", label="Name", required=True, max_length=200)
PARENT: Final = FieldSpec("parent_id", "enum", label="Stands below")
LEADER: Final = FieldSpec(
    "manager_id", "enum", label="Leader", help="Sees what the members of this team and of the teams below have."
)
MEMBERS: Final = FieldSpec("members", "choices", label="Members")


def register(app: Flask) -> None:
    """Declare the routes."""
    edit = on_tool(TOOL, "edit")
    route(app, TEAMS, policy=on_tool(TOOL, "view"))(show)
    route(app, f"{TEAMS}/new", policy=edit)(new)
    route(app, f"{TEAMS}/new", policy=edit, methods=["POST"])(create)
    route(app, ONE, policy=edit)(one)
    route(app, ONE, policy=edit, methods=["POST"])(change)
    route(app, f"{ONE}/remove", policy=edit, methods=["POST"])(remove)


def show() -> ResponseReturnValue:
    """Every team, below the one that it belongs to."""
    who = reader()
    people = dict(users.names(who.ctx, active_only=False))
    rows = [
        {
            "id": team.id, "name": team.name, "depth": depth, "leader": people.get(team.manager_id or 0, ""),
            "members": [people[number] for number in team.member_ids if number in people],
        }
        for team, depth in in_tree(teams.all_teams(who.ctx))
    ]  # fmt: skip
    may_edit = access.may(who.ctx, "edit", TOOL)
    return settings_page("teams.html", who, title=who.t(msg("Teams")), rows=rows, may_edit=may_edit)


def in_tree(found: Iterable[Team]) -> Iterator[tuple[Team, int]]:
    """The teams with their depth, each right below its parent."""
    below: dict[int | None, list[Team]] = {}
    for team in found:
        below.setdefault(team.parent_id, []).append(team)
    open_ = [(team, 0) for team in reversed(below.get(None, []))]
    while open_:
        team, depth = open_.pop()
        yield team, depth
        open_ += [(child, depth + 1) for child in reversed(below.get(team.id, []))]


def _fields(who: Reader, team: Team | None = None) -> list[FieldSpec]:
    tree = [(other, depth) for other, depth in in_tree(teams.all_teams(who.ctx)) if team is None or other.id != team.id]
    parents = tuple((str(other.id), f"{'– ' * depth}{other.name}") for other, depth in tree)
    kept = set(team.member_ids) if team else set()
    active = {number for number, _name in users.names(who.ctx)}
    everybody = users.names(who.ctx, active_only=False)
    people = tuple((str(number), name) for number, name in everybody if number in active | kept)
    return [NAME, replace(PARENT, choices=parents), replace(LEADER, choices=people), replace(MEMBERS, choices=people)]


def new() -> ResponseReturnValue:
    """The form of a new team."""
    return _form(reader(), Raw())


def create() -> ResponseReturnValue:
    """Add the team."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    if again(raw):
        return _form(who, raw)
    try:
        data = _typed(who, raw)
        with current_crm().unit_of_work(current()) as ctx:
            place = {"parent_id": data["parent_id"], "manager_id": data["manager_id"]}
            teams.create(ctx, data["name"], members=data["members"], **place)
    except (Invalid, Conflict) as error:
        return _form(who, raw, error=error)
    note(who.t(msg("Saved.")))
    return redirect(TEAMS, 303)


def _typed(who: Reader, raw: Raw, team: Team | None = None) -> dict[str, Any]:
    data = plain_form.typed(_fields(who, team), raw, who)
    numbers = {
        name: int(data[name]) if str(data[name] or "").isdigit() else None for name in ("parent_id", "manager_id")
    }
    return {**data, **numbers, "members": [int(text) for text in data["members"] or () if text.isdigit()]}


def one(team_id: int) -> ResponseReturnValue:
    """The form of a team."""
    who = reader()
    team = teams.get(who.ctx, team_id)
    values = {
        "name": team.name, "parent_id": team.parent_id, "manager_id": team.manager_id,
        "members": [str(number) for number in team.member_ids],
    }  # fmt: skip
    return _form(who, plain_form.filled(_fields(who, team), values, who), team)


def change(team_id: int) -> ResponseReturnValue:
    """Keep what was changed."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    team = teams.get(who.ctx, team_id)
    if again(raw):
        return _form(who, raw, team)
    try:
        data = _typed(who, raw, team)
        with current_crm().unit_of_work(current()) as ctx:
            _put(ctx, team, data)
    except (Invalid, Conflict) as error:
        return _form(who, raw, team, error)
    note(who.t(msg("Saved.")))
    return redirect(TEAMS, 303)


def _put(ctx: Context, team: Team, data: dict[str, Any]) -> None:
    teams.change(ctx, team.id, **{name: data[name] for name in ("name", "parent_id", "manager_id")})
    if set(data["members"]) != set(team.member_ids):
        teams.set_members(ctx, team.id, data["members"])


def remove(team_id: int) -> ResponseReturnValue:
    """Remove a team; its records keep their owners."""
    return do(lambda ctx: teams.remove(ctx, team_id), TEAMS, msg("The team is gone."))


def _form(who: Reader, raw: Raw, team: Team | None = None, error: GigaError | None = None) -> ResponseReturnValue:
    wrong = problems(error, who)
    return settings_page(
        "form.html", who, error.status if error else 200, title=team.name if team else who.t(msg("New team")),
        inputs=plain_form.inputs(_fields(who, team), raw, who, wrong), home=TEAMS, crumb=who.t(msg("Teams")),
        trouble=[wrong[""]] if "" in wrong else [], button=who.t(msg("Save")),
        danger=f"{TEAMS}/{team.id}/remove" if team else "", danger_label=who.t(msg("Remove the team")),
        sure=who.t(msg("Remove the team? Its records keep their owners.")),
    )  # fmt: skip
