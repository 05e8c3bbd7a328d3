"""What a record was before the change that is about to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect
from sqlalchemy.orm.attributes import instance_state

from gigacore.data.changes import stored_value

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity


def is_new(record: Entity) -> bool:
    """Whether the database does not hold the record yet."""
    return not instance_state(record).persistent


def pending(ctx: Context, name: str) -> dict[Entity, Any]:
    """What `before_save` notes for `after_save` within one unit of work, by record."""
    found = ctx.notes.setdefault(name, {})
    assert isinstance(found, dict)
    return found


def was(ctx: Context, record: Entity, attribute: str) -> Any:
    """The value that the database holds; None for a new record."""
    if is_new(record):
        return None
    history = inspect(record).attrs[attribute].history
    if history.deleted:
        return history.deleted[0]
    return stored_value(ctx.session, record, attribute) if history.added else getattr(record, attribute)


def put(record: Entity, attribute: str, value: Any) -> None:
    """Set a value that differs; SQLAlchemy keeps books on every one that is set."""
    if getattr(record, attribute) != value:
        setattr(record, attribute, value)
