"""The functions of formulas: what each takes, gives and does. Nothing else can be called."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any, Final

from gigacore.messages import Msg, msg
from gigacore.values import dataclass

NUMBER, TEXT, DATE, MOMENT, FLAG, MANY, ANY = "number", "text", "date", "moment", "flag", "many", "any"
MOST_TEXT: Final = 2000
MOST_PLACES: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """One function. `takes` are the types of its arguments, of which the last repeats if `many`; ANY = one same type.

    An argument that is empty makes the result empty, unless the function is `tolerant`.
    """

    name: str
    takes: tuple[str, ...]
    gives: str
    run: Callable[..., Any]
    help: Msg
    least: int = 0
    many: bool = False
    tolerant: bool = False

    def __call__(self, *values: Any) -> Any:
        """The result for these values."""
        if not self.tolerant and any(value is None for value in values):
            return None
        return self.run(*values)

    @property
    def fewest(self) -> int:
        """How many arguments it needs."""
        return self.least or len(self.takes)


def bounded(text: str) -> str:
    """The text, unless it is longer than formulas may make one. Raises ValueError."""
    if len(text) > MOST_TEXT:
        raise ValueError("the text of a formula became too long")
    return text


def shown(value: Any) -> str:
    """A number or date as plain text: `12.5`, `2026-01-31`."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def add_months(day: date, months: Decimal) -> date:
    """The same day so many months on; the last of the month where there is no such day."""
    count = day.year * 12 + day.month - 1 + int(months)
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _round(value: Decimal, places: Decimal = Decimal(0)) -> Decimal:
    wanted = max(-MOST_PLACES * 3, min(MOST_PLACES, int(places)))
    return value.quantize(Decimal(1).scaleb(-wanted), ROUND_HALF_UP)


def _table() -> Sequence[Function]:
    def number(value: int) -> Decimal:
        return Decimal(value)

    return (
        Function("IF", (FLAG, ANY, ANY), ANY, lambda test, yes, no: yes if test else no,
                 msg("IF(test, then, otherwise): one of two values"), tolerant=True),
        Function("AND", (FLAG,), FLAG, lambda *tests: all(tests), msg("AND(…): whether all hold"),
                 many=True, tolerant=True),
        Function("OR", (FLAG,), FLAG, lambda *tests: any(tests), msg("OR(…): whether one holds"),
                 many=True, tolerant=True),
        Function("NOT", (FLAG,), FLAG, lambda test: not test, msg("NOT(test): the opposite"), tolerant=True),
        Function("EMPTY", (ANY,), FLAG, lambda value: value in (None, "", []),
                 msg("EMPTY(field): whether there is no value"), tolerant=True),
        Function("COALESCE", (ANY,), ANY, lambda *values: next((v for v in values if v not in (None, "")), None),
                 msg("COALESCE(a, b, …): the first that has a value"), many=True, tolerant=True),
        Function("ROUND", (NUMBER, NUMBER), NUMBER, _round, msg("ROUND(number, places): rounded"), least=1),
        Function("FLOOR", (NUMBER,), NUMBER, lambda v: v.to_integral_value(ROUND_FLOOR),
                 msg("FLOOR(number): the whole number below")),
        Function("CEILING", (NUMBER,), NUMBER, lambda v: v.to_integral_value(ROUND_CEILING),
                 msg("CEILING(number): the whole number above")),
        Function("ABS", (NUMBER,), NUMBER, abs, msg("ABS(number): without its sign")),
        Function("MIN", (NUMBER,), NUMBER, lambda *values: min(values), msg("MIN(a, b, …): the smallest"), many=True),
        Function("MAX", (NUMBER,), NUMBER, lambda *values: max(values), msg("MAX(a, b, …): the largest"), many=True),
        Function("LEN", (TEXT,), NUMBER, lambda text: number(len(text)), msg("LEN(text): how many characters")),
        Function("UPPER", (TEXT,), TEXT, str.upper, msg("UPPER(text): in capitals")),
        Function("LOWER", (TEXT,), TEXT, str.lower, msg("LOWER(text): in small letters")),
        Function("TRIM", (TEXT,), TEXT, str.strip, msg("TRIM(text): without spaces around it")),
        Function("LEFT", (TEXT, NUMBER), TEXT, lambda text, count: text[: max(0, int(count))],
                 msg("LEFT(text, count): its first characters")),
        Function("RIGHT", (TEXT, NUMBER), TEXT, lambda text, count: text[-int(count) :] if count >= 1 else "",
                 msg("RIGHT(text, count): its last characters")),
        Function("CONTAINS", (TEXT, TEXT), FLAG, lambda text, part: part.casefold() in text.casefold(),
                 msg("CONTAINS(text, part): whether the part stands in it")),
        Function("TEXT", (ANY,), TEXT, shown, msg("TEXT(value): a number or date as text")),
        Function("HAS", (MANY, TEXT), FLAG, lambda values, one: one in values,
                 msg("HAS(list, value): whether the value is among those of a multiple list")),
        Function("DATE", (NUMBER, NUMBER, NUMBER), DATE, lambda y, m, d: date(int(y), int(m), int(d)),
                 msg("DATE(year, month, day): a date")),
        Function("DAY_OF", (MOMENT,), DATE, lambda moment: moment.astimezone(UTC).date(),
                 msg("DAY_OF(moment): its date in UTC")),
        Function("YEAR", (DATE,), NUMBER, lambda day: number(day.year), msg("YEAR(date)")),
        Function("MONTH", (DATE,), NUMBER, lambda day: number(day.month), msg("MONTH(date)")),
        Function("DAY", (DATE,), NUMBER, lambda day: number(day.day), msg("DAY(date)")),
        Function("DAYS", (DATE, DATE), NUMBER, lambda end, start: number((end - start).days),
                 msg("DAYS(end, start): how many days lie between")),
        Function("ADD_DAYS", (DATE, NUMBER), DATE, lambda day, count: day + timedelta(days=int(count)),
                 msg("ADD_DAYS(date, count): so many days on")),
        Function("ADD_MONTHS", (DATE, NUMBER), DATE, add_months, msg("ADD_MONTHS(date, count): so many months on")),
    )  # fmt: skip


FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType({one.name: one for one in _table()})


def kind_name(kind: str) -> Msg:
    """A type in words."""
    return {
        NUMBER: msg("a number"), TEXT: msg("a text"), DATE: msg("a date"), MOMENT: msg("a date with time"),
        FLAG: msg("yes or no"), MANY: msg("several values"), ANY: msg("a value"),
    }[kind]  # fmt: skip


def type_of(value: Any) -> str:
    """The type of a constant."""
    if isinstance(value, bool):
        return FLAG
    if isinstance(value, datetime):
        return MOMENT
    return TEXT if isinstance(value, str) else NUMBER
