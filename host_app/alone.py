"""One server per SQLite database: what servers keep in memory, and SQLite itself before 3.51.3, bear no second one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from gigacore.errors import Unavailable
from gigacore.messages import msg
from gigacore.settings import Settings
from host_app.keys import unwritable

SQLITE: Final = "sqlite:///"


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Serve an SQLite database as its only server while the block runs; PostgreSQL takes any number of them.

    Raises Unavailable when another server has it, ConfigurationError when its folder cannot be written.
    The lock ends with the process, however that ends.
    """
    url = settings.effective_database_url
    if not url.startswith(SQLITE):
        yield
        return
    path = Path(url.removeprefix(SQLITE))
    with _opened(path.with_name(f"{path.name}.server")) as file:
        if not _is_locked(file):
            raise Unavailable(
                msg("Another server uses the database {path} already.", path=path),
                fix=msg("Stop it, or choose another folder with --data-dir. Several servers can share PostgreSQL."),
            )
        yield


def _opened(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+b")
    except OSError as error:
        raise unwritable(path.parent, error) from error


def _is_locked(file: IO[bytes]) -> bool:
    """Whether the lock of the file could be taken."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
