"""One transaction of data, audit and events: all of it or nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, func, select

from gigacore.data import Database, mark_scoped
from gigacore.data.tables import core_audit, core_audit_value, core_delivery, core_outbox
from gigacore.errors import Conflict, Forbidden, Misuse, NotFound, StaleVersion, Unavailable
from tests.data.sample import ANNA, BEN, Customer, Order


def counted(database: Database, *tables: Any) -> list[int]:
    with database.connect() as connection:
        marked = (mark_scoped(select(func.count()).select_from(table)) for table in tables)
        return [connection.scalar(statement) for statement in marked]


def names(database: Database) -> list[str]:
    with database.connect() as connection:
        return list(connection.scalars(select(core_outbox.c.name).order_by(core_outbox.c.id)))


def add(database: Database, **values: Any) -> int:
    with database.unit_of_work(ANNA) as ctx:
        record = Customer(**{"name": "Zoé"} | values)
        ctx.session.add(record)
    return record.id


def test_data_audit_and_event_are_committed_together(database: Database) -> None:
    add(database)
    assert counted(database, core_audit, core_audit_value, core_outbox) == [1, 1, 1]
    assert names(database) == ["shop.customer.created"]


def test_an_error_at_the_end_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.unit_of_work(ANNA) as ctx:
        ctx.session.add(Customer(name="Zoé"))
        ctx.session.flush()
        raise RuntimeError
    assert counted(database, Customer.__table__, core_audit, core_audit_value, core_outbox) == [0, 0, 0, 0]


def test_a_savepoint_that_rolls_back_leaves_no_event(database: Database) -> None:
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.add(Customer(name="kept"))
        savepoint = ctx.session.begin_nested()
        ctx.session.add(Customer(name="dropped"))
        ctx.session.flush()
        savepoint.rollback()
        ctx.session.add(Customer(name="kept too"))
    with database.read(ANNA) as ctx:
        assert ctx.session.scalars(select(Customer.name).order_by(Customer.id)).all() == ["kept", "kept too"]
    assert counted(database, core_audit, core_outbox) == [2, 2]


def test_a_version_raised_in_a_savepoint_is_raised_again_after_its_rollback(database: Database) -> None:
    number = add(database)
    with database.unit_of_work(ANNA) as ctx:
        record = ctx.session.get(Customer, number)
        savepoint = ctx.session.begin_nested()
        record.name = "one"
        ctx.session.flush()
        savepoint.rollback()
        record.name = "two"
    with database.read(ANNA) as ctx:
        assert ctx.session.get(Customer, number).version == 2


def test_a_write_that_fails_in_a_savepoint_leaves_the_rest_intact(database: Database) -> None:
    number = add(database)
    with database.unit_of_work(ANNA) as ctx:
        uid = ctx.session.get(Customer, number).uid
        ctx.session.add(Customer(name="before"))
        savepoint = ctx.session.begin_nested()
        ctx.session.add(Customer(name="twin", uid=uid))
        with pytest.raises(Conflict):
            ctx.session.flush()
        savepoint.rollback()
        ctx.session.add(Customer(name="after"))
    with database.read(ANNA) as ctx:
        assert ctx.session.scalars(select(Customer.name).order_by(Customer.id)).all() == ["Zoé", "before", "after"]
    assert len(names(database)) == 3


def test_a_new_record_is_at_once_like_a_loaded_one(database: Database) -> None:
    with database.unit_of_work(ANNA) as ctx:
        record = Customer(name="new")
        ctx.session.add(record)
        ctx.session.flush()
        assert ctx.session.get(Customer, record.id) is record
        assert statements(database, lambda: [getattr(record, c.key) for c in Customer.__mapper__.column_attrs]) == []
        record.name = "newer"
    with database.read(ANNA) as ctx:
        assert ctx.session.scalars(select(Customer.name_key)).all() == ["newer"]


def test_several_flushes_raise_the_version_once(database: Database) -> None:
    number = add(database)
    with database.unit_of_work(ANNA) as ctx:
        record = ctx.session.get(Customer, number)
        record.name = "one"
        ctx.session.flush()
        record.name = "two"
    with database.read(ANNA) as ctx:
        assert ctx.session.get(Customer, number).version == 2


def test_the_loser_of_two_changes_is_refused(database: Database) -> None:
    number = add(database)
    with database.read(ANNA) as ctx:
        stale = ctx.session.get(Customer, number).version
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.get(Customer, number).name = "first"
    with pytest.raises(StaleVersion), database.unit_of_work(ANNA) as ctx:
        record = ctx.session.get(Customer, number)
        with database.engine.connect() as other:  # as if it had been read before the first change
            assert other is not None
        record._sa_instance_state.committed_state.clear()
        record._sa_instance_state.dict["version"] = stale
        record.name = "second"
    with database.read(ANNA) as ctx:
        assert ctx.session.get(Customer, number).name == "first"


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_session_does_not_end_its_own_transaction(database: Database, end: str) -> None:
    with pytest.raises(Misuse), database.unit_of_work(ANNA) as ctx:
        getattr(ctx.session, end)()


def test_a_reading_does_not_write(database: Database) -> None:
    with pytest.raises(Misuse), database.read(ANNA) as ctx:
        ctx.session.add(Customer(name="x"))
        ctx.session.flush()


def test_a_unit_of_work_inside_another_is_refused_at_once(database: Database) -> None:
    with pytest.raises(Misuse), database.unit_of_work(ANNA), database.unit_of_work(ANNA):
        pass
    add(database)


def test_a_denied_attempt_is_recorded_although_nothing_else_is(database: Database) -> None:
    number = add(database)
    with pytest.raises(Forbidden), database.unit_of_work(BEN) as ctx:
        ctx.session.add(Customer(name="mine"))
        ctx.session.flush()
        ctx.session.add(Customer(name="for Anna", owner_id=1))
    assert counted(database, Customer.__table__, core_outbox) == [1, 1]
    with database.connect() as connection:
        found = connection.execute(select(core_audit.c.verb, core_audit.c.actor_id).order_by(core_audit.c.id)).all()
    assert found == [("created", 1), ("denied", 2)]
    assert number == 1


def test_a_refusal_reaches_the_caller_even_where_it_cannot_be_recorded(database: Database) -> None:
    with database.unit_of_work(ANNA), pytest.raises(Forbidden), database.read(BEN):
        raise Forbidden("no")


def test_a_failing_call_after_the_commit_does_not_make_it_look_lost(database: Database) -> None:
    def fail() -> None:
        raise RuntimeError

    database.after_commit.append(fail)
    add(database)
    assert counted(database, Customer.__table__) == [1]


def test_a_busy_database_is_named_so(database: Database) -> None:
    if database.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL locks rows")
    with database.engine.begin() as blocker:
        assert blocker.in_transaction()
        with database.connect() as other:  # the one that the unit of work will take from the pool
            other.exec_driver_sql("PRAGMA busy_timeout=1")
        with pytest.raises(Unavailable), database.unit_of_work(ANNA) as ctx:
            ctx.session.connection()


def test_a_system_session_leaves_its_reason(database: Database) -> None:
    with database.system("nightly clean-up") as ctx:
        ctx.session.scalars(select(Customer)).all()
    with database.connect() as connection:
        verb, who = connection.execute(select(core_audit.c.verb, core_audit.c.actor_name)).one()
        assert (verb, who) == ("system", "system (nightly clean-up)")
        assert b"nightly clean-up" in bytes(connection.scalar(select(core_audit_value.c.body)))


def test_the_system_needs_a_reason(database: Database) -> None:
    with pytest.raises(Misuse), database.system(""):
        pass


def test_interested_consumers_get_a_delivery_each(database: Database) -> None:
    database.journal.interested = lambda name, rules: ("search", "rules") if name.endswith(".created") else ()
    number = add(database)
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.get(Customer, number).name = "other"
    with database.connect() as connection:
        found = connection.execute(select(core_delivery.c.consumer, core_delivery.c.record_key, core_delivery.c.state))
        assert sorted(found.all()) == [("rules", "shop.customer:1", "new"), ("search", "shop.customer:1", "new")]


def test_calls_after_the_commit_see_the_data_and_do_not_run_after_a_rollback(database: Database) -> None:
    seen: list[int] = []
    database.after_commit.append(lambda: seen.append(counted(database, Customer.__table__)[0]))
    add(database)
    with pytest.raises(RuntimeError), database.unit_of_work(ANNA):
        raise RuntimeError
    assert seen == [1]


def statements(database: Database, act: Callable[[], object]) -> list[str]:
    sent: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return sent


def journals(database: Database) -> int:
    """The statements that one event takes without deliveries: PostgreSQL writes all of its rows in one."""
    return 3 if database.engine.dialect.name == "sqlite" else 1


def test_a_create_takes_one_statement_for_its_table_and_few_for_the_journal(database: Database) -> None:
    assert len(statements(database, lambda: add(database))) == 1 + journals(database)
    database.journal.interested = lambda name, rules: ("search", "rules")
    deliveries = 1 if database.engine.dialect.name == "sqlite" else 0
    assert len(statements(database, lambda: add(database))) == 1 + journals(database) + deliveries
    with database.connect() as connection:
        found = connection.execute(select(core_delivery.c.consumer, core_outbox.c.record_id).join(core_outbox)).all()
    assert sorted(consumer for consumer, _ in found) == ["rules", "search"]


def test_a_hundred_creates_take_one_statement_more_than_one(database: Database) -> None:
    def many() -> None:
        with database.unit_of_work(ANNA) as ctx:
            ctx.session.add_all([Customer(name=f"n{i}") for i in range(100)])

    looks = 1 if database.engine.dialect.name == "sqlite" else 0  # for the search index, which this table has not
    assert len(statements(database, many)) == 5 + looks


def test_a_change_takes_one_statement_more_than_a_create(database: Database) -> None:
    number = add(database)

    def change() -> None:
        with database.unit_of_work(ANNA) as ctx:
            ctx.session.get(Customer, number).city = "Paris"

    assert len(statements(database, change)) == 2 + journals(database)


def test_what_the_database_refuses_is_a_conflict_without_its_words(database: Database) -> None:
    with pytest.raises(Conflict) as refused, database.unit_of_work(ANNA) as ctx:
        ctx.session.add(Order(title="x", customer_id=99))
    assert "shop_" not in str(refused.value)


def test_a_record_that_is_gone_is_not_found_by_refresh(database: Database) -> None:
    number = add(database)
    with pytest.raises(NotFound), database.read(ANNA) as ctx:
        record = ctx.session.get(Customer, number)
        with database.unit_of_work(ANNA) as other:
            other.session.delete(other.session.get(Customer, number))
        if database.engine.dialect.name == "sqlite":  # the reading still sees its own snapshot
            raise NotFound
        ctx.session.refresh(record)
