"""Input schemas made from the registry: an allow-list per entity, so that nothing else can be written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import marshmallow
from marshmallow import RAISE, Schema, ValidationError, fields

from gigacore.entity import KINDS, BadValue, ChildSpec, ChoiceList, EntitySpec, FieldSpec, Registry
from gigacore.entity.kinds import TEXT_LENGTH
from gigacore.errors import FieldError, Invalid
from gigacore.messages import Msg, msg

REQUIRED: Final = msg("This is required.")
UNKNOWN: Final = msg("There is no such field, or it cannot be written.")
WRONG_TYPE: Final = msg("This must be an object.")
NOT_A_LIST: Final = msg("This must be a list.")
MAX_CHILDREN: Final = 500
_CODES: Final[Mapping[str, str]] = {REQUIRED.text: "required", UNKNOWN.text: "unknown_field"}
_ERRORS: Final[dict[str, Any]] = {
    "required": [REQUIRED],
    "null": [REQUIRED],
    "invalid": [WRONG_TYPE],
    "type": [WRONG_TYPE],
}


class SpecField(fields.Field[Any]):
    """A marshmallow field that reads its value as the kind of its `FieldSpec` does; empty text counts as no value."""

    def __init__(self, spec: FieldSpec, registry: Registry, **options: Any) -> None:
        self.spec = spec
        self.kind = KINDS[spec.kind]
        self.choices = registry.choice_list(spec)
        super().__init__(allow_none=not spec.required, error_messages=_ERRORS, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return self.read(value)

    def read(self, value: Any) -> Any:
        """The Python value of a JSON value that is not None. Raises ValidationError."""
        try:
            parsed = self.kind.parse(value, self.spec)
        except BadValue as error:
            raise ValidationError([error.message]) from None
        if not parsed and self.spec.kind != "choices" and parsed in ("", []):
            if self.spec.required:
                raise ValidationError([REQUIRED])
            return None
        if self.choices is not None and not self.choices.open:
            self._check_choice(self.choices, parsed)
        return parsed

    def _check_choice(self, choices: ChoiceList, value: Any) -> None:
        for key in value if isinstance(value, list) else [value]:
            if choices.get(key) is None:
                known = ", ".join(choice.key for choice in choices.choices if choice.active)
                raise ValidationError([msg("This is not one of the possible values: {values}.", values=known)])


def _rows_field(row_schema: Schema) -> fields.Field[Any]:
    nested: fields.Field[Any] = fields.Nested(row_schema, error_messages=_ERRORS)
    return fields.List(
        nested,
        error_messages={**_ERRORS, "invalid": [NOT_A_LIST]},
        validate=_not_too_many,
    )


def _not_too_many(rows: list[Any]) -> None:
    if len(rows) > MAX_CHILDREN:
        raise ValidationError([msg("At most {count} rows are kept.", count=MAX_CHILDREN)])


def _make(named: Mapping[str, fields.Field[Any]]) -> Schema:
    built = Schema.from_dict(dict(named))(unknown=RAISE)
    messages: Any = {"unknown": UNKNOWN, "type": WRONG_TYPE}
    built.error_messages = {**built.error_messages, **messages}
    return built


def row_schema(registry: Registry, child: ChildSpec) -> Schema:
    """The schema of one child row; `id` names an existing row of the same record."""
    named: dict[str, fields.Field[Any]] = {
        name: SpecField(spec, registry, required=spec.required)
        for name, spec in child.fields.items()
        if not spec.readonly
    }
    named["id"] = SpecField(FieldSpec("id", "ref", "Number"), registry)
    return _make(named)


def writable_fields(spec: EntitySpec) -> tuple[FieldSpec, ...]:
    """The fields that input may hold, before the actor's field rules."""
    return tuple(field for field in spec.fields.values() if not field.readonly)


