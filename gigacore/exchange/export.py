"""Export: what the actor may see and read, as CSV that spreadsheets show and the import takes back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from gigacore import access, records
from gigacore.entity import KINDS, EntitySpec, FieldSpec, Registry
from gigacore.entity.vocabularies import name_of
from gigacore.exchange.cells import protect
from gigacore.exchange.mapping import child_heading
from gigacore.records import ListRequest
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

PAGE: Final = 200
BOM: Final = "\ufeff"
NUMERIC: Final = frozenset({"integer", "decimal", "money", "boolean", "date", "datetime", "uuid"})
Translate = Callable[[str], str]
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wording:
    """The language of a file: headings, and labels of choices, some of which administrators wrote per language."""

    translate: Translate = str
    locale: str = "en"

    def label(self, label: str, labels: Mapping[str, str]) -> str:
        """The administrator's own label in the language, else the declared one, translated."""
        return labels.get(self.locale) or self.translate(label)


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column: its heading, the field, where a record holds its value, and that value as text."""

    heading: str
    field: FieldSpec
    value: Callable[[Item], Any]
    text: Callable[[Any], str]

    def cell(self, item: Item) -> str:
        """The cell of a CSV file, which no spreadsheet takes for a formula."""
        value = self.value(item)
        if value is None:
            return ""
        return self.text(value) if self.field.kind in NUMERIC else protect(self.text(value))


@dataclass(frozen=True, slots=True)
class Export:
    """What is written: the columns, and the records, page by page, while the context is open."""

    columns: Sequence[ExportColumn]
    pages: Iterator[list[dict[str, Any]]]


def prepare(ctx: Context, entity: str, request: ListRequest | None, wording: Wording, *, child_rows: int = 3) -> Export:
    """An export of a list, whatever it is written as.

    `request` filters, sorts and chooses fields as a list does; without fields every readable one is exported, and the
    first `child_rows` rows of each child. Raises Forbidden without the right to export, Invalid for a faulty request.
    """
    spec = ctx.session.registry.entity(entity)
    access.require(ctx, "export", entity)
    names = exported(ctx, spec, request)
    asked = replace(request or ListRequest(), fields=tuple(names), limit=PAGE, count=False, cursor=None, verb="export")
    found = pages(ctx, entity, asked)
    first = next(found)  # now, so that a faulty request is refused before anything was sent
    columns = columns_of(spec, names, ctx.session.registry, wording, child_rows)
    return Export(columns, chain((first,), found))


def as_csv(export: Export, delimiter: str) -> Iterator[bytes]:
    """The file, piece by piece, while the context is open: heading, then one piece per page of records.

    UTF-8 with a byte order mark, for spreadsheets look for it.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow([column.heading for column in export.columns])
    yield (BOM + text.getvalue()).encode()
    for items in export.pages:
        text.seek(0)
        text.truncate()
        writer.writerows([[column.cell(item) for column in export.columns] for item in items])
        yield text.getvalue().encode()


def pages(ctx: Context, entity: str, request: ListRequest) -> Iterator[list[dict[str, Any]]]:
    """The records of a list, page by page."""
    cursor: str | None = None
    while True:
        page = records.page(ctx, entity, replace(request, cursor=cursor))
        yield page.items
        cursor = page.next
        if cursor is None:
            return


def exported(ctx: Context, spec: EntitySpec, request: ListRequest | None) -> list[str]:
    """The fields and children to export: those asked for, or all that the actor may read."""
    if request is not None and request.fields:
        return list(request.fields)
    readable = records.readable_fields(ctx.session, spec)
    fields = [name for name, one in spec.fields.items() if not one.secret]
    first = [name for name in ("uid",) if name in fields]
    rest = [name for name in (*fields, *spec.children) if name in readable and name not in ("uid", "id", "version")]
    return first + rest


def columns_of(
    spec: EntitySpec, names: Sequence[str], registry: Registry, wording: Wording, child_rows: int
) -> list[ExportColumn]:
    """The columns of these names; a label that two fields share gives way to the field's name."""
    columns: list[ExportColumn] = []
    taken: set[str] = set()
    for name in names:
        if name in spec.children:
            columns += child_columns(spec, name, registry, wording, child_rows)
        elif name in spec.fields:
            field = spec.fields[name]
            heading = wording.label(field.label, field.labels)
            heading = name if heading in taken else heading
            taken.add(heading)
            columns.append(ExportColumn(heading, field, value_of(field), plain_text(field, registry, wording)))
    return columns


def child_columns(
    spec: EntitySpec, name: str, registry: Registry, wording: Wording, count: int
) -> Iterator[ExportColumn]:
    """One column per field of each of the first rows of a child."""
    child = spec.children[name]
    for position in range(count):
        for field in child.fields.values():
            if not field.secret:
                heading = child_heading(wording.translate(child.label), position, wording.translate(field.label))
                value = child_value(name, position, field.name)
                yield ExportColumn(heading, field, value, plain_text(field, registry, wording))


def value_of(field: FieldSpec) -> Callable[[Item], Any]:
    """Where a record holds a field; a plugin's fields stand in an object under its name."""
    name = field.name
    if field.extension is None:
        return lambda item: item.get(name)
    plugin, _, inner = name.partition(".")
    return lambda item: (item.get(plugin) or {}).get(inner)


def child_value(child: str, position: int, name: str) -> Callable[[Item], Any]:
    """Where a record holds one field of one child row."""

    def value(item: Item) -> Any:
        rows = item.get(child) or ()
        return rows[position].get(name) if position < len(rows) else None

    return value


def as_list(value: Any) -> Sequence[Any]:
    """One value or several as several."""
    return value if isinstance(value, list | tuple) else [value]


def plain_text(field: FieldSpec, registry: Registry, wording: Wording) -> Callable[[Any], str]:
    """A present value as text: labels for choices and references, neutral forms for numbers and dates."""
    choices = registry.choice_list(field)
    if choices is not None:
        labels = {choice.key: wording.label(choice.label, choice.labels) for choice in choices.choices}
        return lambda value: "; ".join(labels.get(key) or str(key) for key in as_list(value))
    if field.vocabulary:
        return lambda value: name_of(field.vocabulary, str(value), wording.locale)
    if field.kind == "enum":
        members = {value: wording.translate(label) for value, label in field.choices}
        return lambda value: members.get(str(getattr(value, "value", value)), str(value))
    if field.kind == "ref":
        return lambda value: str(value.get("label") or "") if isinstance(value, Mapping) else str(value)
    if field.kind == "file":
        return lambda value: f"{value.get('name') or ''} ({value['uid']})".strip()
    return KINDS[field.kind].text
