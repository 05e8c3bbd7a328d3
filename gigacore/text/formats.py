"""Dates, numbers and money as a reader of one locale and time zone expects them; needs babel and nothing of ours.

Patterns are compiled once per `Formats`, for a list formats hundreds of cells: babel's own cost 20-50 us each.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from babel import Locale

TOKEN = re.compile(r"'([^']*)'|(y+|M+|L+|d+|E+|H+|h+|m+|s+|a)|([a-zA-Z]+)|([^a-zA-Z']+)")
Piece = Callable[[Any], str]


def same(text: str) -> str:
    """Leaves English as it is."""
    return text


class Formats:
    """Formats values for one reader; `translate` turns the three words today, yesterday, tomorrow."""

    def __init__(self, locale: str, timezone: str = "UTC", translate: Callable[[str], str] = same) -> None:
        self.name = locale
        self.zone = ZoneInfo(timezone)
        self.translate = translate

    @cached_property
    def locale(self) -> Locale:
        """Babel's data of the locale, read at the first use."""
        from babel import Locale

        return Locale.parse(self.name.replace("-", "_"))

    def date(self, value: dt.date | None, width: str = "medium") -> str:
        """`21 nov. 2026`; a moment is first taken to the reader's zone. Widths: short, medium, long, full."""
        if value is None:
            return ""
        day = value.astimezone(self.zone) if isinstance(value, dt.datetime) else value
        return render(self.date_pattern(width), day)

    def datetime(self, value: dt.datetime | None, width: str = "medium") -> str:
        """`21 nov. 2026, 14:05` in the reader's zone."""
        if value is None:
            return ""
        return render(self.datetime_pattern(width), value.astimezone(self.zone))

    def time(self, value: dt.datetime | None) -> str:
        """`14:05` in the reader's zone."""
        return "" if value is None else render(self.time_pattern, value.astimezone(self.zone))

    def relative(self, value: dt.date | None, now: dt.datetime) -> str:
        """`il y a 3 jours`, `today`; a moment less than a day away in hours or minutes."""
        if value is None:
            return ""
        if isinstance(value, dt.datetime):
            distance = value - now
            return self.distance(distance) if abs(distance) < dt.timedelta(days=1) else self.days(value, now)
        return self.days(value, now)

    def days(self, value: dt.date, now: dt.datetime) -> str:
        """The distance in whole days of the calendar."""
        day = value.astimezone(self.zone).date() if isinstance(value, dt.datetime) else value
        count = (day - now.astimezone(self.zone).date()).days
        words = {0: "today", -1: "yesterday", 1: "tomorrow"}
        return self.translate(words[count]) if count in words else self.distance(dt.timedelta(days=count))

    def distance(self, delta: dt.timedelta) -> str:
        """Babel's words for a distance in time, with its direction."""
        from babel.dates import format_timedelta

        return format_timedelta(delta, add_direction=True, locale=self.locale, threshold=1)

    def number(self, value: Decimal | float | None, places: int | None = None) -> str:
        """`1 234,5`: grouped, with `places` decimals, or as many as the value has (at most 4)."""
        if value is None:
            return ""
        exact = value if isinstance(value, Decimal) else Decimal(str(value))
        if not exact.is_finite():
            return str(exact)
        text = f"{exact:,.{places if places is not None else needed(exact)}f}"
        group, point = self.symbols
        return text.translate({44: group, 46: point})

    def money(self, amount: Decimal | None, currency: str, *, whole: bool = False) -> str:
        """`1 234,50 €` with the currency's own number of decimals, more only where the amount has them.

        A `whole` amount is rounded half to even to units: `1 234 €`.
        """
        if amount is None:
            return ""
        before, after, places = self.currency(currency)
        digits = self.number(abs(round(amount)), 0) if whole else self.number(abs(amount), max(places, needed(amount)))
        return f"{'-' if amount < 0 else ''}{before}{digits}{after}"

    def filters(self) -> Mapping[str, Callable[..., object]]:
        """The formatting filters of text templates; `money` takes a {amount, currency} or an amount and a currency."""
        return {
            "date": self.date, "datetime": self.datetime, "number": self.number, "money": self.any_money,
            "country": self.country, "language": self.language,
        }  # fmt: skip

    def country(self, code: Any) -> str:
        """The name of a country by its code; other texts as they are."""
        return str(self.locale.territories.get(code, code)) if code else ""

    def language(self, code: Any) -> str:
        """The name of a language by its code; other texts as they are."""
        return str(self.locale.languages.get(code, code)) if code else ""

    def any_money(self, value: Any, currency: str = "") -> str:
        """Money as templates hold it."""
        if isinstance(value, Mapping):
            return self.money(Decimal(value["amount"]), value["currency"])
        return "" if value is None else self.money(Decimal(value), currency)

    @cached_property
    def symbols(self) -> tuple[str, str]:
        """Group separator and decimal point."""
        from babel.numbers import get_decimal_symbol, get_group_symbol

        return get_group_symbol(self.locale), get_decimal_symbol(self.locale)

    def currency(self, code: str) -> tuple[str, str, int]:
        """What stands before and after an amount, and the currency's decimals; from babel's rendering of one unit."""
        return currency_frame(self.locale, code)

    def date_pattern(self, width: str) -> tuple[Piece, ...]:
        """The compiled pattern of a date."""
        return date_pieces(self.locale, width)

    def datetime_pattern(self, width: str) -> tuple[Piece, ...]:
        """The compiled pattern of a moment, seconds left out."""
        return datetime_pieces(self.locale, width)

    @cached_property
    def time_pattern(self) -> tuple[Piece, ...]:
        """The compiled pattern of a time of day."""
        return compiled(self.locale.time_formats["short"].pattern, self.locale)


