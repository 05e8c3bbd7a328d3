"""A large export as a job: the file is written with the rights of whoever asked, and only that person may fetch it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from gigacore.exchange.export import PAGE, Wording, as_csv, prepare
from gigacore.exchange.workbook import export_xlsx
from gigacore.files import service as files
from gigacore.jobs import Job, JobRun
from gigacore.records import ListRequest

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STEP: Final = 10
XLSX: Final = "xlsx"


def run_export(run: JobRun, payload: Mapping[str, Any]) -> dict[str, str]:
    """Writes the list of `payload` into a file.

    It holds entity, filter, sort, search, fields, locale, format, delimiter, total.
    """
    crm: Any = run.host
    request = ListRequest(
        payload["filter"], tuple(payload["sort"]), tuple(payload["fields"]) or None, search=payload["search"]
    )
    wording = Wording(crm.catalogue.translator(payload["locale"]), payload["locale"])
    total = int(payload["total"])
    with crm.read(run.actor) as ctx:
        if payload.get("format") == XLSX:
            with export_xlsx(
                ctx, payload["entity"], request, wording=wording, step=lambda page: _step(run, page, total)
            ) as book:
                stored = crm.storage.write_stream(book)
        else:
            pieces = as_csv(prepare(ctx, payload["entity"], request, wording), payload["delimiter"])
            stored = crm.storage.write_stream(Pieces(_counted(run, pieces, total)))
    with run.unit_of_work() as ctx:
        return {"file": str(files.register(ctx, stored, payload["name"]).uid)}


def _counted(run: JobRun, pieces: Iterator[bytes], total: int) -> Iterator[bytes]:
    for place, piece in enumerate(pieces):
        yield piece
        _step(run, place, total)


def _step(run: JobRun, page: int, total: int) -> None:
    """Word of the progress every few pages."""
    if page % STEP == STEP - 1:
        run.between_steps()
        with run.unit_of_work() as ctx:
            run.checkpoint(ctx, min(page * PAGE, total), total)


class Pieces(io.RawIOBase):
    """A stream over pieces of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces
        self.left = b""

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fills the buffer with what comes next; 0 at the end."""
        view = memoryview(buffer).cast("B")
        while not self.left:
            found = next(self.pieces, None)
            if found is None:
                return 0
            self.left = found
        count = min(len(view), len(self.left))
        view[:count], self.left = self.left[:count], self.left[count:]
        return count


EXPORT: Final = Job("core.export", run_export, label="Export", long=True, attempts=3)
