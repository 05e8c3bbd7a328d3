"""Export as an Excel workbook: numbers, dates and amounts keep their type, texts are never run as formulas."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from gigacore.errors import Invalid
from gigacore.exchange.export import Export, ExportColumn, Wording, prepare
from gigacore.messages import msg
from gigacore.records import ListRequest
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

MIME: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS: Final = 1_048_575
"""The rows of an Excel sheet below the heading."""
LONGEST: Final = 32_767
EXACT: Final = 2**53
CURRENCY: Final = msg("currency")
SAFE: Final = {
    "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
}  # fmt: skip
# Built-in formats, which Excel shows in the manner of its reader's country: a day, a day with time, a number.
FORMATS: Final[Mapping[str, int]] = {"date": 14, "datetime": 22, "decimal": 4}
WIDTHS: Final[Mapping[str, int]] = {
    "date": 12, "datetime": 17, "integer": 10, "decimal": 14, "money": 16, "boolean": 9, "longtext": 50, "uuid": 14,
}  # fmt: skip
WIDTH: Final = 22
Write = Callable[[int, int, Any], object]


@dataclass(frozen=True, slots=True)
class Field:
    """One column of the sheet. An amount has a second one for its currency, which the import takes back."""

    column: ExportColumn
    currency: bool = False

    def heading(self, wording: Wording) -> str:
        """What stands in the first row."""
        return currency_heading(self.column.heading, wording.translate) if self.currency else self.column.heading

    def value(self, item: Mapping[str, Any]) -> Any:
        """What stands in the row of a record."""
        value = self.column.value(item)
        return value.currency if self.currency and value is not None else value


def currency_heading(heading: str, translate: Callable[[str], str]) -> str:
    """The heading of the column that holds the currencies of the amounts before it."""
    return f"{heading} ({translate(CURRENCY.text)})"


def export_xlsx(
    ctx: Context,
    entity: str,
    request: ListRequest | None = None,
    *,
    wording: Wording,
    step: Callable[[int], object] | None = None,
) -> IO[bytes]:
    """The workbook in a temporary file, to be read from its start; closing it removes it.

    Moments are in the actor's time zone. `step` hears after each page how many there are. Takes and raises what
    `prepare` does, and Invalid where the list is longer than a sheet.
    """
    found = prepare(ctx, entity, request, wording)
    return as_xlsx(replace(found, pages=_stepping(found.pages, step)), wording, ctx.actor.zone)


def as_xlsx(found: Export, wording: Wording, zone: ZoneInfo) -> IO[bytes]:
    """An export as a workbook in a temporary file, to be read from its start; closing it removes it."""
    target = tempfile.TemporaryFile()  # noqa: SIM115 - handed to the caller
    try:
        _write(target, found, wording, zone)
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return target


def _stepping(pages: Iterable[list[dict[str, Any]]], step: Callable[[int], object] | None) -> Iterator[Any]:
    for place, items in enumerate(pages, 1):
        yield items
        if step is not None:
            step(place)


def _write(target: IO[bytes], found: Export, wording: Wording, zone: ZoneInfo) -> None:
    import xlsxwriter  # only exports need it

    with xlsxwriter.Workbook(target, SAFE) as book:
        sheet = book.add_worksheet()
        fields = [field for column in found.columns for field in _fields(column)]
        bold = book.add_format({"bold": True, "bottom": 1})
        for place, field in enumerate(fields):
            sheet.set_column(place, place, 9 if field.currency else WIDTHS.get(field.column.field.kind, WIDTH))
            sheet.write_string(0, place, field.heading(wording)[:LONGEST], bold)
        sheet.freeze_panes(1, 0)
        last = _rows(found, fields, [_writer(book, sheet, field, zone) for field in fields])
        sheet.autofilter(0, 0, last, max(len(fields) - 1, 0))


def _fields(column: ExportColumn) -> Iterator[Field]:
    yield Field(column)
    if column.field.kind == "money":
        yield Field(column, currency=True)


def _rows(found: Export, fields: Sequence[Field], writers: Sequence[Write]) -> int:
    row = 0
    for items in found.pages:
        for item in items:
            row += 1
            if row > MOST_ROWS:
                raise Invalid(
                    msg("A sheet holds {count} rows at most.", count=MOST_ROWS),
                    fix=msg("Filter the list, or export it as CSV."),
                )
            for place, (field, write) in enumerate(zip(fields, writers, strict=True)):
                if (value := field.value(item)) is not None:
                    write(row, place, value)
    return row


def _writer(book: Any, sheet: Any, field: Field, zone: ZoneInfo) -> Write:
    """How the values of a column are written; what is no number, date or yes and no is text."""
    kind, text = field.column.field.kind, field.column.text
    shown = book.add_format({"num_format": FORMATS[kind]}) if kind in FORMATS else None

    def plain(row: int, place: int, value: Any) -> object:
        return sheet.write_string(row, place, (value if field.currency else text(value))[:LONGEST])

    def number(row: int, place: int, value: int | Decimal) -> object:
        if not -EXACT < value < EXACT:
            return plain(row, place, value)
        return sheet.write_number(row, place, float(value), shown)

    def moment(row: int, place: int, value: datetime) -> object:
        return sheet.write_datetime(row, place, value.astimezone(zone).replace(tzinfo=None), shown)

    if field.currency:
        return plain
    if kind == "money":
        return _money(book, sheet)
    known: dict[str, Write] = {
        "integer": number, "decimal": number, "datetime": moment, "boolean": sheet.write_boolean,
        "date": lambda row, place, value: sheet.write_datetime(row, place, value, shown),
    }  # fmt: skip
    return known.get(kind, plain)


def _money(book: Any, sheet: Any) -> Write:
    """Amounts are numbers that show their currency."""
    formats: dict[str, Any] = {}

    def write(row: int, place: int, value: Any) -> object:
        shown = formats.get(value.currency)
        if shown is None:
            shown = formats[value.currency] = book.add_format({"num_format": f'#,##0.00 "{value.currency}"'})
        return sheet.write_number(row, place, float(value.amount), shown)

    return write
