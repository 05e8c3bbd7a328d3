"""SQL elements that SQLAlchemy lacks: values in custom JSON by literal path, prefix search, lists in JSON."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, ColumnElement, SelectBase, Text, TypeDecorator, literal
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeEngine

from gigacore.entity.columns import JsonB
from gigacore.filter.stored import fixed_moment, literal_path, scaled, unscaled

_ESCAPE: Final = "/"


class ScaledDecimal(TypeDecorator[Decimal]):
    """A decimal kept as an integer scaled by 10,000 on every engine."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """The stored form."""
        return None if value is None else scaled(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """The Python value."""
        return None if value is None else unscaled(value)


class IsoDate(TypeDecorator[date]):
    """A date kept as its ISO text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        """The stored form."""
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        """The Python value."""
        return None if value is None else date.fromisoformat(value)


class IsoMoment(TypeDecorator[datetime]):
    """A moment kept as ISO text of fixed width in UTC."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """The stored form."""
        return None if value is None else fixed_moment(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """The Python value."""
        return None if value is None else datetime.fromisoformat(value)


def custom_type(kind: str) -> TypeEngine[Any]:
    """The type of a custom field's value in SQL."""
    match kind:
        case "integer" | "ref" | "file":
            return BigInteger()
        case "decimal" | "money":
            return ScaledDecimal()
        case "boolean":
            return Boolean()
        case "date":
            return IsoDate()
        case "datetime":
            return IsoMoment()
        case "json":
            return JsonB()
    return Text()


class _OnColumn:
    """An element built on a column belongs to the column's table."""

    column: ColumnElement[Any]

    @property
    def _from_objects(self) -> list[Any]:
        return list(self.column._from_objects)


class CustomValue(_OnColumn, ColumnElement[Any]):
    """The value of one custom field, by a literal path."""

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - SQLAlchemy's protocol
        ("column", InternalTraversal.dp_clauseelement),
        ("key_name", InternalTraversal.dp_string),
        ("kind", InternalTraversal.dp_string),
        ("type", InternalTraversal.dp_type),
    ]

    def __init__(self, column: ColumnElement[Any], key: str, kind: str) -> None:
        self.column = column
        self.key_name = key
        self.kind = kind
        self.type = custom_type(kind)


@compiles(CustomValue)
def _custom_value(element: CustomValue, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.column, **options)
    return literal_path(column, element.key_name, element.kind, compiler.dialect.name)


class AsColumn(_OnColumn, ColumnElement[Any]):
    """A custom value in the form in which a column of its kind stores it, so that the two compare."""

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - SQLAlchemy's protocol
        ("column", InternalTraversal.dp_clauseelement),
        ("kind", InternalTraversal.dp_string),
        ("type", InternalTraversal.dp_type),
    ]

    def __init__(self, value: CustomValue, type_: TypeEngine[Any]) -> None:
        self.column = value
        self.kind = value.kind
        self.type = type_


@compiles(AsColumn)
def _as_column(element: AsColumn, compiler: SQLCompiler, **options: Any) -> str:
    value = compiler.process(element.column, **options)
    match element.kind:
        case "decimal" | "money":
            return f"({value} * 0.0001)"
        case "date":
            return f"({value}::date)"
        case "datetime":
            return f"({value}::timestamptz)"
    return value


@compiles(AsColumn, "sqlite")
def _as_column_sqlite(element: AsColumn, compiler: SQLCompiler, **options: Any) -> str:
    value = compiler.process(element.column, **options)
    return f"replace(replace({value}, 'T', ' '), 'Z', '+00:00')" if element.kind == "datetime" else value


