"""Reports: which there are, and the table of one within a period, to look at and to download."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask, request
from flask.typing import ResponseReturnValue

from gigacore.data.currency import Totals
from gigacore.measures import take_age
from gigacore.messages import Msg, msg
from gigacore.reports import ReportType
from host_app import reporting
from host_app.pages.cells import drawer
from host_app.pages.figures import age
from host_app.pages.filters import PERIODS
from host_app.pages.frame import page as answer
from host_app.pages.reader import Reader, reader
from host_app.routing import route, signed_in

PATH: Final = "/core/reports"


def register(app: Flask) -> None:
    """Declare the routes. Each report asks for the right to view its entities."""
    route(app, PATH, policy=signed_in)(listing)
    route(app, f"{PATH}/<name>", policy=signed_in)(show)
    route(app, f"{PATH}/<name>/file", policy=signed_in)(download)


def listing() -> ResponseReturnValue:
    """The reports that the reader may see."""
    who = reader()
    items = [
        {"url": f"{PATH}/{one.name}", "label": who.t(Msg(one.label)), "help": who.t(Msg(one.definition))}
        for one in reporting.offered()
    ]
    return answer("reports.html", title=who.t(msg("Reports")), items=items)


def show(name: str) -> ResponseReturnValue:
    """One report as a table; `?period=` narrows it."""
    who, report, period = reader(), reporting.named(name), request.args.get("period", "")
    rows = reporting.rows_of(report, period, kept=True)
    draw = drawer(report.field(who.registry), who)
    asked = {"period": period} if period else {}
    return answer(
        "report.html",
        title=who.t(Msg(report.label)),
        home=PATH,
        definition=who.t(Msg(report.definition)),
        by=who.t(Msg(report.field(who.registry).label)),
        measures=[(who.t(Msg(one.label)), who.t(Msg(one.definition))) for one in report.measures],
        rows=[(_shown(row.by, draw, who), [_figure(value, who) for value in row.values]) for row in rows],
        as_of=age(take_age(who.ctx), who),
        periods=[(key, who.t(text)) for key, text in PERIODS.items()] if report.timed else [],
        period=period,
        files=[(kind, f"{PATH}/{name}/file?{urlencode({'format': kind, **asked})}") for kind in ("csv", "xlsx")],
    )


def _shown(value: Any, draw: Callable[[Any], str], who: Reader) -> str:
    return who.t(msg("Nobody or nothing")) if value is None else draw(value)


def _figure(value: int | Totals | None, who: Reader) -> str:
    """A figure as text, with a word about currencies that its total leaves out."""
    if value is None:
        return ""
    if not isinstance(value, Totals):
        return who.formats.number(value)
    note = msg("Without {codes}: no rate", codes=", ".join(value.missing)) if value.missing else None
    return who.formats.money(value.total.amount, value.total.currency) + (f" ({who.t(note)})" if note else "")


def download(name: str) -> ResponseReturnValue:
    """The report as a file."""
    report: ReportType = reporting.named(name)
    return reporting.file_of(report, request.args.get("period", ""), request.args.get("format", "csv"))
