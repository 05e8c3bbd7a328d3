"""Currencies and their dated rates: conversion, and sums that say what they could not convert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Select, select, union_all
from sqlalchemy.dialects import postgresql, sqlite

from gigacore.data import audit
from gigacore.data.tables import core_currency, core_org, core_rate
from gigacore.entity import Money
from gigacore.errors import Invalid
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

_R: Final = core_rate.c


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums per currency, and their total in the base currency over those for which there is a rate.

    `missing` names the currencies without one: the total leaves them out and must be shown with them.
    """

    sums: tuple[Money, ...]
    total: Money
    missing: tuple[str, ...]


def currencies(connection: Connection) -> Mapping[str, tuple[str, str, int]]:
    """The active currencies: code -> (name, symbol, digits)."""
    c = core_currency.c
    rows = connection.execute(select(c.code, c.name, c.symbol, c.digits).where(c.active).order_by(c.code))
    return {row.code: (row.name, row.symbol, row.digits) for row in rows}


def base_currency(connection: Connection, org_id: int = 1) -> str:
    """The currency in which an organisation states its totals."""
    return str(connection.scalar(select(core_org.c.currency).where(core_org.c.id == org_id)) or "EUR")


def set_rate(ctx: Context, base: str, code: str, on: date, rate: Decimal, *, source: str = "") -> None:
    """One `base` is worth `rate` of `code` from that day on. The caller has checked that the actor may."""
    if base == code or not rate.is_finite() or rate <= 0:
        raise Invalid.of("rate", msg("A rate is a number above zero between two currencies."))
    connection = ctx.session.connection()
    known = set(connection.scalars(select(core_currency.c.code).where(core_currency.c.code.in_((base, code)))))
    if unknown := {base, code} - known:
        raise Invalid.of("code", msg("The currency {code} is not known.", code=min(unknown)))
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(core_rate).values(base=base, code=code, on_date=on, rate=rate, source=source)
    changed = {"rate": row.excluded.rate, "source": row.excluded.source}
    connection.execute(row.on_conflict_do_update(index_elements=["base", "code", "on_date"], set_=changed))
    values = {"base": base, "code": code, "on": on, "rate": rate}
    audit.record(ctx, "core.rate", "changed", values=values)


def rate(connection: Connection, source: str, target: str, on: date) -> Decimal | None:
    """What one `source` is worth in `target` on that day: the latest rate until then, or its inverse, or None."""
    return rates(connection, (source,), target, on).get(source)


def rates(connection: Connection, sources: Iterable[str], target: str, on: date) -> Mapping[str, Decimal]:
    """The same for several currencies, in one statement; those without a rate are left out."""
    known = {target: Decimal(1)}
    wanted = sorted(set(sources) - {target})
    if not wanted:
        return known
    pairs = [pair for code in wanted for pair in ((target, code), (code, target))]
    for base, code, found in connection.execute(union_all(*(_latest(*pair, on) for pair in pairs))):
        if code == target:
            known[base] = Decimal(found)
        else:
            known.setdefault(code, Decimal(1) / Decimal(found))
    return known


def _latest(base: str, code: str, on: date) -> Select[Any]:
    latest = select(_R.base, _R.code, _R.rate).where(_R.base == base, _R.code == code, _R.on_date <= on)
    return select(latest.order_by(_R.on_date.desc()).limit(1).subquery())


def convert(connection: Connection, money: Money, target: str, on: date) -> Money | None:
    """The amount in another currency, rounded half to even at four places; None when there is no rate."""
    factor = rate(connection, money.currency, target, on)
    return None if factor is None else Money(money.amount * factor, target)


def totals(connection: Connection, amounts: Iterable[Money], base: str, on: date) -> Totals:
    """Sum amounts per currency and in the base currency."""
    return all_totals(connection, (amounts,), base, on)[0]


def all_totals(connection: Connection, groups: Iterable[Iterable[Money]], base: str, on: date) -> list[Totals]:
    """The same for several groups of amounts; the rates are read once."""
    sums = [_sums(amounts) for amounts in groups]
    factors = rates(connection, {code for one in sums for code in one}, base, on)
    return [_totals(one, base, factors) for one in sums]


def _sums(amounts: Iterable[Money]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for money in amounts:
        sums[money.currency] = sums.get(money.currency, Decimal(0)) + money.amount
    return sums


def _totals(sums: Mapping[str, Decimal], base: str, factors: Mapping[str, Decimal]) -> Totals:
    total = Money(Decimal(0), base)
    for code in sorted(sums.keys() & factors.keys()):
        total = total + Money(sums[code] * factors[code], base)
    missing = tuple(sorted(sums.keys() - factors.keys()))
    return Totals(tuple(Money(sums[code], code) for code in sorted(sums)), total, missing)
