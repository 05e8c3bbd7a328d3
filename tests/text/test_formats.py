"""Dates, numbers and money read as people of a country write them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from babel.dates import format_date
from babel.numbers import format_currency

from gigacore.messages import msg
from gigacore.text import Catalogue, Formats

NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
FRENCH = Formats("fr", "Europe/Paris", {"today": "aujourd’hui", "tomorrow": "demain", "yesterday": "hier"}.get)


def test_french_money_has_no_break_spaces() -> None:
    assert FRENCH.money(Decimal("-1234.5"), "EUR") == "-1\u202f234,50\xa0€"
    assert FRENCH.money(Decimal("1234"), "JPY") == "1\u202f234\xa0JPY"
    assert FRENCH.money(None, "EUR") == ""


def test_amounts_keep_decimals_that_they_have() -> None:
    assert FRENCH.money(Decimal("0.1234"), "EUR") == "0,1234\xa0€"
    assert FRENCH.number(Decimal("2.50")) == "2,5"


@pytest.mark.parametrize("locale", ["fr", "en", "en_GB", "de", "es", "it", "nl", "pt", "fr_CH"])
@pytest.mark.parametrize("width", ["short", "medium", "long", "full"])
def test_compiled_dates_are_babels(locale: str, width: str) -> None:
    formats = Formats(locale, "UTC")
    assert formats.date(NOW.date(), width) == format_date(NOW.date(), width, locale=locale)


@pytest.mark.parametrize("locale", ["fr", "en", "de", "es"])
def test_compiled_money_is_babels(locale: str) -> None:
    amount = Decimal("9876543.21")
    assert Formats(locale).money(amount, "EUR") == format_currency(amount, "EUR", locale=locale)


def test_moments_are_shown_in_the_readers_zone() -> None:
    assert FRENCH.datetime(NOW) == "22 nov. 2026, 00:30"
    assert FRENCH.date(NOW) == "22 nov. 2026"
    assert FRENCH.date(date(2026, 11, 21)) == "21 nov. 2026"
    assert Formats("en", "America/New_York").datetime(NOW).endswith("6:30\u202fPM")


def test_relative_days_follow_the_readers_calendar() -> None:
    assert FRENCH.relative(date(2026, 11, 22), NOW) == "aujourd’hui"
    assert FRENCH.relative(NOW - timedelta(minutes=5), NOW) == "il y a 5 minutes"
    assert FRENCH.relative(NOW - timedelta(days=3), NOW) == "il y a 3 jours"
    assert Formats("en").relative(date(2026, 11, 20), NOW) == "yesterday"


def test_an_unknown_language_reads_english() -> None:
    catalogue = Catalogue.load(["gigacore"])
    assert catalogue.translator("xx")("Save") == "Save"


@pytest.mark.parametrize(
    ("locale", "count", "told"),
    [
        ("en", 0, "0 records use this choice."),
        ("en", 1, "1 record uses this choice."),
        ("en", 2, "2 records use this choice."),
        ("fr", 0, "0 fiche utilise cette valeur."),
        ("fr", 1, "1 fiche utilise cette valeur."),
        ("fr", "1", "1 fiche utilise cette valeur."),
        ("fr", 2, "2 fiches utilisent cette valeur."),
        ("fr", "1\u202f234", "1\u202f234 fiches utilisent cette valeur."),
        ("xx", 1, "1 record uses this choice."),
    ],
)
def test_a_count_chooses_the_form_of_a_text(locale: str, count: object, told: str) -> None:
    translate = Catalogue.load(["gigacore"]).translator(locale)
    assert translate(msg("{count} records use this choice.", count=count)) == told
    assert translate(msg("{what}", what=msg("{count} records use this choice.", count=count))) == told


def test_a_currency_of_letters_stands_apart_from_its_amount() -> None:
    english = Formats("en")
    assert english.money(Decimal("1950"), "CHF") == "CHF\xa01,950.00"
    assert english.money(Decimal("1950"), "GBP") == "£1,950.00"
