"""Relative time: ISO 8601 durations and named periods, reckoned in a person's time zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from gigacore.filter.ast import Offset

_DURATION: Final = re.compile(
    r"P(?!$)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?"
    r"(?:T(?!$)(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?",
    re.ASCII,
)
_MOST_YEARS: Final = 1000
_UNITS: Final = ("week", "month", "quarter", "year")
_SHIFTS: Final = {"last": -1, "this": 0, "next": 1}
_DAYS: Final = {"yesterday": -1, "today": 0, "tomorrow": 1}
_ROLLING: Final = re.compile(r"(last|next)_([1-9]\d{0,3})_days", re.ASCII)

PERIODS: Final = (*_DAYS, *(f"{shift}_{unit}" for unit in _UNITS for shift in _SHIFTS))
"""The named periods; besides them `last_<n>_days` and `next_<n>_days`, today included."""


def parse_duration(text: str, sign: Literal[-1, 1]) -> Offset | None:
    """The offset for `P7D`, `P1Y2M`, `PT36H`; None when it is no duration or longer than a thousand years."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    offset = Offset(sign, text, years * 12 + months, weeks * 7 + days, hours * 3600 + minutes * 60 + seconds)
    span = offset.months * 31 + offset.days + offset.seconds // 86_400
    return offset if span <= _MOST_YEARS * 366 else None


def shifted(now: datetime, offset: Offset, zone: ZoneInfo) -> datetime:
    """`now` moved by `offset`: months and days by the calendar of `zone`, hours by the clock. In UTC."""
    local = now.astimezone(zone) + relativedelta(months=offset.sign * offset.months, days=offset.sign * offset.days)
    return local.astimezone(UTC) + timedelta(seconds=offset.sign * offset.seconds)


def is_period(name: str) -> bool:
    """Whether `name` is a period."""
    return name in PERIODS or _ROLLING.fullmatch(name) is not None


def span_of(name: str, today: date) -> tuple[date, date]:
    """The first day of the period and the first day after it. Weeks begin on Monday."""
    if name in _DAYS:
        start = today + timedelta(days=_DAYS[name])
        return start, start + timedelta(days=1)
    if rolling := _ROLLING.fullmatch(name):
        days = timedelta(days=int(rolling[2]))
        tomorrow = today + timedelta(days=1)
        return (tomorrow - days, tomorrow) if rolling[1] == "last" else (today, today + days)
    shift, _, unit = name.partition("_")
    first, length = _unit_start(unit, today)
    return first + length * _SHIFTS[shift], first + length * (_SHIFTS[shift] + 1)


def _unit_start(unit: str, today: date) -> tuple[date, relativedelta]:
    if unit == "week":
        return today - timedelta(days=today.weekday()), relativedelta(weeks=1)
    if unit == "month":
        return today.replace(day=1), relativedelta(months=1)
    if unit == "quarter":
        return today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1), relativedelta(months=3)
    return today.replace(month=1, day=1), relativedelta(years=1)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The beginning of `day` in `zone`, in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)
