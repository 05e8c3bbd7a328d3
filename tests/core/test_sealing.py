"""The audit is chained by whoever keeps the queue, within one turn."""

from __future__ import annotations

import sqlalchemy as sa

from gigacore import Actor, Crm, records
from gigacore.data import audit
from gigacore.data.tables import core_audit, core_audit_seal
from tests.counting import statements


def counts(crm: Crm) -> tuple[int, int]:
    with crm.database.connect() as connection:
        rows = connection.scalar(sa.select(sa.func.count()).select_from(core_audit))
        seals = connection.scalar(sa.select(sa.func.count()).select_from(core_audit_seal))
    return int(rows or 0), int(seals or 0)


def test_one_turn_of_the_keeper_seals_what_was_committed(crm: Crm, admin: Actor) -> None:
    crm.worker().keep()
    with crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.company", {"name": "Atelier Bleu"})
    rows, seals = counts(crm)
    assert rows == seals + 1, "the control: not sealed by the write itself"
    crm.worker().keep()
    assert counts(crm) == (rows, rows)
    with crm.database.system_connection("test") as connection:
        assert audit.verify(connection) == []


def test_a_turn_without_news_writes_nothing(crm: Crm) -> None:
    worker = crm.worker()
    worker.keep()
    with statements(crm) as seen:
        worker.keep()
    assert seen
    assert not [text for text in seen if not text.lstrip().upper().startswith(("SELECT", "PRAGMA"))]
