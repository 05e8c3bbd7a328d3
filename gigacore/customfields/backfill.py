"""Formulas worked out anew on every record, a batch at a time: after one changed, or a field that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gigacore.data import mark_scoped
from gigacore.data.formulas import refresh

if TYPE_CHECKING:
    from gigacore.context import Context

BATCH: Final = 500


def backfill(ctx: Context, entity: str, after: int = 0) -> tuple[int, int | None]:
    """Work out the formulas of the next records after `after`, by number, in the caller's unit of work of the system.

    Gives how many values changed and the number to go on after, None at the end. Neither versions nor events follow.
    """
    session, spec = ctx.session, ctx.session.registry.entity(entity)
    formulas = session.plans.entities[spec.cls].formulas
    if not formulas:
        return 0, None
    statement = sa.select(spec.cls).where(spec.cls.id > after).order_by(spec.cls.id).limit(BATCH)
    found = list(session.scalars(mark_scoped(statement)))
    changed = sum(refresh(record, spec, formulas) for record in found)
    session.flush()
    return changed, found[-1].id if len(found) == BATCH else None
