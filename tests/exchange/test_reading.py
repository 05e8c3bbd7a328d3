"""CSV files of any origin are read, everything else is refused with a reason."""

from __future__ import annotations

import io
import random
import tracemalloc

import pytest

from gigacore.errors import Invalid
from gigacore.exchange.reading import Dialect, Table

FRENCH = "Prénom;Société\nZoé;Café à l’œil €\n"


def table(content: bytes, dialect: Dialect | None = None) -> Table:
    return Table(lambda: io.BytesIO(content), dialect)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings_are_found(encoding: str) -> None:
    found = table(FRENCH.encode(encoding))
    assert found.headings == ("Prénom", "Société")
    assert [row.cells for row in found.rows()] == [["Zoé", "Café à l’œil €"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(delimiter: str) -> None:
    lines = ["name,city,note", "Ann,Lyon,x", "Tom,Paris,y"]
    found = table("\n".join(line.replace(",", delimiter) for line in lines).encode())
    assert found.headings == ("name", "city", "note")
    assert found.count() == 2


def test_a_single_column_is_a_table_too() -> None:
    assert table(b"email\na@b.fr\n").headings == ("email",)


def test_quoted_cells_keep_delimiters_and_line_breaks() -> None:
    [row] = table(b'name,note\n"Lee, Ann","first\nsecond ""quoted"""\n').rows()
    assert row.cells == ["Lee, Ann", 'first\nsecond "quoted"']


def test_a_late_accent_still_decides_the_encoding() -> None:
    content = b"name,city\n" + b"Ann,Lyon\n" * 50_000 + "Zoé,Évry\n".encode("cp1252")
    assert table(content).dialect.encoding == "cp1252"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  \n\n",
        random.Random(1).randbytes(4000),
        b"PK\x03\x04" + bytes(100),
        b"%PDF-1.7\n",
        b"\x89PNG\r\n\x1a\n",
        b"name,city\x00\nAnn,Lyon\n",
        bytes(range(256)) * 10,
        b"name\x01\x02,city\n",
        b"a\x81,b\xe9\n",
    ],
    ids=range(10),
)
def test_what_is_no_csv_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        table(content)
    assert refused.value.fix is not None


def test_too_many_columns_are_refused() -> None:
    with pytest.raises(Invalid):
        table(",".join(f"c{n}" for n in range(400)).encode())


def test_an_endless_cell_is_refused_with_its_line() -> None:
    found = table(b'name,note\nAnn,"' + b"x" * 300_000)
    with pytest.raises(Invalid, match="Line 2"):
        list(found.rows())


def test_empty_and_repeated_headings_are_told_apart() -> None:
    assert table(b"name,,name\na,b,c\n").headings == ("name", "#2", "name (2)")


def test_reading_goes_on_after_a_row() -> None:
    found = table(b"n\n" + b"".join(b"%d\n" % n for n in range(1, 11)))
    assert [row.number for row in found.rows(after=7)] == [8, 9, 10]


def test_a_wrong_choice_of_encoding_is_told() -> None:
    content = FRENCH.encode("cp1252")
    with pytest.raises(Invalid):
        table(content, Dialect("utf-8", ";"))
    with pytest.raises(Invalid):
        table(content, Dialect("klingon", ";"))
    with pytest.raises(Invalid):
        table(content, Dialect("cp1252", "x"))


def test_memory_stays_flat() -> None:
    content = b"name,city\n" + b"Ann,Lyon\n" * 300_000
    found = table(content)
    tracemalloc.start()
    assert sum(1 for _ in found.rows()) == 300_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
