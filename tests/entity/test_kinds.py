"""Field kinds: what they accept, what they refuse, and that writing and reading back changes nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigacore.entity import KINDS, BadValue, FieldSpec, Money, fold
from gigacore.entity.contacts import phone_key
from gigacore.entity.money import MAX_AMOUNT, quantise

amounts = st.decimals(min_value=-MAX_AMOUNT, max_value=MAX_AMOUNT, places=4, allow_nan=False, allow_infinity=False)
currencies = st.sampled_from(["EUR", "USD", "CHF", "JPY"])
values: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=50).map(str.strip),
    "integer": st.integers(-(2**53) + 1, 2**53 - 1),
    "decimal": amounts,
    "money": st.builds(Money, amounts, currencies),
    "boolean": st.booleans(),
    "date": st.dates(),
    "datetime": st.datetimes(timezones=st.just(UTC)),
}


def spec(kind: str, **options: Any) -> FieldSpec:
    return FieldSpec(name="f", kind=kind, label="F", **options)


@pytest.mark.parametrize("kind", sorted(values))
@given(data=st.data())
def test_what_is_written_to_json_reads_back_the_same(kind: str, data: st.DataObject) -> None:
    value = data.draw(values[kind])
    assert KINDS[kind].parse(KINDS[kind].dump(value), spec(kind)) == value


@pytest.mark.parametrize("kind", sorted(set(values) - {"text"}))
@given(data=st.data())
def test_what_is_exported_as_text_reads_back_the_same(kind: str, data: st.DataObject) -> None:
    value = data.draw(values[kind])
    assert KINDS[kind].parse_text(KINDS[kind].text(value), spec(kind), "en") == value


@given(amounts, amounts, currencies)
def test_money_of_one_currency_adds_exactly(a: Decimal, b: Decimal, currency: str) -> None:
    try:
        total = quantise(a + b)
    except ValueError:
        return
    assert (Money(a, currency) + Money(b, currency)).amount == total


def test_money_of_two_currencies_does_not_add() -> None:
    with pytest.raises(ValueError, match="cannot add"):
        Money(Decimal(1), "EUR") + Money(Decimal(1), "USD")


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("text", 3),
        ("text", "a\x00b"),
        ("text", "\ud800"),
        ("text", "x" * 201),
        ("integer", True),
        ("integer", "3"),
        ("integer", 1.5),
        ("integer", 2**60),
        ("decimal", "NaN"),
        ("decimal", "1e400"),
        ("decimal", "1.00001"),
        ("money", 12),
        ("money", {"amount": "1", "currency": "euro"}),
        ("money", {"amount": "1", "currency": "EUR", "more": 1}),
        ("boolean", "true"),
        ("date", "2026-02-30"),
        ("date", "2026-W01-1"),
        ("datetime", "2026-01-01T00:00:00"),
        ("email", "nobody"),
        ("email", "a@b"),
        ("phone", "call me"),
        ("url", "javascript:alert(1)"),
        ("url", "data:text/html,x"),
        ("url", "https://user@example.com"),
        ("ref", 0),
        ("ref", "1"),
        ("choices", "a"),
    ],
)
def test_a_wrong_value_is_refused(kind: str, bad: object) -> None:
    with pytest.raises(BadValue):
        KINDS[kind].parse(bad, spec(kind))


@pytest.mark.parametrize(
    ("text", "locale", "expected"),
    [
        ("1 234,50", "fr", Decimal("1234.50")),
        ("1\u202f234,50", "fr", Decimal("1234.50")),
        ("1,234.50", "en", Decimal("1234.50")),
        ("12,5", "en", Decimal("12.5")),
        ("-3", "en", Decimal(-3)),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, locale: str, expected: Decimal) -> None:
    assert KINDS["decimal"].parse_text(text, spec("decimal"), locale) == expected


@pytest.mark.parametrize(
    ("text", "locale", "expected"),
    [
        ("31/01/2026", "fr", date(2026, 1, 31)),
        ("1/31/2026", "en", date(2026, 1, 31)),
        ("2026-01-31", "fr", date(2026, 1, 31)),
    ],
)
def test_dates_are_read_as_people_write_them(text: str, locale: str, expected: date) -> None:
    assert KINDS["date"].parse_text(text, spec("date"), locale) == expected


def test_amounts_with_a_sign_or_code_are_read() -> None:
    parse = KINDS["money"].parse_text
    assert parse("1 234,50 €", spec("money"), "fr") == Money(Decimal("1234.5"), "EUR")
    assert parse("USD 12.5", spec("money"), "en") == Money(Decimal("12.5"), "USD")


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("836-946-3246x0282", "8369463246x0282"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("0033 6 12 34 56 78", "+33612345678"),
        ("(294)577-3700", "2945773700"),
    ],
)
def test_numbers_written_differently_compare_equal(written: str, key: str) -> None:
    assert phone_key(KINDS["phone"].parse(written, spec("phone", max_length=60))) == key


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = fold(text)
    assert fold(once) == fold(fold(once))


def test_folding_drops_case_and_accents() -> None:
    assert fold("Éléonore ÇA") == "eleonore ca"


def test_moments_are_kept_in_utc() -> None:
    paris = datetime.fromisoformat("2026-07-01T12:00:00+02:00")
    parsed = KINDS["datetime"].parse("2026-07-01T12:00:00+02:00", spec("datetime"))
    assert parsed == paris
    assert parsed.utcoffset() == timedelta(0)
