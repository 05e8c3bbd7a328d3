"""Export to CSV: what the actor may see and read, in a form that spreadsheets show and the import takes back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from gigacore import access, records
from gigacore.entity import KINDS, EntitySpec, FieldSpec, Registry
from gigacore.exchange.cells import protect
from gigacore.exchange.mapping import child_heading
from gigacore.records import ListRequest

if TYPE_CHECKING:
    from gigacore.context import Context

PAGE: Final = 200
BOM: Final = "\ufeff"
NOT_EXPORTED: Final = frozenset({"json"})
NUMERIC: Final = frozenset({"integer", "decimal", "money", "boolean", "date", "datetime", "uuid"})
Translate = Callable[[str], str]
Cell = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column: its heading and how a record's cell is made."""

    heading: str
    cell: Cell


def export_csv(
    ctx: Context,
    entity: str,
    request: ListRequest | None = None,
    *,
    translate: Translate = str,
    delimiter: str = ",",
    child_rows: int = 3,
) -> Iterator[bytes]:
    """The file, piece by piece, while `ctx` is open; UTF-8 with a byte order mark, for spreadsheets look for it.

    `request` filters, sorts and chooses fields as a list does; without fields every readable one is exported, and the
    first `child_rows` rows of each child. Raises Forbidden without the right to export, Invalid for a faulty request.
    """
    spec = ctx.session.registry.entity(entity)
    access.require(ctx, "export", entity)
    names = exported(ctx, spec, request)
    columns = columns_of(spec, names, ctx.session.registry, translate, child_rows)
    asked = replace(request or ListRequest(), fields=tuple(names), limit=PAGE, count=False, cursor=None, verb="export")
    return pieces(ctx, entity, asked, columns, delimiter)


def pieces(
    ctx: Context, entity: str, request: ListRequest, columns: Sequence[ExportColumn], delimiter: str
) -> Iterator[bytes]:
    """Heading, then one piece per page of records."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow([column.heading for column in columns])
    yield (BOM + text.getvalue()).encode()
    cursor: str | None = None
    while True:
        page = records.page(ctx, entity, replace(request, cursor=cursor))
        text.seek(0)
        text.truncate()
        writer.writerows([[column.cell(item) for column in columns] for item in page.items])
        yield text.getvalue().encode()
        cursor = page.next
        if cursor is None:
            return


def exported(ctx: Context, spec: EntitySpec, request: ListRequest | None) -> list[str]:
    """The fields and children to export: those asked for, or all that the actor may read."""
    if request is not None and request.fields:
        return list(request.fields)
    readable = records.readable_fields(ctx.session, spec)
    fields = [name for name, one in spec.fields.items() if one.kind not in NOT_EXPORTED and not one.secret]
    first = [name for name in ("uid",) if name in fields]
    rest = [name for name in (*fields, *spec.children) if name in readable and name not in ("uid", "id", "version")]
    return first + rest


def columns_of(
    spec: EntitySpec, names: Sequence[str], registry: Registry, translate: Translate, child_rows: int
) -> list[ExportColumn]:
    """The columns of these names; a label that two fields share gives way to the field's name."""
    columns: list[ExportColumn] = []
    taken: set[str] = set()
    for name in names:
        if name in spec.children:
            columns += child_columns(spec, name, registry, translate, child_rows)
        elif name in spec.fields:
            field = spec.fields[name]
            heading = translate(field.label)
            heading = name if heading in taken else heading
            taken.add(heading)
            columns.append(ExportColumn(heading, field_cell(field, registry, translate)))
    return columns


def child_columns(
    spec: EntitySpec, name: str, registry: Registry, translate: Translate, count: int
) -> Iterator[ExportColumn]:
    """One column per field of each of the first rows of a child."""
    child = spec.children[name]
    for position in range(count):
        for field in child.fields.values():
            if field.kind not in NOT_EXPORTED and not field.secret:
                heading = child_heading(translate(child.label), position, translate(field.label))
                yield ExportColumn(heading, child_cell(name, position, text_of(field, registry, translate), field.name))


def field_cell(field: FieldSpec, registry: Registry, translate: Translate) -> Cell:
    """The cell of a field; a plugin's fields stand in an object under its name."""
    text, name = text_of(field, registry, translate), field.name
    if field.extension is None:
        return lambda item: text(item.get(name))
    plugin, _, inner = name.partition(".")
    return lambda item: text((item.get(plugin) or {}).get(inner))


def child_cell(child: str, position: int, text: Callable[[Any], str], name: str) -> Cell:
    """The cell of one field of one child row."""

    def cell(item: Mapping[str, Any]) -> str:
        rows = item.get(child) or ()
        return text(rows[position].get(name)) if position < len(rows) else ""

    return cell


def text_of(field: FieldSpec, registry: Registry, translate: Translate) -> Callable[[Any], str]:
    """A value as text: labels for choices and references, neutral forms for numbers and dates."""
    plain = plain_text(field, registry, translate)
    if field.kind in NUMERIC:
        return lambda value: "" if value is None else plain(value)
    return lambda value: "" if value is None else protect(plain(value))


def as_list(value: Any) -> Sequence[Any]:
    """One value or several as several."""
    return value if isinstance(value, list | tuple) else [value]


def plain_text(field: FieldSpec, registry: Registry, translate: Translate) -> Callable[[Any], str]:
    """The text of a present value, before formulas are guarded against."""
    choices = registry.choice_list(field)
    if choices is not None:
        labels = {choice.key: translate(choice.label) for choice in choices.choices}
        return lambda value: "; ".join(labels.get(key) or str(key) for key in as_list(value))
    if field.kind == "enum":
        members = {value: translate(label) for value, label in field.choices}
        return lambda value: members.get(str(getattr(value, "value", value)), str(value))
    if field.kind == "ref":
        return lambda value: str(value.get("label") or "") if isinstance(value, Mapping) else str(value)
    if field.kind == "file":
        return lambda value: f"{value.get('name') or ''} ({value['uid']})".strip()
    return KINDS[field.kind].text
