"""The value that a rule gives to a field: a constant, a moment from now, another field's value, or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import orjson

from gigacore.entity import KINDS, BadValue, EntitySpec, FieldSpec
from gigacore.messages import Msg, msg
from gigacore.records import labels_of
from gigacore.values import dataclass
from host_app.pages.columns import label_of
from host_app.pages.currencies import currency_codes
from host_app.pages.filter_values import UNITS
from host_app.pages.forms import Filling, Input, Option, make_input
from host_app.pages.options import find_by_name
from host_app.pages.raw import NOT_IN_PLACE, Raw, TypedReader, raw_of
from host_app.pages.reader import Reader

MODES: Final[Mapping[str, Msg]] = MappingProxyType(
    {
        "v": msg("to this value"), "a": msg("to a moment from now"), "r": msg("to the value of a field"),
        "x": msg("to nothing"), "j": msg("to this (JSON)"),
    }
)  # fmt: skip
DURATION: Final = re.compile(r"P(T?)(\d{1,4})([HDWMY])")
TEXTS: Final = frozenset({"text", "longtext", "email", "phone", "url"})


@dataclass(frozen=True, slots=True)
class ValueView:
    """A value as the template draws it; `fields` has options where the field is chosen here, too."""

    name: str
    fields: tuple[Option, ...] = ()
    modes: tuple[Option, ...] = ()
    mode: str = "v"
    input: Input | None = None
    amount: str = ""
    units: tuple[Option, ...] = ()
    refs: tuple[Option, ...] = ()
    json: str = ""


def typed_reader(who: Reader) -> TypedReader:
    """Reads what was typed, in the reader's locale."""
    return TypedReader(who.formats, who.locale, lambda field, text: find_by_name(who, field.target or "", text))


def fields_to_set(spec: EntitySpec, who: Reader) -> list[FieldSpec]:
    """The fields that a rule of this reader's may fill in."""
    return [one for one in who.writable(spec) if one.kind not in NOT_IN_PLACE]


def duration_of(amount: str, unit: str) -> str:
    """The ISO 8601 duration. Raises BadValue."""
    if not amount.strip().isdigit() or len(amount.strip()) > 4 or not int(amount):
        raise BadValue(msg("Fill in a whole number."))
    return f"P{'T' if unit == 'H' else ''}{int(amount)}{unit if unit in UNITS else 'D'}"


def split_duration(text: object) -> Raw | None:
    """Amount and unit of a simple duration, as inputs have them."""
    found = DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None or (found[3] == "H") != bool(found[1]):
        return None
    return Raw({"a": [found[2]], "u": [found[3]]})


def value_of(raw: Raw, spec: FieldSpec, who: Reader) -> Any:
    """The value as the rule's body has it. Raises BadValue."""
    match raw.text("m") or "v":
        case "a":
            return {"ahead": duration_of(raw.text("a"), raw.text("u"))}
        case "r":
            if not raw.text("r"):
                raise BadValue(msg("Choose a field."))
            return {"ref": raw.text("r")}
        case "x":
            return None
        case "j":
            return loaded(raw.text("j"))
    found = typed_reader(who).value(spec, "v", raw)
    if found in (None, "", []):
        raise BadValue(msg("Fill in a value."))
    return found


def loaded(text: str) -> Any:
    """The JSON value of a text. Raises BadValue."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadValue(msg("This is no JSON.")) from None


def raw_of_value(value: Any, spec: FieldSpec, who: Reader) -> Raw:
    """The texts of the inputs that show a value."""
    if value is None:
        return Raw({"m": ["x"]})
    if isinstance(value, Mapping) and len(value) == 1:
        word, inner = next(iter(value.items()))
        if word == "ref" and isinstance(inner, str):
            return Raw({"m": ["r"], "r": [inner]})
        if word == "ahead" and (found := split_duration(inner)) is not None:
            return Raw({"m": ["a"], **found})
    constant = _constant(value, spec, who)
    return constant if constant is not None else Raw({"m": ["j"], "j": [orjson.dumps(value).decode()]})


def _constant(value: Any, spec: FieldSpec, who: Reader) -> Raw | None:
    if spec.kind in TEXTS or (spec.kind in ("choice", "enum") and isinstance(value, str)):
        return Raw({"m": ["v"], "v": [str(value)]})
    try:
        if spec.kind == "ref":
            label = labels_of(who.ctx.session, spec.target or "", [int(value)]).get(int(value))
            parsed: Any = {"id": int(value), "label": label}
        else:
            parsed = KINDS[spec.kind].parse(value, spec)
    except (BadValue, ValueError, TypeError):
        return None
    return Raw({"m": ["v"], **raw_of(spec, "v", parsed, who.formats)})


def view_of(raw: Raw, name: str, spec: FieldSpec | None, about: EntitySpec | None, who: Reader) -> ValueView:
    """The inputs of a value; `about` is the record's kind, whose fields it may take."""
    if spec is None:
        return ValueView(name)
    refs = _refs(raw.text("r"), spec, about, who)
    mode = raw.text("m") if raw.text("m") in MODES else "v"
    known = ["v", *(["a"] if spec.kind in ("date", "datetime") else []), *(["r"] if refs else []), "x"]
    known += ["j"] if mode == "j" else []
    mode = mode if mode in known else "v"
    filling = Filling(Raw({f"{name}.{key}": texts for key, texts in raw.items()}), currencies=currency_codes(who))
    made = make_input(replace(spec, required=False, help="", default=None), f"{name}.v", filling, who)
    return ValueView(
        name,
        modes=tuple(Option(key, who.t(MODES[key]), key == mode) for key in known),
        mode=mode,
        input=made,
        amount=raw.text("a"),
        units=units(raw.text("u"), who),
        refs=refs,
        json=raw.text("j"),
    )


def units(chosen: str, who: Reader) -> tuple[Option, ...]:
    """Units of time to choose from."""
    return tuple(Option(key, who.t(text), key == (chosen or "D")) for key, text in UNITS.items())


def _refs(chosen: str, spec: FieldSpec, about: EntitySpec | None, who: Reader) -> tuple[Option, ...]:
    if about is None:
        return ()
    kinds = TEXTS if spec.kind in TEXTS else {spec.kind}
    fits = [f for f in who.readable(about) if f.kind in kinds and f.target == spec.target and not f.secret]
    found = {f"record.{one.name}": label_of(one, who) for one in fits}
    if chosen and chosen not in found:
        found[chosen] = chosen
    return tuple(Option(key, label, key == chosen) for key, label in found.items())
