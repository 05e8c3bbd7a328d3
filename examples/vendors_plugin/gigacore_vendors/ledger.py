"""Records in files, each made once for its key, whichever process asks."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from gigacore import NotFound

ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Ledger:
    """A folder of JSON files, named by what is derived of their keys."""

    folder: Path

    def once(self, key: str, make: Callable[[str], Mapping[str, Any]]) -> tuple[str, dict[str, Any]]:
        """The record of the key and its id; `make(id)` gives it the first time."""
        number = hashlib.sha256(key.encode()).hexdigest()[:32]
        try:
            return number, self.read(number)
        except NotFound:
            self._write(number, make(number), new=True)
        return number, self.read(number)

    def read(self, number: str) -> dict[str, Any]:
        """A record. Raises NotFound."""
        try:
            found: dict[str, Any] = orjson.loads(self._path(number).read_bytes())
        except FileNotFoundError:
            raise NotFound from None
        return found

    def change(self, number: str, **values: Any) -> dict[str, Any]:
        """The record with other values. Raises NotFound."""
        changed = self.read(number) | values
        self._write(number, changed)
        return changed

    def keep(self, number: str, name: str, content: bytes) -> None:
        """A file beside a record."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._path(number).with_suffix(f".{name}").write_bytes(content)

    def kept(self, number: str, name: str) -> Path:
        """Where a file beside a record is. Raises NotFound."""
        path = self._path(number).with_suffix(f".{name}")
        if not path.exists():
            raise NotFound
        return path

    def _path(self, number: str) -> Path:
        if not ID.fullmatch(number):
            raise NotFound
        return self.folder / f"{number}.json"

    def _write(self, number: str, values: Mapping[str, Any], *, new: bool = False) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"{secrets.token_hex(8)}.part"
        part.write_bytes(orjson.dumps(values, default=str))
        if not new:
            part.replace(self._path(number))
            return
        try:
            os.link(part, self._path(number))
        except FileExistsError:
            pass  # another process was first: its record stands
        finally:
            part.unlink()
