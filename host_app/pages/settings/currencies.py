"""Currencies and their dated rates: the one of totals, those on offer, the history of each rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.data import money_settings
from gigacore.entity import FieldSpec
from gigacore.errors import GigaError, Invalid, NotFound
from gigacore.messages import Msg, msg
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import plain_form
from host_app.pages.dates import date_text
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.doing import again, do, problems
from host_app.routing import route

PATH: Final = "/settings/currencies"
TOOL: Final = money_settings.TOOL
CODE: Final = FieldSpec("code", "text", label="Code", required=True, max_length=3)
NEW: Final = (
    CODE,
    FieldSpec("name", "text", label="Name", required=True, max_length=80),
    FieldSpec("symbol", "text", label="Symbol", max_length=8),
    FieldSpec("digits", "integer", label="Decimal places", default=2, minimum=0, maximum=4),
)
WORDS: Final[Mapping[str, Msg]] = {
    "US dollar": msg("US dollar"), "Pound sterling": msg("Pound sterling"), "Swiss franc": msg("Swiss franc"),
    "Canadian dollar": msg("Canadian dollar"), "Yen": msg("Yen"),
}  # fmt: skip
RATE: Final = (
    FieldSpec("base", "enum", label="One", required=True),
    FieldSpec("rate", "text", label="is worth", required=True, max_length=30),
    FieldSpec("to", "enum", label="of", required=True),
    FieldSpec("on", "date", label="From", required=True),
)


def register(app: Flask) -> None:
    """Declare the routes."""
    edit = on_tool(TOOL, "edit")
    route(app, PATH, policy=on_tool(TOOL, "view"))(show)
    route(app, PATH, policy=edit, methods=["POST"])(add)
    route(app, f"{PATH}/<code>", policy=edit, methods=["POST"])(change)
    route(app, f"{PATH}/rates", policy=edit, methods=["POST"])(state_rate)
    route(app, f"{PATH}/rates/remove", policy=edit, methods=["POST"])(remove_rate)


def show() -> ResponseReturnValue:
    """The currencies and the newest rates."""
    return _page(reader())


def _page(
    who: Reader, new: Raw | None = None, rate: Raw | None = None, error: GigaError | None = None
) -> ResponseReturnValue:
    connection = who.ctx.session.connection()
    known = money_settings.all_currencies(connection, who.actor.org_id)
    codes = [one.code for one in known if one.active]
    wrong = problems(error, who)
    if rate is not None and "code" in wrong:
        wrong["to"] = wrong.pop("code")
    at_rate, at_new = (wrong if rate is not None else {}), (wrong if new is not None else {})
    today = date_text(who.now.astimezone(who.formats.zone).date(), who.formats)
    first = Raw({"base": codes[:1], "to": codes[1:2], "on": [today]})
    return settings_page(
        "currencies.html", who, error.status if error else 200, title=who.t(msg("Currencies and rates")), rows=known,
        named={one.code: who.t(WORDS.get(one.name, one.name)) for one in known},
        rates=[_shown(one, who) for one in money_settings.rates(connection)],
        may_edit=access.may(who.ctx, "edit", TOOL),
        rate_inputs=plain_form.inputs(_rate_fields(codes), rate if rate is not None else first, who, at_rate),
        new_inputs=plain_form.inputs(NEW, new if new is not None else Raw({"digits": ["2"]}), who, at_new),
        new_open=new is not None, trouble=[wrong[""]] if "" in wrong else [],
    )  # fmt: skip


def _rate_fields(codes: list[str]) -> list[FieldSpec]:
    options = tuple((code, code) for code in codes)
    return [replace(field, choices=options) if field.kind == "enum" else field for field in RATE]


def _shown(one: money_settings.Rate, who: Reader) -> dict[str, Any]:
    text = f"{one.rate.normalize():f}".replace(".", who.formats.symbols[1])
    return {"base": one.base, "code": one.code, "on": who.formats.date(one.on), "rate": text, "day": one.on.isoformat()}


def add() -> ResponseReturnValue:
    """Offer one more currency."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    if again(raw):
        return _page(who, new=raw)
    try:
        data = plain_form.typed(NEW, raw, who)
        with current_crm().unit_of_work(current()) as ctx:
            digits = 2 if data["digits"] is None else data["digits"]
            money_settings.add(ctx, data["code"].upper(), data["name"], data["symbol"] or "", digits)
    except Invalid as error:
        return _page(who, new=raw, error=error)
    note(who.t(msg("Saved.")))
    return redirect(PATH, 303)


def change(code: str) -> ResponseReturnValue:
    """Make a currency that of totals, offer it, or offer it no more."""
    match request.form.get("do"):
        case "base":
            return do(lambda ctx: money_settings.set_base(ctx, code), PATH)
        case "on" | "off" as wish:
            return do(lambda ctx: money_settings.offer(ctx, code, wish == "on"), PATH)
    raise NotFound


def state_rate() -> ResponseReturnValue:
    """State a rate from a day on; earlier ones stay as the history."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    if again(raw):
        return _page(who, rate=raw)
    known = money_settings.all_currencies(who.ctx.session.connection(), who.actor.org_id)
    try:
        data = plain_form.typed(_rate_fields([one.code for one in known]), raw, who)
        with current_crm().unit_of_work(current()) as ctx:
            day = _day(data["on"])
            money_settings.state_rate(ctx, data["base"], data["to"], day, _rate(data["rate"]), source="page")
    except Invalid as error:
        return _page(who, rate=raw, error=error)
    note(who.t(msg("Saved.")))
    return redirect(PATH, 303)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid.of("on", msg("This must be a date.")) from None


def _rate(text: str) -> Decimal:
    """A rate as people type it: point or comma, up to ten places."""
    clean = text.replace("\u202f", "").replace("\u00a0", "").replace(" ", "").replace(",", ".")
    if not clean.replace(".", "", 1).isascii() or not clean.replace(".", "", 1).isdecimal():
        raise Invalid.of("rate", msg("This must be a number."))
    return Decimal(clean)


def remove_rate() -> ResponseReturnValue:
    """Take back a rate that was stated by mistake."""
    form = request.form
    base, code, day = form.get("base", ""), form.get("code", ""), _day(form.get("on", ""))
    return do(lambda ctx: money_settings.remove_rate(ctx, base, code, day), PATH)
