"""Numbers for those who watch an installation: queue, deliveries, rules, web hooks, mail. No record, no name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from gigacore.automation.tables import core_rule_run
from gigacore.data.tables import core_delivery, core_outbox
from gigacore.jobs import core_job, heartbeat
from gigacore.mail.tables import core_mail
from gigacore.values import dataclass
from gigacore.webhooks.tables import core_hook_delivery, core_inbox

OPEN: Final = ("queued", "running", "dead", "parked")
J: Final = core_job.c
D: Final = core_delivery.c


@dataclass(frozen=True, slots=True)
class Numbers:
    """Counts by state; ages in seconds. `deliveries` by (consumer, state), `ages` by consumer of what waits."""

    jobs: Mapping[str, int]
    job_age: float
    deliveries: Mapping[tuple[str, str], int]
    ages: Mapping[str, float]
    rule_runs: Mapping[str, int]
    hook_deliveries: Mapping[str, int]
    inbox: Mapping[str, int]
    mails: Mapping[str, int]
    worker_age: float | None


def read(connection: sa.Connection, now: datetime) -> Numbers:
    """The numbers of this moment, in eight statements over what is open or failed, not over what is done."""
    oldest = connection.scalar(sa.select(sa.func.min(J.run_at)).where(J.state == "queued", J.run_at <= now))
    seen = heartbeat.newest(connection)
    found = _deliveries(connection)
    return Numbers(
        jobs=_by_state(connection, core_job, OPEN),
        job_age=0.0 if oldest is None else (now - oldest).total_seconds(),
        deliveries={(row[0], row[1]): row[2] for row in found},
        ages={row[0]: max(0.0, (now - row[3]).total_seconds()) for row in found if row[1] == "new"},
        rule_runs=_by_state(connection, core_rule_run, ("waiting", "failed")),
        hook_deliveries=_by_state(connection, core_hook_delivery, ("waiting", "dead")),
        inbox=_by_state(connection, core_inbox, ("waiting", "failed")),
        mails=_by_state(connection, core_mail, ("queued", "sending", "failed", "unknown")),
        worker_age=None if seen is None else (now - seen).total_seconds(),
    )


def _by_state(connection: sa.Connection, table: sa.Table, states: tuple[str, ...]) -> dict[str, int]:
    state = table.c.state
    rows = connection.execute(sa.select(state, sa.func.count()).where(state.in_(states)).group_by(state))
    return dict.fromkeys(states, 0) | {row[0]: row[1] for row in rows}


def _deliveries(connection: sa.Connection) -> list[Any]:
    event = core_outbox.c
    query = (
        sa.select(D.consumer, D.state, sa.func.count(), sa.func.min(event.at))
        .join(core_outbox, event.id == D.event_id)
        .where(D.state.in_(("new", "running", "dead")))
        .group_by(D.consumer, D.state)
        .order_by(D.consumer, D.state)
    )
    return list(connection.execute(query))
