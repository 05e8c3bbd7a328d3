"""An installation that is killed again and again while it works; at the end nothing is missing and nothing is double.

`python -m tests.jobs.endure CYCLES FOLDER URL`: each cycle is a process that writes leads (and transactions that fail)
while its workers deliver, run rules and jobs; SIGKILL ends it at a random moment. Prints the figures as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
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


PLUGIN = Plugin(
    "endure",
    jobs=[Job("endure.task", leave_task, system="endurance")],
    consumers=[Consumer("endure.follow", ("crm.lead.created",), follow)],
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


def work(url: str, folder: Path, owner: int, cycle: int) -> None:
    """Write until the end, which comes from outside; what is committed is noted after the commit."""
    crm = open_crm(url, folder)
    crm.jobs.worker.lease = LEASE
    crm.jobs.start("embedded")
    actor = crm.actor(owner)
    noted = os.open(folder / "acknowledged", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    (folder / f"ready-{cycle}").touch()
    for number in range(10**6):
        name = f"{cycle}-{number}"
        if number % 5 == 4:
            fail(crm, actor, f"undone-{name}")
            continue
        write(crm, actor, name)
        os.write(noted, f"{name}\n".encode())
        time.sleep(0.02)


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


def cycle_once(url: str, folder: Path, owner: int, cycle: int, chance: random.Random) -> None:
    pid = fork(lambda: work(url, folder, owner, cycle))
    sign, until = folder / f"ready-{cycle}", time.monotonic() + 30
    while not sign.exists():
        if os.waitpid(pid, os.WNOHANG)[0] or time.monotonic() > until:
            raise SystemExit(f"cycle {cycle} did not start")
        time.sleep(0.002)
    time.sleep(chance.uniform(0, 1))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    sign.unlink()


def settle(url: str, folder: Path) -> dict[str, int]:
    """Run what is left; what was given up because its worker was killed five times is replayed by hand."""
    crm = open_crm(url, folder)
    time.sleep(LEASE.total_seconds() + 0.2)
    crm.jobs.worker.prepare()
    crm.jobs.worker.keep()
    crm.jobs.run_pending()
    with crm.database.begin() as connection:
        dead = sa.update(core_job).where(core_job.c.state == "dead").values(state="queued", attempts=0)
        replayed = connection.execute(dead).rowcount
    crm.jobs.run_pending()
    figures = count(crm, folder) | {"replayed": replayed}
    crm.close()
    return figures


def count(crm: Crm, folder: Path) -> dict[str, int]:
    """What was lost, what exists without its cause, what happened twice."""
    acknowledged = (folder / "acknowledged").read_text().split()
    with crm.database.system_connection("endurance") as connection:
        leads = dict(connection.execute(sa.text("SELECT id, last_name FROM crm_lead")).tuples().all())
        titles = Counter(connection.execute(sa.text("SELECT title FROM crm_task")).scalars())
        about = core_outbox.c
        created = connection.execute(sa.select(about.record_id).where(about.name == "crm.lead.created")).scalars()
        events = Counter(created)
        audits = Counter(
            connection.execute(
                sa.select(core_audit.c.record_id).where(
                    core_audit.c.entity == "crm.lead", core_audit.c.verb == "created"
                )
            ).scalars()
        )
        open_jobs = connection.scalar(sa.select(sa.func.count()).where(core_job.c.state.not_in(("done", "cancelled"))))
        left = connection.scalar(sa.select(sa.func.count()).where(core_delivery.c.state != "done"))
    wanted = Counter(f"{by} {name}" for name in leads.values() for by in ("rule", "direct", "event"))
    lost = set(acknowledged) - set(leads.values())
    return {
        "leads": len(leads),
        "effects": titles.total(),
        "lost": len(lost) + (wanted - titles).total() + len(leads.keys() - events.keys()) + len(leads.keys() - audits),
        "phantom": len(titles.keys() - wanted.keys()) + len(events.keys() - leads.keys()) + len(audits.keys() - leads),
        "double": sum(n - 1 for found in (titles, events, audits) for n in found.values()),
        "open": int(open_jobs or 0) + int(left or 0),
    }


def endure(cycles: int, folder: Path, url: str) -> dict[str, Any]:
    pid = fork(lambda: (folder / "owner").write_text(str(prepare(url, folder))))
    if os.waitpid(pid, 0)[1]:
        raise SystemExit("the preparation failed")
    owner, chance, begun = int((folder / "owner").read_text()), random.Random(cycles), time.monotonic()
    for cycle in range(cycles):
        cycle_once(url, folder, owner, cycle, chance)
    seconds = time.monotonic() - begun
    return {"cycles": cycles, "seconds": round(seconds, 1)} | settle(url, folder)


if __name__ == "__main__":
    print(json.dumps(endure(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])))
