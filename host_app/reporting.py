"""Reports of plugins for page and API: which there are, their rows, and the file of them."""

from __future__ import annotations

from typing import Any

from flask import Response, g

from gigacore import reports
from gigacore.data.currency import Totals
from gigacore.errors import Invalid
from gigacore.exchange.export import Wording, as_csv
from gigacore.exchange.export_job import XLSX
from gigacore.exchange.workbook import as_xlsx
from gigacore.messages import msg
from gigacore.reports import ReportType, Row
from host_app.auth import current
from host_app.context import current_crm
from host_app.exports import FORMATS, attached, chunks, delimiter_of


def offered() -> list[ReportType]:
    """The reports that the caller may see."""
    return reports.visible(g.ctx, current_crm().plugins.declared(ReportType))


def named(name: str) -> ReportType:
    """One of them. Raises NotFound."""
    return reports.find(g.ctx, current_crm().plugins.declared(ReportType), name)


def rows_of(report: ReportType, period: str, *, kept: bool = False) -> list[Row]:
    """The rows that the caller may see, with `kept` figures perhaps. Raises Invalid for a period that there is not."""
    return reports.run(g.ctx, report, period, kept=kept)


def file_of(report: ReportType, period: str, kind: str) -> Response:
    """The rows as a file. Raises Invalid for an unknown format or period."""
    if kind not in FORMATS:
        raise Invalid.of("format", msg("The format must be csv or xlsx."))
    wording = Wording(current_crm().catalogue.translator(g.locale), g.locale)
    table = reports.table(g.ctx, report, rows_of(report, period), wording)
    name = f"{report.name.replace('.', '-')}.{kind}"
    if kind == XLSX:
        return attached(chunks(as_xlsx(table, wording, current().zone)), name)
    return attached(b"".join(as_csv(table, delimiter_of(g.locale))), name)


def plain(value: int | Totals | None) -> Any:
    """A figure as the API shows it: a number, or sums per currency with their total."""
    if isinstance(value, Totals):
        return {"sums": value.sums, "total": value.total, "missing_rates": value.missing}
    return value
