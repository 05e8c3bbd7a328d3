"""The map of visits, a page of the plugin's own."""

from flask import Response

from gigacore_visits.services import visited
from host_app.ext import Routes, current_crm, reading, render


def register(routes: Routes) -> None:
    """The plugin's routes, all below `/visits`."""

    @routes.page("/map", policy="crm.company.view")
    def map_of_visits() -> Response:
        ctx = reading()
        formats = current_crm().catalogue.formats(ctx.actor.locale, ctx.actor.timezone)
        return render("visits/map.html", title="Map of visits", visited=visited(ctx), date=formats.date)
