"""A page of its own, addresses of the API, and another page instead of the derived one."""

from html import escape

from flask import Response

from gigacore import NotFound, records
from gigacore.ports import PdfMaker, PdfOrder
from gigacore_inspections.kinds import Checklist, Signer
from gigacore_inspections.services import due
from gigacore_inspections.telling import CALL, certificate
from host_app.ext import Routes, current, current_crm, download, json_answer, reading, render


def register(routes: Routes) -> None:
    """The plugin's routes."""

    @routes.page("/today", policy="signed_in")
    def today() -> Response:
        lines = [line.text for line in current_crm().plugins.declared(Checklist)]
        return render("inspections/today.html", title="Inspections of today", machines=due(reading()), lines=lines)

    @routes.api("/signer", policy="signed_in")
    def signer() -> Response:
        found = current_crm().service(Signer)
        return json_answer({"signs": found is not None})

    @routes.api("/call/<int:machine_id>", policy="equipment.machine.view", methods=("POST",))
    def call(machine_id: int) -> Response:
        found = records.get(reading(), "equipment.machine", machine_id)
        current_crm().live.send(found["owner_id"]["id"], CALL.name, {"machine": found["name"], "by": current().name})
        return json_answer({"called": found["owner_id"]["label"]})

    @routes.api("/certificate/<int:number>", policy="inspections.inspection.view")
    def show_certificate(number: int) -> Response:
        return json_answer({"text": certificate(reading(), number)})

    @routes.surface("inspections.inspection", "detail")
    def report(record_id: int) -> Response:
        found = records.get(reading(), "inspections.inspection", record_id)
        prints = current_crm().service(PdfMaker) is not None
        return render("inspections/report.html", title="Report", inspection=found, prints=prints)

    @routes.page("/certificates/<int:number>", policy="inspections.inspection.view")
    def printed(number: int) -> Response:
        maker = current_crm().service(PdfMaker)
        if maker is None:
            raise NotFound
        made = maker.make(PdfOrder(f"<title>{number}</title><p>{escape(certificate(reading(), number))}</p>"))
        return download(made, f"certificate-{number}.pdf", "application/pdf")
