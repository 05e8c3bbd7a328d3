"""Dates and times as a reader types them: the locale's order of day and month, and back to what is stored."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from gigacore.entity import BadValue
from gigacore.messages import Msg, msg
from gigacore.text.formats import Formats

CENTURY: Final = 2000
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_TYPED: Final = re.compile(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4}|\d{2})", re.ASCII)
_TIME: Final = re.compile(
    r"(\d{1,2})(?:\s*[:hH.]\s*(\d{2})?)?(?::\d{2}(?:\.\d+)?)?\s*([ap])?\.?m?\.?", re.ASCII | re.IGNORECASE
)
_PLACES: Final = {"d": "%d", "M": "%m", "y": "%Y"}


def date_order(formats: Formats) -> str:
    """The letters d, M and y in the locale's order."""
    return "".join(dict.fromkeys(re.findall("[dMy]", formats.locale.date_formats["short"].pattern)))


def date_text(day: dt.date, formats: Formats) -> str:
    """`22/11/2026` in French, `11/22/2026` in English: as the reader would type it."""
    return day.strftime("/".join(_PLACES[letter] for letter in date_order(formats)))


def moment_text(moment: dt.datetime, formats: Formats) -> str:
    """`22/11/2026 14:05` in the reader's zone."""
    local = moment.astimezone(formats.zone)
    return f"{date_text(local, formats)} {local:%H:%M}"


def hint(formats: Formats) -> Msg:
    """What a reader is to type for a date."""
    hints = {"dMy": msg("dd/mm/yyyy"), "Mdy": msg("mm/dd/yyyy")}
    return hints.get(date_order(formats), msg("yyyy-mm-dd"))


def typed_date(text: str, formats: Formats) -> dt.date:
    """The day that a reader typed: in the locale's order, with two or four digits of the year, or as ISO 8601.

    Raises BadValue.
    """
    bare = text.strip()
    try:
        if iso := _ISO.fullmatch(bare):
            return dt.date(int(iso[1]), int(iso[2]), int(iso[3]))
        if found := _TYPED.fullmatch(bare):
            return _day(dict(zip(date_order(formats), found.groups(), strict=True)))
    except ValueError:
        pass
    example = date_text(dt.date(2026, 1, 31), formats)
    raise BadValue(msg("This must be a date such as {example}.", example=example))


def _day(parts: dict[str, str]) -> dt.date:
    year = int(parts["y"])
    return dt.date(year if len(parts["y"]) == 4 else CENTURY + year, int(parts["M"]), int(parts["d"]))


def typed_moment(text: str, formats: Formats) -> dt.datetime:
    """The moment, in UTC, that a reader typed in the own zone; without a time it is midnight. Raises BadValue."""
    day, _, rest = re.sub(r"(\d)T(\d)", r"\1 \2", text.strip()).partition(" ")
    try:
        hour = _time(rest.strip(" ,à"))
        return dt.datetime.combine(typed_date(day, formats), hour, formats.zone).astimezone(dt.UTC)
    except (BadValue, ValueError, OverflowError):
        example = date_text(dt.date(2026, 1, 31), formats) + " 14:30"
        raise BadValue(msg("This must be a date and a time such as {example}.", example=example)) from None


def typed_time(text: str) -> dt.time:
    """The time of day that a reader typed: `7`, `7:30`, `7h30`, `7:30 pm`. Raises BadValue."""
    try:
        if text.strip():
            return _time(text.strip())
    except ValueError:
        pass
    raise BadValue(msg("This must be a time of day such as {example}.", example="07:30"))


def _time(text: str) -> dt.time:
    if not text:
        return dt.time()
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    hour, half = int(found[1]), (found[3] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return dt.time(hour, int(found[2] or 0))
