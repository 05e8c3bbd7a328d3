"""Saving, changing and removing views, each in the caller's unit of work.

A view narrows nothing and widens nothing: whoever opens it sees the records and fields that he may see anyway. Tabs are
read in every list, so whoever keeps them does so by the access generation, which grows with each change here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import sqlalchemy as sa

from gigacore import access
from gigacore.access.profiles import bump
from gigacore.data.journal import Entry
from gigacore.errors import FieldError, Forbidden, Invalid, NotFound
from gigacore.filter import parse
from gigacore.ids import uuid7
from gigacore.messages import Msg, msg
from gigacore.records.limits import readable_fields, reader_of
from gigacore.records.ordering import order_of
from gigacore.values import dataclass
from gigacore.views.tables import core_view

if TYPE_CHECKING:
    from gigacore.context import Context

TOOL: Final = "core.view"
KINDS: Final = ("table", "cards", "status", "board")
SHARED: Final = ("private", "team", "all")
MOST: Final = 100
LONGEST: Final = 100
V: Final = core_view.c
_PARTS: Final = ("name", "shared", "team_id", "kind", "filter", "search", "sort", "fields")


@dataclass(frozen=True, slots=True)
class View:
    """One saved view. `filter` is a tree of the filter language or None; `sort` as in `ListRequest`."""

    id: int
    uid: str
    entity: str
    owner_id: int
    name: str
    shared: str = "private"
    team_id: int | None = None
    kind: str = "table"
    filter: Any = None
    search: str = ""
    sort: str = ""
    fields: tuple[str, ...] = ()


def views_of(ctx: Context, entity: str) -> list[View]:
    """The actor's own views of an entity and those shared with him, in the order in which they were made."""
    if ctx.actor.user_id is None:
        return []
    statement = sa.select(core_view).where(V.entity == entity, _seen(ctx)).order_by(V.id).limit(MOST)
    return [_view(row) for row in ctx.session.connection().execute(statement).mappings()]


def get(ctx: Context, entity: str, view_id: int) -> View:
    """One view that the actor may open. Raises NotFound."""
    statement = sa.select(core_view).where(V.id == view_id, V.entity == entity, _seen(ctx))
    row = ctx.session.connection().execute(statement).mappings().first()
    if row is None:
        raise NotFound
    return _view(row)


def may_share(ctx: Context) -> bool:
    """Whether the actor may let others use his views."""
    return access.may(ctx, "share", TOOL)


def may_change(ctx: Context, view: View) -> bool:
    """Whether the actor may change or remove a view: his own, and with the right to the tool any shared one."""
    return view.owner_id == ctx.actor.user_id or access.may(ctx, "edit", TOOL)


def sharing_teams(ctx: Context) -> tuple[int, ...]:
    """The teams with which the actor may share: his own, and those below him."""
    return tuple(dict.fromkeys((*ctx.actor.team_ids, *ctx.actor.tree_ids)))


def save(ctx: Context, entity: str, data: Mapping[str, Any]) -> View:
    """A new view of the actor's own.

    `data` may hold `name`, `shared`, `team_id`, `kind`, `filter`, `search`, `sort`, `fields`. Raises Invalid with an
    error per part at fault, Forbidden where sharing is not allowed or the actor is no person.
    """
    access.require(ctx, "view", entity)
    if ctx.actor.user_id is None:
        raise Forbidden(msg("Only people keep views."))
    if len(views_of(ctx, entity)) >= MOST:
        raise Invalid(msg("There are {limit} views already; remove one first.", limit=MOST))
    found = _checked(ctx, View(0, str(uuid7()), entity, ctx.actor.user_id, ""), data)
    row = _row(found) | {
        "uid": UUID(found.uid), "plugin": "", "entity": entity, "owner_id": found.owner_id,
        "created_at": ctx.now, "updated_at": ctx.now,
    }  # fmt: skip
    number = ctx.session.connection().execute(sa.insert(core_view).values(**row).returning(V.id)).scalar_one()
    made = replace(found, id=number)
    _record(ctx, "created", None, made)
    return made


