"""Reading records: pages of a list, single records. Everything is limited to what the actor may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.sql import visitors

from gigacore.entity import ChildSpec, EntitySpec, FieldSpec, Money
from gigacore.entity.spec import EMPTY
from gigacore.errors import Invalid, NotFound
from gigacore.files.fields import described
from gigacore.filter import Condition, parse
from gigacore.filter.elements import CustomValue
from gigacore.messages import msg
from gigacore.records.cursor import Cursor, decode, encode
from gigacore.records.few import among_few
from gigacore.records.kept import Criteria, run
from gigacore.records.labels import all_names, in_language
from gigacore.records.limits import condition_sql, readable_fields, reader_of, require, visible
from gigacore.records.ordering import Order, order_of
from gigacore.records.plan import LABEL, ReadPlan, Row, read_plan
from gigacore.records.values import reference
from gigacore.records.words import searching
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.data import ActorSession

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
COUNT_LIMIT: Final = 10_000
ROW_COUNT_LIMIT: Final = 1_000
NO_ORDER: Final = Order(())


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What to list. `filter` is a filter tree or a parsed condition; `search` looks into the searchable fields.

    `fields` names what to read (None = every plain field), `expand` references to read whole (`company_id`, depth 2).
    `verb` narrows the list to the records that the actor may also export, change in bulk and so on.
    """

    filter: object | Condition | None = None
    sort: tuple[str, ...] = ()
    fields: tuple[str, ...] | None = None
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    expand: tuple[str, ...] = ()
    updated_since: datetime | None = None
    search: str = ""
    count: bool = True
    verb: str = "view"


