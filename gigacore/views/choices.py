"""What a person chose for a list without giving it a name: the columns, and the view with which it opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gigacore.access.profiles import bump
from gigacore.errors import Forbidden, Invalid
from gigacore.messages import msg
from gigacore.values import dataclass
from gigacore.views.tables import core_list_choice

if TYPE_CHECKING:
    from gigacore.context import Context

C = core_list_choice.c


@dataclass(frozen=True, slots=True)
class ListChoice:
    """A person's choice for one list. `default_view` is a built-in view's name or a saved one's uid."""

    default_view: str = ""
    fields: tuple[str, ...] = ()


def choice_of(ctx: Context, entity: str) -> ListChoice:
    """What the actor chose; nothing for actors who are no person."""
    found = sa.select(C.default_view, C.fields).where(C.user_id == ctx.actor.user_id, C.entity == entity)
    row = ctx.session.connection().execute(found).first()
    return ListChoice(row.default_view, tuple(row.fields)) if row is not None else ListChoice()


def choose(
    ctx: Context, entity: str, *, default_view: str | None = None, fields: Sequence[str] | None = None
) -> ListChoice:
    """Keep a choice of the actor's own, within the caller's unit of work; None leaves that part as it is.

    Raises Invalid for an unknown field, Forbidden for actors who are no person.
    """
    if ctx.actor.user_id is None:
        raise Forbidden(msg("Only people keep views."))
    spec = ctx.session.registry.entity(entity)
    for name in fields or ():
        if name not in spec.fields:
            raise Invalid.of("fields", msg("There is no field {name}.", name=name), "unknown_field")
    present = choice_of(ctx, entity)
    found = ListChoice(
        present.default_view if default_view is None else default_view[:40],
        present.fields if fields is None else tuple(dict.fromkeys(fields)),
    )
    _write(ctx, entity, found)
    return found


def _write(ctx: Context, entity: str, found: ListChoice) -> None:
    connection = ctx.session.connection()
    values: dict[str, Any] = {"default_view": found.default_view, "fields": list(found.fields)}
    here = sa.and_(C.user_id == ctx.actor.user_id, C.entity == entity)
    if not connection.execute(sa.update(core_list_choice).where(here).values(**values)).rowcount:
        row = {"user_id": ctx.actor.user_id, "entity": entity, **values}
        connection.execute(sa.insert(core_list_choice).values(**row))
    bump(connection)
