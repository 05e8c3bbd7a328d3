"""Room on a disk: asked for before anything is written, and said in words when it ends all the same."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gigacore.errors import Conflict
from gigacore.messages import msg

MARGIN: Final = 4 << 20


def require(folder: Path, needed: int) -> None:
    """Raises Conflict unless so many bytes, and a little more, are free in `folder`, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed + MARGIN:
        raise Conflict(
            msg(
                "Up to {needed} MB are needed in {folder}; {free} MB are free.",
                needed=(needed + MARGIN) >> 20,
                folder=folder,
                free=free >> 20,
            ),
            fix=msg("Nothing was changed. Make room, or set GIGA_DATA_DIR to a larger disk, then run it again."),
        )


@contextmanager
def told() -> Iterator[None]:
    """Turns the end of the room on the disk, or of what one file may take, into a Conflict."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise Conflict(
            msg("The disk is full: the file could not be written."),
            fix=msg("Nothing was changed. Make room, or set GIGA_DATA_DIR to a larger disk, then run it again."),
        ) from error
