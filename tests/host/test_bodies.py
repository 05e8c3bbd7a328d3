"""Strict JSON: what is refused before any schema sees it."""

from __future__ import annotations

import pytest

from gigacore.errors import GigaError, Invalid, TooLarge
from host_app.api.body import MAX_DEPTH, loads
from host_app.problems import Problem


def test_reads_ordinary_json() -> None:
    assert loads(b'{"a": [1, 2.5, null, "\\u00e9"], "b": {"c": true}}') == {"a": [1, 2.5, None, "é"], "b": {"c": True}}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"nan",
        b"NaN",
        b'{"a": NaN}',
        b"1e400",
        b'{"a": -Infinity}',
        b'"\\ud800"',
        b"\xff",
        b"{'a': 1}",
        b"[1,]",
    ],
)
def test_refuses_what_is_not_json(raw: bytes) -> None:
    with pytest.raises(Problem) as caught:
        loads(raw)
    assert caught.value.status == 400


@pytest.mark.parametrize("raw", [b'{"a": 1, "a": 2}', b'[{"b": {"c": 1, "d": 2, "c": 3}}]'])
def test_refuses_duplicate_keys(raw: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        loads(raw)
    assert caught.value.errors[0].code == "duplicate_key"


@pytest.mark.parametrize(
    "raw", [b'{"a": "x\\u0000y"}', b'{"x\\u0000": 1}', b'["\\u0000"]', b'{"a": 18446744073709551615}']
)
def test_refuses_values_that_no_database_stores(raw: bytes) -> None:
    with pytest.raises(Invalid):
        loads(raw)


def test_bounds_the_depth() -> None:
    loads(b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1))
    for depth in (MAX_DEPTH + 1, 900, 10_000):
        with pytest.raises(Invalid):
            loads(b"[" * depth + b"]" * depth)


def test_bounds_the_number_of_values() -> None:
    with pytest.raises(TooLarge):
        loads(b"[" + b"1," * 200_000 + b"1]")


def test_every_refusal_is_an_answer_below_500() -> None:
    for raw in (b"[" * 100_000, b'{"a":' * 5000, b"\x00", b"9" * 10_000, b'"' + b"a" * 10):
        with pytest.raises(GigaError) as caught:
            loads(raw)
        assert 400 <= caught.value.status < 500