@dataclass(frozen=True, slots=True)
class Count:
    """How many records there are; beyond 10,000 it is not counted further and `exact` is False.

    On PostgreSQL, a filter on a custom field is counted up to 1,000.
    """

    value: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `next` and `previous` are cursors, None at the ends."""

    items: list[dict[str, Any]]
    next: str | None = None
    previous: str | None = None
    count: Count | None = None


@dataclass(slots=True)
class Reading:
    """One list being read."""

    session: ActorSession
    plan: ReadPlan
    order: Order
    where: list[ColumnElement[bool]]
    cursor: Cursor | None
    limit: int
    rows: list[tuple[bool, Row]] = field(default_factory=list)

    @property
    def backward(self) -> bool:
        """Whether the reader goes back."""
        return self.cursor is not None and self.cursor.direction == "previous"

    def taken(self) -> list[tuple[bool, Row]]:
        """The rows of the page, in the order of the list."""
        rows = self.rows[: self.limit]
        return rows[::-1] if self.backward else rows

    def run(self) -> None:
        """Fetch one row more than asked for, over both parts of the list where there are two."""
        parts = [False, True] if self.order.splits else [False]
        if self.backward:
            parts.reverse()
        start = parts.index(self.cursor.in_empty_part) if self.cursor and self.order.splits else 0
        for empty in parts[start:]:
            missing = self.limit + 1 - len(self.rows)
            if missing > 0:
                self.rows += [(empty, row) for row in self._fetch(empty, missing)]

    def _fetch(self, empty: bool, limit: int) -> Sequence[Row]:
        order, where = self.order, list(self.where)
        if self.cursor is not None and self.cursor.in_empty_part == empty:
            where.append(order.beyond(self.cursor.values, empty_part=empty, backward=self.backward))
        at = ("rows", self.plan, order.form, empty, self.backward, limit)
        return run(self.session, at, where, lambda criteria: self._statement(criteria, empty, limit)).all()

    def _statement(self, where: Criteria, empty: bool, limit: int) -> sa.Select[Any]:
        part = self.order.part(empty=empty)
        statement = select_rows(self.plan, where if part is None else (*where, part), self.order)
        return statement.order_by(*self.order.clauses(empty_part=empty, backward=self.backward)).limit(limit)


def page(ctx: Context, entity: str, request: ListRequest) -> Page:
    """One page of the records that the actor may see.

    Raises Forbidden without the right to view the entity, Invalid for an unknown or unreadable field anywhere.
    """
    reading = reading_of(ctx, entity, request)
    reading.run()
    result = pages_of(ctx, [reading], request)[0]
    return replace(result, count=_count(reading)) if request.count else result


def reading_of(ctx: Context, entity: str, request: ListRequest) -> Reading:
    """How to read what `request` asks for; nothing is read yet. Raises as `page` does."""
    session = ctx.session
    spec = session.registry.entity(entity)
    require(ctx, "view", spec)
    readable = readable_fields(session, spec)
    return Reading(
        session=session,
        plan=read_plan(session.registry, spec, readable, request.fields, whole=False),
        order=order_of(session, spec, request.sort, readable),
        where=conditions(ctx, spec, request),
        cursor=decode(request.cursor) if request.cursor else None,
        limit=_checked_limit(request.limit),
    )


def _checked_limit(limit: int) -> int:
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid.of("limit", msg("The limit must lie between 1 and {most}.", most=MAX_LIMIT), "limit")
    return limit


def pages_of(ctx: Context, readings: Sequence[Reading], request: ListRequest) -> list[Page]:
    """The pages of lists that were read, all by one plan; references of all of them are labelled together."""
    taken = [reading.taken() for reading in readings]
    keys = len(readings[0].order.keys)
    items = iter(materialise(ctx, readings[0].plan, [row[keys:] for rows in taken for _, row in rows], request.expand))
    return [_page(reading, rows, list(islice(items, len(rows)))) for reading, rows in zip(readings, taken, strict=True)]


def _page(reading: Reading, rows: Sequence[tuple[bool, Row]], items: list[dict[str, Any]]) -> Page:
    more = len(reading.rows) > reading.limit
    follows = more if not reading.backward else bool(rows)
    precedes = more if reading.backward else reading.cursor is not None
    return Page(
        items,
        next=_cursor(reading, rows[-1], "next") if rows and follows else None,
        previous=_cursor(reading, rows[0], "previous") if rows and precedes else None,
    )


def _cursor(reading: Reading, row: tuple[bool, Row], direction: Any) -> str:
    empty, values = row
    return encode(Cursor(direction, empty, reading.order.values(values, empty_part=empty)))


def conditions(ctx: Context, spec: EntitySpec, request: ListRequest) -> list[ColumnElement[bool]]:
    """Everything that limits a list: what the actor sees, filter, search, date of change."""
    session = ctx.session
    limits = [visible(session, spec, verb) for verb in dict.fromkeys(("view", request.verb))]
    where = [limit for limit in limits if limit is not None]
    parsed = None if request.filter is None else parsed_filter(ctx, spec, request.filter)
    if parsed is not None:
        where.append(condition_sql(ctx, spec, parsed))
    if not request.search and (few := among_few(ctx, spec, parsed)) is not None:
        where.append(few)
    if request.search:
        where.append(searching(session, spec, request.search))
    if request.updated_since is not None:
        where.append(spec.table.c.updated_at >= request.updated_since)
    return where


def condition_of(ctx: Context, spec: EntitySpec, tree: object) -> ColumnElement[bool]:
    """A filter, parsed or not, as the actor's criterion. Raises Invalid for one that does not fit."""
    return condition_sql(ctx, spec, parsed_filter(ctx, spec, tree))


def parsed_filter(ctx: Context, spec: EntitySpec, tree: object) -> Condition:
    """A filter, parsed already or now for what the actor may read. Raises Invalid for one that does not fit."""
    session = ctx.session
    if isinstance(tree, Condition):
        return tree
    return parse(tree, spec, session.registry, readable=reader_of(session))


