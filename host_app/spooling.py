"""How the body of a request is read: whole or not at all, with files on the disk of the data, never in memory."""

from __future__ import annotations

import shutil
from tempfile import SpooledTemporaryFile
from typing import IO, Final, cast

from flask import Request
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.utils import cached_property

from host_app.context import host

IN_MEMORY: Final = 256 * 1024


class _Whole:
    """A body of which Werkzeug would give the first part where it is longer than allowed and states no length."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream

    def read(self, size: int = -1) -> bytes:
        """So many bytes, or all. Raises RequestEntityTooLarge beyond the limit, BadRequest for broken pieces."""
        try:
            found = self.stream.read(size)
            return found + self.stream.read(1) if size < 0 and found else found
        except HTTPException:
            raise
        except Exception as error:  # every server has errors of its own for a body that breaks the protocol
            raise BadRequest from error


class SpooledRequest(Request):
    """A request whose larger files lie in the data folder: `/tmp` is memory on many systems."""

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body, to be read once."""
        return cast(IO[bytes], _Whole(super().stream))

    @cached_property
    def body_file(self) -> IO[bytes]:
        """The whole body as a file at its start, until the request ends."""
        file = _room()
        shutil.copyfileobj(self.stream, file)
        file.seek(0)
        return file

    def close(self) -> None:
        """Give back the files of the request."""
        super().close()
        if (file := self.__dict__.get("body_file")) is not None:
            file.close()

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return _room()


def _room() -> IO[bytes]:
    folder = host().settings.data_dir / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return cast(IO[bytes], SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(folder)))  # closed with the request
