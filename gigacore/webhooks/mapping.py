"""What an administrator's mapping makes of a message: a record, created or changed unless a newer message was first."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gigacore import access, records
from gigacore.automation.fill import Data, fill, template_fault
from gigacore.entity.folding import fold
from gigacore.errors import FieldError, Invalid
from gigacore.messages import msg
from gigacore.values import dataclass
from gigacore.webhooks.tables import core_hook_newest

if TYPE_CHECKING:
    from gigacore.context import Context

PARTS: Final = frozenset({"entity", "values", "match", "version"})
PATH: Final = re.compile(r"body(\.[A-Za-z0-9_-]{1,60}){1,8}")
LONGEST: Final = 60
LARGEST: Final = 40
"""Digits before or after the point of a version."""
NONE: Final = Decimal(0)
N: Final = core_hook_newest.c


@dataclass(frozen=True, slots=True)
class Told:
    """One message of a source with a mapping; `secret` is the source's, `number` the order of arrival."""

    source_id: int
    scheme: str
    mapping: Mapping[str, Any]
    secret: str
    headers: Mapping[str, str]
    body: Any
    number: int


# Checked when the source is set up -----------------------------------------------------------------------------------


def mapping_faults(ctx: Context, mapping: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with a mapping; none is no fault. Raises Forbidden for who may not create such records."""
    if not mapping:
        return []
    spec = ctx.session.registry.entities.get(str(mapping.get("entity")))
    if spec is None:
        name = str(mapping.get("entity"))
        return [FieldError("mapping.entity", msg("There is no entity {name}.", name=name), "invalid")]
    access.require(ctx, "create", spec.name)
    values = mapping.get("values")
    if not isinstance(values, Mapping) or not values:
        return [FieldError("mapping.values", msg("Name at least one field and its value."), "required")]
    known = records.input_schema(ctx.session.registry, spec, partial=True).fields
    return [*_value_faults(values, known), *_form_faults(mapping, values)]


def _value_faults(values: Mapping[str, Any], known: Mapping[str, Any]) -> list[FieldError]:
    found = [
        FieldError(f"mapping.values.{name}", msg("There is no such field, or it cannot be written."), "unknown_field")
        for name in values
        if name not in known
    ]
    for name, text in values.items():
        if isinstance(text, str) and (fault := template_fault(text)) is not None:
            found.append(FieldError(f"mapping.values.{name}", fault, "invalid"))
    return found


def _form_faults(mapping: Mapping[str, Any], values: Mapping[str, Any]) -> list[FieldError]:
    found = []
    for name in sorted(mapping.keys() - PARTS):
        found.append(FieldError(f"mapping.{name}", msg("Unknown property."), "unknown"))
    match, version = mapping.get("match", []), mapping.get("version", "")
    if not isinstance(match, list) or any(name not in values for name in match):
        found.append(FieldError("mapping.match", msg("Match by fields that are given a value."), "invalid"))
    if not isinstance(version, str) or (version and not PATH.fullmatch(version)):
        text = msg("Name a place in the message, such as body.updated_at.")
        found.append(FieldError("mapping.version", text, "invalid"))
    elif version and not match:
        text = msg("A version needs fields by which the record is found again.")
        found.append(FieldError("mapping.version", text, "invalid"))
    return found


# Worked on -----------------------------------------------------------------------------------------------------------


def to_record(ctx: Context, told: Told) -> dict[str, Any]:
    """Create or change the record that a message is about. Gives what became of it; with `late` nothing was changed.

    Messages about the same record wait for each other, so two of them never create it twice. Raises what the record's
    own rules refuse, and Invalid for a message without the version that the mapping names.
    """
    data = Data({"body": told.body}, ctx.now, ctx.actor.locale, ctx.actor.timezone)
    values = {name: fill(value, data) for name, value in told.mapping["values"].items()}
    entity = str(told.mapping["entity"])
    wanted = {name: values[name] for name in told.mapping.get("match") or []}
    if wanted and all(value not in (None, "") for value in wanted.values()):
        newest, known = _is_newest(ctx, told, entity, wanted), _find(ctx, entity, wanted)
        if not newest:
            return {"entity": entity, "id": known, "late": True}
        if known is not None:
            records.update(ctx, entity, known, values)
            return {"entity": entity, "id": known, "created": False}
    return {"entity": entity, "id": records.create(ctx, entity, values).id, "created": True}


def _find(ctx: Context, entity: str, wanted: Mapping[str, Any]) -> int | None:
    equal = [{"field": name, "op": "eq", "value": value} for name, value in wanted.items()]
    page = records.page(ctx, entity, records.ListRequest({"all": equal}, ("id",), ("id",), 1, count=False))
    return page.items[0]["id"] if page.items else None


def _is_newest(ctx: Context, told: Told, entity: str, wanted: Mapping[str, Any]) -> bool:
    """Whether no newer message about the record was worked on; notes this one then, and holds the record's row."""
    connection = ctx.session.connection()
    version, key = version_of(told), _record_key(told.secret, entity, wanted)
    here = sa.and_(N.source_id == told.source_id, N.record_key == key)
    row: dict[str, Any] = {"source_id": told.source_id, "record_key": key}
    row |= {"version": str(version), "message_id": told.number}
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    if connection.execute(make(core_hook_newest).values(**row).on_conflict_do_nothing()).rowcount == 1:
        return True
    last = connection.execute(sa.select(N.version, N.message_id).where(here).with_for_update()).one()
    if (version, told.number) < (Decimal(last.version), last.message_id):
        return False
    connection.execute(sa.update(core_hook_newest).where(here).values(**row))
    return True


def _record_key(secret: str, entity: str, wanted: Mapping[str, Any]) -> str:
    """A digest that only who has the source's secret can make: addresses of people are not kept here."""
    folded = {name: fold(value) if isinstance(value, str) else value for name, value in wanted.items()}
    text = orjson.dumps([entity, folded], option=orjson.OPT_SORT_KEYS)
    return hmac.digest(secret.encode(), text, hashlib.sha256).hex()


def version_of(told: Told) -> Decimal:
    """How new a message is, in seconds for times: the mapping's version, else the moment that is signed.

    Of Standard Webhooks that is the body's `timestamp`, when it happened, or the header's, when it was sent. The plain
    signature holds none, so there only the order of arrival counts. Raises Invalid.
    """
    path = told.mapping.get("version") or ""
    if path:
        found = _number(_at(told.body, path))
        if found is None:
            raise Invalid.of("version", msg("The message has no number or time at {path}.", path=path))
        return found
    if told.scheme != "standard":
        return NONE
    happened = told.body.get("timestamp") if isinstance(told.body, dict) else None
    return _number(happened) or _number(told.headers.get("webhook-timestamp")) or NONE


def _at(body: Any, path: str) -> Any:
    value = body
    for name in path.split(".")[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _number(value: object) -> Decimal | None:
    """A number, or the seconds of a time in ISO 8601 (UTC where it names no zone); None = neither."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > LONGEST:
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return _seconds(str(value))
    return found if found.is_finite() and abs(found.adjusted()) <= LARGEST else None


def _seconds(text: str) -> Decimal | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Decimal(str((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))
