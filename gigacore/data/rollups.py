"""Stored figures: computed values and sums over child rows in memory, sums over referring records in the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, bindparam, case, func, null, select, update
from sqlalchemy.orm import InstanceState
from sqlalchemy.sql.dml import Update

from gigacore.data.changes import Change
from gigacore.data.plan import FieldPlan, Plans, RelationRollup
from gigacore.entity import FieldSpec, Money

if TYPE_CHECKING:
    from gigacore.data.session import ActorSession


def compute(session: ActorSession, change: Change) -> bool:
    """Bring the computed fields of a changed record up to date. True when one of them changed."""
    record, moved = change.record, False
    for spec in change.plan.rollups:
        source = spec.rollup.source if spec.rollup else ""
        if change.verb == "created" or source in change.rows:
            moved |= _set(record, spec, over_children(session, record, spec))
    names = change.names()
    for spec in change.plan.computed:
        if change.verb == "created" or not names.isdisjoint(spec.depends_on) or moved:
            assert spec.compute is not None
            moved |= _set(record, spec, spec.compute(record))
    return moved


def over_children(session: ActorSession, record: Any, spec: FieldSpec) -> Any:
    """The figure over the record's child rows, as they are in memory."""
    rule = spec.rollup
    assert rule is not None
    with session.door.opened(), session.no_autoflush:
        rows = list(getattr(record, rule.source))
    if rule.function == "count":
        return len(rows)
    values = [value for row in rows if (value := getattr(row, rule.field or "")) is not None]
    if not values:
        return None
    if rule.function == "max":
        return max(values)
    return _sum(values)


def _sum(values: list[Any]) -> Any:
    if not isinstance(values[0], Money):
        return sum(values)
    if len({value.currency for value in values}) > 1:
        return None  # no figure rather than a guessed one
    return Money(sum(value.amount for value in values), values[0].currency)


def _set(record: Any, spec: FieldSpec, value: Any) -> bool:
    attribute = spec.attribute.removesuffix("_value") if spec.kind == "money" else spec.attribute
    if record.__dict__.get(attribute) == value and spec.kind != "money":
        return False
    if getattr(record, attribute) == value:
        return False
    setattr(record, attribute, value)
    return True


def refresh_referred(session: ActorSession, changes: Iterable[Change]) -> None:
    """Bring the figures of records up to date to which changed records refer or referred."""
    wanted: dict[tuple[str, str], tuple[RelationRollup, set[int]]] = {}
    for change in changes:
        for relation in change.plan.relations:
            if ids := _targets(change, relation):
                key = (relation.target.name, relation.spec.name)
                wanted.setdefault(key, (relation, set()))[1].update(ids)
    for relation, targets in wanted.values():
        with session.door.opened():
            statement = statement_for(relation, session.plans)
            session.connection().execute(statement, [{"target": one} for one in sorted(targets)])
        _expire(session, relation, targets)


def _targets(change: Change, relation: RelationRollup) -> set[int]:
    reference = change.plan.plan.names[relation.attribute]
    now = getattr(change.record, relation.attribute)
    if change.verb != "updated":
        return {now} - {None}
    if reference in change.changed:
        return {now, change.before[reference]} - {None}
    return {now} - {None} if relation.rule.field in change.changed else set()


def statement_for(relation: RelationRollup, plans: Plans) -> Update:
    """`UPDATE target SET figure = (SELECT ... FROM source WHERE reference = :target) WHERE id = :target`."""
    source: Any = next(cls for cls, plan in plans.entities.items() if relation in plan.relations)
    target: Any = relation.target.cls
    matches = getattr(source, relation.attribute) == bindparam("target")
    values: dict[str, Any] = {}
    for attribute, expression in _figures(relation, source, plans.entities[source].plan):
        values[target.__mapper__.attrs[attribute].columns[0].name] = select(expression).where(matches).scalar_subquery()
    table = target.__table__
    return update(table).where(table.c.id == bindparam("target")).values(values)


def _figures(relation: RelationRollup, source: Any, plan: FieldPlan) -> list[tuple[str, ColumnElement[Any]]]:
    rule, spec = relation.rule, relation.spec
    if rule.function == "count":
        return [(spec.attribute, func.count())]
    summed = plan.fields[rule.field or ""]
    column = getattr(source, summed.attribute)
    figure: ColumnElement[Any] = getattr(func, rule.function)(column)
    if summed.kind != "money" or spec.kind != "money":
        return [(spec.attribute, figure)]
    currency = getattr(source, summed.currency_attribute)
    single = func.count(currency.distinct()) == 1
    return [
        (spec.attribute, case((single, figure), else_=null())),
        (spec.currency_attribute, case((single, func.min(currency)), else_=null())),
    ]


def _expire(session: ActorSession, relation: RelationRollup, targets: set[int]) -> None:
    mapper = relation.target.cls.__mapper__
    names = [relation.spec.attribute]
    if relation.spec.kind == "money":
        names.append(relation.spec.currency_attribute)
    for key in targets:
        record = session.identity_map.get(mapper.identity_key_from_primary_key((key,)))
        if record is not None:
            state: InstanceState[Any] = record.__dict__["_sa_instance_state"]
            state._expire_attributes(state.dict, names)
