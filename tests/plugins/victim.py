"""Changes a plugin and is killed by itself, without warning, at one statement of the operation's transaction."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gigacore import Crm
from gigacore.plugins.reinstallation import reinstall
from gigacore.plugins.removal import uninstall
from gigacore.plugins.upgrading import upgrade
from gigacore.testing.databases import settings
from tests.plugins.samples import CARDS, TOURS, with_folders

url, folder, migrations, operation, point = sys.argv[1:]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    """The point is a piece of a statement, or `commit`."""
    if point != "commit" and point in statement:
        die()


plugins = with_folders(Path(migrations), TOURS, CARDS)
with Crm(replace(settings(url, Path(folder)), strict=operation != "upgrade"), plugins=plugins) as crm:
    crm.start()
    sa.event.listen(crm.engine, "before_cursor_execute", count)
    if point == "commit":
        sa.event.listen(crm.engine, "commit", lambda _connection: die())
    act: Any = {"uninstall": uninstall, "reinstall": reinstall, "enable": Crm.enable, "upgrade": upgrade}[operation]
    act(crm, "tours")
