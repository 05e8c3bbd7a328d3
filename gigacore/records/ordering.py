"""The order of a list and where its next page begins. Rows without a value come last, in either direction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from gigacore.data import mark_scoped
from gigacore.entity import EntitySpec, FieldSpec, Registry
from gigacore.errors import Invalid
from gigacore.filter import order_expression
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.data import ActorSession

MAX_KEYS = 3
MOST_RANKED: Final = 200
_UNSORTABLE = frozenset({"json", "choices", "file", "longtext", "uuid"})


@dataclass(frozen=True, slots=True)
class SortKey:
    """One expression that orders rows. `nullable` keys may lack a value.

    `ranks` are the numbers of the records referred to in their own order, where the expression holds them.
    """

    name: str
    expression: ColumnElement[Any]
    descending: bool
    nullable: bool
    ranks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """The keys of a list; the last is the record's number, so that the order is total.

    `extensions` names the plugins whose extension tables the keys stand in.
    """

    keys: tuple[SortKey, ...]
    extensions: tuple[str, ...] = ()

    @property
    def form(self) -> tuple[object, ...]:
        """What tells the statements of this order from those of another one."""
        return tuple([(key.name, key.descending, key.ranks) for key in self.keys])

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
        return sa.and_(*self._from_here(keys[0], values, backward), sa.or_(*alternatives))

    def _from_here(self, first: SortKey, values: Sequence[Any], backward: bool) -> Iterator[ColumnElement[bool]]:
        """What the first key alone says: by it an index is entered where the page begins, not read from its end."""
        value = values[0]
        if len(values) > 1 and value is not None and not (first.nullable and first is not self.keys[0]):
            yield first.expression <= value if first.descending != backward else first.expression >= value

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


def order_of(session: ActorSession, spec: EntitySpec, sort: Sequence[str], readable: frozenset[str]) -> Order:
    """The order that `sort` asks for (`-amount`, `last_name`). Raises Invalid for a field that cannot be sorted.

    One statement for each reference to records that have an order of their own, such as stages; else none.
    """
    registry = session.registry
    ranks = tuple([_ranks(session, spec.fields.get(name.removeprefix("-"))) for name in sort])
    key = ("order", spec.name, tuple(sort), readable, ranks)
    return registry.kept(key, lambda: _order(registry, spec, sort, readable, ranks))


def _order(
    registry: Registry,
    spec: EntitySpec,
    sort: Sequence[str],
    readable: frozenset[str],
    ranks: Sequence[tuple[int, ...]],
) -> Order:
    wanted = list(sort) or [spec.sort if spec.sort.removeprefix("-") in readable else "-id"]
    if len(wanted) > MAX_KEYS:
        raise Invalid.of("sort", msg("At most {count} sort keys.", count=MAX_KEYS), "sort")
    known = dict(zip(sort, ranks, strict=True))
    keys = [_key(registry, spec, name, readable, known.get(name, ())) for name in wanted]
    if all(key.name != "id" for key in keys):
        keys.append(SortKey("id", spec.table.c.id, keys[-1].descending, nullable=False))
    fields = (spec.fields[key.name] for key in keys)
    return Order(tuple(keys), tuple(dict.fromkeys(field.plugin for field in fields if field.extension is not None)))


def _key(registry: Registry, spec: EntitySpec, name: str, readable: frozenset[str], ranks: tuple[int, ...]) -> SortKey:
    bare = name.removeprefix("-")
    field = spec.fields.get(bare)
    if field is None or bare not in readable or field.secret:
        raise Invalid.of("sort", msg("There is no field {name}.", name=bare), "unknown_field")
    if field.kind in _UNSORTABLE:
        raise Invalid.of("sort", msg("Lists cannot be sorted by {name}.", name=bare), "sort")
    expression = _ranked(spec, field, ranks) if ranks else _expression(registry, spec, field)
    return SortKey(bare, expression, name.startswith("-"), _nullable(spec, field), ranks)


def _ranks(session: ActorSession, field: FieldSpec | None) -> tuple[int, ...]:
    """The records that a field refers to, in their own order; none where they have none, or number order is theirs.

    Then the index of the field is walked; ranks make the database sort.
    """
    if field is None or field.kind != "ref" or field.custom or field.extension is not None:
        return ()
    target = session.registry.entities.get(field.target or "")
    if target is None or not _is_ranked(target):
        return ()
    rows = session.connection().execute(mark_scoped(_in_order(session.registry, target)))
    found = tuple(rows.scalars())
    in_order = all(one < other for one, other in pairwise(found))
    return () if in_order or len(found) > MOST_RANKED else found


def _is_ranked(target: EntitySpec) -> bool:
    """Whether these are few records in an order that people give them."""
    sort = target.fields.get(target.sort)
    return target.access == "reference" and sort is not None and sort.kind == "integer" and sort.name != "id"


def _in_order(registry: Registry, target: EntitySpec) -> sa.Select[Any]:
    """Their numbers: stages by the place of their pipeline, then by their own."""
    source: sa.FromClause = target.table
    keys: list[ColumnElement[Any]] = []
    for field in target.fields.values():
        above = registry.entities.get(field.target or "") if field.required else None
        if above is not None and above is not target and _is_ranked(above):
            column, table = target.table.c[field.column], above.table
            source = source.join(table, table.c.id == column)
            keys += [table.c[above.fields[above.sort].column], column]
    own = target.table.c[target.fields[target.sort].column]
    ordered = sa.select(target.table.c.id).select_from(source).order_by(*keys, own, target.table.c.id)
    return ordered.limit(MOST_RANKED + 1)


def _ranked(spec: EntitySpec, field: FieldSpec, values: Sequence[object]) -> ColumnElement[Any]:
    """The place of a field's value among these; unknown ones come behind them."""
    column = spec.table.c[field.column]
    places = {value: place for place, value in enumerate(values)}
    ranked = sa.case(places, value=column, else_=sa.literal(len(places))) if places else column
    return sa.case((column.is_(None), sa.null()), else_=ranked)


def _expression(registry: Registry, spec: EntitySpec, field: FieldSpec) -> ColumnElement[Any]:
    choices = registry.choice_list(field)
    if choices is not None and field.kind == "choice" and not field.custom and field.extension is None:
        return _ranked(spec, field, [choice.key for choice in choices.choices])
    return order_expression(field, field.extension.__table__ if field.extension else spec.table)


def _nullable(spec: EntitySpec, field: FieldSpec) -> bool:
    if field.custom or field.extension is not None:
        return True
    return bool(spec.table.c[field.column].nullable)
