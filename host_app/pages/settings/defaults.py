"""The default of a custom field as people type and read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from gigacore.customfields import Definition
from gigacore.data.choices import choice_key
from gigacore.entity import KINDS, BadValue, FieldSpec, fold
from gigacore.errors import Invalid
from host_app.pages.reader import Reader

NO_DEFAULT: Final = frozenset({"ref", "file", "formula"})


def typed_default(text: str, kind: str, choices: Iterable[Mapping[str, Any]], who: Reader) -> Any:
    """The JSON value of a default; nothing typed is none. Raises Invalid."""
    if not text.strip():
        return None
    if kind in ("choice", "choices"):
        keys = [_key_of(part.strip(), choices) for part in ([text] if kind == "choice" else text.split(","))]
        return keys[0] if kind == "choice" else keys
    try:
        value = KINDS[kind].parse_text(text.strip(), FieldSpec("default", kind, "Default"), who.locale)
    except BadValue as error:
        raise Invalid.of("default", error.message) from error
    return KINDS[kind].dump(value)


def _key_of(text: str, choices: Iterable[Mapping[str, Any]]) -> str:
    return next(
        (one.get("key") or choice_key(one["label"]) for one in choices if fold(one["label"]) == fold(text)), text
    )


def shown_default(definition: Definition) -> str:
    """The default as text; values of a list by their labels."""
    value = definition.default
    if value is None:
        return ""
    if definition.kind in ("choice", "choices"):
        labels = {choice.key: choice.label for choice in definition.choices}
        keys: list[str] = value if isinstance(value, list) else [str(value)]
        return ", ".join(labels.get(key, key) for key in keys)
    if definition.kind == "boolean":
        return "1" if value else "0"
    return KINDS[definition.kind].text(KINDS[definition.kind].parse(value, FieldSpec("default", definition.kind, "")))
