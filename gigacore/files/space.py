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
_MAKE_ROOM: Final = msg(
    "Nothing was changed. Make room, or name a larger disk (GIGA_DATA_DIR, for backups GIGA_BACKUP_DIR), "
    "then run it again."
)


def require(folder: Path, needed: int) -> None:
    """Raises Conflict unless so many bytes, and a little more, are free in `folder`, which is made if need be."""
    with told():
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
            fix=_MAKE_ROOM,
        )


@contextmanager
def told() -> Iterator[None]:
    """Turns the end of the room on the disk, and a folder that this process may not write to, into a Conflict."""
    try:
        yield
    except OSError as error:
        refused = _refusal(error)
        if refused is None:
            raise
        raise refused from error


def _refusal(error: OSError) -> Conflict | None:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Conflict(msg("The disk is full: the file could not be written."), fix=_MAKE_ROOM)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) and error.filename is not None:
        return Conflict(
            msg(
                "Nothing can be kept in the folder {path}: {reason}.",
                path=Path(error.filename).parent,
                reason=error.strerror,
            ),
            fix=msg("Nothing was changed. Let the user that runs this write to it, then run it again."),
        )
    return None