class Folded(_OnColumn, ColumnElement[str]):
    """A text folded by the engine, compared and sorted by code point whatever the database's locale."""

    inherit_cache = True
    type = Text()
    _traverse_internals = [("column", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 - SQLAlchemy's protocol

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column


@compiles(Folded)
def _folded(element: Folded, compiler: SQLCompiler, **options: Any) -> str:
    return f'(giga_fold({compiler.process(element.column, **options)}) COLLATE "C")'


@compiles(Folded, "sqlite")
def _folded_sqlite(element: Folded, compiler: SQLCompiler, **options: Any) -> str:
    return f"giga_fold({compiler.process(element.column, **options)})"


class _Criterion(_OnColumn, ColumnElement[bool]):
    """An element that is a truth value by itself: `= 1` after it would keep SQLite's planner from its index."""

    type = Boolean()

    def self_group(self, against: Any = None) -> ColumnElement[Any]:
        """Itself: what it renders is closed already."""
        return self


class Starts(_Criterion):
    """Whether a folded text begins with a folded prefix, in the form each engine's index serves."""

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - SQLAlchemy's protocol
        ("column", InternalTraversal.dp_clauseelement),
        ("pattern", InternalTraversal.dp_clauseelement),
        ("low", InternalTraversal.dp_clauseelement),
        ("high", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[Any], prefix: str) -> None:
        self.column = column
        self.pattern = literal(f"{escaped(prefix)}%", Text())
        self.low = literal(prefix, Text())
        self.high = literal(_after(prefix), Text())


@compiles(Starts)
def _starts(element: Starts, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.column, **options)
    return f"({column} LIKE {compiler.process(element.pattern, **options)} ESCAPE '{_ESCAPE}')"


@compiles(Starts, "sqlite")
def _starts_sqlite(element: Starts, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.column, **options)
    low, high = (compiler.process(bound, **options) for bound in (element.low, element.high))
    return f"({column} >= {low} AND {column} < {high})"


class Among(_Criterion):
    """Whether a number is among those that a select finds.

    PostgreSQL takes the select as an array: it finds the rows by their index even beside an OR, where its planner would
    otherwise take half of all rows for likely.
    """

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - SQLAlchemy's protocol
        ("column", InternalTraversal.dp_clauseelement),
        ("found", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[Any], found: SelectBase) -> None:
        self.column = column
        self.found = found.scalar_subquery()


@compiles(Among)
def _among(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column, found = (compiler.process(part, **options) for part in (element.column, element.found))
    return f"({column} = ANY (ARRAY{found}))"


@compiles(Among, "sqlite")
def _among_sqlite(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column, found = (compiler.process(part, **options) for part in (element.column, element.found))
    return f"({column} IN {found})"


def contains(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Whether a folded text holds another; `%` and `_` in it stand for themselves."""
    return column.like(literal(f"%{escaped(text)}%", Text()), escape=_ESCAPE)


def escaped(text: str) -> str:
    """`text` for a LIKE pattern."""
    return text.replace(_ESCAPE, _ESCAPE * 2).replace("%", f"{_ESCAPE}%").replace("_", f"{_ESCAPE}_")


def _after(prefix: str) -> str:
    """The first text, by code point, that is greater than every text with this prefix."""
    for end in range(len(prefix), 0, -1):
        code = ord(prefix[end - 1])
        if code < 0x10FFFF:
            return prefix[: end - 1] + chr(0xE000 if code == 0xD7FF else code + 1)
    return "\U0010ffff" * 1001


class ListHas(_Criterion):
    """Whether a list in JSON holds a text; false for a missing list. `key` is None for a column of its own."""

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - SQLAlchemy's protocol
        ("column", InternalTraversal.dp_clauseelement),
        ("key_name", InternalTraversal.dp_string),
        ("value", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[Any], key: str | None, value: str) -> None:
        self.column = column
        self.key_name = key
        self.value = literal(value, Text())


@compiles(ListHas)
def _list_has(element: ListHas, compiler: SQLCompiler, **options: Any) -> str:
    value = compiler.process(element.value, **options)
    return f"coalesce(jsonb_exists({_list(element, compiler, options)}, {value}), false)"


@compiles(ListHas, "sqlite")
def _list_has_sqlite(element: ListHas, compiler: SQLCompiler, **options: Any) -> str:
    value = compiler.process(element.value, **options)
    items = f"json_each({_list(element, compiler, options)})"
    return f"EXISTS (SELECT 1 FROM {items} AS item WHERE item.value = {value})"  # noqa: S608 - no value stands in it


class ListFilled(_Criterion):
    """Whether a list in JSON is there and holds something."""

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - SQLAlchemy's protocol
        ("column", InternalTraversal.dp_clauseelement),
        ("key_name", InternalTraversal.dp_string),
    ]

    def __init__(self, column: ColumnElement[Any], key: str | None) -> None:
        self.column = column
        self.key_name = key


@compiles(ListFilled)
def _list_filled(element: ListFilled, compiler: SQLCompiler, **options: Any) -> str:
    column = _list(element, compiler, options)
    return f"coalesce(jsonb_typeof({column}) = 'array' AND {column} <> '[]'::jsonb, false)"


@compiles(ListFilled, "sqlite")
def _list_filled_sqlite(element: ListFilled, compiler: SQLCompiler, **options: Any) -> str:
    return f"coalesce(json_array_length({_list(element, compiler, options)}) > 0, 0)"


def _list(element: ListHas | ListFilled, compiler: SQLCompiler, options: dict[str, Any]) -> str:
    column = compiler.process(element.column, **options)
    if element.key_name is None:
        return column
    return literal_path(column, element.key_name, "json", compiler.dialect.name)
