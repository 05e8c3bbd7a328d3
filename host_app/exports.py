"""Exports of lists as files: at once where the list is short, else by a job. Pages and API share this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import IO, Final

from flask import Response, g, stream_with_context

from gigacore import jobs, records
from gigacore.entity import EntitySpec
from gigacore.exchange.export import Wording, as_csv, prepare
from gigacore.exchange.export_job import EXPORT, XLSX
from gigacore.exchange.workbook import MIME, export_xlsx
from gigacore.records import ListRequest
from gigacore.values import dataclass
from host_app.auth import current
from host_app.context import current_crm

CSV: Final = "csv"
CHUNK: Final = 64 * 1024
DIRECT: Final = 5000
"""Longer lists are written by a job."""
FORMATS: Final[Mapping[str, str]] = MappingProxyType({CSV: "text/csv; charset=utf-8", XLSX: MIME})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A list to export, its format and the language of its headings. French spreadsheets expect semicolons."""

    spec: EntitySpec
    request: ListRequest
    format: str
    locale: str

    @property
    def name(self) -> str:
        """What the file is called."""
        return f"{self.spec.plural}.{self.format}"

    @property
    def delimiter(self) -> str:
        """What separates the cells of a CSV file."""
        return delimiter_of(self.locale)

    @property
    def wording(self) -> Wording:
        """The words of the file."""
        return Wording(current_crm().catalogue.translator(self.locale), self.locale)


def delimiter_of(locale: str) -> str:
    """What spreadsheets of that language expect between the cells of a CSV file."""
    return ";" if locale == "fr" else ","


def job_for(wanted: Wanted) -> int | None:
    """The job that writes the file, if the list is too long to write it at once. Raises what `prepare` does."""
    short = replace(wanted.request, limit=1, verb="export")  # with its fields: a faulty one is refused here
    counted = records.page(g.ctx, wanted.spec.name, short).count
    if counted is None or counted.value <= DIRECT:
        return None
    asked = wanted.request
    payload = {
        "entity": wanted.spec.name, "filter": asked.filter, "sort": list(asked.sort), "search": asked.search,
        "fields": list(asked.fields or ()), "locale": wanted.locale, "format": wanted.format, "name": wanted.name,
        "delimiter": wanted.delimiter, "total": counted.value,
    }  # fmt: skip
    with current_crm().unit_of_work(current()) as ctx:
        return jobs.enqueue(ctx, EXPORT, payload)


def download(wanted: Wanted) -> Response:
    """The file. Raises what `prepare` does."""
    if wanted.format == XLSX:
        with current_crm().read(current()) as ctx:
            book = export_xlsx(ctx, wanted.spec.name, wanted.request, wording=wanted.wording)
        return attached(chunks(book), wanted.name)
    return attached(stream_with_context(_pieces(wanted)), wanted.name)


def chunks(book: IO[bytes]) -> Iterator[bytes]:
    """The bytes of an open file, which is closed at the end."""
    with book:
        while chunk := book.read(CHUNK):
            yield chunk


def _pieces(wanted: Wanted) -> Iterator[bytes]:
    with current_crm().read(current()) as ctx:
        yield from as_csv(prepare(ctx, wanted.spec.name, wanted.request, wanted.wording), wanted.delimiter)


def attached(body: bytes | Iterator[bytes], name: str) -> Response:
    """A file to keep; its name tells its format."""
    response = Response(body, content_type=FORMATS[name.rpartition(".")[2]])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
