"""What plugins failed at while they ran, kept in a file: it can be written while a plugin holds the database."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import orjson

from gigacore.clock import Clock, SystemClock
from gigacore.values import dataclass

log: Final = logging.getLogger("gigacore.plugins")

FILE: Final = "plugin-faults.jsonl"
KEPT: Final = timedelta(days=7)
MOST_BYTES: Final = 256 * 1024
MOST_TEXT: Final = 500
MOST_KEPT: Final = 100
AGAIN_SECONDS: Final = 60.0
ENDING: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a plugin failed: where, why, how often, and when the last time.

    `ended` when the process had to be ended, because the call did not return.
    """

    plugin: str
    place: str
    error: str
    count: int
    at: datetime
    ended: bool = False


@dataclass(slots=True)
class _Seen:
    count: int = 0
    written: float | None = None


@dataclass(slots=True)
class FaultLog:
    """The faults of the past seven days, shared by the processes of an installation through the file `path`.

    Without a path nothing is kept. A fault that repeats is written once a minute with its count.
    """

    path: Path | None = None
    clock: Clock = field(default_factory=SystemClock)
    _seen: dict[tuple[str, str, str], _Seen] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, plugin: str, place: str, error: BaseException | str, *, ended: bool = False) -> bool:
        """Keeps a fault; tells whether it is a new one. Never raises: what failed must not fail for this as well."""
        text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        key = plugin, place, text[:MOST_TEXT]
        with self._lock:
            seen = self._seen.setdefault(key, _Seen())
            seen.count += 1
            if not _is_due(seen):
                return False
            count, seen.count, seen.written = seen.count, 0, time.monotonic()
            try:
                self._append([Fault(*key, count, self.clock.now(), ended)])
            except OSError:
                log.exception("A fault of plugin %s could not be kept", plugin)
        return True

    def read(self) -> list[Fault]:
        """The faults of the past days, the latest first; equal ones are one with their count."""
        found: dict[tuple[str, str, str], Fault] = {}
        oldest = self.clock.now() - KEPT
        for one in self._lines():
            if one.at >= oldest:
                key = one.plugin, one.place, one.error
                before = found[key].count if key in found else 0
                found[key] = replace(one, count=before + one.count)
        return sorted(found.values(), key=lambda fault: fault.at, reverse=True)

    def endings(self) -> dict[str, Fault]:
        """The plugins for which the process was ended in the last quarter of an hour: how often, and where last."""
        found: dict[str, Fault] = {}
        oldest = self.clock.now() - ENDING
        for one in self._lines():
            if one.ended and one.at >= oldest:
                before = found[one.plugin].count if one.plugin in found else 0
                found[one.plugin] = replace(one, count=before + one.count)
        return found

    def forget(self, plugin: str) -> None:
        """Drops the faults of a plugin, which was mended or enabled anew."""
        with self._lock:
            self._seen = {key: seen for key, seen in self._seen.items() if key[0] != plugin}
            if self.path is not None and self.path.exists():
                self._rewrite([fault for fault in self.read() if fault.plugin != plugin])

    def _append(self, faults: Iterable[Fault]) -> None:
        path = self.path
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > MOST_BYTES:
            self._rewrite(self.read()[:MOST_KEPT])
        descriptor = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(b"".join(orjson.dumps(fault) + b"\n" for fault in faults))

    def _rewrite(self, faults: list[Fault]) -> None:
        if self.path is not None:
            self.path.unlink(missing_ok=True)
        if faults:
            self._append(reversed(faults))

    def _lines(self) -> Iterator[Fault]:
        if self.path is None or not self.path.is_file():
            return
        for line in self.path.read_bytes().splitlines():
            try:
                found = orjson.loads(line)
                yield Fault(**{**found, "at": datetime.fromisoformat(found["at"])})
            except (ValueError, TypeError, KeyError):
                continue  # half a line: the process was killed while it wrote


def _is_due(seen: _Seen) -> bool:
    return seen.written is None or time.monotonic() - seen.written > AGAIN_SECONDS
