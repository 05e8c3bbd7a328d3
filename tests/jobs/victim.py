"""A worker process that is meant to be killed: it says when it holds the job and then never ends it."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from gigacore.clock import SystemClock
from gigacore.context import Context
from gigacore.jobs import Job
from gigacore.jobs.worker import Declared, Worker
from tests.jobs.conftest import Host, Plugin, open_database

url, _, schema = sys.argv[1].partition("|")
sign = Path(sys.argv[2])


def hang(ctx: Context, payload: Any) -> None:
    ctx.session.connection().exec_driver_sql("UPDATE core_job SET reason = 'half done'")
    sign.write_text("running")
    time.sleep(600)


host = Host(open_database(url, schema), SystemClock(), url)  # type: ignore[arg-type]
worker = Worker(host, Declared.of([Plugin("demo", [Job("demo.work", hang)])]), lease=timedelta(seconds=1))
worker.run_pending()
