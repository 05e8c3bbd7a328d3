"""Reading CSV files of unknown origin: encoding, delimiter, headings; row by row, so that memory stays flat."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, BinaryIO, Final

from gigacore.errors import Invalid
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

Opener = Callable[[], BinaryIO]

SAMPLE_BYTES: Final = 64 * 1024
CHUNK_BYTES: Final = 1024 * 1024
MAX_COLUMNS: Final = 300
DELIMITERS: Final = ",;\t|"
BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The first bytes of files that are mistaken for CSV, with what they are.
FOREIGN: Final = (
    (b"PK\x03\x04", msg("This is an OpenDocument or ZIP file.")),
    (b"\xd0\xcf\x11\xe0", msg("This is an old Excel file.")),
    (b"%PDF", msg("This is a PDF file.")),
    (b"\x89PNG", msg("This is an image.")),
    (b"\xff\xd8\xff", msg("This is an image.")),
    (b"GIF8", msg("This is an image.")),
    (b"\x1f\x8b", msg("This is a compressed file.")),
    (b"SQLite format 3", msg("This is a database.")),
    (b"\x7fELF", msg("This is a program.")),
)
# Bytes that no text has in any of the encodings that are tried: control characters, and the holes of cp1252.
CONTROL: Final = bytes(set(range(32)) - {9, 10, 11, 12, 13, 26} | {127})
CP1252_HOLES: Final = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written, as found or as the person importing it says."""

    encoding: str = "utf-8"
    delimiter: str = ","

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Row:
    """One record of the file; `number` counts records from 1 after the heading, `line` is where it ends."""

    number: int
    line: int
    cells: list[str]


def detect(open_file: Opener) -> Dialect:
    """The encoding and the delimiter of a file. Raises Invalid for anything that is no CSV."""
    with open_file() as stream:
        sample = stream.read(SAMPLE_BYTES)
    if not sample.strip():
        raise refusal(msg("The file is empty."))
    for magic, what in FOREIGN:
        if sample.startswith(magic):
            raise refusal(what)
    encoding = find_encoding(open_file, sample)
    text = sample.decode(encoding, "ignore")
    return Dialect(encoding, find_delimiter(text))


def refusal(what: Msg) -> Invalid:
    """The error for a file that cannot be imported."""
    return Invalid(what, fix=msg("Save the table as an Excel workbook (.xlsx) or as CSV (UTF-8) and try again."))


def find_encoding(open_file: Opener, sample: bytes) -> str:
    """A byte order mark, else strict UTF-8 over the whole file, else cp1252. Guessing libraries misread French."""
    for mark, name in BOMS:
        if sample.startswith(mark):
            return name
    if sample.translate(None, CONTROL) != sample:
        raise refusal(msg("This is not a text file."))
    if is_utf8(open_file):
        return "utf-8"
    if any(hole in sample for hole in CP1252_HOLES):
        raise refusal(msg("This is not a text file."))
    return "cp1252"


def is_utf8(open_file: Opener) -> bool:
    """Whether every byte of the file is part of valid UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    with open_file() as stream:
        try:
            while chunk := stream.read(CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def find_delimiter(text: str) -> str:
    """The delimiter of the sample: the sniffer's answer where the heading has it, else the commonest in the heading."""
    heading = text.lstrip().splitlines()[0]
    try:
        found = csv.Sniffer().sniff(text[:16384], DELIMITERS).delimiter
    except csv.Error:
        found = ""
    if found and found in heading:
        return found
    counts = {mark: heading.count(mark) for mark in DELIMITERS}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] else ","


class Table:
    """A CSV file opened for reading: `headings`, then `rows()` as often as wanted."""

    def __init__(self, open_file: Opener, dialect: Dialect | None = None) -> None:
        self.open_file = open_file
        self.dialect = dialect or detect(open_file)
        check_encoding(self.dialect)
        with open_file() as stream:
            self.headings = self._headings(self._reader(stream))

    def rows(self, after: int = 0) -> Iterator[Row]:
        """The records after number `after`; empty lines are passed over. Raises Invalid where the file is broken."""
        with self.open_file() as stream:
            reader = self._reader(stream)
            number = 0
            for cells in guarded(reader):
                if not any(cells):
                    continue
                number += 1
                if number > after + 1:
                    yield Row(number - 1, reader.line_num, cells)

    def count(self) -> int:
        """How many records there are."""
        return sum(1 for _ in self.rows())

    def _reader(self, stream: BinaryIO) -> Any:
        text = io.TextIOWrapper(stream, encoding=self.dialect.encoding, errors="strict", newline="")
        return csv.reader(text, delimiter=self.dialect.delimiter, strict=False)

    def _headings(self, reader: Any) -> tuple[str, ...]:
        cells: list[str] = next((row for row in guarded(reader) if any(row)), [])
        if not cells:
            raise refusal(msg("The file has no heading line."))
        if len(cells) > MAX_COLUMNS:
            raise refusal(msg("The file has more than {count} columns.", count=MAX_COLUMNS))
        return unique_headings([cell.strip()[:100] for cell in cells])


def guarded(reader: Any) -> Iterator[list[str]]:
    """The reader's rows; what it cannot read is told with its line."""
    try:
        yield from reader
    except UnicodeDecodeError:
        raise refusal(msg("Line {line} cannot be read in this encoding.", line=reader.line_num + 1)) from None
    except csv.Error as error:
        raise refusal(msg("Line {line} cannot be read: {reason}.", line=reader.line_num, reason=error)) from None


def check_encoding(dialect: Dialect) -> None:
    """Refuses what was not found by `detect` but typed by a person."""
    try:
        codecs.lookup(dialect.encoding)
    except LookupError:
        raise Invalid.of("encoding", msg("Unknown encoding {name}.", name=dialect.encoding)) from None
    if dialect.delimiter not in DELIMITERS or len(dialect.delimiter) != 1:
        raise Invalid.of("delimiter", msg("The delimiter must be a comma, semicolon, tab or bar."))


def unique_headings(cells: list[str]) -> tuple[str, ...]:
    """Headings told apart: empty ones get a number, repeated ones a suffix."""
    seen: dict[str, int] = {}
    result = []
    for position, cell in enumerate(cells, 1):
        name = cell or f"#{position}"
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(result)


def from_json(stored: Mapping[str, Any]) -> Dialect:
    """The dialect from its stored form."""
    return Dialect(str(stored["encoding"]), str(stored["delimiter"]))
