"""Makes or restores a backup and is killed by itself, without warning, at one statement or before the commit."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gigacore import Crm, backups
from gigacore.testing.databases import settings
from tests.plugins.samples import CARDS, TOURS, with_folders

url, folder, migrations, path, point = sys.argv[1:]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    if point in statement:
        die()


with Crm(settings(url, Path(folder)), plugins=with_folders(Path(migrations), TOURS, CARDS)) as crm:
    crm.start()
    sa.event.listen(crm.engine, "before_cursor_execute", count)
    if point == "commit":
        sa.event.listen(crm.engine, "commit", lambda _connection: die())
    if path == "-":
        backups.create(crm)
    else:
        backups.restore(crm, Path(path), replace=True, safety=False)