def select_rows(
    plan: ReadPlan, where: Iterable[ColumnElement[bool]], order: Order = NO_ORDER, *, prefix: str = ""
) -> sa.Select[Any]:
    """The select of a plan: first the keys of the order, then the plan's columns; named `<prefix><place>` if wanted."""
    source: Any = plan.spec.table
    for plugin in dict.fromkeys((*plan.extensions, *order.extensions)):
        table = plan.spec.extensions[plugin].__table__
        source = source.outerjoin(table, table.c.id == plan.spec.table.c.id)
    columns = [*(key.expression for key in order.keys), *plan.columns]
    named = [one.label(f"{prefix}{place}") for place, one in enumerate(columns)] if prefix else columns
    return sa.select(*named).select_from(source).where(*where)


def _count(reading: Reading) -> Count:
    if reading.cursor is None and len(reading.rows) <= reading.limit:
        return Count(len(reading.rows), exact=True)
    spec, most = reading.plan.spec, _most_counted(reading)
    at = ("count", spec.name, most)
    counted = run(reading.session, at, reading.where, lambda criteria: counting(spec, criteria, most))
    return count_of(counted.scalar_one(), most)


def _most_counted(reading: Reading) -> int:
    """How far to count: PostgreSQL must read every row that an index on an expression, of a custom field, finds."""
    if reading.session.connection().dialect.name != "postgresql":
        return COUNT_LIMIT
    parts = (part for one in reading.where for part in visitors.iterate(one))
    return ROW_COUNT_LIMIT if any(isinstance(part, CustomValue) for part in parts) else COUNT_LIMIT


def count_of(found: int, most: int) -> Count:
    """What is known of a number that was counted no further than one above the limit."""
    return Count(min(found, most), exact=found <= most)


def counting(spec: EntitySpec, where: Criteria, most: int) -> sa.Select[Any]:
    """The select that counts records, no further than one above the limit."""
    inner = sa.select(spec.table.c.id).where(*where).limit(most + 1).subquery()
    return sa.select(sa.func.count()).select_from(inner)


def get(
    ctx: Context, entity: str, record_id: int, *, expand: tuple[str, ...] = (), fields: tuple[str, ...] | None = None
) -> dict[str, Any]:
    """One record with its children and the fields of plugins. Raises NotFound when it is unknown or hidden."""
    session = ctx.session
    spec = session.registry.entity(entity)
    require(ctx, "view", spec)
    plan = read_plan(session.registry, spec, readable_fields(session, spec), fields, whole=True)
    limit = visible(session, spec)
    where = () if limit is None else (limit,)
    row = run(session, ("record", plan), where, lambda criteria: _one(plan, criteria), {"pk": record_id}).first()
    if row is None:
        raise NotFound(sought=(entity, record_id))
    return materialise(ctx, plan, [row], expand)[0]


def _one(plan: ReadPlan, where: Criteria) -> sa.Select[Any]:
    return select_rows(plan, (plan.spec.table.c.id == sa.bindparam("pk"), *where))


