"""A restore ordered on the page: it is done between two processes of the server, so that nothing runs meanwhile."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime
from pathlib import Path
from typing import Final

import orjson

from gigacore import Crm, backups
from gigacore.errors import worded
from gigacore.messages import Msg, packed, unpacked
from gigacore.settings import Settings
from gigacore.values import dataclass

log: Final = logging.getLogger("host_app")

ORDER: Final = "restore.json"
OUTCOME: Final = "restored.json"
BEAT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the last restore that was ordered; `error` is None where it was done."""

    name: str
    at: datetime
    error: Msg | None = None


def order(settings: Settings, name: str) -> None:
    """Let the next process restore this backup before it serves."""
    _keep(settings.data_dir / ORDER, {"name": name})


def carry_out(settings: Settings, beat: Callable[[], None]) -> None:
    """Do what was ordered, once; `beat` is called every few seconds meanwhile, for whoever watches the process.

    A restore that fails changes nothing and is not tried again: its reason is kept for the page.
    """
    path, claimed = settings.data_dir / ORDER, settings.data_dir / f"{ORDER}.{os.getpid()}"
    try:
        path.rename(claimed)
    except FileNotFoundError:
        return
    name = str(orjson.loads(claimed.read_bytes())["name"])
    claimed.unlink()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(_restore, settings, name)
        while wait([running], BEAT_SECONDS).not_done:
            beat()
    done = running.result()
    error = packed(done.error) if done.error else None
    _keep(settings.data_dir / OUTCOME, {"name": done.name, "at": done.at, "error": error})


def outcome(settings: Settings) -> Outcome | None:
    """What came of the last restore that was ordered, None where there was none."""
    try:
        found = orjson.loads((settings.data_dir / OUTCOME).read_bytes())
    except FileNotFoundError:
        return None
    error = unpacked(found["error"]) if found["error"] else None
    return Outcome(found["name"], datetime.fromisoformat(found["at"]), error)


def _restore(settings: Settings, name: str) -> Outcome:
    with Crm(settings) as crm:
        try:
            backups.restore(crm, settings.backups / name, replace=True)
        except Exception as error:  # the next process must serve what is there
            log.exception("the backup %s was not restored", name)
            return Outcome(name, crm.clock.now(), worded(error))
        return Outcome(name, crm.clock.now())


def _keep(path: Path, value: object) -> None:
    draft = path.with_suffix(f".{os.getpid()}.draft")
    draft.write_bytes(orjson.dumps(value))
    draft.replace(path)
