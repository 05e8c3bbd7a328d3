"""Forms over a few fields that belong to no entity: settings, parameters, definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gigacore.entity import BadValue, FieldSpec
from gigacore.errors import FieldError, Invalid
from gigacore.messages import msg
from host_app.pages.currencies import currency_codes
from host_app.pages.forms import Filling, Input, make_input
from host_app.pages.options import find_by_name
from host_app.pages.raw import Raw, TypedReader, raw_of
from host_app.pages.reader import Reader


def inputs(
    fields: Sequence[FieldSpec], raw: Raw, who: Reader, problems: Mapping[str, str] | None = None
) -> tuple[Input, ...]:
    """The inputs of `fields`, filled with `raw`."""
    filling = Filling(raw, problems or {}, currencies=currency_codes(who))
    return tuple(make_input(field, field.name, filling, who) for field in fields)


def filled(fields: Sequence[FieldSpec], values: Mapping[str, Any], who: Reader) -> Raw:
    """The texts of inputs that show `values`, given by field name."""
    raw = Raw()
    for field in fields:
        value = values.get(field.name)
        if value is not None:
            raw.update(raw_of(field, field.name, value, who.formats))
    return raw


def typed(fields: Sequence[FieldSpec], raw: Raw, who: Reader) -> dict[str, Any]:
    """What was typed, by field name, as JSON values. Raises Invalid with an error per input at fault."""
    reading = TypedReader(who.formats, who.locale, lambda field, text: find_by_name(who, field.target or "", text))
    found: dict[str, Any] = {}
    errors: list[FieldError] = []
    for field in fields:
        try:
            found[field.name] = reading.value(field, field.name, raw)
        except BadValue as error:
            errors.append(FieldError(field.name, error.message))
        else:
            if field.required and found[field.name] in (None, "", []):
                errors.append(FieldError(field.name, msg("Fill in a value."), "required"))
    if errors:
        raise Invalid(errors=errors)
    return found


def problems_of(error: Invalid, who: Reader) -> dict[str, str]:
    """The faults by input; one that belongs to no input has the empty name."""
    return {fault.path: who.t(fault.message) for fault in error.errors} or {"": who.t(error.message)}
