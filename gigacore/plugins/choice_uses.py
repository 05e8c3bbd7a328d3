"""Where the values of a choice list stand in records, how often, and the replacing of one by another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore.access.sql import EntityRows
from gigacore.data import mark_scoped
from gigacore.data.custom import set_custom
from gigacore.entity import ChildSpec, Entity, EntitySpec, FieldSpec
from gigacore.errors import Conflict, NotFound
from gigacore.filter import field_expression, parse, read_value
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

MOST: Final = 20_000
CHUNK: Final = 200


@dataclass(frozen=True, slots=True)
class Use:
    """A field whose values come from a list: of an entity, or of its child rows."""

    spec: EntitySpec
    field: FieldSpec
    child: ChildSpec | None = None

    def ids(self, ctx: Context, key: str) -> list[int]:
        """The records that hold the value, hidden ones included: they would all lose it."""
        return list(ctx.session.connection().scalars(mark_scoped(self._statement(ctx, key).limit(MOST + 1))))

    def count(self, ctx: Context, key: str) -> int:
        """How many records hold the value."""
        counted = sa.select(sa.func.count()).select_from(self._statement(ctx, key).subquery())
        return int(ctx.session.connection().execute(mark_scoped(counted)).scalar_one())

    def _statement(self, ctx: Context, key: str) -> sa.Select[Any]:
        if self.child is not None:
            table = self.child.table
            return sa.select(table.c.parent_id).where(field_expression(self.field, table) == key).distinct()
        table = self.spec.table
        tree = {"field": self.field.name, "op": "contains" if self.field.kind == "choices" else "eq", "value": key}
        condition = parse(tree, self.spec, ctx.session.registry)
        return sa.select(table.c.id).where(EntityRows(ctx.session, table).condition(condition))

    def put(self, ctx: Context, record: Any, key: str, by: str) -> None:
        """Let one record hold `by` where it held `key`."""
        if self.child is not None:
            for row in getattr(record, self.child.name):
                if getattr(row, self.field.attribute) == key:
                    setattr(row, self.field.attribute, by)
        elif self.field.custom:
            present = read_value(self.field, record.custom[self.field.name])
            set_custom(record, self.field, self._replaced(present, key, by))
        else:
            holder = self._holder(ctx, record)
            present = getattr(holder, self.field.attribute)
            setattr(holder, self.field.attribute, self._replaced(present, key, by))

    def _holder(self, ctx: Context, record: Any) -> Any:
        return record if self.field.extension is None else ctx.session.get(self.field.extension, record.id)

    def _replaced(self, present: Any, key: str, by: str) -> Any:
        if self.field.kind != "choices":
            return by
        return list(dict.fromkeys(by if one == key else one for one in present or ()))


def uses_of(ctx: Context, list_name: str) -> Iterator[Use]:
    """Every field that takes its values from a list."""
    for spec in ctx.session.registry.entities.values():
        for field in spec.fields.values():
            if field.choice_list == list_name:
                yield Use(spec, field)
        for child in spec.children.values():
            for field in child.fields.values():
                if field.choice_list == list_name and field.kind != "choices":
                    yield Use(spec, field, child)


def count(ctx: Context, list_name: str, key: str) -> int:
    """How many times records hold a value of a list."""
    return sum(use.count(ctx, key) for use in uses_of(ctx, list_name))


def replace_everywhere(ctx: Context, list_name: str, key: str, by: str) -> int:
    """Let every record that holds `key` hold `by`; gives their number. Locked records are changed, too.

    Each change is judged, audited and announced like any other. Raises Conflict when there are more than 20,000 or
    some are out of the actor's reach, and what a change of the record raises; then nothing is to be committed.
    """
    done, unlocking = 0, ctx.unlocking
    ctx.unlocking = True  # a list is rearranged as a whole: a closed record must not keep a value that is gone
    try:
        for use in list(uses_of(ctx, list_name)):
            ids = use.ids(ctx, key)
            if done + len(ids) > MOST:
                raise Conflict(msg("More than {limit} records use this choice.", limit=MOST), fix=msg("Switch it off."))
            done += _each(ctx, use.spec, ids, lambda record, use=use: use.put(ctx, record, key, by))  # type: ignore[misc]
    finally:
        ctx.unlocking = unlocking
    return done


def _each(ctx: Context, spec: EntitySpec, ids: list[int], put: Callable[[Entity], None]) -> int:
    session, cls = ctx.session, spec.cls
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        found = session.scalars(sa.select(cls).where(cls.id.in_(chunk))).all()
        if len(found) != len(chunk):
            raise Conflict(
                msg("Some {things} that use this choice are out of your reach.", things=spec.label_plural)
            ) from NotFound()
        for record in found:
            put(record)
        session.flush()
    return len(ids)
