"""An installation that is killed again and again while it works; at the end nothing is missing and nothing is double.

`python -m tests.jobs.endure CYCLES FOLDER URL`: each cycle is a process whose clients write leads (and transactions
that fail) while its workers deliver, run rules and jobs; SIGKILL ends it at a random moment. Each client notes what was
acknowledged, a receiver outside notes the ids of the events it is told. Prints the figures as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gigacore import Crm, Plugin, records
from gigacore.access import users
from gigacore.data.tables import core_audit, core_delivery, core_outbox
from gigacore.jobs import Consumer, Job, core_job, enqueue
from gigacore.testing.databases import settings

LEASE = timedelta(seconds=1)
CLIENTS = 2
LIFE_SECONDS = (0.0, 0.3)
RULE = {
    "entity": "crm.lead",
    "trigger": {"kind": "core.created"},
    "steps": [
        {"do": "core.set_fields", "with": {"values": {"city": "{{ record.last_name }}"}}},
        {
            "do": "core.create_record",
            "with": {"entity": "crm.task", "values": {"title": "rule {{ record.last_name }}"}},
        },
    ],
}


def leave_task(ctx: Any, payload: Any) -> None:
    """The effect of a job: one task more each time it runs."""
    records.create(ctx, "crm.task", {"title": f"{payload['by']} {payload['name']}"})


def follow(ctx: Any, event: Any) -> None:
    """The effect of an event: one job more each time it is delivered."""
    name = ctx.session.scalar(sa.text("SELECT last_name FROM crm_lead WHERE id = :id"), {"id": event.record_id})
    enqueue(ctx, "endure.task", {"by": "event", "name": name}, system="endurance")


def tell(crm: Any, event: Any) -> None:
    """What leaves the installation: a receiver hears of the event, perhaps more than once."""
    received = os.open(crm.settings.data_dir / "received", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(received, f"{event.id}\n".encode())
    os.close(received)


PLUGIN = Plugin(
    "endure",
    jobs=[Job("endure.task", leave_task, system="endurance")],
    consumers=[
        Consumer("endure.follow", ("crm.lead.created",), follow),
        Consumer("endure.tell", ("crm.lead.created",), tell, long=True),
    ],
)


class Undone(Exception):
    """A transaction that fails on purpose."""


def open_crm(url: str, folder: Path) -> Crm:
    crm = Crm(settings(url, folder), plugins=[PLUGIN])
    return crm.start()


def prepare(url: str, folder: Path) -> int:
    """The rule and its owner; gives the owner's number."""
    crm = open_crm(url, folder)
    crm.enable("endure")
    with crm.system("endurance") as ctx:
        owner = users.create(ctx, "endure@example.test", "Endure", "a-Long-passphrase-77", "super_admin")
    with crm.unit_of_work(crm.actor(owner)) as ctx:
        rule = crm.automation.create(ctx, "Endure", RULE)
        crm.automation.switch(ctx, rule.id, active=True)
    crm.close()
    return owner


def work(crm: Crm, folder: Path, owner: int, cycle: int, ready: int) -> None:
    """Clients write until the end, which comes from outside; each notes what was committed after the commit."""
    crm.jobs.worker.lease = LEASE
    crm.jobs.start("embedded")
    actor = crm.actor(owner)
    for client in range(CLIENTS):
        threading.Thread(target=write_on, args=(crm, folder, actor, client, cycle), daemon=True).start()
    os.write(ready, b"!")
    time.sleep(60)


