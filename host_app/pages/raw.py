"""Texts of inputs: from the values of a record, and back from what a person typed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from decimal import Decimal
from typing import Any, Final

from gigacore.entity import KINDS, BadValue, EntitySpec, FieldSpec
from gigacore.entity.vocabularies import name_of
from gigacore.errors import FieldError
from gigacore.messages import msg
from gigacore.text.formats import Formats
from gigacore.values import dataclass
from host_app.pages.dates import date_text, moment_text, typed_date, typed_moment

Lookup = Callable[[FieldSpec, str], int | None]

PLAIN: Final = frozenset({"text", "longtext", "email", "phone", "url", "choice", "enum"})
_INDEX: Final = re.compile(r"^(\d{1,4})\.")
TICKED: Final = frozenset({"boolean", "choices"})
MOST_ROWS: Final = 200
NO_INPUT: Final = frozenset({"json", "uuid"})
NOT_IN_PLACE: Final = NO_INPUT | {"file"}
"""Kinds that child rows, cells of lists and rules have no input for."""


class Raw(dict[str, list[str]]):
    """The texts of a form's inputs by name."""

    def texts(self, name: str) -> Sequence[str]:
        """All texts of an input."""
        return self.get(name, ())

    def text(self, name: str) -> str:
        """The first text of an input, empty when it has none."""
        found = self.get(name)
        return found[0] if found else ""

    def indexes(self, prefix: str) -> list[int]:
        """The indexes of the child rows called `prefix`, in order."""
        start = len(prefix) + 1
        found = (_INDEX.match(name[start:]) for name in self if name.startswith(f"{prefix}."))
        return sorted({int(match[1]) for match in found if match})[:MOST_ROWS]


def raw_of(spec: FieldSpec, name: str, value: Any, formats: Formats) -> dict[str, list[str]]:
    """The texts of the inputs of one field for a value of `records`."""
    if value is None:
        return {}
    if spec.kind == "money":
        return {name: [plain_number(value.amount, formats)], f"{name}.currency": [value.currency]}
    if spec.kind == "ref":
        label = str(value.get("label") or f"#{value['id']}")
        return {name: [str(value["id"])], f"{name}.text": [label], f"{name}.was": [label]}
    if spec.kind == "file":
        return {name: [str(value["uid"])], f"{name}.text": [str(value.get("name") or value["uid"])]}
    if spec.kind == "choices":
        return {name: [str(item) for item in value]}
    return {name: [_plain_text(spec, value, formats)]}


def _plain_text(spec: FieldSpec, value: Any, formats: Formats) -> str:
    if spec.vocabulary:
        return name_of(spec.vocabulary, str(value), formats.name)
    if spec.kind == "decimal":
        return plain_number(value, formats)
    if spec.kind == "boolean":
        return "1" if value else ""
    if spec.kind == "datetime":
        return moment_text(value, formats)
    if spec.kind == "date" and isinstance(value, dt.date):
        return date_text(value, formats)
    return str(value)


def plain_number(amount: Decimal, formats: Formats) -> str:
    """A number as people type it: the locale's decimal point, no grouping, no idle zeros."""
    whole = amount == amount.to_integral_value()
    text = f"{amount:.0f}" if whole else f"{amount:f}".rstrip("0")
    if not whole and len(text.partition(".")[2]) == 1:
        text += "0"
    return text.replace(".", formats.symbols[1])


