"""The text of a page as a PDF, line by line, in Helvetica; nothing is fetched, for only text is looked at."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from typing import BinaryIO, Final

from gigacore import msg
from gigacore.errors import Declined
from gigacore.ports import PdfOrder

WIDTH: Final = 90
LINES: Final = 54
UNSEEN: Final = frozenset({"head", "script", "style", "title", "template"})
BLOCKS: Final = frozenset({"br", "div", "h1", "h2", "h3", "h4", "li", "p", "table", "tr"})


class Paper:
    """Prints text, without layout."""

    capabilities: frozenset[str] = frozenset()

    def make(self, order: PdfOrder) -> BinaryIO:
        """See `PdfMaker`."""
        if order.standard or order.attached:
            raise Declined(msg("This PDF maker knows neither standards nor attachments."), reason="capability")
        reader = _Text()
        reader.feed(order.html)
        reader.close()
        lines = [part for line in reader.lines() for part in textwrap.wrap(line, WIDTH) or [""]]
        pages = [lines[start : start + LINES] for start in range(0, len(lines), LINES)] or [[]]
        return io.BytesIO(_file(pages, reader.title))


class _Text(HTMLParser):
    """The text of a page, by lines."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.hidden = 0
        self.title = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """A block begins a line."""
        self.hidden += tag in UNSEEN
        if tag in BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """A block ends a line."""
        self.hidden = max(0, self.hidden - (tag in UNSEEN))
        self.parts.append("\n" if tag in BLOCKS else " " if tag in ("td", "th") else "")

    def handle_data(self, data: str) -> None:
        """Text."""
        if self.lasttag == "title" and self.hidden:
            self.title = self.title or " ".join(data.split())
        if not self.hidden:
            self.parts.append(" ".join(data.split()) + " " if data.strip() else " ")

    def lines(self) -> Iterator[str]:
        """Without empty ones."""
        return (" ".join(line.split()) for line in "".join(self.parts).split("\n") if line.strip())


def _file(pages: Sequence[Sequence[str]], title: str) -> bytes:
    """As ISO 32000-2 has it: objects, the table of where they are, and where the table is."""
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Title (" + _quoted(title) + b") >>",
    ]
    for number, lines in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            + f"/Contents {6 + 2 * number} 0 R >>".encode()
        )
        shown = b"\n".join(b"(" + _quoted(line) + b") Tj T*" for line in lines)
        content = b"BT /F1 11 Tf 14 TL 50 790 Td\n" + shown + b"\nET"
        objects.append(f"<< /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream")
    return _with_table(objects)


def _with_table(objects: Sequence[bytes]) -> bytes:
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    end = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return bytes(out) + head.encode() + end.encode()


def _quoted(text: str) -> bytes:
    """Text of a PDF string; what Windows-1252 lacks becomes a question mark."""
    raw = text.encode("cp1252", "replace")
    return raw.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)").replace(b"\r", b" ")
