"""Administrators' formulas: worked out in the flush after everything that they may read, stored beside other values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gigacore.entity import BadValue, EntitySpec, FieldSpec, Money
from gigacore.filter.stored import read_value, store_value
from gigacore.formula import Formula, compile_formula, usable
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.data.changes import Change


@dataclass(frozen=True, slots=True)
class Computed:
    """A field with its formula; None while a field that it reads is gone, and then it has no value."""

    field: FieldSpec
    formula: Formula | None


def formulas_of(spec: EntitySpec) -> tuple[Computed, ...]:
    """The formulas of an entity, each after those that it reads."""
    found = {name: _compiled(field, spec) for name, field in spec.fields.items() if field.formula}
    ordered: dict[str, Computed] = {}

    def add(name: str, above: frozenset[str]) -> None:
        for source in sorted(found[name].formula.sources if found[name].formula else ()):  # type: ignore[union-attr]
            if source in found and source not in ordered and source not in above:
                add(source, above | {name})
        ordered[name] = found[name]

    for name in found:
        if name not in ordered:
            add(name, frozenset())
    return tuple(ordered.values())


def _compiled(field: FieldSpec, spec: EntitySpec) -> Computed:
    others = {name: one for name, one in spec.fields.items() if name != field.name}
    try:
        return Computed(field, compile_formula(field.formula, field.kind, others))
    except BadValue:
        return Computed(field, None)


def compute(change: Change) -> None:
    """Bring the formulas of a changed record up to date, as far as what they read has changed."""
    names, record = change.names(), change.record
    for one in change.plan.formulas:
        sources = one.formula.sources if one.formula else frozenset()
        if (change.verb == "created" or not names.isdisjoint(sources)) and _set(record, one, change.plan.spec):
            names |= {one.field.name}


def refresh(record: Any, spec: EntitySpec, formulas: Iterable[Computed]) -> bool:
    """Bring all formulas of a record up to date; the flush then writes it. True when one of them changed."""
    changed = [_set(record, one, spec) for one in formulas]  # each, for one may read another
    return any(changed)


def _set(record: Any, one: Computed, spec: EntitySpec) -> bool:
    value = one.formula.value(values_of(record, spec, one.formula.sources)) if one.formula else None
    stored = None if value is None else store_value(one.field, value)
    custom: Mapping[str, Any] = record.custom or {}
    if custom.get(one.field.name) == stored:
        return False
    others = {name: kept for name, kept in custom.items() if name != one.field.name}
    record.custom = others if stored is None else {**others, one.field.name: stored}
    return True


def values_of(record: Any, spec: EntitySpec, names: Iterable[str]) -> dict[str, Any]:
    """What a formula reads of a record: amounts without their currency, which stands beside them; choices by key."""
    found: dict[str, Any] = {}
    for name in names:
        field = spec.fields[name]
        value = _value(record, field) if usable(field) else None
        if isinstance(value, Money):
            found[f"{name}_currency"] = value.currency
        elif field.kind == "money":
            found[f"{name}_currency"] = None
        found[name] = plain(value)
    return found


def plain(value: Any) -> Any:
    """A value as formulas compute with it."""
    if isinstance(value, Money):
        return value.amount
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return getattr(value, "value", value)


def _value(record: Any, field: FieldSpec) -> Any:
    if field.custom:
        return read_value(field, (record.custom or {}).get(field.name))
    return getattr(record, field.attribute.removesuffix("_value") if field.kind == "money" else field.attribute)
