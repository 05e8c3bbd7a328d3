"""Several lists read side by side in one statement: the columns of a board, the sections of a list by status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from gigacore.records.kept import Criteria, run
from gigacore.records.read import (
    COUNT_LIMIT,
    ListRequest,
    Page,
    Reading,
    condition_of,
    count_of,
    counting,
    pages_of,
    reading_of,
    select_rows,
)
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.records.ordering import Order


@dataclass(frozen=True, slots=True)
class _Shape:
    """How many of the criteria all parts share; the others are one for each part."""

    reading: Reading
    shared: int

    def each(self, criteria: Criteria) -> list[Criteria]:
        """The criteria of each part."""
        return [(*criteria[: self.shared], one) for one in criteria[self.shared :]]


def pages(ctx: Context, entity: str, request: ListRequest, parts: Sequence[object]) -> list[Page]:
    """The first page of each part of a list, `parts` being filters that add to that of `request`.

    The statements are as many for one part as for twenty. Raises as `page` does.
    """
    if not parts:
        return []
    reading = reading_of(ctx, entity, replace(request, cursor=None))
    where = [*reading.where, *(condition_of(ctx, reading.plan.spec, part) for part in parts)]
    shape = _Shape(reading, len(reading.where))
    read = _read(shape, where)
    found = pages_of(ctx, [replace(reading, rows=rows) for rows in read], request)
    return _counted(shape, where, found, read) if request.count else found


def _read(shape: _Shape, where: Criteria) -> list[list[tuple[bool, Sequence[Any]]]]:
    reading = shape.reading
    at = ("abreast", reading.plan, reading.order.form, reading.limit, shape.shared)
    rows: list[list[tuple[bool, Sequence[Any]]]] = [[] for _ in where[shape.shared :]]
    for place, empty, *row in run(reading.session, at, where, lambda criteria: _rows(shape, criteria)):
        rows[place].append((bool(empty), row))
    return rows


def _rows(shape: _Shape, criteria: Criteria) -> sa.Select[Any]:
    """The rows of all parts in their order: place of the part, whether its first key is empty, keys, columns."""
    order = shape.reading.order
    halves = (False, True) if order.splits else (False,)
    each = enumerate(shape.each(criteria))
    selects = [_part(shape.reading, where, place, empty) for place, where in each for empty in halves]
    rows = (sa.union_all(*selects) if len(selects) > 1 else selects[0]).subquery()
    first, second, *columns = rows.c
    return sa.select(rows).order_by(first, second, *_labelled(order, columns).clauses(empty_part=False, backward=False))


def _labelled(order: Order, columns: Sequence[ColumnElement[Any]]) -> Order:
    keys = (replace(key, expression=column) for key, column in zip(order.keys, columns, strict=False))
    return replace(order, keys=tuple(keys))


def _part(reading: Reading, where: Criteria, place: int, empty: bool) -> sa.Select[Any]:
    half = reading.order.part(empty=empty)
    rows = select_rows(reading.plan, where if half is None else (*where, half), reading.order, prefix="c")
    rows = rows.order_by(*reading.order.clauses(empty_part=empty, backward=False)).limit(reading.limit + 1)
    return sa.select(_number(place).label("place"), _number(empty).label("half"), *rows.subquery().c)


def _number(value: int) -> ColumnElement[int]:
    return sa.literal_column(str(int(value)), sa.Integer)


def _counted(shape: _Shape, where: Criteria, found: Sequence[Page], read: Sequence[Sequence[Any]]) -> list[Page]:
    """The pages with their counts; those that do not end on the page are counted, in one statement at most."""
    counts = [len(rows) for rows in read]
    open_ended = [place for place, page in enumerate(found) if page.next]
    if open_ended:
        each = [where[shape.shared + place] for place in open_ended]
        spec = shape.reading.plan.spec
        at = ("abreast counts", spec.name, shape.shared)
        session, criteria = shape.reading.session, [*where[: shape.shared], *each]
        for place, number in run(session, at, criteria, lambda mine: _counts(shape, mine)):
            counts[open_ended[place]] = number
    return [replace(page, count=count_of(number, COUNT_LIMIT)) for page, number in zip(found, counts, strict=True)]


def _counts(shape: _Shape, criteria: Criteria) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    selects = [
        sa.select(_number(place), counting(shape.reading.plan.spec, where, COUNT_LIMIT).scalar_subquery())
        for place, where in enumerate(shape.each(criteria))
    ]
    return sa.union_all(*selects) if len(selects) > 1 else selects[0]
