"""Currencies and their dated rates: conversion, and sums that say what they could not convert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from gigacore.data import audit
from gigacore.data.tables import core_currency, core_org, core_rate
from gigacore.entity import Money
from gigacore.errors import Invalid
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.context import Context

_R: Final = core_rate.c
_LATEST: Final = (
    select(_R.rate)
    .where(_R.base == bindparam("from_"), _R.code == bindparam("to"), _R.on_date <= bindparam("on"))
    .order_by(_R.on_date.desc())
    .limit(1)
)


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
    if source == target:
        return Decimal(1)
    direct = connection.scalar(_LATEST, {"from_": source, "to": target, "on": on})
    if direct is not None:
        return Decimal(direct)
    inverse = connection.scalar(_LATEST, {"from_": target, "to": source, "on": on})
    return None if inverse is None else Decimal(1) / Decimal(inverse)


def convert(connection: Connection, money: Money, target: str, on: date) -> Money | None:
    """The amount in another currency, rounded half to even at four places; None when there is no rate."""
    factor = rate(connection, money.currency, target, on)
    return None if factor is None else Money(money.amount * factor, target)


def totals(connection: Connection, amounts: Iterable[Money], base: str, on: date) -> Totals:
    """Sum amounts per currency and in the base currency."""
    sums: dict[str, Decimal] = {}
    for money in amounts:
        sums[money.currency] = sums.get(money.currency, Decimal(0)) + money.amount
    total, missing = Money(Decimal(0), base), []
    for code in sorted(sums):
        converted = convert(connection, Money(sums[code], code), base, on)
        if converted is None:
            missing.append(code)
        else:
            total = total + converted
    return Totals(tuple(Money(sums[code], code) for code in sorted(sums)), total, tuple(missing))
