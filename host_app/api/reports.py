"""Reports over the API: which there are, and the rows of one, as JSON or as a file."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, request

from gigacore.measures import Measure
from gigacore.messages import Msg
from gigacore.reports import ReportType, Row
from host_app import reporting
from host_app.api.answers import answer
from host_app.api.query import only
from host_app.context import say
from host_app.routing import route, signed_in

REPORTS: Final = "/api/v1/core/reports"


def register(app: Flask) -> None:
    """Declare the routes. Each report asks for the right to view its entities."""
    route(app, REPORTS, policy=signed_in)(listing)
    route(app, f"{REPORTS}/<name>", policy=signed_in)(show)


def listing() -> Response:
    """The reports that the caller may see."""
    only()
    return answer({"items": [_described(one) for one in reporting.offered()]})


def show(name: str) -> Response:
    """The rows of one report, within `?period=` if one is given; `?format=csv` and `xlsx` give a file."""
    only("period", "format")
    report, period = reporting.named(name), request.args.get("period", "")
    if kind := request.args.get("format", ""):
        return reporting.file_of(report, period, kind)
    rows = [_row(report, row) for row in reporting.rows_of(report, period)]
    return answer({**_described(report), "period": period or None, "rows": rows})


def _row(report: ReportType, row: Row) -> dict[str, Any]:
    values = {one.name: reporting.plain(value) for one, value in zip(report.measures, row.values, strict=True)}
    return {"by": row.by, "values": values}


def _described(report: ReportType) -> dict[str, Any]:
    return {
        "name": report.name,
        "label": say(Msg(report.label)),
        "definition": say(Msg(report.definition)),
        "by": report.by,
        "timed": report.timed,
        "measures": [_measure(one) for one in report.measures],
    }


def _measure(measure: Measure) -> dict[str, str]:
    return {"name": measure.name, "label": say(Msg(measure.label)), "definition": say(Msg(measure.definition))}
