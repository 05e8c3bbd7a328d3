"""Where the files of a request wait until they are stored: on the disk of the data, never in memory as a whole."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import IO, Final, cast

from flask import Request

from host_app.context import host

IN_MEMORY: Final = 256 * 1024


class SpooledRequest(Request):
    """A request whose larger files lie in the data folder: `/tmp` is memory on many systems."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        folder = host().settings.data_dir / "incoming"
        folder.mkdir(parents=True, exist_ok=True)
        return cast(IO[bytes], SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(folder)))  # closed with the request
