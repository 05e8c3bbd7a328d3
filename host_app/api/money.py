"""Currencies, dated rates, and sums of money over a list."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from flask import Flask, Response, g, request
from werkzeug.datastructures import MultiDict

from gigacore import records
from gigacore.context import Context
from gigacore.data import currency
from gigacore.data.tables import core_rate
from gigacore.entity import KINDS, BadValue, FieldSpec
from gigacore.errors import Invalid
from gigacore.messages import msg
from host_app.api.answers import answer
from host_app.api.body import read_object
from host_app.api.once import write
from host_app.api.policies import entity_at, on_entity, on_tool
from host_app.api.query import list_filter, number, only
from host_app.api.records import COLLECTION
from host_app.auth import current
from host_app.routing import route, signed_in

CURRENCIES: Final = "/api/v1/core/currencies"
RATES: Final = "/api/v1/core/rates"
_RATE: Final = (
    FieldSpec("base", "text", "Currency", max_length=3),
    FieldSpec("code", "text", "In currency", max_length=3),
    FieldSpec("on", "date", "From"),
    FieldSpec("rate", "decimal", "Rate"),
)


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, CURRENCIES, policy=signed_in)(currencies)
    route(app, RATES, policy=signed_in)(rates)
    route(app, RATES, policy=on_tool("core.setting", "edit"), methods=["POST"])(set_rate)
    route(app, f"{COLLECTION}/sums", policy=on_entity("view"))(sums)


def currencies() -> Response:
    """The active currencies, and the one in which totals are stated."""
    only()
    connection = g.ctx.session.connection()
    known = currency.currencies(connection).items()
    items = [{"code": code, "name": name, "symbol": symbol, "digits": digits} for code, (name, symbol, digits) in known]
    return answer({"base": currency.base_currency(connection, current().org_id), "items": items})


def rates() -> Response:
    """The newest rates."""
    only("limit")
    c = core_rate.c
    newest = sa.select(c.base, c.code, c.on_date, c.rate, c.source).order_by(c.on_date.desc(), c.id.desc())
    rows = g.ctx.session.connection().execute(newest.limit(number("limit", default=50, most=200)))
    return answer({"items": [_rate(*row) for row in rows]})


def _rate(base: str, code: str, on: date, rate: Decimal, source: str) -> dict[str, Any]:
    return {"base": base, "code": code, "on": on, "rate": str(rate.normalize()), "source": source}


def set_rate() -> Response:
    """State a rate: `{"base": "EUR", "code": "USD", "on": "2026-01-31", "rate": "1.0832"}`: one EUR is 1.0832 USD."""
    only()
    given = _checked(read_object())

    def work(ctx: Context) -> Response:
        currency.set_rate(ctx, given["base"], given["code"], given["on"], given["rate"], source="api")
        return answer(_rate(given["base"], given["code"], given["on"], given["rate"], "api"), 201)

    return write(work)


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(body) - {spec.name for spec in _RATE})
    if unknown:
        raise Invalid.of(unknown[0], msg("There is no field {name}.", name=unknown[0]), "unknown_field")
    return {spec.name: _value(spec, body.get(spec.name)) for spec in _RATE}


def _value(spec: FieldSpec, value: Any) -> Any:
    if value is None:
        raise Invalid.of(spec.name, msg("This is required."), "required")
    try:
        return KINDS[spec.kind].parse(value, spec)
    except BadValue as error:
        raise Invalid.of(spec.name, error.message) from None


def sums(plugin: str, plural: str) -> Response:
    """Totals of the money field `?field=` over the filtered list: per currency, and in the organisation's own."""
    entity = entity_at(plugin, plural)
    name = request.args.get("field", "")
    args = MultiDict((key, value) for key, value in request.args.items(multi=True) if key != "field")
    found = records.totals(g.ctx, entity.name, name, list_filter(args, entity))
    return answer({"sums": found.sums, "total": found.total, "missing_rates": found.missing})
