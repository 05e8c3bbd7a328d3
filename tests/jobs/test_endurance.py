"""`kill -9` at random moments: nothing is lost, nothing is made up, nothing happens twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.jobs.endure import Found, judge

ROOT = Path(__file__).parents[2]
MANY = {"sqlite": 1000, "postgresql": 200}


@pytest.mark.parametrize("many", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["few", "many"])
@pytest.mark.slow_on_postgres
def test_killed_again_and_again(database_url: str, tmp_path: Path, many: bool) -> None:
    """F1, F2, G1."""
    cycles = MANY[make_url(database_url).get_backend_name()] if many else 5
    done = subprocess.run(
        [sys.executable, "-m", "tests.jobs.endure", str(cycles), str(tmp_path), database_url],
        cwd=ROOT, capture_output=True, text=True, timeout=120 + 2 * cycles,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    print(f"\nkill -9: {figures}")
    assert figures["leads"] >= cycles / 5
    assert {name: figures[name] for name in ("lost", "phantom", "double", "open")} == {
        "lost": 0, "phantom": 0, "double": 0, "open": 0,
    }  # fmt: skip


def test_the_judge_sees_what_is_lost_made_up_or_double() -> None:
    """The control: a run in which everything went wrong once."""
    tasks = Counter({f"{by} {name}": 1 for by in ("rule", "direct", "event") for name in ("a", "b")})
    good = Found({1: "a", 2: "b"}, tasks, {"e1": 1, "e2": 2}, Counter((1, 2)), 0)
    assert judge(good, ["a"], ["e1", "e2", "e2"]) == {
        "leads": 2, "effects": 8, "lost": 0, "phantom": 0, "double": 0, "heard_again": 1, "open": 0,
    }  # fmt: skip
    wrong = tasks - Counter(["rule a"]) + Counter(["rule b", "rule x"])
    bad = Found({1: "a", 2: "b"}, wrong, {"e1": 1}, Counter((1, 2)), 1)
    found = judge(bad, ["a", "gone"], ["e9"])
    assert {name: found[name] for name in ("lost", "phantom", "double", "open")} == {
        "lost": 4, "phantom": 2, "double": 1, "open": 1,
    }  # fmt: skip
