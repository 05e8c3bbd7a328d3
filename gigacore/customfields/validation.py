"""From what an administrator sent to a definition, or Invalid with every value at fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from gigacore.customfields.definitions import KINDS_OFFERED, Definition, with_default
from gigacore.customfields.sql import INDEXABLE, UNIQUE
from gigacore.data.choices import choice_key
from gigacore.entity import SYSTEM_TARGETS, BadValue, Choice, Registry
from gigacore.entity.kinds import clean_text
from gigacore.entity.spec import FieldSpec
from gigacore.errors import FieldError, Invalid
from gigacore.filter.stored import CUSTOM_KEY
from gigacore.formula import MOST_CHARACTERS, RESULTS, compile_formula
from gigacore.messages import Msg, msg

FIXED: Final = frozenset({"entity", "key", "kind", "target", "choice_list"})
_MAX_CHOICES: Final = 500
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?", re.ASCII)
_COLOUR: Final = re.compile(r"[a-z0-9#-]{0,20}", re.ASCII)
_TEXT: Final = FieldSpec("", "text", "")


def new_definition(data: Mapping[str, Any], uid: UUID, registry: Registry, *, plugin: str = "") -> Definition:
    """The definition that `data` describes. Raises Invalid, one error per value at fault."""
    reader = _Reader(data, registry)
    if "key" not in data and isinstance(data.get("label"), str):
        reader.data["key"] = f"x_{choice_key(data['label'])[:40]}"
    blank = Definition(uid, "", "", "", "", plugin=plugin)
    return reader.read(blank, (*_FIXED_READERS, *_OPTION_READERS))


def changed_definition(present: Definition, data: Mapping[str, Any], registry: Registry) -> Definition:
    """`present` with what `data` changes. What it is and where its values lie never changes. Raises Invalid."""
    reader = _Reader(data, registry)
    reader.errors += [
        FieldError(name, msg("This cannot be changed any more. Add another field instead."), "fixed")
        for name in sorted(FIXED & data.keys())
        if data[name] != getattr(present, name)
    ]
    if "formula" in data and bool(data["formula"]) != bool(present.formula):
        told = msg("This is required.") if present.formula else msg("Only a new field can be a formula.")
        reader.errors.append(FieldError("formula", told, "fixed"))
    return reader.read(present, _OPTION_READERS)


class _Reader:
    """Reads values one by one and keeps what is wrong."""

    def __init__(self, data: Mapping[str, Any], registry: Registry) -> None:
        self.data = dict(data)
        self.registry = registry
        known = FIXED | {name for name, _ in _OPTION_READERS}
        self.errors = [
            FieldError(str(name)[:80], msg("There is no such property of a field."), "unknown_field")
            for name in data
            if name not in known
        ]

    def read(self, start: Definition, readers: tuple[tuple[str, Read], ...]) -> Definition:
        found = start
        for name, read in readers:
            fixed = name in FIXED
            if name not in self.data and not fixed:
                continue
            try:
                found = replace(found, **{name: read(self.data.get(name), found, self.registry)})
            except BadValue as error:
                self.errors.append(FieldError(name, error.message))
                if fixed:
                    break
        if not self.errors:
            self.errors += _contradictions(found)
        if self.errors:
            raise Invalid(errors=self.errors)
        return found


Read = Callable[[Any, Definition, Registry], Any]


def _entity(value: Any, found: Definition, registry: Registry) -> str:
    if not isinstance(value, str) or value not in registry.entities:
        raise BadValue(msg("There is no entity {name}.", name=str(value)[:80]))
    return value


def _key(value: Any, found: Definition, registry: Registry) -> str:
    if not isinstance(value, str) or not CUSTOM_KEY.fullmatch(value):
        raise BadValue(msg("A key begins with “x_” and has at most 40 small letters, digits and “_” after it."))
    return value


def _kind(value: Any, found: Definition, registry: Registry) -> str:
    if value not in KINDS_OFFERED:
        raise BadValue(msg("This is not one of the possible values: {values}.", values=", ".join(KINDS_OFFERED)))
    return str(value)


def _target(value: Any, found: Definition, registry: Registry) -> str | None:
    if found.kind != "ref":
        _missing(value, msg("Only a link to another entity has a target."))
        return None
    if not isinstance(value, str) or value not in {*registry.entities, *SYSTEM_TARGETS}:
        raise BadValue(msg("Choose the entity that the field links to."))
    return value


def _choice_list(value: Any, found: Definition, registry: Registry) -> str | None:
    if found.kind not in ("choice", "choices"):
        _missing(value, msg("Only a list has choices."))
        return None
    if value is not None and value not in registry.choice_lists:
        raise BadValue(msg("There is no choice list {name}.", name=str(value)[:80]))
    return None if value is None else str(value)


def _missing(value: Any, message: Msg) -> None:
    if value is not None:
        raise BadValue(message)


def _text(limit: int, *, required: bool = False) -> Read:
    def read(value: Any, found: Definition, registry: Registry) -> str:
        text = clean_text("" if value is None else value, _TEXT, limit)
        if required and not text:
            raise BadValue(msg("This is required."))
        return text

    return read


def _labels(value: Any, found: Definition, registry: Registry) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(k, str) and _LANGUAGE.fullmatch(k) for k in value):
        raise BadValue(msg("Labels are given by language, such as “fr”."))
    texts = {language: clean_text(text, _TEXT, 120) for language, text in value.items()}
    return MappingProxyType({language: text for language, text in texts.items() if text})


def _flag(value: Any, found: Definition, registry: Registry) -> bool:
    if not isinstance(value, bool):
        raise BadValue(msg("This must be yes or no."))
    return value


def _position(value: Any, found: Definition, registry: Registry) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 100_000:
        raise BadValue(msg("This must be a whole number."))
    return value


def _choices(value: Any, found: Definition, registry: Registry) -> tuple[Choice, ...]:
    if found.kind not in ("choice", "choices"):
        if value:
            raise BadValue(msg("Only a list has choices."))
        return ()
    if not isinstance(value, list | tuple) or len(value) > _MAX_CHOICES:
        raise BadValue(msg("This must be a list of at most {limit} choices.", limit=_MAX_CHOICES))
    given = [_choice(item, place) for place, item in enumerate(value)]
    keys = [choice.key for choice in given]
    if len(set(keys)) < len(keys):
        raise BadValue(msg("Two choices have the same key."))
    # A choice that is no longer offered may still stand in records, so it keeps its label.
    retired = [replace(choice, active=False) for choice in found.choices if choice.key not in keys]
    return tuple(replace(choice, position=place) for place, choice in enumerate([*given, *retired]))


def _choice(value: Any, place: int) -> Choice:
    item = {"label": value} if isinstance(value, str) else value
    if not isinstance(item, Mapping) or not {"label"} <= item.keys() <= {"key", "label", "labels", "colour", "active"}:
        raise BadValue(msg("A choice has a label and may have a key, labels by language, a colour."))
    label = clean_text(item["label"], _TEXT, 120)
    key = item.get("key") or choice_key(label)
    colour, active = item.get("colour") or "", item.get("active", True)
    sound = isinstance(key, str) and choice_key(key) == key and isinstance(colour, str) and _COLOUR.fullmatch(colour)
    if not label or not sound or not isinstance(active, bool):
        raise BadValue(msg("Choice {number} is not valid.", number=place + 1))
    labels = _labels(item.get("labels") or {}, _NOWHERE, _NO_REGISTRY)
    return Choice(key, label, colour=colour, labels=labels, active=active)


def _default(value: Any, found: Definition, registry: Registry) -> Any:
    if value is None or value == "":
        return None
    if found.kind == "file":
        raise BadValue(msg("A field of this kind has no default."))
    with_default(replace(found, default=None).field(), value)
    return value


def _formula(value: Any, found: Definition, registry: Registry) -> str:
    text = clean_text("" if value is None else value, _TEXT, MOST_CHARACTERS)
    if not text:
        return ""
    if found.kind not in RESULTS:
        raise BadValue(msg("A formula gives a number, a text, a date, or yes or no."))
    others = {name: one for name, one in registry.entity(found.entity).fields.items() if name != found.key}
    _no_circle(found.key, compile_formula(text, found.kind, others).sources, others)
    return text


def _no_circle(key: str, sources: Iterable[str], others: Mapping[str, FieldSpec]) -> None:
    """Raise BadValue when a formula would build on itself."""
    ways: list[tuple[str, tuple[str, ...]]] = [(name, (key, name)) for name in sorted(sources)]
    while ways:
        name, way = ways.pop()
        for source in others[name].depends_on if name in others else ():
            if source == key:
                names = " → ".join((*way, key))
                raise BadValue(msg("A formula cannot build on itself: {names}.", names=names))
            ways.append((source, (*way, source)))


def _contradictions(found: Definition) -> list[FieldError]:
    """What is right one by one, but not together."""
    wrong: list[tuple[str, Msg]] = []
    if found.formula:
        given = (("required", found.required), ("unique", found.unique), ("default", found.default is not None))
        wrong += [(name, msg("A formula has its value from other fields.")) for name, is_given in given if is_given]
    if found.unique and found.kind not in UNIQUE:
        wrong.append(("unique", msg("A field of this kind cannot be unique.")))
    if found.indexed and found.kind not in INDEXABLE:
        wrong.append(("indexed", msg("A field of this kind cannot be indexed.")))
    if found.unique and found.default is not None:
        wrong.append(("default", msg("A unique field has no default.")))
    if found.kind in ("choice", "choices"):
        wrong += _list_contradictions(found)
    return [FieldError(name, message) for name, message in wrong]


def _list_contradictions(found: Definition) -> list[tuple[str, Msg]]:
    offered = {choice.key for choice in found.choices if choice.active}
    if bool(found.choice_list) == bool(found.choices):
        return [("choices", msg("Give either choices or the name of a choice list."))]
    defaults = found.default if isinstance(found.default, list) else [found.default]
    if found.choices and found.default is not None and not set(defaults) <= offered:
        return [("default", msg("This is not one of the choices."))]
    return []


_NOWHERE: Final = Definition(UUID(int=0), "", "", "", "")
_NO_REGISTRY: Final = Registry({})
_FIXED_READERS: Final[tuple[tuple[str, Read], ...]] = (
    ("entity", _entity),
    ("key", _key),
    ("kind", _kind),
    ("target", _target),
    ("choice_list", _choice_list),
)
_OPTION_READERS: Final[tuple[tuple[str, Read], ...]] = (
    ("label", _text(120, required=True)),
    ("labels", _labels),
    ("help", _text(500)),
    ("section", _text(80)),
    ("position", _position),
    ("required", _flag),
    ("unique", _flag),
    ("indexed", _flag),
    ("listed", _flag),
    ("active", _flag),
    ("choices", _choices),
    ("default", _default),
    ("formula", _formula),
)
