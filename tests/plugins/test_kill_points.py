"""Killed at any call that changes database or disk, the old or the new state is there, and the next try goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gigacore.testing.fixtures import ENGINES, URL_VARIABLE
from tests.plugins.killpoints import OPERATIONS

ROOT = Path(__file__).parents[2]
OFTEN = ("upgrade", "uninstall", "reinstall")
MOST = {"restore": 20}
"""A restore makes hundreds of calls, most of them rows of one table after another."""


@pytest.fixture(params=ENGINES)
def server(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return "sqlite"
    request.getfixturevalue("postgres_databases")  # skips without a server
    return os.environ[URL_VARIABLE]


def enumerated(folder: Path, server: str, most: int, *names: str) -> dict[str, Any]:
    call = [sys.executable, "-m", "tests.plugins.killpoints", str(folder), server, str(most), *names]
    ended = subprocess.run(call, cwd=ROOT, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()[-3000:]
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.mark.slow_on_postgres
def test_killed_at_some_calls_the_old_or_the_new_state_is_there(server: str, tmp_path: Path) -> None:
    found = enumerated(tmp_path, server, 2, *OFTEN)
    assert [(name, one["tried"], one["wrong"]) for name, one in found.items()] == [(name, 2, []) for name in OFTEN]


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_at_every_call_the_old_or_the_new_state_is_there(
    server: str, operation: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = enumerated(tmp_path, server, MOST.get(operation, 0), operation)[operation]
    with capsys.disabled():
        print(f"\n{operation} on {server.partition('+')[0]}: {found['tried']} kill points of {found['calls']}")
    assert found["wrong"] == []
    assert found["tried"] == MOST.get(operation, found["calls"]) > 0
