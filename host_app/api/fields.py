"""Bodies of administration requests: each value by its kind, unknown and missing ones named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gigacore.entity import KINDS, BadValue, FieldSpec
from gigacore.errors import FieldError, Invalid
from gigacore.messages import msg

Check = Callable[[Any], Any]


def of_kind(kind: str, *, may_be_null: bool = False, max_length: int | None = None) -> Check:
    """A check by a field kind (`text`, `integer`, `boolean`, `date`, `decimal`)."""
    spec = FieldSpec("", kind, "", max_length=max_length)

    def check(value: Any) -> Any:
        if value is None and may_be_null:
            return None
        if value is None:
            raise BadValue(msg("This is required."))
        return KINDS[kind].parse(value, spec)

    return check


def many(kind: str) -> Check:
    """A list of values of one kind, at most a thousand."""
    one = of_kind(kind)

    def check(value: Any) -> Any:
        if not isinstance(value, list) or len(value) > 1000:
            raise BadValue(msg("This must be a list."))
        return [one(item) for item in value]

    return check


def mapping(kind: str) -> Check:
    """An object of values of one kind; null takes a value away."""
    one = of_kind(kind, may_be_null=True)

    def check(value: Any) -> Any:
        if not isinstance(value, dict) or len(value) > 2000:
            raise BadValue(msg("This must be an object."))
        return {str(name): one(item) for name, item in value.items()}

    return check


def read(body: Mapping[str, Any], checks: Mapping[str, Check], *, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """The checked values. Raises Invalid with one error per value at fault."""
    errors = [
        FieldError(name[:80], msg("There is no field {name}.", name=name[:80]), "unknown_field")
        for name in body
        if name not in checks
    ]
    errors += [FieldError(name, msg("This is required."), "required") for name in required if name not in body]
    found: dict[str, Any] = {}
    for name in checks.keys() & body.keys():
        try:
            found[name] = checks[name](body[name])
        except BadValue as error:
            errors.append(FieldError(name, error.message))
    if errors:
        raise Invalid(errors=errors)
    return found
