"""Which currencies are offered, the one of totals, and their dated rates; each change in the caller's unit of work."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, delete, insert, select, update

from gigacore.access.decide import require
from gigacore.data import audit, currency
from gigacore.data.tables import core_currency, core_org, core_rate
from gigacore.errors import Conflict, FieldError, Invalid, NotFound
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

TOOL: Final = "core.setting"
_C: Final = core_currency.c
_R: Final = core_rate.c
_CODE: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_LARGEST: Final = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency as administrators see it; `base` is the one in which totals are stated."""

    code: str
    name: str
    symbol: str
    digits: int
    active: bool
    base: bool


@dataclass(frozen=True, slots=True)
class Rate:
    """From `on` on, one `base` is worth `rate` of `code`."""

    base: str
    code: str
    on: date
    rate: Decimal
    source: str


def all_currencies(connection: Connection, org_id: int = 1) -> list[Currency]:
    """Every currency, the base first, then those that are offered."""
    base = currency.base_currency(connection, org_id)
    rows = connection.execute(select(_C.code, _C.name, _C.symbol, _C.digits, _C.active).order_by(_C.code))
    found = [Currency(*row, base=row.code == base) for row in rows]
    return sorted(found, key=lambda one: (not one.base, not one.active, one.code))


def rates(connection: Connection, limit: int = 200) -> list[Rate]:
    """The newest rates first: the history of each pair stays."""
    newest = select(_R.base, _R.code, _R.on_date, _R.rate, _R.source).order_by(_R.on_date.desc(), _R.id.desc())
    return [Rate(*row) for row in connection.execute(newest.limit(limit))]


def add(ctx: Context, code: str, name: str, symbol: str = "", digits: int = 2) -> None:
    """Offer one more currency (ISO 4217). Takes `core.setting.edit`. Raises Invalid."""
    require(ctx, "edit", TOOL)
    connection, faults = ctx.session.connection(), list[FieldError]()

    def wrong(field: str, text: Msg) -> None:
        faults.append(FieldError(field, text))

    if not _CODE.fullmatch(code):
        wrong("code", msg("A currency has three capital letters, such as EUR."))
    elif connection.scalar(select(_C.code).where(_C.code == code)) is not None:
        wrong("code", msg("There is this currency already."))
    if not name.strip() or len(name) > 80:
        wrong("name", msg("This is required."))
    if len(symbol) > 8:
        wrong("symbol", msg("This is too long: at most {limit} characters.", limit=8))
    if not 0 <= digits <= 4:
        wrong("digits", msg("At most four decimal places can be kept."))
    if faults:
        raise Invalid(errors=faults)
    row = {"code": code, "name": name.strip(), "symbol": symbol.strip(), "digits": digits, "active": True}
    connection.execute(insert(core_currency).values(row))
    audit.record(ctx, "core.currency", "created", values=row)


def offer(ctx: Context, code: str, active: bool) -> None:
    """Offer a currency in forms, or no more; amounts in it stay. Takes `core.setting.edit`.

    Raises NotFound, Conflict for the currency of totals.
    """
    require(ctx, "edit", TOOL)
    connection = ctx.session.connection()
    if not active and code == currency.base_currency(connection, ctx.actor.org_id):
        raise Conflict(msg("Totals are stated in this currency."), fix=msg("Choose another base currency first."))
    if not connection.execute(update(core_currency).where(_C.code == code).values(active=active)).rowcount:
        raise NotFound
    audit.record(ctx, "core.currency", "changed", values={"code": code, "active": active})


def set_base(ctx: Context, code: str) -> None:
    """State totals in another currency; it is offered from then on. Takes `core.setting.edit`. Raises Invalid."""
    require(ctx, "edit", TOOL)
    connection = ctx.session.connection()
    if not connection.execute(update(core_currency).where(_C.code == code).values(active=True)).rowcount:
        raise Invalid.of("code", msg("The currency {code} is not known.", code=code))
    connection.execute(update(core_org).where(core_org.c.id == ctx.actor.org_id).values(currency=code))
    audit.record(ctx, "core.org", "changed", record_id=ctx.actor.org_id, values={"currency": code})


def state_rate(ctx: Context, base: str, code: str, on: date, rate: Decimal, *, source: str = "") -> None:
    """State a rate from a day on. Takes `core.setting.edit`. Raises Invalid."""
    require(ctx, "edit", TOOL)
    if rate.is_finite() and (rate >= _LARGEST or rate != round(rate, 10)):
        raise Invalid.of("rate", msg("A rate has at most ten decimal places."))
    currency.set_rate(ctx, base, code, on, rate, source=source)


def remove_rate(ctx: Context, base: str, code: str, on: date) -> None:
    """Take back a rate that was stated by mistake. Takes `core.setting.edit`. Raises NotFound."""
    require(ctx, "edit", TOOL)
    which = (_R.base == base, _R.code == code, _R.on_date == on)
    if not ctx.session.connection().execute(delete(core_rate).where(*which)).rowcount:
        raise NotFound
    audit.record(ctx, "core.rate", "removed", values={"base": base, "code": code, "on": on})