def needed(value: Decimal) -> int:
    """How many decimals a value really has, at most 4."""
    exponent = value.quantize(Decimal("0.0001"), ROUND_HALF_EVEN).normalize().as_tuple().exponent
    return min(4, max(0, -int(exponent)))


def render(pieces: tuple[Piece, ...], value: dt.date) -> str:
    """Applies a compiled pattern."""
    return "".join(piece(value) for piece in pieces)


@lru_cache(maxsize=512)
def currency_frame(locale: Locale, code: str) -> tuple[str, str, int]:
    """See `Formats.currency`; an unknown code stands before the amount as it is."""
    from babel.numbers import format_currency, get_currency_precision

    whole = format_currency(Decimal(1), code, format_of(locale), locale=locale, currency_digits=False)
    before, _, after = whole.partition("1")
    if before[-1:].isalpha():  # "CHF 5", as Unicode's rules for spacing of currencies have it
        before += "\xa0"
    return before, after, get_currency_precision(code)


def format_of(locale: Locale) -> str:
    """The locale's pattern for money without its decimals."""
    return re.sub(r"\.0+", "", str(locale.currency_formats["standard"].pattern))


@lru_cache(maxsize=256)
def date_pieces(locale: Locale, width: str) -> tuple[Piece, ...]:
    """Compiles the locale's date pattern of a width."""
    return compiled(locale.date_formats[width].pattern, locale)


@lru_cache(maxsize=256)
def datetime_pieces(locale: Locale, width: str) -> tuple[Piece, ...]:
    """Compiles date and time joined the locale's way."""
    pattern = str(locale.datetime_formats[width])
    day, hour = locale.date_formats[width].pattern, locale.time_formats["short"].pattern
    return compiled(pattern.replace("{0}", hour).replace("{1}", day), locale)


def compiled(pattern: str, locale: Locale) -> tuple[Piece, ...]:
    """A CLDR pattern as one function per token."""
    return tuple(piece(match, locale) for match in TOKEN.finditer(pattern.replace("''", "\u2019")))


def piece(match: re.Match[str], locale: Locale) -> Piece:
    """The function of one token: quoted text, a field, or text as it is."""
    quoted, token, foreign, plain = match.groups()
    if foreign is not None:
        raise ValueError(f"date pattern field {foreign!r} of {locale} is not supported")
    if token is None:
        text = quoted if quoted is not None else plain
        return lambda _value: text
    return FIELDS[token[0]](len(token), locale)


def year(width: int, _locale: Locale) -> Piece:
    """Four digits, or the last two."""
    return (lambda v: f"{v.year % 100:02d}") if width == 2 else (lambda v: str(v.year))


def month(width: int, locale: Locale) -> Piece:
    """A number, or the month's short or long name."""
    if width <= 2:
        return lambda v: f"{v.month:0{width}d}"
    names = locale.months["format"]["abbreviated" if width == 3 else "wide"]
    return lambda v: names[v.month]


def weekday(width: int, locale: Locale) -> Piece:
    """The day's short or long name."""
    names = locale.days["format"]["abbreviated" if width <= 3 else "wide"]
    return lambda v: names[v.weekday()]


def half_day(_width: int, locale: Locale) -> Piece:
    """AM or PM in the locale's words."""
    names = locale.periods
    return lambda v: names["am" if v.hour < 12 else "pm"]


def digits(of: Callable[[Any], int]) -> Callable[[int, Any], Piece]:
    """A number padded to the width of its token."""
    return lambda width, _locale: lambda v: f"{of(v):0{width}d}"


FIELDS: Mapping[str, Callable[[int, Any], Piece]] = {
    "y": year,
    "M": month,
    "L": month,
    "E": weekday,
    "a": half_day,
    "d": digits(lambda v: v.day),
    "H": digits(lambda v: v.hour),
    "h": digits(lambda v: v.hour % 12 or 12),
    "m": digits(lambda v: v.minute),
    "s": digits(lambda v: v.second),
}
