"""Links, activities, numbers, keys, currencies, settings, events."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from gigacore.clock import FixedClock
from gigacore.data import Database, activities, counters, currency, idempotency, links, outbox, settings
from gigacore.data.tables import core_audit, core_outbox
from gigacore.entity import Money
from gigacore.errors import Conflict, Forbidden, Invalid, Misuse, NotFound
from tests.data.sample import ANNA, BEN, Customer, Order


@pytest.fixture
def pair(database: Database) -> tuple[int, int]:
    """A customer of Anna's and an order of hers."""
    with database.unit_of_work(ANNA) as ctx:
        customer, order = Customer(name="Ada"), Order(title="One")
        ctx.session.add_all([customer, order])
    return customer.id, order.id


# Links ----------------------------------------------------------------------------------------------------------------


def test_a_link_reads_from_both_ends(database: Database, pair: tuple[int, int]) -> None:
    follows = links.kinds_by_key()["follows"]
    with database.unit_of_work(ANNA) as ctx:
        customer, order = ctx.session.get(Customer, pair[0]), ctx.session.get(Order, pair[1])
        first = links.link(ctx, order, customer, follows)
        assert links.link(ctx, order, customer, follows) == first
        assert [one.label for one in links.links_of(ctx, order)] == ["Follows"]
        assert [one.label for one in links.links_of(ctx, customer)] == ["Is followed by"]


def test_a_symmetric_link_is_the_same_from_either_side(database: Database, pair: tuple[int, int]) -> None:
    with database.unit_of_work(ANNA) as ctx:
        customer, order = ctx.session.get(Customer, pair[0]), ctx.session.get(Order, pair[1])
        assert links.link(ctx, order, customer) == links.link(ctx, customer, order)
        links.unlink(ctx, customer, links.links_of(ctx, customer)[0].link_id)
        assert links.links_of(ctx, order) == []
        with pytest.raises(NotFound):
            links.unlink(ctx, customer, 1)


def test_a_link_to_a_hidden_record_is_not_shown(database: Database, pair: tuple[int, int]) -> None:
    with database.unit_of_work(ANNA) as ctx:
        customer, order = ctx.session.get(Customer, pair[0]), ctx.session.get(Order, pair[1])
        links.link(ctx, customer, order)
    with database.system("hand over") as ctx:
        ctx.session.get(Order, pair[1]).owner_id = 2
    with database.read(ANNA) as ctx:
        assert links.links_of(ctx, ctx.session.get(Customer, pair[0])) == []
    with database.read(BEN) as ctx:
        assert links.links_of(ctx, ctx.session.get(Order, pair[1])) == []


def test_linking_takes_the_right_to_edit(database: Database, pair: tuple[int, int]) -> None:
    with database.read(ANNA) as ctx:
        customer, order = ctx.session.get(Customer, pair[0]), ctx.session.get(Order, pair[1])
    with pytest.raises(Forbidden), database.unit_of_work(BEN) as ctx:
        links.link(ctx, customer, order)


# Activities -----------------------------------------------------------------------------------------------------------


def test_an_activity_stands_on_the_timeline_of_each_record(database: Database, pair: tuple[int, int]) -> None:
    with database.unit_of_work(ANNA) as ctx:
        customer, order = ctx.session.get(Customer, pair[0]), ctx.session.get(Order, pair[1])
        activities.log(ctx, "shop.call", "Called", [customer, order], direction="out", data={"minutes": 3})
        activities.log(ctx, "shop.note", "Noted", [customer], at=ctx.now - timedelta(days=2))
    with database.read(ANNA) as ctx:
        shown = activities.timeline(ctx, "shop.customer", pair[0])
        assert [one.title for one in shown] == ["Called", "Noted"]
        assert (shown[0].plugin, shown[0].data, shown[0].direction) == ("shop", {"minutes": 3}, "out")
        assert [one.title for one in activities.timeline(ctx, "shop.order", pair[1])] == ["Called"]
        rest = activities.timeline(ctx, "shop.customer", pair[0], before=(shown[0].at, shown[0].id))
        assert [one.title for one in rest] == ["Noted"]
        assert len(activities.timeline(ctx, "shop.customer", pair[0], kinds=["shop.note"])) == 1
        connection = ctx.session.connection()
        assert activities.last_at(connection, "shop.customer", pair[0], ["shop.call"]) == ctx.now


