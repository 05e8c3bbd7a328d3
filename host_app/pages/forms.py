"""What a form shows: sections of inputs, each with its text, options and faults; no HTML here.

A form is filled from `Raw`: the texts of its inputs by name, whether they come from a record or from what was typed.
Names: `amount` and `amount.currency`; `company_id`, its text `company_id.text` and the text that the id stands for,
`company_id.was`; child rows `emails.0.email`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from types import MappingProxyType
from typing import Any, Final

from gigacore.entity import ChildSpec, EntitySpec, FieldSpec
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.pages.addresses import list_url
from host_app.pages.cells import Reading, choices_of
from host_app.pages.columns import label_of, names_in_order, value_of
from host_app.pages.dates import date_order, hint
from host_app.pages.raw import NO_INPUT, NOT_IN_PLACE, Raw, raw_of
from host_app.pages.uploaded import PICTURES, most, rule_of

INPUTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "email": "email", "url": "text", "phone": "tel", "integer": "number", "date": "date",
        "datetime": "moment", "decimal": "decimal", "money": "money", "boolean": "check", "choice": "select",
        "enum": "select", "choices": "many", "ref": "pick", "longtext": "area",
        "file": "file",
    }
)  # fmt: skip
WIDE: Final = frozenset({"area", "many", "file"})


@dataclass(frozen=True, slots=True)
class Option:
    """One value that can be chosen."""

    value: str
    label: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """One input with its label, what stands in it and what is wrong with it."""

    name: str
    label: str
    shape: str
    text: str = ""
    required: bool = False
    help: str = ""
    options: tuple[Option, ...] = ()
    problem: str = ""
    note: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    max_length: int | None = None
    wide: bool = False
    open_list: bool = False
    may_be_empty: bool = True

    @property
    def id(self) -> str:
        """The id of its element."""
        return "f-" + re.sub(r"[^\w-]", "-", self.name)


@dataclass(frozen=True, slots=True)
class Row:
    """One child row of a form."""

    index: str
    id: str
    inputs: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """The child rows of one kind, with the mould of a new one."""

    name: str
    label: str
    rows: tuple[Row, ...]
    mould: Row
    problem: str = ""

    @property
    def next(self) -> int:
        """The index that a new row takes."""
        return max((int(row.index) for row in self.rows), default=-1) + 1


@dataclass(frozen=True, slots=True)
class Section:
    """Inputs under one heading."""

    label: str
    inputs: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """A whole form. `problems` are for the summary on top: the input's id (or empty) and the text."""

    sections: tuple[Section, ...]
    children: tuple[Rows, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    version: str = ""

    @property
    def takes_files(self) -> bool:
        """Whether one of its inputs is for a file, which asks for another way of sending."""
        return any(one.shape == "file" for section in self.sections for one in section.inputs)


def nothing_new(_target: str) -> str:
    """Where a picker creates a record: nowhere."""
    return ""


@dataclass(frozen=True, slots=True)
class Filling:
    """What a form is filled with. `notes` are the values stored now, where they differ from what was typed."""

    raw: Raw
    problems: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    currencies: Sequence[str] = ("EUR",)
    create: Callable[[str], str] = nothing_new


def editable(spec: EntitySpec, writable: Iterable[FieldSpec]) -> list[FieldSpec]:
    """The fields that a form offers, in their order."""
    allowed = {one.name for one in writable if not one.readonly and one.kind not in NO_INPUT}
    return [spec.fields[name] for name in names_in_order(spec) if name in allowed]


def row_fields(child: ChildSpec) -> list[FieldSpec]:
    """The fields of a child row that a form offers; none where the system writes the rows."""
    return [one for one in child.fields.values() if not one.readonly and one.kind not in NOT_IN_PLACE]


def children_of(spec: EntitySpec) -> list[ChildSpec]:
    """The child rows that a form offers."""
    return [child for child in spec.children.values() if row_fields(child)]


def build(spec: EntitySpec, fields: Sequence[FieldSpec], filling: Filling, reader: Reading) -> Form:
    """The form of a record."""
    sections: dict[str, list[Input]] = {}
    for one in fields:
        sections.setdefault(section_of(one, spec, reader), []).append(make_input(one, one.name, filling, reader))
    form = Form(
        tuple(Section(label, tuple(inputs)) for label, inputs in sections.items()),
        tuple(make_rows(child, filling, reader) for child in children_of(spec)),
        version=filling.raw.text("_version"),
    )
    return replace(form, problems=tuple(summary(form, filling.problems, reader)))


def section_of(one: FieldSpec, spec: EntitySpec, reader: Reading) -> str:
    """The heading under which a field stands."""
    if one.section == "record":
        return reader.t(msg("Responsible and access"))
    if one.custom and one.section in ("", "custom"):
        return reader.t(msg("More fields"))
    if one.section:
        return reader.t(one.section[0].upper() + one.section[1:])
    return reader.t(one.plugin.replace("_", " ").capitalize()) if one.plugin != spec.plugin else ""


def make_input(one: FieldSpec, name: str, filling: Filling, reader: Reading) -> Input:
    """The input of one field, called `name` in the form."""
    shape = INPUTS.get(one.kind, "text")
    texts = filling.raw.texts(name)
    made = Input(
        name=name,
        label=label_of(one, reader),
        shape=shape,
        text=texts[0] if texts else "",
        required=one.required,
        help=reader.t(one.help) if one.help else "",
        problem=filling.problems.get(name, ""),
        note=filling.notes.get(name),
        max_length=one.max_length,
        wide=shape in WIDE,
    )
    if one.vocabulary:
        return replace(made, extra={"names": one.vocabulary}, max_length=None)
    if shape in ("select", "many"):
        return _with_options(made, one, texts, filling, reader)
    if shape in ("date", "moment"):
        return replace(made, extra=_dated(shape, reader))
    if shape == "money":
        return replace(made, options=_currencies(filling.raw.text(f"{name}.currency"), filling.currencies))
    if shape == "file":
        return replace(made, extra=_filed(one, name, filling.raw, reader))
    return replace(made, extra=_picking(one, name, filling, reader)) if shape == "pick" else made


def _filed(one: FieldSpec, name: str, raw: Raw, reader: Reading) -> dict[str, str]:
    """The file that the field holds, and what may be chosen instead."""
    return {
        "text": raw.text(f"{name}.text"),
        "remove": raw.text(f"{name}.remove"),
        "rule": reader.t(rule_of(one)),
        "accept": PICTURES if one.image else "",
        "most": str(most(one)),
    }


def _dated(shape: str, reader: Reading) -> dict[str, str]:
    """What is to be typed, and where the calendar puts day, month and year."""
    text = reader.t(hint(reader.formats))
    return {"hint": f"{text} hh:mm" if shape == "moment" else text, "order": date_order(reader.formats)}


def _with_options(made: Input, one: FieldSpec, texts: Sequence[str], filling: Filling, reader: Reading) -> Input:
    chosen = set(texts)
    found = [
        Option(key, label, key in chosen)
        for key, label, _colour, active in choices_of(one, reader)
        if active or key in chosen
    ]
    entry = reader.registry.choice_list(one)
    open_list = entry is not None and entry.open
    typed = filling.raw.text(f"{made.name}.new")
    return replace(
        made, options=tuple(found), open_list=open_list, extra={"new": typed}, may_be_empty=_may_be_empty(one, reader)
    )


def _may_be_empty(one: FieldSpec, reader: Reading) -> bool:
    """Whether a record may be without a value: what is stored in a column decides, custom fields follow `required`."""
    entity = reader.registry.entities.get(one.entity)
    if entity is None or one.custom:
        return not one.required
    table = one.extension.__table__ if one.extension else entity.table
    column = table.c.get(one.column)
    return column is None or bool(column.nullable)


def _currencies(chosen: str, known: Sequence[str]) -> tuple[Option, ...]:
    codes = dict.fromkeys([*([chosen] if chosen else []), *known])
    return tuple(Option(code, code, code == (chosen or known[0])) for code in codes)


def _picking(one: FieldSpec, name: str, filling: Filling, reader: Reading) -> dict[str, str]:
    target, raw = reader.registry.entities.get(one.target or ""), filling.raw
    path = list_url(target) if target else f"/pick/{one.target}"
    return {
        "url": f"{path}/options",
        "text": raw.text(f"{name}.text"),
        "was": raw.text(f"{name}.was"),
        "create": filling.create(one.target or ""),
    }


def make_rows(child: ChildSpec, filling: Filling, reader: Reading) -> Rows:
    """The child rows of a form: those in `raw`."""
    found = [_row(child, str(index), filling, reader) for index in filling.raw.indexes(child.name)]
    mould = _row(child, "__i__", Filling(Raw({}), currencies=filling.currencies, create=filling.create), reader)
    problem = filling.problems.get(child.name, "")
    return Rows(child.name, reader.t(child.label), tuple(found), mould, problem)


def _row(child: ChildSpec, index: str, filling: Filling, reader: Reading) -> Row:
    prefix = f"{child.name}.{index}"
    inputs = tuple(make_input(one, f"{prefix}.{one.name}", filling, reader) for one in row_fields(child))
    return Row(index, filling.raw.text(f"{prefix}.id"), inputs)


def summary(form: Form, problems: Mapping[str, str], reader: Reading) -> list[tuple[str, str]]:
    """The faults in the order of the inputs; those of no input come last, without an id."""
    inputs = [one for section in form.sections for one in section.inputs]
    inputs += [one for rows in form.children for row in rows.rows for one in row.inputs]
    known = {one.name for one in inputs}
    told = [(one.id, f"{one.label}{reader.t(msg(':'))} {one.problem}") for one in inputs if one.problem]
    return told + [("", text) for name, text in problems.items() if name not in known]


def filled(spec: EntitySpec, fields: Sequence[FieldSpec], item: Mapping[str, Any], reader: Reading) -> Raw:
    """The texts of a form that shows a stored record."""
    raw = Raw({"_version": [str(item.get("version", ""))]})
    for one in fields:
        raw.update(raw_of(one, one.name, value_of(item, one.name), reader.formats))
    for child in children_of(spec):
        for index, row in enumerate(item.get(child.name) or ()):
            raw[f"{child.name}.{index}.id"] = [str(row.get("id", ""))]
            for one in row_fields(child):
                raw.update(raw_of(one, f"{child.name}.{index}.{one.name}", row.get(one.name), reader.formats))
    return raw
