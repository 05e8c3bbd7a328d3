"""Teams and departments: a tree; whoever manages a team sees to every team below it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore.access.changes import note
from gigacore.access.decide import require
from gigacore.access.tables import core_team, core_team_member, core_user
from gigacore.errors import Conflict, Invalid, NotFound
from gigacore.ids import uuid7
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

TOOL: Final = "core.team"
NAME_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Team:
    """One team, who is in it, and for whom of them it is the main one."""

    id: int
    uid: str
    name: str
    parent_id: int | None
    manager_id: int | None
    member_ids: tuple[int, ...] = ()
    main_ids: tuple[int, ...] = ()


def create(
    ctx: Context, name: str, *, parent_id: int | None = None, manager_id: int | None = None, members: Iterable[int] = ()
) -> int:
    """A new team; returns its id. Takes `core.team.edit`. Raises Invalid for an unknown parent or person."""
    require(ctx, "edit", TOOL)
    row: dict[str, Any] = {"uid": uuid7(), "org_id": ctx.actor.org_id, "created_at": ctx.now, "name": _name(name)}
    row |= {"parent_id": _team(ctx, parent_id), "manager_id": _user(ctx, manager_id, "manager_id")}
    team_id = ctx.session.connection().execute(sa.insert(core_team).values(row).returning(core_team.c.id)).scalar_one()
    note(ctx, TOOL, team_id, row["uid"], "created", {"name": row["name"], "parent_id": parent_id})
    if members := tuple(members):
        set_members(ctx, team_id, members)
    return int(team_id)


def change(ctx: Context, team_id: int, **values: Any) -> None:
    """Change `name`, `parent_id` or `manager_id`. Takes `core.team.edit`.

    Raises Conflict when the team would come to stand below itself.
    """
    require(ctx, "edit", TOOL)
    team = get(ctx, team_id)
    row: dict[str, Any] = {}
    for key, value in values.items():
        row[key] = _checked(ctx, key, value)
    if row.get("parent_id") is not None:
        _refuse_circle(ctx, team_id, row["parent_id"])
    ctx.session.connection().execute(sa.update(core_team).where(core_team.c.id == team_id).values(row))
    note(ctx, TOOL, team_id, team.uid, "updated", row)


def _refuse_circle(ctx: Context, team_id: int, parent_id: int) -> None:
    query = sa.select(core_team.c.id, core_team.c.parent_id)
    parents = {row.id: row.parent_id for row in ctx.session.connection().execute(query)}
    above: int | None = parent_id
    while above is not None:
        if above == team_id:
            raise Conflict(msg("A team cannot stand below itself."))
        above = parents.get(above)


def _name(name: object) -> str:
    clean = " ".join(str(name).split())[:NAME_LENGTH]
    if not clean or not clean.isprintable():
        raise Invalid.of("name", msg("A team needs a name."), "required")
    return clean


def _team(ctx: Context, team_id: int | None) -> int | None:
    if team_id is not None and not _exists(ctx, core_team, team_id):
        raise Invalid.of("parent_id", msg("There is no such team."))
    return team_id


def _user(ctx: Context, user_id: int | None, field: str) -> int | None:
    if user_id is not None and not _exists(ctx, core_user, user_id):
        raise Invalid.of(field, msg("There is no such user."))
    return user_id


def _checked(ctx: Context, field: str, value: Any) -> Any:
    if field == "name":
        return _name(value)
    if field == "parent_id":
        return _team(ctx, value)
    if field == "manager_id":
        return _user(ctx, value, field)
    raise Invalid.of(field, msg("There is no field {name}.", name=field), "unknown_field")


def _exists(ctx: Context, table: sa.Table, id_: int) -> bool:
    return ctx.session.connection().scalar(sa.select(table.c.id).where(table.c.id == id_)) is not None


def set_members(ctx: Context, team_id: int, members: Iterable[int], *, main: Iterable[int] = ()) -> None:
    """Replace the members of a team; for those in `main` it becomes the team of their new records.

    A person's first team is the main one by itself. Takes `core.team.edit`.
    """
    require(ctx, "edit", TOOL)
    team = get(ctx, team_id)
    wanted, chosen = sorted(set(members)), set(main)
    for user_id in wanted:
        _user(ctx, user_id, "members")
    connection, m = ctx.session.connection(), core_team_member
    connection.execute(sa.delete(m).where(m.c.team_id == team_id))
    elsewhere = set(connection.scalars(sa.select(m.c.user_id).where(m.c.user_id.in_(wanted), m.c.main)))
    connection.execute(sa.update(m).where(m.c.user_id.in_(chosen)).values(main=False))
    rows = [{"team_id": team_id, "user_id": u, "main": u in chosen or u not in elsewhere} for u in wanted]
    if rows:
        connection.execute(sa.insert(m), rows)
    note(ctx, TOOL, team_id, team.uid, "members_changed", {"members": wanted})


def remove(ctx: Context, team_id: int) -> None:
    """Remove a team that has no team below it; its records keep their owners. Takes `core.team.edit`."""
    require(ctx, "edit", TOOL)
    team = get(ctx, team_id)
    connection = ctx.session.connection()
    if connection.scalar(sa.select(core_team.c.id).where(core_team.c.parent_id == team_id).limit(1)) is not None:
        raise Conflict(msg("There are teams below this one."), fix=msg("Move or remove them first."))
    connection.execute(sa.delete(core_team).where(core_team.c.id == team_id))
    note(ctx, TOOL, team_id, team.uid, "removed", {"name": team.name})


def set_teams_of(ctx: Context, user_id: int, team_ids: Iterable[int], *, main: int | None = None) -> None:
    """Replace the teams that a person is in; `main` (else the first) is the team of their new records.

    Takes `core.team.edit`. Raises Invalid for an unknown team or person.
    """
    require(ctx, "edit", TOOL)
    _user(ctx, user_id, "user_id")
    wanted = list(dict.fromkeys(team_ids))
    for team_id in wanted:
        if not _exists(ctx, core_team, team_id):
            raise Invalid.of("teams", msg("There is no such team."))
    connection, m = ctx.session.connection(), core_team_member
    connection.execute(sa.delete(m).where(m.c.user_id == user_id))
    chosen = main if main in wanted else next(iter(wanted), None)
    if wanted:
        connection.execute(
            sa.insert(m), [{"team_id": team, "user_id": user_id, "main": team == chosen} for team in wanted]
        )
    uid = connection.scalar(sa.select(core_user.c.uid).where(core_user.c.id == user_id))
    note(ctx, "core.user", user_id, uid, "teams_changed", {"teams": wanted, "main": chosen})


def all_teams(ctx: Context) -> list[Team]:
    """Every team by name. Which teams there are everybody signed in may know."""
    return _read(ctx, sa.true())


def get(ctx: Context, team_id: int) -> Team:
    """One team. Raises NotFound. Which teams there are everybody signed in may know."""
    found = _read(ctx, core_team.c.id == team_id)
    if not found:
        raise NotFound
    return found[0]


def _read(ctx: Context, which: sa.ColumnElement[bool]) -> list[Team]:
    connection, m = ctx.session.connection(), core_team_member
    rows = connection.execute(sa.select(core_team).where(which).order_by(core_team.c.name, core_team.c.id)).all()
    members: dict[int, list[tuple[int, bool]]] = {}
    ids = [row.id for row in rows]
    found = sa.select(m.c.team_id, m.c.user_id, m.c.main).where(m.c.team_id.in_(ids)).order_by(m.c.user_id)
    for team_id, user_id, main in connection.execute(found):
        members.setdefault(team_id, []).append((user_id, main))
    return [_team_of(row, members.get(row.id, ())) for row in rows]


def _team_of(row: sa.Row[Any], members: Iterable[tuple[int, bool]]) -> Team:
    everybody = tuple(user_id for user_id, _main in members)
    at_home = tuple(user_id for user_id, main in members if main)
    return Team(row.id, str(row.uid), row.name, row.parent_id, row.manager_id, everybody, at_home)