def change(ctx: Context, entity: str, view_id: int, data: Mapping[str, Any]) -> View:
    """Change some parts of a view. Raises NotFound, Forbidden, Invalid."""
    present = _own(ctx, entity, view_id)
    found = _checked(ctx, present, data)
    if found != present:
        statement = sa.update(core_view).where(V.id == view_id)
        ctx.session.connection().execute(statement.values(**_row(found), updated_at=ctx.now))
        _record(ctx, "updated", present, found)
    return found


def remove(ctx: Context, entity: str, view_id: int) -> None:
    """Take a view away, for everybody who used it. Raises NotFound, Forbidden."""
    present = _own(ctx, entity, view_id)
    ctx.session.connection().execute(sa.delete(core_view).where(V.id == view_id))
    _record(ctx, "deleted", present, None)


def _own(ctx: Context, entity: str, view_id: int) -> View:
    found = get(ctx, entity, view_id)
    if not may_change(ctx, found):
        raise Forbidden(msg("This view belongs to somebody else."))
    return found


def _seen(ctx: Context) -> sa.ColumnElement[bool]:
    actor = ctx.actor
    teams = sa.and_(V.shared == "team", V.team_id.in_(sharing_teams(ctx)))
    return sa.or_(V.owner_id == actor.user_id, V.shared == "all", teams)


def _view(row: Mapping[Any, Any]) -> View:
    parts = {name: row[name] for name in _PARTS} | {"fields": tuple(row["fields"])}
    return View(row["id"], str(row["uid"]), row["entity"], row["owner_id"], **parts)


def _row(view: View) -> dict[str, Any]:
    return {name: getattr(view, name) for name in _PARTS} | {"fields": list(view.fields)}


def _checked(ctx: Context, present: View, data: Mapping[str, Any]) -> View:
    """The view with the parts that `data` names, if they fit."""
    fields = tuple(dict.fromkeys(data.get("fields", present.fields)))
    found = replace(present, **{name: data[name] for name in _PARTS if name in data} | {"fields": fields})
    found = replace(found, name=str(found.name).strip(), team_id=found.team_id if found.shared == "team" else None)
    faults = [FieldError(place, text) for place, text in _faults(found)]
    if faults:
        raise Invalid(errors=faults)
    _check_parts(ctx, found)
    if (found.shared, found.team_id) != (present.shared, present.team_id):
        _check_sharing(ctx, found)
    return found


def _faults(view: View) -> list[tuple[str, Msg]]:
    found: list[tuple[str, Msg]] = []
    if not view.name:
        found.append(("name", msg("Give the view a name.")))
    elif len(view.name) > LONGEST:
        found.append(("name", msg("This is too long: at most {limit} characters.", limit=LONGEST)))
    if view.kind not in KINDS:
        found.append(("kind", msg("There is no such kind of view.")))
    if view.shared not in SHARED:
        found.append(("shared", msg("This is not one of the possible values.")))
    return found


def _check_parts(ctx: Context, view: View) -> None:
    """Raise Invalid where filter, order or columns do not fit the entity as the actor sees it."""
    session = ctx.session
    spec = session.registry.entity(view.entity)
    if view.filter is not None:
        parse(view.filter, spec, session.registry, readable=reader_of(session))
    readable = readable_fields(session, spec)
    order_of(session, spec, (view.sort,) if view.sort else (), readable)
    for name in view.fields:
        if name not in readable:
            raise Invalid.of("fields", msg("There is no field {name}.", name=name), "unknown_field")


def _check_sharing(ctx: Context, view: View) -> None:
    if view.shared == "private":
        return
    if not may_share(ctx):
        raise Forbidden(msg("Your role does not allow you to share views."))
    if view.shared == "team" and view.team_id not in sharing_teams(ctx):
        raise Invalid.of("team_id", msg("Choose one of your teams."))


def _record(ctx: Context, verb: str, before: View | None, after: View | None) -> None:
    """Audit, event, and the sign for every process to read the tabs anew."""
    known = after or before
    assert known is not None
    old, new = (_row(one) if one is not None else {} for one in (before, after))
    values = {name: [old.get(name), new.get(name)] for name in _PARTS if old.get(name) != new.get(name)}
    connection = ctx.session.connection()
    entry = Entry(TOOL, verb, known.id, UUID(known.uid), None, list(values), values)
    ctx.session.journal.write(connection, ctx, [entry])
    bump(connection)
