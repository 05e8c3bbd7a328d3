"""What faults of others cost: the broker away, a receiver that hangs, a server that was killed.

`python -m tests.benchmarks.outages [--only broker,receiver,ready] [--mb 1000]`. Both sides of a figure are measured by
turns in one run, on SQLite. Redis must be installed for the broker.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from gigacore import records
from gigacore.jobs import core_job
from gigacore.testing.databases import prepare
from gigacore.webhooks import outgoing
from tests.benchmarks.events import runs
from tests.benchmarks.servers import _busy, _children
from tests.jobs.brokers import Redis, wait_for
from tests.jobs.sites import Site, free_port, site_on
from tests.webhooks.test_receivers import hang, peer
from tests.webhooks.test_webhooks import subscribe

ROUNDS: Final = 6
REQUESTS: Final = 30
LEADS: Final = 20
TARGET: Final = 1.2
PAD: Final = 4000


def p95(seconds: Sequence[float]) -> float:
    """The 95th percentile in milliseconds."""
    return sorted(seconds)[int(len(seconds) * 0.95)] * 1000


def said(name: str, plain: Sequence[float], faulty: Sequence[float]) -> str:
    """Both sides of a figure and their ratio."""
    before, after = p95(plain), p95(faulty)
    medians = statistics.median(plain) * 1000, statistics.median(faulty) * 1000
    verdict = "ok" if after <= TARGET * before else "MISSED"
    return (
        f"{name}: p95 {before:.0f} ms -> {after:.0f} ms (x{after / before:.2f}, at most x{TARGET}: {verdict}); "
        f"median {medians[0]:.0f} -> {medians[1]:.0f} ms"
    )


@contextlib.contextmanager
def installation(folder: Path, **variables: str) -> Iterator[Site]:
    """A site on an SQLite file of its own."""
    url = f"sqlite:///{folder}/site.sqlite3"
    prepare(url)
    with site_on(url, folder, **variables) as site:
        yield site


def broker_away(folder: Path) -> str:
    """G4: what the API takes to write while the broker is there, and while it is gone."""
    redis = Redis(folder)
    redis.start()
    times: dict[bool, list[float]] = {True: [], False: []}
    with installation(folder, GIGA_BROKER_URL=redis.url, GIGA_BROKER_QUEUE="bench") as site:
        port = free_port()
        site.serve(port)
        for turn in range(2 * ROUNDS + 1):
            present = turn % 2 == 0
            if present and redis.process is None:
                redis.start()
            if not present:
                redis.kill()
            for number in range(REQUESTS):
                begun = time.perf_counter()
                assert site.call(port, "POST", "/crm/leads", {"last_name": f"Martin {number}"})[0] == 201
                if turn:  # the first turn warms caches
                    times[present].append(time.perf_counter() - begun)
    redis.kill()
    return said("API during the loss of the broker", times[True], times[False])


def receiver_hangs(folder: Path) -> str:
    """F16: from commit to the end of other jobs, without and with calls to a receiver that does not answer."""
    times: dict[bool, list[float]] = {True: [], False: []}
    with installation(folder) as site, peer(hang) as port:
        crm, actor = site.crm, site.crm.actor(site.owner)
        crm.jobs.start("embedded")
        hook, _ = subscribe(crm, actor, f"http://127.0.0.1:{port}/", "crm.company.created")
        for turn in range(2 * ROUNDS + 1):
            hangs = turn % 2 == 1
            if hangs:
                _call(site, turn)
            for number in range(LEADS):
                seconds = _until_done(site, f"Martin {turn}-{number}")
                if turn:
                    times[hangs].append(seconds)
        with crm.unit_of_work(actor) as ctx:
            crm.webhooks.unsubscribe(ctx, hook)
        crm.jobs.stop(1)
    return said("other jobs while a receiver hangs", times[False], times[True])


def _call(site: Site, turn: int) -> None:
    """Starts a call to the receiver, which holds it for half a minute."""
    with site.crm.unit_of_work(site.crm.actor(site.owner)) as ctx:
        records.create(ctx, "crm.company", {"name": f"Hanging {turn}"})
    wait_for(lambda: _count(site, core_job.c.name == outgoing.JOB, "running"), 60, "the call")


def _until_done(site: Site, name: str) -> float:
    """Seconds from commit to the end of the rule that the new lead starts."""
    before = runs(site)
    with site.crm.unit_of_work(site.crm.actor(site.owner)) as ctx:
        records.create(ctx, "crm.lead", {"last_name": name})
    return wait_for(lambda: runs(site) > before, 60, "the rule")


def _count(site: Site, which: sa.ColumnElement[bool], *states: str) -> int:
    with site.crm.database.connect() as connection:
        query = sa.select(sa.func.count()).where(which, core_job.c.state.in_(states))
        return int(connection.scalar(query) or 0)


def ready_after_kill(folder: Path, megabytes: int) -> str:
    """G5: seconds until a server that was killed answers again, on a small file and on a large one."""
    with installation(folder) as site:
        small = _restarts(site)
        _grow(folder / "site.sqlite3", megabytes)
        large = _restarts(site)
    return f"ready after kill -9: small {small}; {megabytes} MB {large}"


def _restarts(site: Site) -> str:
    found: list[tuple[float, float]] = []
    for _ in range(3):
        port, begun = free_port(), time.perf_counter()
        process = site.serve(port)
        taken = time.perf_counter() - begun
        found.append((taken, sum(_busy(pid) for pid in (process.pid, *_children(process.pid)))))
        assert site.call(port, "POST", "/crm/leads", {"last_name": "Martin"})[0] == 201
        site.kill(process, signal.SIGKILL)
    wall, busy = (statistics.median(one) for one in zip(*found, strict=True))
    return f"{wall:.1f} s, {busy:.1f} s of processor"


def _grow(path: Path, megabytes: int) -> None:
    """Fills the file with ended jobs, as a year of use does."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(core_job)") if row[1] not in ("id", "log")]
        names = ", ".join(f'"{name}"' for name in columns)
        line = "x" * PAD
        copy = f"INSERT INTO core_job ({names}, log) SELECT {names}, ? FROM core_job WHERE state = 'done' LIMIT 20000"
        while path.stat().st_size < megabytes * 1_000_000:
            connection.execute(copy, (line,))
            connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


MEASURES: Final[dict[str, Callable[[Path], str]]] = {"broker": broker_away, "receiver": receiver_hangs}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="broker,receiver,ready")
    parser.add_argument("--mb", type=int, default=1000, help="how large the file is that a killed server opens")
    given = parser.parse_args()
    for name in given.only.split(","):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            measure = MEASURES.get(name)
            print(measure(Path(folder)) if measure else ready_after_kill(Path(folder), given.mb), flush=True)


if __name__ == "__main__":
    main()
