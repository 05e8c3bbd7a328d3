"""Column types that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import orjson
from sqlalchemy import JSON, BigInteger, DateTime, Integer, Numeric, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from gigacore.entity.folding import KEY_LENGTH
from gigacore.entity.money import PLACES, quantise
from gigacore.messages import Msg, packed, unpacked, verbatim

_SCALE: Final = 10_000

BigId: Final = BigInteger().with_variant(Integer(), "sqlite")
"""Primary and foreign keys: 64 bits; on SQLite INTEGER, which is 64 bits wide there and may count by itself."""


def JsonB() -> TypeEngine[Any]:
    """JSONB on PostgreSQL, JSON on SQLite."""
    return JSONB(none_as_null=True).with_variant(JSON(none_as_null=True), "sqlite")


def KeyText() -> TypeEngine[Any]:
    """Folded text for comparing and sorting, by code point on every engine whatever the database's locale."""
    return String(KEY_LENGTH).with_variant(String(KEY_LENGTH, collation="C"), "postgresql")


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal with four places, kept exactly: NUMERIC(19, 4), or a 64-bit integer scaled by 10,000 on SQLite."""

    impl = Numeric(19, 4)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The engine's own type."""
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else Numeric(19, 4))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """To the database."""
        if value is None:
            return None
        exact = quantise(value if isinstance(value, Decimal) else Decimal(value))
        return int(exact * _SCALE) if dialect.name == "sqlite" else exact

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """From the database."""
        if value is None or dialect.name != "sqlite":
            return None if value is None else Decimal(value)
        return (Decimal(value) / _SCALE).quantize(PLACES)


def moment_text(moment: datetime) -> str:
    """A moment as SQLite keeps it: ISO 8601 in UTC, of fixed width, so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(" ", "microseconds")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC. A naive value is refused: guessing a zone would corrupt data.

    SQLite has no such type; there it is ISO 8601 text of fixed width with its offset, which sorts as moments do and
    is read back by one call.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The engine's own type."""
        return dialect.type_descriptor(String(32) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a date and time needs a time zone")
        return moment_text(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        return datetime.fromisoformat(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """The same for the values of a whole column, with one call less for each: lists are full of moments."""
        if dialect.name != "sqlite":
            return super().result_processor(dialect, coltype)
        return _moment


class EnumText(TypeDecorator[enum.Enum]):
    """A closed Python enum stored as its value in a text column, so that a new member needs no DDL."""

    impl = String(40)
    cache_ok = True

    def __init__(self, members: type[enum.Enum]) -> None:
        self.members = members
        super().__init__()

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """To the database."""
        if value is None:
            return None
        return str(value.value if isinstance(value, enum.Enum) else self.members(value).value)

    def process_result_value(self, value: Any, dialect: Dialect) -> enum.Enum | None:
        """From the database."""
        return None if value is None else self.members(value)


class MessageText(TypeDecorator[Msg]):
    """A text for a reader who is not known yet: kept with its values, shown in the reader's language.

    A plain text, such as another system's answer, is kept word for word.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Msg | str | None, dialect: Dialect) -> str | None:
        """To the database."""
        return orjson.dumps(packed(value)).decode() if isinstance(value, Msg) else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Msg | None:
        """From the database."""
        if value is None:
            return None
        return unpacked(orjson.loads(value)) if value.startswith('{"msg":') else verbatim(value)
