"""Reading spreadsheets: the first sheet of a workbook becomes the CSV that the import knows how to read."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import IO, Any, BinaryIO, Final, cast
from zoneinfo import ZoneInfo

from gigacore.entity.kinds import iso
from gigacore.exchange.cells import protect
from gigacore.exchange.reading import refusal
from gigacore.exchange.workbook import currency_heading
from gigacore.messages import msg

ZIP: Final = b"PK\x03\x04"
WORKBOOK: Final = "xl/workbook.xml"
FILE_LIMIT: Final = 50 * 1024 * 1024
UNPACKED_LIMIT: Final = 500 * 1024 * 1024
Translate = Callable[[str], str]


def is_workbook(stream: BinaryIO) -> bool:
    """Whether a seekable file is an Excel workbook (.xlsx, .xlsm); it is read from its start afterwards."""
    stream.seek(0)
    start = stream.read(len(ZIP))
    try:
        return start == ZIP and WORKBOOK in zipfile.ZipFile(stream).namelist()
    except zipfile.BadZipFile:
        return False
    finally:
        stream.seek(0)


def as_csv(stream: BinaryIO, zone: ZoneInfo, translators: Sequence[Translate] = ()) -> IO[bytes]:
    """The first sheet that is not empty, as CSV in a temporary file: ISO dates, plain numbers, amounts with currency.

    Times without a zone are in `zone`. Cells hold what their formulas had as result; nothing is calculated. Raises
    Invalid for a workbook that is broken, encrypted, empty, or unpacks to more than 500 MB.
    """
    rows = _filled(_sheets(stream))
    target = tempfile.TemporaryFile()  # noqa: SIM115 - handed to the caller
    text = io.TextIOWrapper(target, encoding="utf-8", newline="")
    pairs = _currencies(rows[0], [str, *translators])
    writer = csv.writer(text)
    for row in rows:
        writer.writerow(list(_cells(row, pairs, zone)))
    text.detach()
    target.seek(0)
    return target


def _sheets(stream: BinaryIO) -> Iterator[list[list[Any]]]:
    import python_calamine  # only imports of workbooks need it

    _checked_size(stream)
    try:
        book = python_calamine.load_workbook(cast(Any, stream))
        for name in book.sheet_names:
            yield book.get_sheet_by_name(name).to_python()
    except (python_calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        raise refusal(msg("This workbook cannot be read: {reason}.", reason=str(error)[:200])) from None


def _checked_size(stream: BinaryIO) -> None:
    with zipfile.ZipFile(stream) as packed:
        size = sum(one.file_size for one in packed.infolist())
    if stream.seek(0, io.SEEK_END) > FILE_LIMIT or size > UNPACKED_LIMIT:
        raise refusal(msg("This workbook is too large."))
    stream.seek(0)


def _filled(sheets: Iterable[list[list[Any]]]) -> list[list[Any]]:
    for rows in sheets:
        filled = [row for row in rows if any(cell != "" for cell in row)]
        if filled:
            return filled
    raise refusal(msg("The file is empty."))


def _currencies(headings: Sequence[Any], translators: Sequence[Translate]) -> dict[int, int]:
    """Columns of amounts, with the column that holds their currencies, as our own export writes them."""
    return {
        place: place + 1
        for place, (heading, following) in enumerate(pairwise(headings))
        if any(following == currency_heading(heading, one) for one in translators if isinstance(heading, str))
    }


def _cells(row: Sequence[Any], pairs: dict[int, int], zone: ZoneInfo) -> Iterator[str]:
    taken = set(pairs.values())
    for place, value in enumerate(row):
        if place in taken:
            continue
        text = _text(value, zone)
        code = row[pairs[place]] if place in pairs else ""
        yield f"{text} {code}" if text and code and isinstance(value, int | float) else text


def _text(value: Any, zone: ZoneInfo) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case datetime():
            midnight = value.time() == time() and value.tzinfo is None
            return value.date().isoformat() if midnight else iso(value.replace(tzinfo=value.tzinfo or zone))
        case date() | time() | timedelta():
            return str(value)
    return protect(str(value))
