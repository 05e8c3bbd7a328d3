"""Runs an import and is killed by itself, without warning, in the middle of a batch's transaction."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from gigacore import Crm
from gigacore.context import Context
from gigacore.exchange import imports
from gigacore.testing.databases import settings

url, folder, user, number, row = sys.argv[1:]
imports.BATCH = 10


def die(ctx: Context, done: int, total: int) -> None:
    if done >= int(row):
        os.kill(os.getpid(), signal.SIGKILL)


with Crm(settings(url, Path(folder)), plugins=()) as crm:
    crm.start()
    imports.run(crm, crm.actor(int(user)), int(number), die)
