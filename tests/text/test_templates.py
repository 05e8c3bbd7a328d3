"""Templates written by administrators render plain data and nothing else, within bounds."""

import time
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from gigacore.errors import Invalid
from gigacore.text import render, validate

DATA = {
    "contact": {"name": "Zoé <b>", "emails": ["a@b.fr", "c@d.fr"], "secret": None},
    "lines": [{"label": "A", "price": Decimal("2.50"), "count": 3}, {"label": "B", "price": Decimal("1"), "count": 1}],
    "amount": {"amount": "12.50", "currency": "EUR"},
    "day": date(2026, 11, 21),
    "at": datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
    "numbers": list(range(60)),
}

HOSTILE = [
    "{{ ''.__class__.__mro__ }}",
    "{{ ''['__class__'] }}",
    "{{ contact.__class__ }}",
    "{{ contact['__class__'] }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ lipsum }}",
    "{{ joiner }}",
    "{{ namespace }}",
    "{{ self }}",
    "{{ config }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '%s' % contact }}",
    "{{ ''|attr('format') }}",
    "{{ contact|map(attribute='__class__')|list }}",
    "{{ contact|xmlattr }}",
    "{{ '%s'|format(1) }}",
    "{{ contact|pprint }}",
    "{{ contact|tojson }}",
    "{{ 'a'|center(300000000) }}",
    "{% include '/etc/passwd' %}",
    "{% import 'x' as x %}",
    "{% from 'x' import y %}",
    "{% extends 'x' %}",
    "{% block x %}{% endblock %}",
    "{% macro m() %}{% endmacro %}",
    "{% call m() %}{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% set x %}{{ day }}{% endset %}",
    "{% autoescape false %}{{ contact.name }}{% endautoescape %}",
    "{% do contact.clear() %}",
    "{{ contact.clear() }}",
    "{{ contact.delete() }}",
    "{{ contact.owner.password_hash }}",
    "{{ contact.items }}",
    "{{ contact.name.upper }}",
    "{{ _private }}",
    "{{ range(10) }}",
    "{{ dict(a=1) }}",
    "{{ 'a' * 200000000 }}",
    "{{ 'a' * 3 }}",
    "{{ numbers * 1000000 }}",
    "{{ 9 ** (9 ** 9) }}",
    "{{ 9 ** 99 ** 99 }}",
    "{{ 10.0 ** 400 }}",
    "{{ 'aaaaaaaa'|replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')"
    + "|replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')" * 6
    + " }}",
    "{% set a = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
    "{% set a = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaa' %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "".join("{% for " + c + " in numbers %}" for c in "abcdef") + "{% endfor %}" * 6,
    "{% for a in numbers %}{% for b in numbers %}{% for c in numbers %}0123456789012345678" + "{% endfor %}" * 3,
    "{% for x in numbers recursive %}{{ loop(numbers) }}{% endfor %}",
    "{{ " + "(" * 4000 + "1" + ")" * 4000 + " }}",
    "{{ " + "-" * 4000 + "1 }}",
    "{{ " + "not " * 4000 + "1 }}",
    "x" * 70_000,
    "{{ unknown }}",
    "{{ contact.unknown }}",
    "{{ lines[99].label }}",
    "{{ contact",
    "{% for x in y %}",
    "{% if %}",
    "{{ 1 / 0 }}",
    "{{ 1 + 'a' }}",
    "{{ numbers|sum('label') }}",
]


@pytest.mark.parametrize("template", HOSTILE, ids=lambda text: text[:40])
def test_hostile_template_is_refused_quickly(template: str) -> None:
    started = time.monotonic()
    with pytest.raises(Invalid) as refused:
        render(template, DATA)
    assert refused.value.errors[0].code.startswith("template_")
    assert time.monotonic() - started < 8


def test_what_saving_refuses_is_what_rendering_refuses() -> None:
    later = "{% if contact.secret %}{{ contact.secret.__class__ }}{% endif %}"
    with pytest.raises(Invalid):
        validate(later, DATA)
    with pytest.raises(Invalid):
        render(later, {"contact": {"secret": None}})


def test_only_plain_data_reaches_a_template() -> None:
    class Record:
        name = "x"

    with pytest.raises(Invalid) as refused:
        render("{{ record.name }}", {"record": Record()})
    assert refused.value.errors[0].code == "template_data"


def test_plain_template_fills_in_values() -> None:
    text = (
        "Bonjour {{ contact.name }}, {{ amount|money }} le {{ day|date }} ({{ contact.secret }})"
        "{% if day.year > 2000 %}!{% endif %}"
    )
    assert render(text, DATA, locale="fr") == "Bonjour Zoé <b>, 12,50\xa0€ le 21 nov. 2026 ()!"


def test_html_template_escapes_values() -> None:
    assert render("<p>{{ contact.name }}</p>", DATA, html=True) == "<p>Zoé &lt;b&gt;</p>"


def test_loop_and_arithmetic_work_in_the_child() -> None:
    text = "{% for l in lines %}{{ loop.index }}. {{ l.label }} {{ l.price * l.count }}\n{% endfor %}{{ at|datetime }}"
    assert render(text, DATA, locale="fr", timezone="Europe/Paris") == "1. A 7.50\n2. B 1\n21 nov. 2026, 13:00"


def test_missing_value_can_have_a_default() -> None:
    assert render("{{ contact.nick|default('you') }}", DATA) == "you"