@dataclass(slots=True)
class Typed:
    """What a person typed, as input for `records`, with the faults found while reading it."""

    data: dict[str, Any] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TypedReader:
    """Reads typed texts for one reader. `lookup` finds the record that a text names, where no script picked one."""

    formats: Formats
    locale: str
    lookup: Lookup

    def read(self, spec: EntitySpec, fields: Sequence[FieldSpec], raw: Raw) -> Typed:
        """The values of `fields` and of the entity's child rows."""
        typed = Typed()
        for one in fields:
            self._put(typed, typed.data, one, one.name, raw)
        for child in spec.children.values():
            inputs = [f for f in child.fields.values() if not f.readonly and f.kind not in NOT_IN_PLACE]
            if inputs:
                typed.data[child.name] = self._rows(typed, child.name, inputs, raw)
        return typed

    def _rows(self, typed: Typed, name: str, fields: Sequence[FieldSpec], raw: Raw) -> list[dict[str, Any]]:
        rows = []
        for index in raw.indexes(name):
            prefix = f"{name}.{index}."
            row: dict[str, Any] = {}
            for one in fields:
                self._put(typed, row, one, prefix + one.name, raw, key=one.name)
            if any(_says_something(one, row.get(one.name)) for one in fields):
                number = raw.text(f"{prefix}id")
                rows.append({"id": int(number), **row} if number.isdigit() else row)
        return rows

    def _put(
        self, typed: Typed, target: dict[str, Any], one: FieldSpec, name: str, raw: Raw, key: str | None = None
    ) -> None:
        if one.kind not in TICKED and name not in raw and f"{name}.text" not in raw:
            return  # the form did not ask for it
        try:
            value = self.value(one, name, raw)
        except BadValue as error:
            typed.errors.append(FieldError(name, error.message))
            return
        plugin, dot, rest = (key or one.name).partition(".")
        if dot:
            target.setdefault(plugin, {})[rest] = value
        else:
            target[plugin] = value

    def value(self, one: FieldSpec, name: str, raw: Raw) -> Any:
        """The JSON value of one field. Raises BadValue."""
        text = raw.text(name).strip()
        if one.kind == "boolean":
            return text not in ("", "0")
        if one.kind == "choices":
            new = [part.strip() for part in raw.text(f"{name}.new").split(",")]
            return [item for item in [*raw.texts(name), *new] if item]
        if one.kind == "ref":
            return self._reference(one, name, raw)
        if not text or (one.kind == "file" and raw.text(f"{name}.remove")):
            return None
        if one.kind in PLAIN:
            return raw.text(name)
        return self._parsed(one, name, text, raw)

    def _parsed(self, one: FieldSpec, name: str, text: str, raw: Raw) -> Any:
        if one.kind == "datetime":
            return typed_moment(text, self.formats).isoformat()
        if one.kind == "date":
            return typed_date(text, self.formats).isoformat()
        if one.kind == "money":
            return self._money(one, text, raw.text(f"{name}.currency") or "EUR")
        kind = KINDS[one.kind]
        return kind.dump(kind.parse_text(text, one, self.locale))

    def _money(self, one: FieldSpec, text: str, currency: str) -> dict[str, str]:
        """The currency is chosen beside the amount; a sign typed along with it says nothing."""
        amount = KINDS["decimal"].parse_text(text.strip("€$£ \u00a0\u202f"), one, self.locale)
        found: dict[str, str] = KINDS["money"].dump(KINDS["money"].parse({"amount": amount, "currency": currency}, one))
        return found

    def _reference(self, one: FieldSpec, name: str, raw: Raw) -> int | None:
        picked, text = raw.text(name).strip(), raw.text(f"{name}.text").strip()
        if picked.isdigit() and (text == raw.text(f"{name}.was").strip() or f"{name}.text" not in raw):
            return int(picked)
        if not text:
            return None
        found = self.lookup(one, text)
        if found is None:
            raise BadValue(msg("Nothing is called “{text}”. Choose from the list.", text=text))
        return found


def _says_something(one: FieldSpec, value: Any) -> bool:
    """Whether a child row's value was typed: ticks and preselected choices alone do not make a row."""
    return value not in (None, "", [], False) and one.kind not in ("boolean", "choice", "enum")


def raw_from(form: Mapping[str, Sequence[str]]) -> Raw:
    """The texts of a submitted form."""
    return Raw({name: list(texts) for name, texts in form.items() if name != "csrf_token"})
