"""The triggers that every installation has."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from gigacore.automation.declare import Due, Happened, Params, Tick, Trigger
from gigacore.entity import FieldSpec
from gigacore.entity.kinds import iso
from gigacore.errors import FieldError, Invalid
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.entity import EntitySpec, Registry

CATCH_UP: Final = timedelta(days=7)
EPOCH: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - only to read a crontab line against


class Unit(enum.StrEnum):
    """In what the distance from a date is counted."""

    hours = "hours"
    days = "days"


class Side(enum.StrEnum):
    """On which side of the date."""

    before = "before"
    after = "after"


class Sign(enum.StrEnum):
    """What counts as a sign of life."""

    contact = "contact"
    change = "change"


def _event(verb: str) -> Any:
    def events(entity: str, params: Params) -> Sequence[str]:
        return (f"{entity}.{verb}",)

    return events


def _saved(entity: str, params: Params) -> Sequence[str]:
    return (f"{entity}.created", f"{entity}.updated")


def _action(entity: str, params: Params) -> Sequence[str]:
    return (f"{entity}.{params.get('action')}",)


def _some_changed(params: Params, happened: Happened) -> bool:
    wanted = params.get("fields") or []
    return not wanted or bool(happened.fields & set(wanted))


def _becomes(params: Params, happened: Happened) -> bool:
    name, wanted = params["field"], params.get("value")
    if name not in happened.fields:
        return False
    now, then = _key(happened.after.get(name)), _key(happened.before.get(name))
    return now != then and (now is not None if wanted in (None, "") else str(now) == str(_key(wanted)))


def _key(value: Any) -> Any:
    return value.get("id", value.get("amount")) if isinstance(value, dict) else value


def _check_fields(registry: Registry, entity: EntitySpec | None, params: Params) -> None:
    _known(entity, [str(name) for name in params.get("fields") or []], "trigger.fields")


def _check_field(registry: Registry, entity: EntitySpec | None, params: Params) -> None:
    _known(entity, [params["field"]], "trigger.field")


def _check_moment(registry: Registry, entity: EntitySpec | None, params: Params) -> None:
    _known(entity, [params["field"]], "trigger.field")
    if entity is not None and entity.fields[params["field"]].kind not in ("date", "datetime"):
        raise Invalid.of("trigger.field", msg("Choose a field that holds a date."))


def _check_action(registry: Registry, entity: EntitySpec | None, params: Params) -> None:
    name = params["action"]
    if entity is not None and name not in registry.actions.get(entity.name, {}):
        raise Invalid.of("trigger.action", msg("{entity} has no action {name}.", entity=entity.name, name=name))


def _check_cron(registry: Registry, entity: EntitySpec | None, params: Params) -> None:
    from cronsim import CronSim, CronSimError  # few rules have a clock; a start need not wait for it

    try:
        CronSim(params["cron"], EPOCH)
    except CronSimError:
        raise Invalid.of(
            "trigger.cron", msg("This must be a crontab line such as “0 8 * * 1” (Mondays at 8).")
        ) from None


def _known(entity: EntitySpec | None, names: Sequence[str], at: str) -> None:
    missing = [name for name in names if entity is None or name not in entity.fields]
    if missing:
        raise Invalid(
            errors=[FieldError(at, msg("There is no field {name}.", name=name), "unknown_field") for name in missing]
        )


def date_due(tick: Tick) -> Due | None:
    """Records whose date, moved by the distance, came between the last week (or the rule's start) and now."""
    if tick.entity is None:
        return None
    name, back = tick.params["field"], tick.params.get("side", "before") == "before"
    distance = timedelta(**{tick.params.get("unit", "days"): int(tick.params.get("distance") or 0)})
    shift = distance if back else -distance
    low, high = max(tick.since, tick.now - CATCH_UP) + shift, tick.now + shift
    if tick.entity.fields[name].kind == "date":
        zone = ZoneInfo(tick.zone)
        bounds = (low.astimezone(zone).date().isoformat(), high.astimezone(zone).date().isoformat())
    else:
        bounds = (iso(low), iso(high))
    span = [{"field": name, "op": "ge", "value": bounds[0]}, {"field": name, "op": "le", "value": bounds[1]}]
    return Due({"all": span}, field=name)


def idle_due(tick: Tick) -> Due | None:
    """Records that nobody has touched for so many days, counted from when the clock was last looked at."""
    if tick.entity is None:
        return None
    days = int(tick.params["days"])
    name = "last_contact_at" if tick.params.get("sign") == "contact" else "updated_at"
    if name not in tick.entity.fields:
        name = "updated_at"
    span = [
        {"op": "ge", "value": iso(max(tick.since, tick.now - CATCH_UP) - timedelta(days=days))},
        {"op": "lt", "value": iso(tick.now - timedelta(days=days))},
    ]
    own = {"all": [{"field": name, **bound} for bound in span]}
    if name == "updated_at":
        return Due(own, field=name)
    never = [{"field": name, "op": "empty", "value": True}, *({"field": "created_at", **bound} for bound in span)]
    return Due({"any": [own, {"all": never}]}, field=name)


def schedule_due(tick: Tick) -> Due | None:
    """The last moment of the crontab line that has passed since the rule was switched on, if any."""
    from cronsim import CronSim

    zone = ZoneInfo(tick.zone)
    start = max(tick.since, tick.now - CATCH_UP).astimezone(zone)
    last = None
    for moment in CronSim(tick.params["cron"], start):
        if moment > tick.now.astimezone(zone):
            break
        last = moment
    if last is None:
        return None
    every: dict[str, Any] | None = {"all": []} if tick.entity is not None else None
    return Due(every, occasion=last.isoformat())


def _field(name: str, kind: str, label: str, **options: Any) -> FieldSpec:
    return FieldSpec(name, kind, label, **options)


TRIGGERS: Final = (
    Trigger(
        "core.created",
        msg("A record is created").text,
        _event("created"),
        help=msg("By a person, an import that says so, the API or another automation.").text,
        icon="plus",
    ),
    Trigger(
        "core.updated",
        msg("A record is changed").text,
        _event("updated"),
        (_field("fields", "json", msg("Fields").text),),
        fires=_some_changed,
        check=_check_fields,
        help=msg("Each time it is saved with another value.").text,
        icon="pencil",
    ),
    Trigger(
        "core.becomes",
        msg("A field becomes a value").text,
        _saved,
        (
            _field("field", "text", msg("Field").text, required=True),
            _field("value", "json", msg("Value").text),
        ),
        fires=_becomes,
        check=_check_field,
        help=msg("Only when it was something else before.").text,
        icon="arrow-right",
    ),
    Trigger(
        "core.deleted",
        msg("A record is deleted").text,
        _event("deleted"),
        help=msg("Its last values can still be used in texts.").text,
        icon="trash",
    ),
    Trigger(
        "core.action",
        msg("An action is run").text,
        _action,
        (_field("action", "text", msg("Action").text, required=True),),
        check=_check_action,
        help=msg("Such as won, lost, convert or reopen.").text,
        icon="player-play",
    ),
    Trigger(
        "core.date",
        msg("A date is reached or approaches").text,
        params=(
            _field("field", "text", msg("Field").text, required=True),
            _field("distance", "integer", msg("Distance").text, minimum=0, maximum=3650, default=0),
            _field("unit", "enum", msg("Unit").text, enum=Unit, default="days"),
            _field("side", "enum", msg("Before or after").text, enum=Side, default="before"),
        ),
        check=_check_moment,
        clock=date_due,
        help=msg("Looked at every five minutes, in the time zone of the rule's owner; once for each date.").text,
        icon="calendar-event",
    ),
    Trigger(
        "core.inactive",
        msg("Nothing happens for some days").text,
        params=(
            _field("days", "integer", msg("Days").text, required=True, minimum=1, maximum=3650),
            _field("sign", "enum", msg("What counts").text, enum=Sign, default="contact"),
        ),
        clock=idle_due,
        help=msg("Once for each time that a record falls silent.").text,
        icon="zzz",
    ),
    Trigger(
        "core.schedule",
        msg("At fixed times").text,
        params=(_field("cron", "text", msg("Crontab line").text, required=True, max_length=100),),
        check=_check_cron,
        clock=schedule_due,
        needs_entity=False,
        help=msg(
            "In the time zone of the rule's owner; with a kind of record, for every record that meets the conditions."
        ).text,
        icon="clock",
    ),
)
