"""A large export as a job: the file is written with the rights of whoever asked, and only that person may fetch it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from gigacore.exchange.export import PAGE, export_csv
from gigacore.files import service as files
from gigacore.jobs import Job, JobRun
from gigacore.records import ListRequest

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STEP: Final = 10


def run_export(run: JobRun, payload: Mapping[str, Any]) -> dict[str, str]:
    """Writes the list of `payload` (entity, filter, sort, search, fields, locale, delimiter, total) into a file."""
    crm: Any = run.host
    request = ListRequest(
        payload["filter"], tuple(payload["sort"]), tuple(payload["fields"]) or None, search=payload["search"]
    )
    translate: Callable[[str], str] = crm.catalogue.translator(payload["locale"])
    with crm.read(run.actor) as ctx:
        pieces = export_csv(ctx, payload["entity"], request, translate=translate, delimiter=payload["delimiter"])
        stored = crm.storage.write_stream(Pieces(_counted(run, pieces, int(payload["total"]))))
    with run.unit_of_work() as ctx:
        return {"file": str(files.register(ctx, stored, payload["name"]).uid)}


def _counted(run: JobRun, pieces: Iterator[bytes], total: int) -> Iterator[bytes]:
    """The pieces, with word of the progress every few pages."""
    for place, piece in enumerate(pieces):
        yield piece
        if place % STEP == STEP - 1:
            run.between_steps()
            with run.unit_of_work() as ctx:
                run.checkpoint(ctx, min(place * PAGE, total), total)


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
