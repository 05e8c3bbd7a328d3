"""Query parameters of lists: filter, sort, fields, limit, cursor, expand, updated_since, and equality on any field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from flask import request
from werkzeug.datastructures import MultiDict

from gigacore.entity import KINDS, BadValue, EntitySpec, FieldSpec
from gigacore.errors import FieldError, Invalid
from gigacore.messages import msg
from gigacore.records import ListRequest
from host_app.api.body import loads
from host_app.context import current_crm

RESERVED: Final = frozenset({"filter", "sort", "fields", "limit", "cursor", "expand", "updated_since"})
MAX_LIMIT: Final = 200
DEFAULT_LIMIT: Final = 50
MAX_TEXT: Final = 8000


def list_request(entity: EntitySpec) -> ListRequest:
    """What the caller wants listed. Raises Invalid naming the parameter at fault."""
    args = request.args
    return ListRequest(
        filter=list_filter(args, entity),
        sort=names(args, "sort"),
        fields=names(args, "fields") or None,
        limit=number("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT) or DEFAULT_LIMIT,
        cursor=_single(args, "cursor"),
        expand=names(args, "expand"),
        updated_since=moment(args, "updated_since"),
    )


def only(*known: str) -> None:
    """Refuse parameters that a route does not know. Raises Invalid."""
    unknown = [name for name in request.args if name not in known]
    if unknown:
        raise _invalid(unknown[0], "unknown_parameter")


def names(args: MultiDict[str, str], name: str) -> tuple[str, ...]:
    """The names in a parameter, separated by commas."""
    text = _single(args, name)
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def list_filter(args: MultiDict[str, str], entity: EntitySpec) -> Mapping[str, Any] | None:
    """The filter tree and the plain equalities together. Raises Invalid for a parameter that is no field."""
    parts = [_equality(entity, name, args.getlist(name)) for name in args if name not in RESERVED]
    if text := _single(args, "filter"):
        parts.insert(0, _tree(text))
    if len(parts) < 2:
        return parts[0] if parts else None
    return {"all": parts}


def _tree(text: str) -> Any:
    try:
        return loads(text)
    except Invalid:
        raise
    except Exception as error:
        raise Invalid.of("filter", msg("The filter is not valid JSON."), "malformed_json") from error


def _equality(entity: EntitySpec, name: str, values: list[str]) -> Mapping[str, Any]:
    spec = entity.fields.get(name)
    if spec is None or spec.secret:
        raise _invalid(name, "unknown_parameter")
    if spec.kind == "choices":
        return {"all": [{"field": name, "op": "contains", "value": _known(spec, name, text)} for text in values]}
    found = [_value(spec, name, text) for text in values]
    if len(found) == 1:
        return {"field": name, "op": "eq", "value": found[0]}
    return {"field": name, "op": "in", "value": found}


def _value(spec: FieldSpec, name: str, text: str) -> Any:
    if "\x00" in text or len(text) > MAX_TEXT:
        raise Invalid.of(name, msg("This text holds characters that cannot be stored."))
    kind = KINDS[spec.kind]
    try:
        return kind.dump(kind.parse_text(_known(spec, name, text), spec, "en"))
    except BadValue as error:
        raise Invalid(errors=[FieldError(name, error.message)]) from None


def _known(spec: FieldSpec, name: str, text: str) -> str:
    choices = current_crm().registry.choice_list(spec)
    if choices is not None and not choices.open and choices.get(text) is None:
        raise _not_one_of(name, [choice.key for choice in choices.choices if choice.active])
    return text


def _not_one_of(name: str, known: Collection[str]) -> Invalid:
    return Invalid.of(name, msg("This is not one of the possible values: {values}.", values=", ".join(known)))


def number(name: str, *, default: int | None, most: int) -> int | None:
    """A parameter that is a number from 1 to `most`. Raises Invalid."""
    text = _single(request.args, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and 1 <= int(text) <= most):
        raise Invalid.of(name, msg("This must be a number from 1 to {most}.", most=most))
    return int(text)


def text(name: str) -> str:
    """A plain parameter; empty when it is not given."""
    return _single(request.args, name) or ""


def word(name: str, known: Collection[str]) -> str:
    """A parameter that is one of the words in `known`; empty when it is not given. Raises Invalid."""
    found = text(name)
    if found and found not in known:
        raise _not_one_of(name, known)
    return found


def entity_name(name: str = "entity") -> str:
    """A parameter that names an entity; empty when it is not given. Raises Invalid."""
    found = text(name)
    if found and found not in current_crm().registry.entities:
        raise Invalid.of(name, msg("There is no entity {name}.", name=found[:80]), "unknown_entity")
    return found


def moment(args: MultiDict[str, str], name: str) -> datetime | None:
    """A parameter that is a moment with its zone; None when it is not given. Raises Invalid."""
    text = _single(args, name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))  # an unescaped plus arrives as a space
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid.of(name, msg("This must be a date and time with its zone, such as 2026-01-31T09:00:00Z."))
    return found


def _single(args: MultiDict[str, str], name: str) -> str | None:
    values = args.getlist(name)
    if len(values) > 1:
        raise Invalid.of(name, msg("This parameter may stand only once."))
    if values and "\x00" in values[0]:
        raise Invalid.of(name, msg("This text holds characters that cannot be stored."))
    return values[0] if values else None


def _invalid(name: str, code: str) -> Invalid:
    clean = name.replace("\x00", "")[:100]
    return Invalid.of(clean, msg("There is no parameter or field {name}.", name=clean), code)
