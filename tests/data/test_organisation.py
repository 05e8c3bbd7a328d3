"""The own company and its money: checked numbers, base currency, rates with their history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from gigacore import Crm
from gigacore.context import Actor
from gigacore.data import currency, money_settings, organisation
from gigacore.errors import Conflict, Forbidden, Invalid, NotFound

People = Callable[..., Actor]


def test_the_company_is_kept_with_its_numbers_checked(crm: Crm, make_user: People) -> None:
    values = {
        "name": "Vigne & Fils", "siren": "404 833 048", "vat": "fr 83 404833048", "country": "fr", "city": "Lyon",
        "phone": "+33 1 23 45 67 89", "email": "Bonjour@vigne.example", "website": "vigne.example",
    }  # fmt: skip
    with crm.unit_of_work(make_user("admin")) as ctx:
        organisation.change(ctx, values)
        found = organisation.change(ctx, {"city": ""})
    assert (found.name, found.siren, found.vat, found.country, found.city) == (
        "Vigne & Fils", "404833048", "FR83404833048", "FR", "",
    )  # fmt: skip
    with pytest.raises(Forbidden), crm.unit_of_work(make_user("user")) as ctx:
        organisation.change(ctx, values)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("siren", "404833049"), ("siren", "40483304"), ("vat", "FR84404833048"), ("vat", "83404833048"), ("name", ""),
        ("country", "France"), ("email", "nobody"), ("unknown", "x"), ("siren", "40483304800023"),
    ],
)  # fmt: skip
def test_a_wrong_number_is_named(crm: Crm, make_user: People, field: str, value: str) -> None:
    with pytest.raises(Invalid) as caught, crm.unit_of_work(make_user("admin")) as ctx:
        organisation.change(ctx, {"city": "Lyon", field: value})
    assert [one.path for one in caught.value.errors] == [field]


@pytest.mark.parametrize("number", ["40483304800022", "35600000000048", "732829320"])
def test_right_numbers_pass(number: str) -> None:
    assert organisation.check_siren(number) == number


def test_currencies_are_offered_and_rates_keep_their_history(crm: Crm, make_user: People) -> None:
    with crm.unit_of_work(make_user("admin")) as ctx:
        connection = ctx.session.connection()
        money_settings.add(ctx, "MAD", "Moroccan dirham", "DH")
        for code, name in (("MAD", "Again"), ("mad", "Small"), ("XTS", "")):
            with pytest.raises(Invalid):
                money_settings.add(ctx, code, name)
        with pytest.raises(Conflict):
            money_settings.offer(ctx, "EUR", False)
        money_settings.offer(ctx, "JPY", False)
        money_settings.state_rate(ctx, "EUR", "MAD", date(2026, 1, 1), Decimal("10.8"))
        money_settings.state_rate(ctx, "EUR", "MAD", date(2026, 2, 1), Decimal("10.9"))
        with pytest.raises(Invalid):
            money_settings.state_rate(ctx, "EUR", "MAD", date(2026, 2, 1), Decimal("0.00000000001"))
        assert [one.rate for one in money_settings.rates(connection)] == [Decimal("10.9"), Decimal("10.8")]
        assert currency.rate(connection, "EUR", "MAD", date(2026, 1, 15)) == Decimal("10.8")
        money_settings.remove_rate(ctx, "EUR", "MAD", date(2026, 2, 1))
        with pytest.raises(NotFound):
            money_settings.remove_rate(ctx, "EUR", "MAD", date(2026, 2, 1))
        money_settings.set_base(ctx, "MAD")
        first, *rest = money_settings.all_currencies(connection)
    assert (first.code, first.base) == ("MAD", True)
    assert [one.active for one in rest if one.code == "JPY"] == [False]
    for work in (lambda ctx: money_settings.set_base(ctx, "EUR"), lambda ctx: money_settings.offer(ctx, "USD", False)):
        with pytest.raises(Forbidden), crm.unit_of_work(make_user("user")) as ctx:
            work(ctx)