def test_an_activity_follows_its_source(database: Database, pair: tuple[int, int]) -> None:
    with database.unit_of_work(ANNA) as ctx:
        customer, order = ctx.session.get(Customer, pair[0]), ctx.session.get(Order, pair[1])
        activities.log(ctx, "shop.mail", "Secret", [customer], source=order)
    with database.read(ANNA) as ctx:
        assert len(activities.timeline(ctx, "shop.customer", pair[0])) == 1
    with database.system("hand over") as ctx:
        ctx.session.get(Customer, pair[0]).owner_id = 2
    with database.read(BEN) as ctx:
        assert activities.timeline(ctx, "shop.customer", pair[0]) == []
    with pytest.raises(NotFound), database.read(ANNA) as ctx:
        activities.timeline(ctx, "shop.customer", pair[0])


# Numbers --------------------------------------------------------------------------------------------------------------


def test_numbers_run_by_organisation_series_and_year(database: Database) -> None:
    with database.unit_of_work(ANNA) as ctx:
        taken = [counters.next_number(ctx.session, "INV", year) for year in (2025, 2025, 2026)]
        assert taken == [1, 2, 1]
        assert counters.next_number(ctx.session, "CN", 2025) == 1
        assert counters.next_number(ctx.session, "INV", 2025, org_id=2) == 1


def test_a_number_of_a_rolled_back_document_is_used_by_the_next(database: Database) -> None:
    with pytest.raises(RuntimeError), database.unit_of_work(ANNA) as ctx:
        counters.next_number(ctx.session, "INV", 2026)
        raise RuntimeError
    with database.unit_of_work(ANNA) as ctx:
        assert counters.next_number(ctx.session, "INV", 2026) == 1
    with pytest.raises(Misuse), database.read(ANNA) as ctx:
        counters.next_number(ctx.session, "INV", 2026)


# Keys -----------------------------------------------------------------------------------------------------------------

PRINT = "f" * 64


def test_a_key_gives_the_first_answer_again(database: Database) -> None:
    with database.unit_of_work(ANNA) as ctx:
        assert idempotency.claim(ctx, "k", PRINT) is None
        idempotency.keep(ctx, "k", 201, b'{"id": 1}', {"ETag": '"1"'})
    with database.unit_of_work(ANNA) as ctx:
        kept = idempotency.claim(ctx, "k", PRINT)
    assert kept == idempotency.Kept(201, b'{"id": 1}', {"ETag": '"1"'})


def test_a_key_stands_for_one_request_of_one_actor(database: Database) -> None:
    with database.unit_of_work(ANNA) as ctx:
        idempotency.claim(ctx, "k", PRINT)
        idempotency.keep(ctx, "k", 201, b"{}", {})
    with pytest.raises(Invalid), database.unit_of_work(ANNA) as ctx:
        idempotency.claim(ctx, "k", "e" * 64)
    with database.unit_of_work(BEN) as ctx:
        assert idempotency.claim(ctx, "k", PRINT) is None


def test_a_key_whose_effect_was_rolled_back_is_free(database: Database) -> None:
    with pytest.raises(RuntimeError), database.unit_of_work(ANNA) as ctx:
        idempotency.claim(ctx, "k", PRINT)
        raise RuntimeError
    with database.unit_of_work(ANNA) as ctx:
        assert idempotency.claim(ctx, "k", PRINT) is None


def test_a_key_is_busy_while_its_request_runs(database: Database) -> None:
    with database.unit_of_work(ANNA) as ctx:
        assert idempotency.claim(ctx, "k", PRINT) is None
        with pytest.raises(Conflict):
            idempotency.claim(ctx, "k", PRINT)


def test_answers_are_forgotten_after_a_month(database: Database, clock: FixedClock) -> None:
    with database.unit_of_work(ANNA) as ctx:
        idempotency.claim(ctx, "k", PRINT)
    clock.advance(timedelta(days=31))
    with database.begin() as connection:
        assert idempotency.purge(connection, clock.now()) == 1


