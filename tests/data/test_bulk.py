"""Many records at once: the same rules and the same traces as one by one, in a fixed number of statements."""

from typing import Any

import pytest
from sqlalchemy import event, func, select

from gigacore.data import Database, bulk
from gigacore.data.tables import core_audit, core_outbox, core_trash
from gigacore.errors import Forbidden, Locked, NotFound
from tests.data.sample import ANNA, BEN, REGISTRY, Customer, Line, Order, Status

SPEC = REGISTRY.entity("shop.customer")
ORDERS = REGISTRY.entity("shop.order")


def names(database: Database) -> list[str]:
    with database.connect() as connection:
        return list(connection.scalars(select(core_outbox.c.name).order_by(core_outbox.c.id)))


def filled(database: Database, count: int = 3) -> list[int]:
    with database.unit_of_work(ANNA) as ctx:
        return bulk.insert(ctx, [Customer(name=f"É{i}", custom={"x_region": "Ö"}) for i in range(count)]).ids


def test_records_written_at_once_are_like_those_written_one_by_one(database: Database) -> None:
    with database.unit_of_work(ANNA) as ctx:
        single = Customer(name="É0", custom={"x_region": "Ö"})
        ctx.session.add(single)
    ids = filled(database, 2)
    assert ids == [single.id + 1, single.id + 2]
    keys = [c.key for c in Customer.__mapper__.column_attrs if c.key not in ("id", "uid", "name", "name_key", "shout")]
    with database.read(ANNA) as ctx:
        one, two, three = ctx.session.scalars(select(Customer).order_by(Customer.id)).all()
        assert [getattr(one, key) for key in keys] == [getattr(three, key) for key in keys]
        assert (two.name_key, three.name_key, three.shout) == ("e0", "e1", "É1")
    assert names(database) == ["shop.customer.created"] * 3


def test_a_single_record_follows_a_batch(database: Database) -> None:
    last = filled(database)[-1]
    with database.unit_of_work(ANNA) as ctx:
        record = Customer(name="next")
        ctx.session.add(record)
    assert record.id == last + 1


def test_child_rows_and_figures_are_written_too(database: Database) -> None:
    (customer,) = filled(database, 1)
    with database.unit_of_work(ANNA) as ctx:
        orders = [Order(title=f"o{i}", customer_id=customer, lines=[Line(name="a"), Line(name="b")]) for i in range(3)]
        bulk.insert(ctx, orders)
    with database.read(ANNA) as ctx:
        assert ctx.session.scalar(select(func.count(Line.id))) == 6
        assert ctx.session.scalars(select(Order.line_count)).all() == [2, 2, 2]
        assert ctx.session.scalars(select(Line.position).order_by(Line.id)).all() == [0, 1] * 3
        assert ctx.session.scalars(select(Customer.orders)).all() == [3]


def test_the_number_of_statements_does_not_grow(database: Database) -> None:
    sent: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda c, cur, statement, *rest: sent.append(statement))
    filled(database, 20)
    few, sent[:] = len(sent), []
    filled(database, 200)
    assert len(sent) == few <= 6


def test_what_the_actor_may_not_create_is_refused_or_left_out(database: Database) -> None:
    def records() -> list[Customer]:
        return [Customer(name="mine"), Customer(name="not mine", owner_id=2), Customer(name="mine too")]

    with pytest.raises(Forbidden), database.unit_of_work(ANNA) as ctx:
        bulk.insert(ctx, records())
    with database.unit_of_work(ANNA) as ctx:
        done = bulk.insert(ctx, records(), keep_going=True)
    assert len(done.ids) == 2
    assert [(position, type(error)) for position, error in done.refused.items()] == [(1, Forbidden)]


def test_a_change_of_many_leaves_an_event_and_an_audit_row_each(database: Database) -> None:
    ids = filled(database)
    with database.unit_of_work(ANNA) as ctx:
        assert bulk.update(ctx, SPEC, ids, {"city": "LYON", "x_region": "Sud"}) == 3
    with database.read(ANNA) as ctx:
        rows = ctx.session.execute(select(Customer.city_key, Customer.custom_key, Customer.version)).all()
    assert rows == [("lyon", {"x_region": "sud"}, 2)] * 3
    assert names(database)[-3:] == ["shop.customer.updated"] * 3


def test_many_are_moved_to_the_trash(database: Database) -> None:
    ids = filled(database)
    with database.unit_of_work(ANNA) as ctx:
        assert bulk.delete(ctx, SPEC, ids) == 3
    with database.connect() as connection:
        assert sorted(connection.scalars(select(core_trash.c.record_id))) == ids
        assert connection.scalar(select(func.count()).where(core_audit.c.verb == "deleted")) == 3


@pytest.mark.parametrize("act", ["update", "delete"])
def test_one_hidden_record_among_them_refuses_all(database: Database, act: str) -> None:
    ids = filled(database)
    with database.unit_of_work(BEN) as ctx:
        foreign = Customer(name="Ben's")
        ctx.session.add(foreign)
    values: tuple[Any, ...] = ({"city": "x"},) if act == "update" else ()
    with pytest.raises(NotFound), database.unit_of_work(ANNA) as ctx:
        getattr(bulk, act)(ctx, SPEC, [*ids, foreign.id], *values)
    with database.read(ANNA) as ctx:
        assert ctx.session.scalars(select(Customer.city)).all() == [None] * 3


def test_a_locked_record_among_them_refuses_all(database: Database) -> None:
    with database.unit_of_work(ANNA) as ctx:
        ids = bulk.insert(ctx, [Order(title="open"), Order(title="paid", status=Status.paid)]).ids
    with pytest.raises(Locked), database.unit_of_work(ANNA) as ctx:
        bulk.update(ctx, ORDERS, ids, {"title": "x"})