def materialise(
    ctx: Context, plan: ReadPlan, rows: Sequence[Row], expand: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    """Rows as records: references labelled, children read, in one statement per kind of either."""
    items = plan.read(rows)
    if plan.spec.labels and plan.spec.title in plan.plain:
        for item in items:
            item[LABEL] = in_language(item[plan.spec.title], item[LABEL], ctx.actor.locale)
    _label(ctx.session, plan, items)
    if plan.files:
        _describe_files(ctx.session, plan.files, items)
    for name in plan.children:
        _add_children(ctx.session, plan.spec, name, items)
    for path in expand:
        _expand(ctx, plan.spec, items, path)
    return items


def _label(session: ActorSession, plan: ReadPlan, items: Sequence[dict[str, Any]]) -> None:
    _name_targets(session, [(ref.target, *_place(item, ref.name)) for ref in plan.refs for item in items])


def _name_targets(session: ActorSession, places: Sequence[tuple[str, dict[str, Any], str]]) -> None:
    """Put a reference with its label in each place (target entity, holder, key) that holds a number."""
    wanted: dict[str, set[int]] = {}
    for target, holder, key in places:
        if (number := holder.get(key)) is not None:
            wanted.setdefault(target, set()).add(number)
    names = all_names(session, wanted)
    for target, holder, key in places:
        number = holder.get(key)
        holder[key] = None if number is None else reference(number, names.labels[target].get(number))
        if number is not None and (colour := names.colours.get(target, EMPTY).get(number)):
            holder[key]["colour"] = colour


def _describe_files(session: ActorSession, names: Sequence[str], items: Sequence[dict[str, Any]]) -> None:
    """Say of each file in a field what it is called, in one statement."""
    places = [_place(item, name) for name in names for item in items]
    filled = [(holder, key) for holder, key in places if holder.get(key) is not None]
    known = described(session.connection(), (holder[key] for holder, key in filled))
    for holder, key in filled:
        holder[key] = known[holder[key]]


def _place(item: dict[str, Any], name: str) -> tuple[dict[str, Any], str]:
    plugin, dot, inner = name.rpartition(".")
    return (item[plugin], inner) if dot else (item, name)


def _add_children(session: ActorSession, spec: EntitySpec, name: str, items: Sequence[dict[str, Any]]) -> None:
    child = spec.children[name]
    by_parent: dict[int, list[dict[str, Any]]] = {item["id"]: [] for item in items}
    for item in items:
        item[name] = by_parent[item["id"]]
    if not by_parent:
        return
    names, parents = [*child.fields], {"parents": list(by_parent)}
    rows = run(session, ("children", spec.name, name), (), lambda _: _children(child), parents)
    for row in rows.mappings():
        values = {n: _child_value(child.fields[n], row) for n in names}
        by_parent[row["parent_id"]].append({"id": row["id"], **values})
    found = [one for rows_of_one in by_parent.values() for one in rows_of_one]
    refs = [spec for spec in child.fields.values() if spec.kind == "ref" and spec.target]
    _name_targets(session, [(spec.target or "", one, spec.name) for spec in refs for one in found])


def _children(child: ChildSpec) -> sa.Select[Any]:
    table = child.table
    columns = [table.c[column] for field in child.fields.values() for column in _child_columns(field)]
    statement = sa.select(table.c.parent_id, table.c.id, *columns)
    statement = statement.where(table.c.parent_id.in_(sa.bindparam("parents", expanding=True)))
    return statement.order_by(table.c.parent_id, table.c[child.order_by], table.c.id)


def _child_columns(spec: FieldSpec) -> tuple[str, ...]:
    return (spec.column, f"{spec.column}_currency") if spec.kind == "money" else (spec.column,)


def _child_value(spec: FieldSpec, row: Mapping[Any, Any]) -> Any:
    value = row[spec.column]
    if value is None:
        return None
    if spec.kind == "money":
        return Money(value, row[f"{spec.column}_currency"])
    return value.value if spec.kind == "enum" else value


def _expand(ctx: Context, spec: EntitySpec, items: Sequence[dict[str, Any]], path: str) -> None:
    name, _, deeper = path.partition(".")
    field = spec.fields.get(name) or spec.fields.get(f"{name}_id")
    target = ctx.session.registry.entities.get(field.target) if field is not None and field.target else None
    if field is None or target is None or deeper.count(".") > 0:
        raise Invalid.of("expand", msg("There is no reference {name} to expand.", name=path), "expand")
    present = [item for item in items if item.get(field.name) and not item[field.name].get("hidden")]
    whole = _read_many(ctx, target, {item[field.name]["id"] for item in present}, (deeper,) if deeper else ())
    for item in present:
        item[field.name] = {**item[field.name], **whole.get(item[field.name]["id"], {})}


def _read_many(ctx: Context, spec: EntitySpec, ids: set[int], expand: tuple[str, ...]) -> dict[int, dict[str, Any]]:
    session = ctx.session
    plan = read_plan(session.registry, spec, readable_fields(session, spec), None, whole=False)
    limit = visible(session, spec)
    where = [spec.table.c.id.in_(sorted(ids)), *([] if limit is None else [limit])]
    rows = run(session, ("records", plan), where, lambda criteria: select_rows(plan, criteria)).all()
    return {item["id"]: item for item in materialise(ctx, plan, rows, expand)}
