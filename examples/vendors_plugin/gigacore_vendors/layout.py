"""Pages laid out as a PDF by WeasyPrint (`pip install gigacore[weasyprint]`)."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from gigacore import msg
from gigacore.errors import Declined
from gigacore.ports import PdfOrder

if TYPE_CHECKING:
    from gigacore import Crm

BASE: Final = "giga:/"
STANDARDS: Final = {"": None, "pdf_a_3b": "pdf/a-3b"}


def of(crm: Crm) -> Layout | None:
    """WeasyPrint, where it is installed."""
    return Layout() if find_spec("weasyprint") else None


class Layout:
    """Prints pages as a browser would."""

    capabilities = frozenset({"layout", "pdf_a_3b", "attachments"})

    def make(self, order: PdfOrder) -> BinaryIO:
        """See `PdfMaker`."""
        import weasyprint

        if order.standard not in STANDARDS:
            raise Declined(msg("{name} is no standard that can be made.", name=order.standard), reason="capability")

        class Fetcher(weasyprint.URLFetcher):  # type: ignore[misc]  # it publishes no types
            def fetch(self, url: str, headers: Any = None) -> Any:
                content = order.files.get(url.removeprefix(BASE))
                if content is None:
                    raise ValueError("only the files of the order are read")
                return weasyprint.urls.URLFetcherResponse(url, content)

        attached = [
            weasyprint.Attachment(string=one.content, name=one.name, relationship=one.relationship)
            for one in order.attached
        ]
        page = weasyprint.HTML(string=order.html, base_url=BASE, url_fetcher=Fetcher())
        made = page.write_pdf(pdf_variant=STANDARDS[order.standard], attachments=attached)
        return io.BytesIO(made)
