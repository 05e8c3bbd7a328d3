"""Seven ways past an actor's rights, each closed; each control shows that the way is real without the guard."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, exists, func, insert, literal, select, text, union_all, update
from sqlalchemy.orm import aliased, make_transient_to_detached

from gigacore.data import ActorSession, Database
from gigacore.data.door import SCOPED
from gigacore.errors import Forbidden, GigaError, Misuse, NotFound
from tests.data.sample import ANNA, BEN, Customer, Line, Order, OwnerGuard

Door = Callable[[ActorSession, int], Any]


@pytest.fixture
def foreign(database: Database) -> int:
    """A customer of Ben's, with an order."""
    with database.unit_of_work(BEN) as ctx:
        customer = Customer(name="Secret Ltd", city="Lyon")
        ctx.session.add(customer)
        ctx.session.flush()
        ctx.session.add(Order(title="Hidden", customer_id=customer.id, lines=[Line(name="hidden")]))
    return customer.id


ALIAS = Customer.__table__.alias()


def warm(session: ActorSession, number: int) -> Any:
    """get() of an object that stands in the identity map, as if it had been put there by other means."""
    ghost = Customer(id=number, name="Secret Ltd")
    make_transient_to_detached(ghost)
    ghost._sa_instance_state.session_id = session.hash_key
    session.identity_map.add(ghost._sa_instance_state)
    return session.get(Customer, number)


def refreshed(session: ActorSession, number: int) -> Any:
    ghost = Customer(id=number)
    make_transient_to_detached(ghost)
    ghost._sa_instance_state.session_id = session.hash_key
    session.identity_map.add(ghost._sa_instance_state)
    session.refresh(ghost)
    return ghost.name


READS: dict[str, Door] = {
    "select": lambda s, n: s.scalars(select(Customer)).all(),
    "columns": lambda s, n: s.scalars(select(Customer.name)).all(),
    "count": lambda s, n: s.scalar(select(func.count()).select_from(Customer)),
    "alias": lambda s, n: s.scalars(select(aliased(Customer))).all(),
    "subquery": lambda s, n: s.execute(select(select(Customer.name).subquery().c.name)).all(),
    "cte": lambda s, n: s.execute(select(select(Customer.name).cte().c.name)).all(),
    "scalar subquery": lambda s, n: s.scalar(select(select(func.count(Customer.id)).scalar_subquery())),
    "child rows": lambda s, n: s.scalars(select(Line)).all(),
    "exists": lambda s, n: s.scalar(select(select(Customer.id).exists())),
    "get, cold": lambda s, n: s.get(Customer, n),
    "get, warm": warm,
    "refresh": refreshed,
    "Core select": lambda s, n: s.execute(select(Customer.__table__)).all(),
    "connection": lambda s, n: s.connection().execute(select(Customer)).all(),
    "text": lambda s, n: s.execute(text("SELECT name FROM shop_customer")).all(),
    "driver SQL": lambda s, n: s.connection().exec_driver_sql("SELECT name FROM shop_customer").all(),
    "only in a condition": lambda s, n: s.scalars(select(literal(1)).where(Customer.id == n)).all(),
    "bare table beside a class": lambda s, n: s.execute(
        select(Customer.__table__.c.name).join(Order, Order.customer_id == Customer.__table__.c.id)
    ).all(),
    "bare alias beside the class": lambda s, n: s.scalars(
        select(ALIAS.c.name).select_from(ALIAS).outerjoin(Customer, Customer.id == ALIAS.c.id)
    ).all(),
    "bare subquery in a condition": lambda s, n: s.scalars(
        select(literal(1)).where(exists(select(Customer.__table__.c.id)))
    ).all(),
    "text in a condition": lambda s, n: s.scalars(
        select(literal(1)).where(text("EXISTS (SELECT 1 FROM shop_customer)"))
    ).all(),
    "from_statement": lambda s, n: s.scalars(
        select(Customer).from_statement(text("SELECT * FROM shop_customer"))
    ).all(),
    "union": lambda s, n: s.scalars(union_all(select(Customer.id), select(Order.id))).all(),
    "relationship": lambda s, n: s.scalars(select(Line.id).select_from(Order).join(Order.lines)).all(),
    "relationship condition": lambda s, n: s.scalars(select(Order.id).where(Order.lines.any())).all(),
    "text on child rows": lambda s, n: s.execute(text("SELECT name FROM shop_order_line")).all(),
}

WRITES: dict[str, Door] = {
    "bulk_update_mappings": lambda s, n: s.bulk_update_mappings(Customer, [{"id": n, "name": "x"}]),
    "bulk_insert_mappings": lambda s, n: s.bulk_insert_mappings(Customer, [{"name": "x"}]),
    "bulk_save_objects": lambda s, n: s.bulk_save_objects([Customer(name="x")]),
    "ORM update": lambda s, n: s.execute(update(Customer).values(city="x")),
    "ORM update by key": lambda s, n: s.execute(update(Customer), [{"id": n, "city": "x"}]),
    "ORM delete": lambda s, n: s.execute(delete(Customer).where(Customer.id == n)),
    "ORM insert": lambda s, n: s.execute(insert(Customer).values(name="x", owner_id=2)),
    "Core update": lambda s, n: s.execute(update(Customer.__table__).values(city="x")),
    "text update": lambda s, n: s.execute(text("UPDATE shop_customer SET city = 'x'")),
}


