"""A folder that this process may not write to, for tests that run as somebody who may write everywhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest


def forbid(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Lets every file that is opened for writing in `folder` be refused as the system refuses it."""
    opened, opened_path = os.open, Path.open

    def check(path: Any, writes: object) -> None:
        if writes and str(path).startswith(str(folder)):
            raise PermissionError(13, "Permission denied", str(path))

    def refusing(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
        check(path, flags & (os.O_WRONLY | os.O_RDWR))
        return opened(path, flags, *arguments, **named)

    def refusing_path(path: Path, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        check(path, {*mode} & {*"wax+"})
        return opened_path(path, mode, *arguments, **named)

    monkeypatch.setattr(os, "open", refusing)
    monkeypatch.setattr(Path, "open", refusing_path)
