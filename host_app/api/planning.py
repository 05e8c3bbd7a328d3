"""What a change of the configuration would do, asked over the API; nothing is changed."""

from __future__ import annotations

from flask import Flask, Response

from gigacore.plugins.configuration import ConfigurationPlan, plan_change, read_wish
from host_app.api.answers import answer
from host_app.api.body import read_object
from host_app.api.query import only
from host_app.auth import current
from host_app.context import current_crm, say
from host_app.routing import route, signed_in

PLAN = "/api/v1/core/plan"


def register(app: Flask) -> None:
    """Declare the route. The change itself asks for its right."""
    route(app, PLAN, policy=signed_in, methods=["POST"])(show_plan)


def show_plan() -> Response:
    """`{"change": "field.remove", "entity", "key", "purge"}`: what it would do, and why it would be refused."""
    only()
    body = read_object()
    wish = read_wish(str(body.pop("change", "")), body)
    return answer(_shown(plan_change(current_crm(), current(), wish)))


def _shown(found: ConfigurationPlan) -> dict[str, object]:
    refusal = found.refusal
    return {
        "changes": [{"sign": one.sign, "what": say(one.what)} for one in found.changes],
        "refused": None if refusal is None else {
            "detail": say(refusal.reason), "fix": say(refusal.fix) if refusal.fix else None
        },
    }  # fmt: skip
