"""The audit: append-only, chained after the commit, erasable without breaking the chain."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore.clock import FixedClock
from gigacore.data import Database, audit
from gigacore.data.tables import core_audit, core_audit_seal, core_audit_value
from gigacore.errors import Conflict
from tests.data.sample import ANNA, Customer


@pytest.fixture
def number(database: Database) -> int:
    """A customer with three recorded acts, all sealed."""
    with database.unit_of_work(ANNA) as ctx:
        record = Customer(name="Ada")
        ctx.session.add(record)
    for name in ("Béa", "Cléo"):
        with database.unit_of_work(ANNA) as ctx:
            ctx.session.get(Customer, record.id).name = name
    assert seal(database) == 3
    return record.id


def seal(database: Database) -> int:
    with database.begin() as connection:
        return audit.seal(connection, database.clock.now())


def faults(database: Database) -> list[audit.Fault]:
    with database.connect() as connection:
        return audit.verify(connection)


def tamper(database: Database, statement: Any) -> None:
    """Change rows as somebody does who owns the file: triggers off."""
    with database.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        else:
            for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.execute(statement)


def test_an_untouched_chain_verifies_and_sealing_again_finds_nothing(database: Database, number: int) -> None:
    assert faults(database) == []
    assert seal(database) == 0


def test_the_history_of_a_record_is_read_newest_first(database: Database, number: int) -> None:
    with database.read(ANNA) as ctx:
        rows = audit.history(ctx.session.connection(), "shop.customer", number)
    assert [(row.verb, row.actor_name) for row in rows] == [("updated", "Anna")] * 2 + [("created", "Anna")]
    assert rows[0].values["name"] == ["Béa", "Cléo"]
    with database.read(ANNA) as ctx:
        older = audit.history(ctx.session.connection(), "shop.customer", number, before=rows[0].id)
    assert older == rows[1:]


def test_erased_values_are_gone_and_the_chain_still_verifies(database: Database, number: int) -> None:
    with database.begin() as connection:
        assert audit.erase_values(connection, "shop.customer", number) == 3
    assert faults(database) == []
    with database.connect() as connection:
        assert connection.scalars(sa.select(core_audit_value.c.body)).all() == [None] * 3
        assert [row.values for row in audit.history(connection, "shop.customer", number)] == [None] * 3


def second(database: Database) -> Any:
    with database.connect() as connection:
        return connection.scalars(sa.select(core_audit.c.id).order_by(core_audit.c.id)).all()[1]


def test_one_changed_byte_of_a_value_is_located(database: Database, number: int) -> None:
    victim = second(database)
    mine = core_audit_value.c.audit_id == victim
    with database.connect() as connection:
        body = bytes(connection.scalar(sa.select(core_audit_value.c.body).where(mine)))
    tamper(database, sa.update(core_audit_value).where(mine).values(body=body[:-3] + b"X" + body[-2:]))
    assert [fault.audit_id for fault in faults(database)] == [victim]


@pytest.mark.parametrize("column", ["actor_name", "verb", "record_id", "fields", "commitment", "at"])
def test_one_changed_column_of_an_audit_row_is_located(database: Database, number: int, column: str) -> None:
    victim = second(database)
    value: Any = {"record_id": 77, "commitment": bytes(32), "at": database.clock.now() + timedelta(microseconds=1)}
    statement = sa.update(core_audit).where(core_audit.c.id == victim).values(**{column: value.get(column, "x")})
    tamper(database, statement)
    assert [(fault.audit_id, fault.seq) for fault in faults(database) if fault.seq] == [(victim, 2)]


def test_a_missing_link_is_located(database: Database, number: int) -> None:
    tamper(database, sa.delete(core_audit_seal).where(core_audit_seal.c.seq == 2))
    assert {fault.seq for fault in faults(database)} >= {2}


def test_removed_values_are_located(database: Database, number: int) -> None:
    victim = second(database)
    tamper(database, sa.delete(core_audit_value).where(core_audit_value.c.audit_id == victim))
    assert [fault.audit_id for fault in faults(database)] == [victim]


REFUSED = [
    sa.update(core_audit).values(verb="x"),
    sa.delete(core_audit),
    sa.update(core_audit_value).values(body=b"x"),
    sa.update(core_audit_value).values(salt=None),
    sa.delete(core_audit_value),
    sa.update(core_audit_seal).values(digest=b"x"),
    sa.delete(core_audit_seal),
]


@pytest.mark.parametrize("statement", REFUSED, ids=str)
def test_the_database_itself_refuses_to_rewrite_the_audit(database: Database, number: int, statement: Any) -> None:
    with pytest.raises(Conflict), database.begin() as connection:
        connection.execute(statement)
    assert faults(database) == []


def test_a_row_committed_late_is_sealed_too(database: Database, number: int, clock: FixedClock) -> None:
    clock.advance(timedelta(minutes=30))
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.get(Customer, number).name = "Dora"
    assert seal(database) == 1
    assert faults(database) == []


def test_an_act_that_is_no_change_can_be_recorded(database: Database) -> None:
    with database.unit_of_work(ANNA) as ctx:
        audit.record(ctx, "shop.customer", "exported", values={"rows": 12})
    with database.connect() as connection:
        assert connection.execute(sa.select(core_audit.c.verb, core_audit.c.fields)).all() == [("exported", '["rows"]')]
