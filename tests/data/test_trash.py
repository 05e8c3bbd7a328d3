"""The trash: what is deleted comes back whole, with the same id and uid, or goes for good after thirty days."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from gigacore.clock import FixedClock
from gigacore.data import Database, links, trash
from gigacore.data.tables import core_outbox, core_trash
from gigacore.entity import Money
from gigacore.errors import Conflict, Forbidden, NotFound
from tests.data.sample import ANNA, BEN, Customer, Delivery, Line, Order, OrderScore


@pytest.fixture
def number(database: Database) -> int:
    with database.unit_of_work(ANNA) as ctx:
        customer = Customer(name="Ada", custom={"x_region": "Nord"})
        ctx.session.add(customer)
        ctx.session.flush()
        order = Order(
            title="One",
            price=Money(Decimal("9.9900"), "EUR"),
            due=date(2026, 6, 1),
            customer_id=customer.id,
            lines=[Line(name="a", total=Money(Decimal(1), "EUR")), Line(name="b", position=1)],
        )
        ctx.session.add(order)
        ctx.session.flush()
        ctx.session.add(OrderScore(id=order.id, score=5))
        links.link(ctx, order, customer)
    return order.id


def image(database: Database, number: int) -> dict[str, Any]:
    with database.read(ANNA) as ctx:
        order = ctx.session.get(Order, number)
        own = {c.key: getattr(order, c.key) for c in Order.__mapper__.column_attrs if c.key != "version"}
        rows = [(row.id, row.uid, row.name, row.total, row.position) for row in order.lines]
        score = ctx.session.get(OrderScore, number).score
        return {**own, "rows": rows, "score": score, "links": links.links_of(ctx, order)}


def delete(database: Database, number: int, actor: Any = ANNA) -> None:
    with database.unit_of_work(actor) as ctx:
        trash.move(ctx, ctx.session.get(Order, number))


def only(database: Database) -> trash.Trashed:
    with database.read(ANNA) as ctx:
        (found,) = trash.listing(ctx)
    return found


def test_a_restored_record_is_what_it_was(database: Database, number: int) -> None:
    before = image(database, number)
    delete(database, number)
    with database.read(ANNA) as ctx:
        assert ctx.session.get(Order, number) is None
        assert ctx.session.scalars(select(Line)).all() == []
        assert links.links_of(ctx, ctx.session.scalars(select(Customer)).one()) == []
    found = only(database)
    assert (found.entity, found.record_id, found.label) == ("shop.order", number, "One")
    with database.unit_of_work(ANNA) as ctx:
        trash.restore(ctx, found.id)
    assert image(database, number) == before
    with database.read(ANNA) as ctx:
        assert ctx.session.get(Order, number).version == 2  # so that an old ETag is stale
        assert ctx.session.scalars(select(Customer.orders)).one() == 1
        assert trash.listing(ctx) == []


def test_both_are_announced(database: Database, number: int) -> None:
    delete(database, number)
    with database.unit_of_work(ANNA) as ctx:
        trash.restore(ctx, only(database).id)
    with database.connect() as connection:
        names = connection.scalars(select(core_outbox.c.name).order_by(core_outbox.c.id)).all()
    assert names[-2:] == ["shop.order.deleted", "shop.order.restored"]


def test_a_number_is_not_given_again_while_its_record_lies_in_the_trash(database: Database, number: int) -> None:
    delete(database, number)
    with database.unit_of_work(ANNA) as ctx:
        order = Order(title="next")
        ctx.session.add(order)
    assert order.id > number


def test_who_could_not_have_deleted_it_cannot_restore_it(database: Database, number: int) -> None:
    delete(database, number)
    found = only(database)
    with database.read(BEN) as ctx:
        assert trash.listing(ctx) == []
    with pytest.raises((NotFound, Forbidden)), database.unit_of_work(BEN) as ctx:
        trash.restore(ctx, found.id)
    assert only(database) == found


def test_what_it_refers_to_must_still_be_there(database: Database, number: int) -> None:
    delete(database, number)
    with database.unit_of_work(ANNA) as ctx:
        trash.move(ctx, ctx.session.scalars(select(Customer)).one())
        order, *_ = [one for one in trash.listing(ctx) if one.entity == "shop.order"]
    with pytest.raises(Conflict), database.unit_of_work(ANNA) as ctx:
        trash.restore(ctx, order.id)


def test_what_was_deleted_with_it_comes_back_with_it(database: Database, number: int) -> None:
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.add(Delivery(place="Lyon", order_id=number))
    with database.unit_of_work(ANNA) as ctx:
        trash.move(ctx, ctx.session.scalars(select(Delivery)).one())
        trash.move(ctx, ctx.session.get(Order, number))
        found = {one.entity: one.id for one in trash.listing(ctx)}
    with database.unit_of_work(ANNA) as ctx:
        trash.restore(ctx, found["shop.order"])
        assert ctx.session.scalars(select(Delivery.place)).all() == ["Lyon"]


def test_a_record_that_others_hold_fast_is_not_deleted(database: Database, number: int) -> None:
    with pytest.raises(Conflict), database.unit_of_work(ANNA) as ctx:
        trash.move(ctx, ctx.session.scalars(select(Customer)).one())
    with database.connect() as connection:
        assert connection.execute(select(core_trash)).all() == []


def test_after_thirty_days_it_is_gone(database: Database, number: int, clock: FixedClock) -> None:
    delete(database, number)
    for days, left in ((29, 1), (2, 0)):
        clock.advance(timedelta(days=days))
        with database.begin() as connection:
            trash.purge(connection, clock.now())
            assert len(connection.execute(select(core_trash.c.id)).all()) == left
