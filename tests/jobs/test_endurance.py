"""`kill -9` at random moments: nothing is lost, nothing is made up, nothing happens twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("cycles", [4, pytest.param(40, marks=pytest.mark.slow)])
def test_killed_again_and_again(database_url: str, tmp_path: Path, cycles: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.jobs.endure", str(cycles), str(tmp_path), database_url],
        cwd=ROOT, capture_output=True, text=True, timeout=60 + 4 * cycles,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    print(f"\nkill -9: {figures}")
    assert figures["leads"] >= cycles / 2
    assert {name: figures[name] for name in ("lost", "phantom", "double", "open")} == {
        "lost": 0, "phantom": 0, "double": 0, "open": 0,
    }  # fmt: skip