def write_on(crm: Crm, folder: Path, actor: Any, client: int, cycle: int) -> None:
    noted = os.open(folder / f"acknowledged-{client}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number in range(10**6):
        name = f"{cycle}-{client}-{number}"
        if number % 5 == 4:
            fail(crm, actor, f"undone-{name}")
            continue
        write(crm, actor, name)
        os.write(noted, f"{name}\n".encode())
        time.sleep(0.01)


def write(crm: Crm, actor: Any, name: str) -> None:
    with crm.unit_of_work(actor) as ctx:
        records.create(ctx, "crm.lead", {"last_name": name})
        enqueue(ctx, "endure.task", {"by": "direct", "name": name})


def fail(crm: Crm, actor: Any, name: str) -> None:
    try:
        with crm.unit_of_work(actor) as ctx:
            records.create(ctx, "crm.lead", {"last_name": name})
            enqueue(ctx, "endure.task", {"by": "direct", "name": name})
            ctx.session.flush()
            raise Undone
    except Undone:
        pass


def fork(body: Callable[[], object]) -> int:
    """A process of its own that has loaded everything already."""
    pid = os.fork()
    if pid == 0:
        try:
            body()
        except BaseException:  # noqa: BLE001 - the child must not go on as its parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid


def cycle_once(crm: Crm, folder: Path, owner: int, cycle: int, chance: random.Random) -> None:
    """One life: ready, a few transactions, SIGKILL."""
    hears, ready = os.pipe()

    def body() -> None:
        crm.engine.dispose(close=False)  # what the parent may have open is the parent's
        work(crm, folder, owner, cycle, ready)

    pid = fork(body)
    os.close(ready)
    started = os.read(hears, 1)
    os.close(hears)
    if not started:
        raise SystemExit(f"cycle {cycle} did not start")
    time.sleep(chance.uniform(*LIFE_SECONDS))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def settle(crm: Crm) -> int:
    """Run what is left; what was given up because its worker was killed five times is replayed by hand: how many."""
    time.sleep(LEASE.total_seconds() + 0.2)
    crm.jobs.worker.prepare()
    crm.jobs.worker.keep()
    crm.jobs.run_pending()
    with crm.database.begin() as connection:
        dead = sa.update(core_job).where(core_job.c.state == "dead").values(state="queued", attempts=0)
        replayed = connection.execute(dead).rowcount
    crm.jobs.run_pending()
    return int(replayed)


@dataclass(frozen=True, slots=True)
class Found:
    """What the database holds in the end."""

    leads: dict[int, str]
    tasks: Counter[str]
    events: dict[str, int]
    audits: Counter[int]
    open: int

    @classmethod
    def read(cls, crm: Crm) -> Found:
        created, audit = core_outbox.c, core_audit.c
        told = sa.select(created.id, created.record_id).where(created.name == "crm.lead.created")
        audited = sa.select(audit.record_id).where(audit.entity == "crm.lead", audit.verb == "created")
        jobs = sa.select(sa.func.count()).where(core_job.c.state.not_in(("done", "cancelled")))
        left = sa.select(sa.func.count()).where(core_delivery.c.state != "done")
        with crm.database.system_connection("endurance") as connection:
            return cls(
                dict(connection.execute(sa.text("SELECT id, last_name FROM crm_lead")).all()),  # type: ignore[arg-type]
                Counter(connection.execute(sa.text("SELECT title FROM crm_task")).scalars()),
                {str(key): record for key, record in connection.execute(told)},
                Counter(connection.execute(audited).scalars()),
                int(connection.scalar(jobs) or 0) + int(connection.scalar(left) or 0),
            )


def lines(folder: Path, pattern: str) -> list[str]:
    return [line for file in folder.glob(pattern) for line in file.read_text().split()]


def judge(
    found: Found, acknowledged: list[str], received: list[str], effects: tuple[str, ...] = ("rule", "direct", "event")
) -> dict[str, int]:
    """What was lost, what exists without its cause, what happened twice; a receiver knows events by their id."""
    wanted = Counter(f"{by} {name}" for name in found.leads.values() for by in effects)
    about = Counter(found.events.values())
    heard, missing = set(received), set(acknowledged) - set(found.leads.values())
    untold = (found.leads.keys() - about.keys()) | (found.leads.keys() - found.audits.keys())
    uncaused = (about.keys() - found.leads.keys()) | (found.audits.keys() - found.leads.keys())
    return {
        "leads": len(found.leads),
        "effects": found.tasks.total() + len(heard),
        "lost": len(missing) + (wanted - found.tasks).total() + len(untold) + len(found.events.keys() - heard),
        "phantom": len(found.tasks.keys() - wanted.keys()) + len(uncaused) + len(heard - found.events.keys()),
        "double": sum(n - 1 for each in (found.tasks, about, found.audits) for n in each.values()),
        "heard_again": len(received) - len(heard),
        "open": found.open,
    }


def endure(cycles: int, folder: Path, url: str) -> dict[str, Any]:
    """The figures after so many lives; the application is loaded once, and each life is a fork of it."""
    pid = fork(lambda: (folder / "owner").write_text(str(prepare(url, folder))))
    if os.waitpid(pid, 0)[1]:
        raise SystemExit("the preparation failed")
    owner, chance, begun = int((folder / "owner").read_text()), random.Random(cycles), time.monotonic()
    crm = open_crm(url, folder)
    crm.engine.dispose()
    for cycle in range(cycles):
        cycle_once(crm, folder, owner, cycle, chance)
    seconds, replayed = time.monotonic() - begun, settle(crm)
    figures = judge(Found.read(crm), lines(folder, "acknowledged-*"), lines(folder, "received"))
    crm.close()
    return {"cycles": cycles, "seconds": round(seconds, 1), "replayed": replayed} | figures


if __name__ == "__main__":
    print(json.dumps(endure(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])))
