"""The overview: machines by state, as a table and as a chart."""

from flask import Response

from gigacore_equipment.services import states
from host_app.ext import Routes, json_answer, reading, render


def register(routes: Routes) -> None:
    """The plugin's routes, all below `/equipment` and `/api/v1/equipment`."""

    @routes.page("/overview", policy="equipment.overview.view")
    def overview() -> Response:
        return render("equipment/overview.html", title="Equipment overview", states=states(reading()))

    @routes.api("/states", policy="equipment.overview.view")
    def counts() -> Response:
        return json_answer(states(reading()))
