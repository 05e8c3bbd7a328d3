"""What the flush fills in, records and refuses, whichever door a change comes through."""

import contextlib
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from gigacore.clock import FixedClock
from gigacore.data import Database
from gigacore.data.locks import ACTION
from gigacore.data.tables import core_audit, core_audit_value, core_outbox
from gigacore.entity import Money
from gigacore.errors import Abort, Conflict, Locked, NotFound
from gigacore.messages import msg
from tests.data.sample import ANNA, BEN, Customer, Line, Order, OrderScore, OwnerGuard, Parcel, Status


def euros(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def add(database: Database, record: Any, actor: Any = ANNA) -> int:
    with database.unit_of_work(actor) as ctx:
        ctx.session.add(record)
    number: int = record.id
    return number


def recorded(database: Database, entity: str) -> list[tuple[str, dict[str, Any]]]:
    statement = (
        select(core_audit.c.verb, core_audit_value.c.body)
        .join(core_audit_value, core_audit_value.c.audit_id == core_audit.c.id)
        .where(core_audit.c.entity == entity)
        .order_by(core_audit.c.id)
    )
    with database.connect() as connection:
        return [(verb, orjson.loads(bytes(body))) for verb, body in connection.execute(statement)]


def test_the_server_owns_keys_stamps_owner_and_version(database: Database, clock: FixedClock) -> None:
    number = add(database, Customer(name="Éloïse Ångström", city="ÎLE", custom={"x_region": "Île-de-France"}))
    with database.read(ANNA) as ctx:
        one = ctx.session.get(Customer, number)
    assert (one.name_key, one.city_key, one.custom_key) == ("eloise angstrom", "ile", {"x_region": "ile-de-france"})
    assert (one.created_at, one.updated_at, one.created_by) == (clock.moment, clock.moment, 1)
    assert (one.version, one.owner_id, one.org_id) == (1, 1, 1)
    assert one.uid.version == 7


def test_keys_follow_a_change(database: Database) -> None:
    number = add(database, Customer(name="Éva", custom={"x_region": "É"}))
    with database.unit_of_work(ANNA) as ctx:
        one = ctx.session.get(Customer, number)
        one.name, one.custom = "Öte", {"x_region": None}
    with database.read(ANNA) as ctx:
        one = ctx.session.get(Customer, number)
    assert (one.name_key, one.custom_key, one.shout) == ("ote", {}, "ÖTE")


def test_old_and_new_values_are_recorded_and_secrets_are_not(database: Database) -> None:
    number = add(database, Customer(name="A", token="t0p-secret", custom={"x_region": "n"}))
    with database.unit_of_work(ANNA) as ctx:
        one = ctx.session.get(Customer, number)
        one.name, one.token, one.custom = "B", "other-secret", {"x_region": "s"}
    (_, created), (verb, changed) = recorded(database, "shop.customer")
    assert created["token"] == [None, "***"]
    assert verb == "updated"
    assert {name: changed[name] for name in ("name", "token", "x_region")} == {
        "name": ["A", "B"], "token": ["***", "***"], "x_region": ["n", "s"],
    }  # fmt: skip


def test_money_is_recorded_as_one_value(database: Database) -> None:
    number = add(database, Order(title="o", price=euros("10")))
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.get(Order, number).price = Money(Decimal("10"), "USD")
    assert recorded(database, "shop.order")[-1][1] == {
        "price": [{"amount": "10.0000", "currency": "EUR"}, {"amount": "10.0000", "currency": "USD"}]
    }


def test_setting_the_same_value_writes_nothing(database: Database) -> None:
    number = add(database, Customer(name="A"))
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.get(Customer, number).name = "A"
    assert len(recorded(database, "shop.customer")) == 1


def test_a_changed_child_row_is_a_change_of_its_record(database: Database) -> None:
    number = add(database, Order(title="o", lines=[Line(name="one", total=euros("1")), Line(name="two")]))
    with database.unit_of_work(ANNA) as ctx:
        order = ctx.session.get(Order, number)
        order.lines[0].total = euros("5")
    with database.read(ANNA) as ctx:
        order = ctx.session.get(Order, number)
        assert (order.version, order.total, order.line_count) == (2, euros("5"), 2)
    verb, changed = recorded(database, "shop.order")[-1]
    assert verb == "updated"
    assert [len(side) for side in changed["lines"]] == [1, 1]
    assert changed["lines"][0][0]["total"]["amount"] == "1.0000"


@pytest.mark.parametrize("way", ["collection", "by itself"])
def test_rows_come_and_go_either_way(database: Database, way: str) -> None:
    number = add(database, Order(title="o", lines=[Line(name="one")]))
    with database.unit_of_work(ANNA) as ctx:
        order = ctx.session.get(Order, number)
        if way == "collection":
            order.lines = [Line(name="two"), Line(name="three")]
        else:
            ctx.session.delete(ctx.session.scalars(select(Line)).one())
            ctx.session.add_all([Line(parent_id=number, name="two"), Line(parent_id=number, name="three")])
    with database.read(ANNA) as ctx:
        assert ctx.session.get(Order, number).version == 2
        assert sorted(ctx.session.scalars(select(Line.name_key))) == ["three", "two"]
    (lines,) = (values["lines"] for verb, values in recorded(database, "shop.order") if verb == "updated")
    assert [[row["name"] for row in side] for side in lines] == [["one"], ["two", "three"]]


def test_a_foreign_records_child_row_cannot_be_changed(database: Database) -> None:
    number = add(database, Order(title="o"), BEN)
    with pytest.raises(NotFound), database.unit_of_work(ANNA) as ctx:
        ctx.session.add(Line(parent_id=number, name="smuggled"))
    with database.read(BEN) as ctx:
        assert ctx.session.scalars(select(Line)).all() == []


def test_figures_over_referring_records_follow_without_a_version_or_an_event(database: Database) -> None:
    number = add(database, Customer(name="C"))
    first = add(database, Order(title="1", customer_id=number, price=euros("10.5")))
    add(database, Order(title="2", customer_id=number, price=euros("4.5")))
    with database.read(ANNA) as ctx:
        one = ctx.session.get(Customer, number)
        assert (one.orders, one.bought, one.version) == (2, euros("15"), 1)
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.get(Order, first).customer_id = None
        ctx.session.flush()
        assert ctx.session.get(Customer, number).orders == 1
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.delete(ctx.session.scalars(select(Order).where(Order.title == "2")).one())
    with database.read(ANNA) as ctx:
        one = ctx.session.get(Customer, number)
        assert (one.orders, one.bought, one.version) == (0, None, 1)
    assert len(recorded(database, "shop.customer")) == 1


def test_a_sum_over_two_currencies_is_not_guessed(database: Database) -> None:
    number = add(database, Customer(name="C"))
    add(database, Order(title="1", customer_id=number, price=euros("10")))
    add(database, Order(title="2", customer_id=number, price=Money(Decimal(1), "USD")))
    with database.read(ANNA) as ctx:
        assert ctx.session.get(Customer, number).bought is None


def test_a_plugins_field_is_recorded_on_the_record(database: Database) -> None:
    number = add(database, Order(title="o"))
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.add(OrderScore(id=number, score=7))
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.get(OrderScore, number).score = 9
    assert [values.get("rating.score") for _, values in recorded(database, "shop.order")] == [None, [None, 7], [7, 9]]
    with database.read(ANNA) as ctx:
        assert ctx.session.get(Order, number).version == 3
    with database.read(BEN) as ctx:
        assert ctx.session.get(OrderScore, number) is None


# Locks ----------------------------------------------------------------------------------------------------------------


def change_title(ctx: Any, number: int) -> None:
    ctx.session.get(Order, number).title = "other"


def change_row(ctx: Any, number: int) -> None:
    ctx.session.get(Order, number).lines[0].name = "other"


def add_row(ctx: Any, number: int) -> None:
    ctx.session.add(Line(parent_id=number, name="more"))


def change_score(ctx: Any, number: int) -> None:
    ctx.session.add(OrderScore(id=number, score=1))


def remove(ctx: Any, number: int) -> None:
    ctx.session.delete(ctx.session.get(Order, number))


def reopen(ctx: Any, number: int) -> None:
    ctx.session.get(Order, number).status = Status.open


CHANGES = [change_title, change_row, add_row, change_score, remove, reopen]


@pytest.mark.parametrize("who", ["actor", "system"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_locked_record_changes_through_no_door(database: Database, change: Any, who: str) -> None:
    number = add(database, Order(title="o", status=Status.paid, lines=[Line(name="one")]))
    opened = database.unit_of_work(ANNA) if who == "actor" else database.system("test")
    with pytest.raises(Locked) as refused, opened as ctx:
        change(ctx, number)
    assert str(refused.value) == "A paid order is locked."
    with database.read(ANNA) as ctx:
        assert ctx.session.get(Order, number).version == 1


@pytest.mark.parametrize("change", CHANGES)
def test_control_the_same_change_passes_while_the_record_is_open(database: Database, change: Any) -> None:
    number = add(database, Order(title="o", lines=[Line(name="one")]))
    with database.unit_of_work(ANNA) as ctx:
        change(ctx, number)


def test_an_unlocking_action_passes_but_not_when_the_record_is_frozen(database: Database) -> None:
    paid = add(database, Order(title="o", status=Status.paid))
    filed = add(database, Order(title="o", status=Status.filed))
    with database.unit_of_work(ANNA) as ctx:
        ctx.unlocking = True
        reopen(ctx, paid)
    with pytest.raises(Locked), database.unit_of_work(ANNA) as ctx:
        ctx.unlocking = True
        reopen(ctx, filed)


def test_a_change_into_the_locked_state_may_change_more(database: Database) -> None:
    number = add(database, Order(title="o"))
    with database.unit_of_work(ANNA) as ctx:
        order = ctx.session.get(Order, number)
        order.status, order.title = Status.paid, "final"
    with database.read(ANNA) as ctx:
        assert ctx.session.get(Order, number).title == "final"


@pytest.mark.parametrize(
    ("start", "end", "action", "allowed"),
    [
        (Status.open, Status.paid, None, True),
        (Status.paid, Status.filed, None, True),
        (Status.open, Status.filed, None, False),
        (Status.paid, Status.open, None, False),
        (Status.paid, Status.open, "archive", False),
        (Status.paid, Status.open, "reopen", True),
    ],
)
def test_a_state_follows_only_those_that_it_may_follow(
    database: Database, start: Status, end: Status, action: str | None, allowed: bool
) -> None:
    number = add(database, Parcel(place="Lyon", status=start))
    with contextlib.ExitStack() as stack:
        if not allowed:
            stack.enter_context(pytest.raises(Conflict))
        ctx = stack.enter_context(database.unit_of_work(ANNA))
        ctx.notes[ACTION] = action
        ctx.session.get(Parcel, number).status = end
    with database.read(ANNA) as ctx:
        assert ctx.session.get(Parcel, number).status is (end if allowed else start)


# Hooks ----------------------------------------------------------------------------------------------------------------


@dataclass
class Recorder:
    """A plugin's hooks: completes names, adds a follow-up order, refuses on demand."""

    calls: list[str] = field(default_factory=list)
    refuse: Exception | None = None

    def before_save(self, ctx: Any, entity: Any, record: Any, changed: frozenset[str]) -> None:
        self.calls.append(f"before_save {entity.name}")
        if entity.name == "shop.customer" and "city" not in changed:
            record.city = "Lyon"

    def validate_record(self, ctx: Any, entity: Any, record: Any, changed: frozenset[str]) -> None:
        self.calls.append(f"validate {entity.name} {'city' in changed}")
        if self.refuse:
            raise self.refuse

    def after_save(self, ctx: Any, entity: Any, record: Any, changed: frozenset[str]) -> None:
        self.calls.append(f"after_save {entity.name}")
        if entity.name == "shop.customer":
            ctx.session.add(Order(title=f"Welcome {record.id}", customer_id=record.id))

    def before_delete(self, ctx: Any, entity: Any, record: Any) -> None:
        self.calls.append("before_delete")


def test_hooks_complete_validate_and_add(database: Database) -> None:
    hooks = database.hooks = Recorder()
    number = add(database, Customer(name="é"))
    with database.read(ANNA) as ctx:
        assert ctx.session.get(Customer, number).city_key == "lyon"
        assert ctx.session.scalars(select(Order.title)).all() == [f"Welcome {number}"]
    assert hooks.calls[:3] == ["before_save shop.customer", "validate shop.customer True", "after_save shop.customer"]
    assert hooks.calls[3] == "before_save shop.order"


@pytest.mark.parametrize("error", [Abort(msg("No.")), ZeroDivisionError()])
def test_whatever_a_hook_raises_refuses_the_write(database: Database, error: Exception) -> None:
    database.hooks = Recorder(refuse=error)
    with pytest.raises(type(error)), database.unit_of_work(ANNA) as ctx:
        ctx.session.add(Customer(name="x"))
    with database.connect() as connection:
        assert connection.execute(select(core_outbox)).all() == []


def test_the_guard_hears_of_each_object_and_changed_field(database: Database, guard: OwnerGuard) -> None:
    number = add(database, Customer(name="x"))
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.get(Customer, number).city = "Lyon"
    with database.unit_of_work(ANNA) as ctx:
        ctx.session.delete(ctx.session.get(Customer, number))
    assert [(verb, "city" in changed) for _, verb, changed in guard.asked] == [
        ("create", False), ("edit", True), ("delete", True),
    ]  # fmt: skip


def test_two_rows_with_one_unique_value_conflict(database: Database) -> None:
    number = add(database, Customer(name="x"))
    with database.read(ANNA) as ctx:
        uid = ctx.session.get(Customer, number).uid
    with pytest.raises(Conflict):
        add(database, Customer(name="y", uid=uid))
