"""How often a schedule runs: in words, as the few inputs of a form, and back to a distance or a crontab line."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gigacore.entity import BadValue, FieldSpec
from gigacore.errors import Invalid
from gigacore.jobs.monitor import ScheduleState
from gigacore.messages import Msg, msg
from host_app.pages.dates import typed_time
from host_app.pages.reader import Reader

DISTANCES: Final = (("days", 86_400), ("hours", 3600), ("minutes", 60))
COUNTED: Final[Mapping[str, tuple[Msg, Msg]]] = MappingProxyType(
    {
        "days": (msg("every day"), msg("every {count} days")),
        "hours": (msg("every hour"), msg("every {count} hours")),
        "minutes": (msg("every minute"), msg("every {count} min")),
    }
)
DAYS: Final[Mapping[str, tuple[str, Msg]]] = MappingProxyType(
    {
        "daily": ("* * *", msg("every day at {time}")),
        "weekdays": ("* * 1-5", msg("Monday to Friday at {time}")),
        "1": ("* * 1", msg("every Monday at {time}")),
        "2": ("* * 2", msg("every Tuesday at {time}")),
        "3": ("* * 3", msg("every Wednesday at {time}")),
        "4": ("* * 4", msg("every Thursday at {time}")),
        "5": ("* * 5", msg("every Friday at {time}")),
        "6": ("* * 6", msg("every Saturday at {time}")),
        "0": ("* * 0", msg("every Sunday at {time}")),
        "monthly": ("1 * *", msg("on the first of the month at {time}")),
    }
)
CHOICES: Final = (
    ("minutes", "every … minutes"), ("hours", "every … hours"), ("days", "every … days"),
    *((key, words.text.replace("{time}", "…")) for key, (_line, words) in DAYS.items()), ("cron", "by a crontab line"),
)  # fmt: skip
CHOICE_WORDS: Final = (
    msg("every … minutes"), msg("every … hours"), msg("every … days"), msg("every day at …"),
    msg("Monday to Friday at …"), msg("every Monday at …"), msg("every Tuesday at …"), msg("every Wednesday at …"),
    msg("every Thursday at …"), msg("every Friday at …"), msg("every Saturday at …"), msg("every Sunday at …"),
    msg("on the first of the month at …"), msg("by a crontab line"),
)  # fmt: skip
"""The words of `CHOICES`."""
FIELDS: Final = (
    FieldSpec("pace", "enum", label="How often", required=True, choices=CHOICES),
    FieldSpec("count", "integer", label="Minutes, hours or days", help="For every … minutes, hours or days."),
    FieldSpec("at", "text", label="Time of day", max_length=10, help="For a time of day, such as 07:30."),
    FieldSpec("timezone", "text", label="Time zone", required=True, max_length=60, help="Such as Europe/Paris."),
    FieldSpec("cron", "text", label="Crontab line", max_length=100,
              help="For administrators: minute, hour, day, month, weekday, such as 30 7 * * 1-5."),
)  # fmt: skip
_AT: Final = re.compile(r"(\d{1,2}) (\d{1,2}) (.+)", re.ASCII)


def pace_words(one: ScheduleState, who: Reader) -> str:
    """How often a schedule runs, for people: `every 4 hours`, `every day at 07:00 (UTC)`."""
    found = pace_values(one)
    if found["pace"] in COUNTED:
        single, several = COUNTED[found["pace"]]
        return who.t(single if found["count"] == 1 else Msg(several.text, {"count": found["count"]}))
    if found["pace"] in DAYS:
        words = Msg(DAYS[found["pace"]][1].text, {"time": found["at"]})
        return f"{who.t(words)} ({one.timezone})"
    if one.every_seconds:
        return who.t(msg("every {count} s", count=one.every_seconds))
    return f"{one.cron} ({one.timezone})".replace(" ", "\u00a0")


def pace_values(one: ScheduleState) -> dict[str, Any]:
    """The same as the inputs of the form."""
    found: dict[str, Any] = {"pace": "cron", "timezone": one.timezone}
    for name, size in DISTANCES:
        if one.every_seconds and one.every_seconds % size == 0:
            return found | {"pace": name, "count": one.every_seconds // size}
    line = _AT.fullmatch(one.cron or "")
    if line and int(line[1]) < 60 and int(line[2]) < 24:
        for key, (rest, _words) in DAYS.items():
            if line[3] == rest:
                return found | {"pace": key, "at": f"{int(line[2]):02}:{int(line[1]):02}"}
    return found | {"cron": one.cron or ""}


def times_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """What `change_schedule` takes, from the inputs. Raises Invalid, naming the input at fault."""
    pace, zone = data["pace"], data["timezone"]
    for name, size in DISTANCES:
        if pace == name:
            if not data["count"] or data["count"] < 1:
                raise Invalid.of("count", msg("Fill in a value."), "required")
            return {"every_seconds": data["count"] * size, "timezone": zone}
    if pace in DAYS:
        at = _time(data["at"] or "")
        return {"cron": f"{at.minute} {at.hour} {DAYS[pace][0]}", "timezone": zone}
    return {"cron": data["cron"] or "", "timezone": zone}


def _time(text: str) -> dt.time:
    try:
        return typed_time(text)
    except BadValue as error:
        raise Invalid.of("at", error.message) from None