def outcome(database: Database, door: Door, number: int) -> Any:
    with database.read(ANNA) as ctx:
        return door(ctx.session, number)


@pytest.mark.parametrize("name", READS)
def test_what_an_actor_may_not_see_is_not_read(database: Database, foreign: int, name: str) -> None:
    try:
        found = outcome(database, READS[name], foreign)
    except (Misuse, NotFound):
        return
    assert not found


@pytest.mark.parametrize("name", READS)
def test_control_without_criteria_and_statement_guard_every_way_reads_it(
    database: Database, guard: OwnerGuard, foreign: int, name: str
) -> None:
    guard.limited = False
    database._statements.unwatch(database.engine)
    try:
        assert outcome(database, READS[name], foreign)
    finally:
        database._statements.watch(database.engine)


@pytest.mark.parametrize("name", WRITES)
def test_no_statement_writes_past_the_flush(database: Database, foreign: int, name: str) -> None:
    with pytest.raises(Misuse), database.unit_of_work(ANNA) as ctx:
        WRITES[name](ctx.session, foreign)
    with database.read(BEN) as ctx:
        assert ctx.session.execute(select(Customer.name, Customer.city)).all() == [("Secret Ltd", "Lyon")]


def test_control_the_same_statement_passes_once_it_is_marked(database: Database, foreign: int) -> None:
    with database.unit_of_work(ANNA) as ctx:
        statement = text("UPDATE shop_customer SET city = 'x'").execution_options(**{SCOPED: True})
        ctx.session.execute(statement)
    with database.read(BEN) as ctx:
        assert ctx.session.scalar(select(Customer.city)) == "x"


def test_a_new_record_is_judged(database: Database, guard: OwnerGuard) -> None:
    with pytest.raises(Forbidden), database.unit_of_work(ANNA) as ctx:
        ctx.session.add(Customer(name="For Ben", owner_id=2))
    guard.limited = False
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.add(Customer(name="For Ben", owner_id=2))


@pytest.mark.parametrize("owner", [1, 2])
def test_a_change_is_judged_on_the_old_and_the_new_image(database: Database, foreign: int, owner: int) -> None:
    """Neither may a foreign record be taken, nor may one's own be given away, under the sample's rights."""
    with database.unit_of_work(ANNA if owner == 2 else BEN) as ctx:
        if owner == 2:
            ctx.session.add(Customer(name="Mine"))
    actor = ANNA if owner == 2 else BEN
    with pytest.raises(Forbidden), database.unit_of_work(actor) as ctx:
        record = ctx.session.scalars(select(Customer).where(Customer.owner_id == actor.user_id)).one()
        record.owner_id = owner if owner == 2 else 1


def test_an_object_of_another_session_cannot_be_smuggled_in(database: Database, foreign: int) -> None:
    with database.read(BEN) as ctx:
        record = ctx.session.get(Customer, foreign)
    with pytest.raises(GigaError), database.unit_of_work(ANNA) as ctx:
        ctx.session.add(record)
        record.name = "taken"
    with database.read(BEN) as ctx:
        assert ctx.session.scalar(select(Customer.name)) == "Secret Ltd"


def test_merging_a_foreign_object_does_not_change_it(database: Database, foreign: int) -> None:
    with pytest.raises(GigaError), database.unit_of_work(ANNA) as ctx:
        ctx.session.merge(Customer(id=foreign, name="taken"))
    with database.read(BEN) as ctx:
        assert ctx.session.scalar(select(Customer.name)) == "Secret Ltd"


def test_a_reference_to_a_hidden_record_is_not_followed_in_a_join(database: Database, foreign: int) -> None:
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.add(Order(title="Mine", customer_id=foreign))
    with database.read(ANNA) as ctx:
        join = select(Order.title, Customer.name).join(Customer, Order.customer_id == Customer.id)
        assert ctx.session.execute(join).all() == []


def test_nothing_is_read_without_an_actor(database: Database) -> None:
    with pytest.raises(Misuse), database.read(None):
        pass
    with pytest.raises(Misuse), database.unit_of_work(None):
        pass
    with pytest.raises(Misuse), database.connect() as connection:
        connection.execute(text("SELECT name FROM shop_customer"))


def test_the_system_reads_everything(database: Database, foreign: int) -> None:
    with database.system("count customers") as ctx:
        assert ctx.session.scalar(select(func.count()).select_from(Customer)) == 1
        assert ctx.session.execute(text("SELECT name FROM shop_customer")).all()


def test_criteria_are_built_once_per_session(database: Database, foreign: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    criteria = OwnerGuard.criteria

    def counting(self: OwnerGuard, session: Any, entity: Any, verb: str = "view") -> Any:
        asked.append(entity.name)
        return criteria(self, session, entity, verb)

    monkeypatch.setattr(OwnerGuard, "criteria", counting)
    with database.read(ANNA) as ctx:
        for _ in range(5):
            ctx.session.scalars(select(Customer)).all()
    assert asked == ["shop.customer"]
