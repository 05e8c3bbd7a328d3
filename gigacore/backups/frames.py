"""All stored files as one stream: for each a line with its id and digest, its pieces with their lengths, and an end."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

import orjson
import sqlalchemy as sa

from gigacore.errors import GigaError
from gigacore.files.storage import BLOCK, open_object
from gigacore.files.tables import core_file

if TYPE_CHECKING:
    from gigacore.files.storage import Storage

_LENGTH: Final = struct.Struct(">I")
WHOLE: Final = _LENGTH.pack(0)
BROKEN: Final = _LENGTH.pack(0xFFFFFFFF)


@dataclass(slots=True)
class FileWriter:
    """Writes the files that a database knows; one that the storage lost or cannot read counts as `missing`."""

    storage: Storage
    connection: sa.Connection
    count: int = 0
    size: int = 0
    missing: int = 0

    def pieces(self) -> Iterator[bytes]:
        """The stream, piece by piece."""
        c = core_file.c
        statement = sa.select(c.object_id, c.sha256).order_by(c.id).execution_options(yield_per=500)
        for object_id, sha256 in self.connection.execute(statement):
            head = {"object_id": object_id, "sha256": sha256}
            yield orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE)
            yield from self._of_one(object_id)

    def _of_one(self, object_id: str) -> Iterator[bytes]:
        try:
            with open_object(self.storage, object_id) as source:
                while piece := source.read(BLOCK):
                    yield _LENGTH.pack(len(piece)) + piece
                    self.size += len(piece)
        except (GigaError, OSError):
            self.missing += 1
            yield BROKEN
        else:
            self.count += 1
            yield WHOLE


class FramedFile:
    """One file of the stream, read from it as a stream of its own; `whole` once it was read to its proper end."""

    def __init__(self, object_id: str, sha256: str, source: IO[bytes]) -> None:
        self.object_id = object_id
        self.sha256 = sha256
        self.whole = False
        self._source = source
        self._rest = b""
        self._digest = hashlib.sha256()
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, fewer where a piece ends; nothing at the end."""
        if not self._rest and not self._ended:
            self._next()
        count = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:count], self._rest[count:]
        return piece

    def pass_over(self) -> None:
        """Reads to the end."""
        while self.read():
            pass

    def _next(self) -> None:
        head = self._source.read(_LENGTH.size)
        if head in (WHOLE, BROKEN) or len(head) < _LENGTH.size:
            self._ended = True
            self.whole = head == WHOLE and self._digest.hexdigest() == self.sha256
            return
        self._rest = self._source.read(_LENGTH.unpack(head)[0])
        self._digest.update(self._rest)


def files(source: IO[bytes]) -> Iterator[FramedFile]:
    """The files of the stream, each to be read, or passed over, before the next one is asked for."""
    while head := source.readline():
        found = orjson.loads(head)
        one = FramedFile(found["object_id"], found["sha256"], source)
        yield one
        one.pass_over()
