"""What stands in the way of deleting a record, and what is released when it goes."""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

import sqlalchemy as sa

from gigacore.data import mark_scoped, trash
from gigacore.entity import Entity, EntitySpec, FieldSpec
from gigacore.entity.columns import BigId
from gigacore.errors import InTheWay, Obstacle
from gigacore.messages import Msg, joined, msg
from gigacore.records.labels import labels_of

if TYPE_CHECKING:
    from gigacore.context import Context

SHOWN: Final = 5
Act = Literal["delete", "merge", "erase", "export"]
ACTS: Final[Mapping[Act, Msg]] = MappingProxyType(
    {
        "delete": msg("This cannot be deleted"),
        "merge": msg("This cannot be merged"),
        "erase": msg("This cannot be erased"),
        "export": msg("All data on this cannot be given out"),
    }
)
HOLDING: Final = frozenset({"restrict", "cascade"})
ALL_RULES: Final = HOLDING | {"set_null", "soft"}


def _referring(ctx: Context, spec: EntitySpec, rule: str) -> list[tuple[EntitySpec, FieldSpec]]:
    registry = ctx.session.registry
    fields = registry.referrers.get(spec.name, ())
    return [
        (registry.entity(f.entity), f) for f in fields if f.on_delete == rule and not f.custom and f.extension is None
    ]


def refuse_if_in_the_way(ctx: Context, spec: EntitySpec, record_id: int) -> None:
    """Raise InTheWay when records refer here by the rule `restrict`, hidden ones included (they are only counted)."""
    obstacles: list[Obstacle] = []
    total: dict[str, int] = {}
    for other, field in _referring(ctx, spec, "restrict"):
        ids = _ids(ctx, other, field, record_id)
        if not ids:
            continue
        total[other.name] = total.get(other.name, 0) + len(ids)
        labels = labels_of(ctx.session, other.name, ids[:SHOWN])
        obstacles += [Obstacle(other.name, number, labels.get(number)) for number in ids[:SHOWN]]
    if total:
        raise InTheWay(
            msg("This cannot be deleted while other records stand on it: {what}.", what=_summary(ctx, total)),
            obstacles,
            total,
            fix=msg("Delete those first, or let them refer to another record."),
        )
    refuse_if_idle_holds(ctx, spec, record_id, "delete", HOLDING)


def refuse_if_idle_holds(
    ctx: Context, spec: EntitySpec, record_id: int, act: Act, rules: Container[str] = ALL_RULES
) -> None:
    """Raise InTheWay when rows of plugins that do not run refer here: nobody could see, move or restore them."""
    for one in ctx.session.registry.idle:
        if one.target != spec.name or one.rule not in rules:
            continue
        clause = sa.table(one.table, sa.column("id", BigId), sa.column(one.column, BigId))
        statement = sa.select(clause.c.id).where(clause.c[one.column] == record_id).order_by(clause.c.id)
        ids = list(ctx.session.connection().execute(mark_scoped(statement)).scalars())
        if ids:
            raise InTheWay(
                msg(
                    "{act}: {count} {what} of the plugin {name}, which does not run, stand on it.",
                    act=ACTS[act],
                    count=len(ids),
                    what=one.label_plural.lower(),
                    name=one.plugin,
                ),
                [Obstacle(one.entity, number, None) for number in ids[:SHOWN]],
                {one.entity: len(ids)},
                fix=msg("Enable the plugin to change them, or uninstall it."),
            )


def _summary(ctx: Context, total: dict[str, int]) -> Msg:
    registry = ctx.session.registry
    things = ((Msg(registry.entity(name).label_plural), count) for name, count in total.items())
    return joined((msg("{things} ({count})", things=label, count=count) for label, count in things), ", ")


def _ids(ctx: Context, other: EntitySpec, field: FieldSpec, record_id: int) -> list[int]:
    table = other.table
    statement = sa.select(table.c.id).where(table.c[field.column] == record_id).order_by(table.c.id)
    return list(ctx.session.connection().execute(mark_scoped(statement)).scalars())


def release(ctx: Context, spec: EntitySpec, record_id: int) -> None:
    """Empty the references whose rule is `set_null` and delete the records whose rule is `cascade`.

    Both follow from the declaration, whoever owns those records and whether or not a rule locks them; what is frozen
    stays as it is and refuses the deletion.
    """
    ctx.session.flush()
    with ctx.session.by_rule():
        _release(ctx, spec, record_id)


def _release(ctx: Context, spec: EntitySpec, record_id: int) -> None:
    for other, field in _referring(ctx, spec, "set_null"):
        for record in _records(ctx, other, field, record_id):
            setattr(record, field.attribute, None)
    for other, field in _referring(ctx, spec, "cascade"):
        for record in _records(ctx, other, field, record_id):
            refuse_if_in_the_way(ctx, other, record.id)
            _release(ctx, other, record.id)
            trash.move(ctx, record)
    ctx.session.flush()


def _records(ctx: Context, other: EntitySpec, field: FieldSpec, record_id: int) -> list[Entity]:
    cls: Any = other.cls
    statement = sa.select(cls).where(getattr(cls, field.attribute) == record_id)
    return list(ctx.session.scalars(mark_scoped(statement)))
