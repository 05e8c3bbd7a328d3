"""The order of a list and where its next page begins. Rows without a value come last, in either direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from gigacore.entity import EntitySpec, FieldSpec, Registry
from gigacore.errors import Invalid
from gigacore.filter import order_expression
from gigacore.messages import msg
from gigacore.values import dataclass

MAX_KEYS = 3
_UNSORTABLE = frozenset({"json", "choices", "file", "longtext", "uuid"})


@dataclass(frozen=True, slots=True)
class SortKey:
    """One expression that orders rows. `nullable` keys may lack a value."""

    name: str
    expression: ColumnElement[Any]
    descending: bool
    nullable: bool


@dataclass(frozen=True, slots=True)
class Order:
    """The keys of a list; the last is the record's number, so that the order is total.

    `extensions` names the plugins whose extension tables the keys stand in.
    """

    keys: tuple[SortKey, ...]
    extensions: tuple[str, ...] = ()

    @property
    def splits(self) -> bool:
        """Whether the list has a second part: the rows in which the first key has no value."""
        return self.keys[0].nullable

    def clauses(self, *, empty_part: bool, backward: bool) -> list[ColumnElement[Any]]:
        """ORDER BY of one part, reversed when the reader goes back."""
        clauses: list[ColumnElement[Any]] = []
        for key in self._of(empty_part):
            if key.nullable and key is not self.keys[0]:
                clauses.append(_directed(key.expression.is_(None), backward))
            clauses.append(_directed(key.expression, key.descending != backward))
        return clauses

    def values(self, row: Sequence[Any], *, empty_part: bool) -> tuple[Any, ...]:
        """What a cursor keeps of a row whose first columns are the keys."""
        return tuple(row[1 : len(self.keys)]) if empty_part and self.splits else tuple(row[: len(self.keys)])

    def part(self, *, empty: bool) -> ColumnElement[bool] | None:
        """Which rows belong to the part."""
        if not self.splits:
            return None
        first = self.keys[0].expression
        return first.is_(None) if empty else first.is_not(None)

    def beyond(self, values: Sequence[Any], *, empty_part: bool, backward: bool) -> ColumnElement[bool]:
        """The rows after (or before) the one that the cursor remembers. Raises Invalid when it fits another order."""
        keys = self._of(empty_part)
        if len(values) != len(keys):
            raise Invalid.of("cursor", msg("This cursor belongs to another order of the list."), "cursor")
        alternatives: list[ColumnElement[bool]] = []
        equal: list[ColumnElement[bool]] = []
        for key, value in zip(keys, values, strict=True):
            further = _further(key, value, backward, inner=key is not self.keys[0])
            if further is not None:
                alternatives.append(sa.and_(*equal, further))
            equal.append(key.expression.is_(None) if value is None else key.expression == value)
        return sa.or_(*alternatives)

    def _of(self, empty_part: bool) -> tuple[SortKey, ...]:
        return self.keys[1:] if empty_part and self.splits else self.keys


def _directed(expression: ColumnElement[Any], descending: bool) -> ColumnElement[Any]:
    return expression.desc() if descending else expression.asc()


def _further(key: SortKey, value: Any, backward: bool, *, inner: bool) -> ColumnElement[bool] | None:
    may_be_null = key.nullable and inner
    if value is None:
        return key.expression.is_not(None) if may_be_null and backward else None
    beyond = key.expression < value if key.descending != backward else key.expression > value
    return sa.or_(beyond, key.expression.is_(None)) if may_be_null and not backward else beyond


def order_of(registry: Registry, spec: EntitySpec, sort: Sequence[str], readable: frozenset[str]) -> Order:
    """The order that `sort` asks for (`-amount`, `last_name`). Raises Invalid for a field that cannot be sorted."""
    key = ("order", spec.name, tuple(sort), readable)
    return registry.kept(key, lambda: _order(registry, spec, sort, readable))


def _order(registry: Registry, spec: EntitySpec, sort: Sequence[str], readable: frozenset[str]) -> Order:
    wanted = list(sort) or [spec.sort if spec.sort.removeprefix("-") in readable else "-id"]
    if len(wanted) > MAX_KEYS:
        raise Invalid.of("sort", msg("At most {count} sort keys.", count=MAX_KEYS), "sort")
    keys = [_key(registry, spec, name, readable) for name in wanted]
    if all(key.name != "id" for key in keys):
        keys.append(SortKey("id", spec.table.c.id, keys[-1].descending, nullable=False))
    fields = (spec.fields[key.name] for key in keys)
    return Order(tuple(keys), tuple(dict.fromkeys(field.plugin for field in fields if field.extension is not None)))


def _key(registry: Registry, spec: EntitySpec, name: str, readable: frozenset[str]) -> SortKey:
    bare = name.removeprefix("-")
    field = spec.fields.get(bare)
    if field is None or bare not in readable or field.secret:
        raise Invalid.of("sort", msg("There is no field {name}.", name=bare), "unknown_field")
    if field.kind in _UNSORTABLE:
        raise Invalid.of("sort", msg("Lists cannot be sorted by {name}.", name=bare), "sort")
    return SortKey(bare, _expression(registry, spec, field), name.startswith("-"), _nullable(spec, field))


def _expression(registry: Registry, spec: EntitySpec, field: FieldSpec) -> ColumnElement[Any]:
    choices = registry.choice_list(field)
    if choices is not None and field.kind == "choice" and not field.custom and field.extension is None:
        places = {choice.key: place for place, choice in enumerate(choices.choices)}
        column = spec.table.c[field.column]
        ranked = sa.case(places, value=column, else_=sa.literal(len(places))) if places else column
        return sa.case((column.is_(None), sa.null()), else_=ranked)
    return order_expression(field, field.extension.__table__ if field.extension else spec.table)


def _nullable(spec: EntitySpec, field: FieldSpec) -> bool:
    if field.custom or field.extension is not None:
        return True
    return bool(spec.table.c[field.column].nullable)