# Currencies -----------------------------------------------------------------------------------------------------------


def money(amount: str, code: str) -> Money:
    return Money(Decimal(amount), code)


def test_the_rate_of_the_day_or_its_inverse_is_used(database: Database) -> None:
    with database.unit_of_work(ANNA) as ctx:
        connection = ctx.session.connection()
        currency.set_rate(ctx, "USD", "EUR", date(2026, 1, 1), Decimal("0.9"))
        currency.set_rate(ctx, "USD", "EUR", date(2026, 4, 1), Decimal("0.8"))
        currency.set_rate(ctx, "USD", "EUR", date(2026, 4, 1), Decimal("0.75"))
        assert currency.convert(connection, money("10", "USD"), "EUR", date(2026, 3, 31)) == money("9", "EUR")
        assert currency.convert(connection, money("10", "USD"), "EUR", date(2026, 5, 1)) == money("7.5", "EUR")
        assert currency.convert(connection, money("9", "EUR"), "USD", date(2026, 2, 1)) == money("10", "USD")
        assert currency.convert(connection, money("9", "EUR"), "USD", date(2025, 1, 1)) is None
        assert currency.convert(connection, money("9", "EUR"), "EUR", date(2025, 1, 1)) == money("9", "EUR")


def test_sums_per_currency_and_a_total_that_names_what_it_leaves_out(database: Database) -> None:
    prices = [money("10.0001", "EUR"), money("20.0002", "EUR"), money("10", "USD"), money("5", "GBP")]
    with database.unit_of_work(ANNA) as ctx:
        currency.set_rate(ctx, "USD", "EUR", date(2026, 1, 1), Decimal("0.9"))
        found = currency.totals(ctx.session.connection(), prices, "EUR", date(2026, 2, 1))
    assert found.sums == (money("30.0003", "EUR"), money("5", "GBP"), money("10", "USD"))
    assert (found.total, found.missing) == (money("39.0003", "EUR"), ("GBP",))


@pytest.mark.parametrize(("base", "rate"), [("EUR", "1"), ("XXX", "1"), ("USD", "0"), ("USD", "NaN")])
def test_a_rate_that_makes_no_sense_is_refused(database: Database, base: str, rate: str) -> None:
    with pytest.raises(Invalid), database.unit_of_work(ANNA) as ctx:
        currency.set_rate(ctx, base, "EUR", date(2026, 1, 1), Decimal(rate))


# Settings and events --------------------------------------------------------------------------------------------------


def test_the_narrower_setting_wins(database: Database) -> None:
    with database.unit_of_work(ANNA) as ctx:
        settings.put(ctx, "shop.page", 20)
        settings.put(ctx, "shop.page", 50, scope="user")
        settings.put(ctx, "shop.name", {"fr": "Boutique"}, scope="org")
        assert settings.get(ctx, "shop.page") == 50
        assert settings.get(ctx, "shop.unknown", "default") == "default"
    with database.unit_of_work(BEN) as ctx:
        assert settings.get(ctx, "shop.page") == 20
        assert settings.read(ctx.session.connection(), org_id=1, user_id=1) == {
            "shop.page": 50, "shop.name": {"fr": "Boutique"},
        }  # fmt: skip
    with database.unit_of_work(ANNA) as ctx:
        settings.remove(ctx, "shop.page", scope="user")
        assert settings.get(ctx, "shop.page") == 20


def test_an_action_is_announced_after_the_change_it_made(database: Database, pair: tuple[int, int]) -> None:
    with database.unit_of_work(ANNA) as ctx:
        order = ctx.session.get(Order, pair[1])
        order.title = "Reopened"
        outbox.emit(ctx, order, "reopen", {"why": "mistake"})
        outbox.emit_plain(ctx, "shop.stock.counted")
    with database.connect() as connection:
        names = connection.scalars(select(core_outbox.c.name).order_by(core_outbox.c.id)).all()
        assert names[-3:] == ["shop.order.updated", "shop.order.reopen", "shop.stock.counted"]
        assert connection.scalars(select(core_audit.c.id)).all()
