"""The custom values of a record on their way into its row: set, filled with defaults, checked, folded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gigacore.data.plan import EntityPlan
from gigacore.entity import Entity, EntitySpec, FieldSpec, metadata
from gigacore.errors import Misuse
from gigacore.filter.stored import is_stored_form, store_value

if TYPE_CHECKING:
    from gigacore.data.session import ActorSession


def set_custom(record: Entity, field: FieldSpec, value: Any) -> None:
    """Give a custom field a Python value; None takes the value away."""
    others = {name: stored for name, stored in (record.custom or {}).items() if name != field.name}
    record.custom = others if value is None else {**others, field.name: store_value(field, value)}


def with_custom_defaults(custom: Mapping[str, Any], plan: EntityPlan) -> dict[str, Any]:
    """The stored values of a new record with the defaults of custom fields it does not name; None says: no default."""
    defaults = {one.name: store_value(one, one.default_value()) for one in plan.custom_defaults}
    return {name: value for name, value in {**defaults, **custom}.items() if value is not None}


def write_custom_keys(record: Any, plan: EntityPlan) -> None:
    """Fold the texts of custom fields. Raises Misuse for a value that is not in its field's stored form."""
    custom: Mapping[str, Any] = record.custom or {}
    present: Mapping[str, str] = record.__dict__.get("custom_key") or {}
    if custom:
        _check(plan, custom)
    # A field that is switched off keeps its folded text, so that it is found again when it comes back.
    keys = {name: key for name, key in present.items() if name in custom and name not in plan.plan.fields}
    for name, make in plan.custom_keys:
        if (key := make(custom.get(name))) is not None:
            keys[name] = key
    if record.__dict__.get("custom_key") != keys:
        record.custom_key = keys


def _check(plan: EntityPlan, custom: Mapping[str, Any]) -> None:
    """One value of a wrong type would break every query by that field on PostgreSQL."""
    fields = plan.plan.fields
    for name, value in custom.items():
        field = fields.get(name)
        if field is not None and not is_stored_form(field, value):
            raise Misuse(f"{value!r} is not how {plan.spec.name} stores {name}; use store_value")


def still_defined(session: ActorSession, spec: EntitySpec, custom: Mapping[str, Any]) -> dict[str, Any]:
    """What of a restored record's custom values still belongs to a field, active or not; purged ones are gone."""
    definitions = metadata.tables["core_custom_field"].c
    statement = select(definitions.key).where(definitions.entity == spec.name)
    keys = set(session.connection().scalars(statement)) if custom else set()
    fields = spec.fields
    return {
        name: value
        for name, value in custom.items()
        if name in keys and (name not in fields or is_stored_form(fields[name], value))
    }
