"""A worker that is killed in the middle loses nothing: the job runs again when its lease has ended."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gigacore.clock import SystemClock
from gigacore.context import Context
from gigacore.jobs import Job
from tests.jobs.conftest import Host, Plugin

ROOT = Path(__file__).parents[2]


def test_job_of_a_killed_worker_runs_again_and_its_half_work_is_gone(
    host: Host, enqueue: Callable[..., int], tmp_path: Path
) -> None:
    seen: list[str] = []
    host.clock = SystemClock()  # type: ignore[assignment]
    host.database.clock = host.clock

    def handler(ctx: Context, payload: Any) -> None:
        seen.append(str(ctx.actor.reason))

    enqueue("demo.work")
    sign = tmp_path / "sign"
    victim = subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.victim", host.url, str(sign)], cwd=ROOT, stderr=subprocess.PIPE
    )
    wait_for(sign.exists, victim)
    victim.kill()
    victim.communicate()

    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    assert worker.run_pending() == 0, "the lease still protects the job"
    time.sleep(1.1)
    worker.keep()
    assert worker.run_pending() == 1
    assert seen == ["test"]
    assert host.rows("state", "attempts", "reason") == [("done", 2, "test")]


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if condition():
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    raise AssertionError("the worker process never took the job")
