"""All stored files as one stream: for each a line with its id and digest, its pieces with their lengths, and an end.

A file that lies in the store of the folder of backups has its name there in the line, and no pieces.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

import orjson
import sqlalchemy as sa

from gigacore.backups.catalogue import BACKUP
from gigacore.backups.store import FOLDER, Store, WrongContent, checked, pieces_of
from gigacore.errors import GigaError
from gigacore.files.storage import BLOCK, open_object
from gigacore.files.tables import core_file
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.files.container import Container
    from gigacore.files.storage import Storage

_LENGTH: Final = struct.Struct(">I")
WHOLE: Final = _LENGTH.pack(0)
BROKEN: Final = _LENGTH.pack(0xFFFFFFFF)


@dataclass(slots=True)
class FileWriter:
    """Writes the files that a database knows into `store`, and what is needed to find them again there.

    One that the storage lost or cannot read counts as `missing`.
    """

    storage: Storage
    connection: sa.Connection
    store: Store
    count: int = 0
    size: int = 0
    missing: int = 0

    def pieces(self) -> Iterator[bytes]:
        """The stream, piece by piece."""
        for object_id, sha256, size in self._known():
            name = self.store.name_of(sha256)
            head = {"object_id": object_id, "sha256": sha256}
            if self._keep(object_id, sha256, name):
                self.count += 1
                self.size += size
                yield orjson.dumps(head | {"stored": name}, option=orjson.OPT_APPEND_NEWLINE) + WHOLE
            else:
                self.missing += 1
                yield orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE) + BROKEN

    def names(self) -> Iterator[str]:
        """The names in the store of all these files."""
        return (self.store.name_of(sha256) for _, sha256, _ in self._known())

    def new_bytes(self) -> int:
        """How many bytes the store does not have yet."""
        return sum(size for _, sha256, size in self._known() if not self.store.has(self.store.name_of(sha256)))

    def _known(self) -> Iterator[tuple[str, str, int]]:
        """Id, digest and size of each."""
        c = core_file.c
        statement = sa.select(c.object_id, c.sha256, c.size).order_by(c.id).execution_options(yield_per=500)
        for row in self.connection.execute(statement):
            yield row.object_id, row.sha256, row.size

    def _keep(self, object_id: str, sha256: str, name: str) -> bool:
        """Whether the store has the file now. Raises OSError when it cannot be written."""
        if self.store.has(name):
            return True
        try:
            with open_object(self.storage, object_id) as source:
                self.store.put(name, checked(pieces_of(source), sha256))
        except (GigaError, WrongContent):
            return False
        return True


class FramedFile:
    """One file of the stream, read from it as a stream of its own; `whole` once it was read to its proper end.

    `stored` names it in a store, where it is then read.
    """

    def __init__(self, object_id: str, sha256: str, source: IO[bytes], stored: str = "") -> None:
        self.object_id = object_id
        self.sha256 = sha256
        self.stored = stored
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
        if self.stored:
            self._rest = self._source.read(BLOCK)
            self._digest.update(self._rest)
            self._ended = not self._rest
            self.whole = self._ended and self._digest.hexdigest() == self.sha256
            return
        head = self._source.read(_LENGTH.size)
        if head in (WHOLE, BROKEN) or len(head) < _LENGTH.size:
            self._ended = True
            self.whole = head == WHOLE and self._digest.hexdigest() == self.sha256
            return
        self._rest = self._source.read(_LENGTH.unpack(head)[0])
        self._digest.update(self._rest)


def files(source: IO[bytes], store: Store | None = None) -> Iterator[FramedFile]:
    """The files of the stream, each to be read, or passed over, before the next one is asked for.

    Raises FileNotFoundError for one that its store lacks, Conflict for one that was changed there.
    """
    while head := source.readline():
        found = orjson.loads(head)
        name = found.get("stored", "")
        if name and store is not None:
            source.read(_LENGTH.size)
            with store.open(name) as content:
                one = FramedFile(found["object_id"], found["sha256"], content, name)
                yield one
                one.pass_over()
        else:
            one = FramedFile(found["object_id"], found["sha256"], source)
            yield one
            one.pass_over()


def store_of(opened: Container) -> Store | None:
    """Where the files of an opened backup lie, None for one that holds them itself."""
    found = opened.manifest.get("store")
    return Store(opened.path.parent / FOLDER / found["name"], found["key"]) if found else None


@contextmanager
def told_missing(opened: Container) -> Iterator[None]:
    """Turns a file that the store lacks into a refusal of the backup."""
    try:
        yield
    except FileNotFoundError as error:
        raise BACKUP.refused(
            opened.path, msg("a file that it needs is not in {folder}", folder=opened.path.parent / FOLDER)
        ) from error


def framed(one: FramedFile) -> Iterator[bytes]:
    """A file with its pieces, for a stream that needs no store."""
    yield orjson.dumps({"object_id": one.object_id, "sha256": one.sha256}, option=orjson.OPT_APPEND_NEWLINE)
    while piece := one.read(BLOCK):
        yield _LENGTH.pack(len(piece)) + piece
    yield WHOLE if one.whole else BROKEN
