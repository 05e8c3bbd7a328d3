"""PDF: a page in HTML becomes a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import BinaryIO, Final, Protocol

from gigacore.values import dataclass

CAPABILITIES: Final = frozenset({"layout", "pdf_a_3b", "attachments"})


@dataclass(frozen=True, slots=True)
class Attached:
    """A file inside the PDF. `relationship` as ISO 32000-2 has it: `Data`, `Source`, `Alternative`, `Supplement`."""

    name: str
    mime: str
    content: bytes
    relationship: str = "Data"


@dataclass(frozen=True, slots=True)
class PdfOrder:
    """A page to print, which itself says its title and language.

    `files` are what it refers to by relative address: pictures, fonts, style sheets. `standard` is empty or `pdf_a_3b`;
    `attached` go into the file (Factur-X needs both).
    """

    html: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    attached: tuple[Attached, ...] = ()
    standard: str = ""


class PdfMaker(Protocol):
    """Makes PDFs of HTML (FIN-5, REP-2, DOC-1). WeasyPrint and a headless browser can both serve it.

    What the page names is taken from `files` alone: nothing is fetched from the network or read from the disk, for a
    page may hold what strangers wrote.
    """

    @property
    def capabilities(self) -> frozenset[str]:
        """`layout`: style sheets and pictures count, not only the text; `pdf_a_3b`; `attachments`."""

    def make(self, order: PdfOrder) -> BinaryIO:
        """The file, to be closed by the caller. Raises Declined for a standard or attachments that it cannot make."""