def input_schema(
    registry: Registry, spec: EntitySpec, *, partial: bool, writable: frozenset[str] | None = None
) -> Schema:
    """The schema of input for `spec`, kept in the registry. `writable` narrows it to these fields (None = all).

    `partial` input (an update) may leave required fields out, but not empty them.
    """
    key = ("input_schema", spec.name, partial, writable)
    schema = registry.memo.get(key)
    if not isinstance(schema, Schema):
        schema = registry.memo[key] = _build(registry, spec, partial, writable)
    return schema


def _build(registry: Registry, spec: EntitySpec, partial: bool, writable: frozenset[str] | None) -> Schema:
    named: dict[str, fields.Field[Any]] = {}
    nested: dict[str, dict[str, fields.Field[Any]]] = {}
    for field in writable_fields(spec):
        if writable is not None and field.name not in writable:
            continue
        needed = field.required and not partial and field.default is None
        place = nested.setdefault(field.plugin, {}) if field.extension else named
        place[field.name.rpartition(".")[2] if field.extension else field.name] = SpecField(
            field, registry, required=needed
        )
    for child in spec.children.values():
        if not child.readonly and (writable is None or child.name in writable):
            named[child.name] = _rows_field(row_schema(registry, child))
    for plugin, inner in nested.items():
        named[plugin] = fields.Nested(_make(inner), error_messages=_ERRORS)
    return _make(named)


def load_input(schema: Schema, data: object) -> dict[str, Any]:
    """The checked values. Raises Invalid with one error per value at fault."""
    if not isinstance(data, Mapping):
        raise Invalid(msg("The input must be an object with one value per field."))
    try:
        loaded: dict[str, Any] = schema.load(dict(data))
    except ValidationError as error:
        raise Invalid(errors=_flatten(error.messages)) from None
    return loaded


def quick_load(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any] | None:
    """What `schema.load` gives for good input, without its bookkeeping; None = it must say itself what is wrong."""
    loaded: dict[str, Any] = {}
    known = schema.load_fields
    for name, value in data.items():
        one = known.get(name)
        if one is None or (value is None and not one.allow_none):
            return None
        if value is None:
            loaded[name] = None
        elif isinstance(one, SpecField):
            try:
                loaded[name] = one.read(value)
            except ValidationError:
                return None
        elif (rows := _quick_rows(one, value)) is not None:
            loaded[name] = rows
        else:
            return None
    return loaded if _required(schema) <= loaded.keys() else None


@lru_cache(maxsize=256)
def _required(schema: Schema) -> frozenset[str]:
    return frozenset(name for name, one in schema.load_fields.items() if one.required)


def _quick_rows(one: fields.Field[Any], value: Any) -> list[dict[str, Any]] | None:
    """Child rows as their field reads them; None = refused, or nothing for the quick way."""
    if not isinstance(one, fields.List) or not isinstance(one.inner, fields.Nested):
        return None
    if not isinstance(value, list) or len(value) > MAX_CHILDREN:
        return None
    rows = list[dict[str, Any]]()
    for row in value:
        found = quick_load(one.inner.schema, row) if isinstance(row, Mapping) else None
        if found is None:
            return None
        rows.append(found)
    return rows


def _flatten(messages: object, path: str = "") -> Iterable[FieldError]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            name = str(key)[:TEXT_LENGTH]
            below = path if name == marshmallow.exceptions.SCHEMA else f"{path}.{name}" if path else name
            yield from _flatten(inner, below)
        return
    for message in messages if isinstance(messages, list) else [messages]:
        text = message if isinstance(message, Msg) else Msg(str(message))
        yield FieldError(path, text, _CODES.get(text.text, "invalid"))


def params_schema(registry: Registry, specs: Iterable[FieldSpec]) -> Schema:
    """The schema of an action's parameters."""
    named: dict[str, fields.Field[Any]] = {
        spec.name: SpecField(spec, registry, required=spec.required and spec.default is None) for spec in specs
    }
    return _make(named)
