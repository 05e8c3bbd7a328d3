"""The API's own documents: /api/v1/openapi.json, and a page to read at /api/docs drawn from it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import orjson
from flask import Flask, Response, render_template

from gigacore.ui import BulkAction
from host_app.api.answers import JSON
from host_app.context import host
from host_app.routing import public_route, route, signed_in

PAGE: Final = "host_app.api_docs"
MEMO: Final = "host_app.openapi"


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, "/api/v1/openapi.json", policy=signed_in, endpoint="openapi")(openapi)
    route(app, "/api/docs", policy=signed_in, endpoint="api_docs")(docs)
    public_route(app, "/api/docs.css", reason="a style holds no data", endpoint="api_docs_css")(style)


def document() -> tuple[dict[str, Any], bytes]:
    """The document and its bytes, made once per registry."""
    state = host()
    registry, server = state.crm.registry, state.settings.public_url
    if (MEMO, server) not in registry.memo:
        from host_app.api.openapi import build  # few ask for the document

        made = build(registry, state.crm.plugins.declared(BulkAction), server=server)
        registry.memo[MEMO, server] = (made, orjson.dumps(made))
    kept: tuple[dict[str, Any], bytes] = registry.memo[MEMO, server]
    return kept


def openapi() -> Response:
    """The OpenAPI 3.1 document."""
    return Response(document()[1], content_type=JSON)


def docs() -> str:
    """The document as a page: no script, no other site. Drawn once per registry."""
    memo = host().crm.registry.memo
    if PAGE not in memo:
        memo[PAGE] = _draw(document()[0])
    return str(memo[PAGE])


def _draw(made: dict[str, Any]) -> str:
    tags = {tag["name"]: {**tag, "operations": []} for tag in made["tags"]}
    for path, item in made["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict):
                tags[operation["tags"][0]]["operations"].append((method.upper(), path, operation))
    return render_template(
        "api_docs.html", tags=tags.values(), schemas=made["components"]["schemas"], info=made["info"]
    )


def style() -> Response:
    """The style of that page."""
    text = files("host_app.api").joinpath("docs.css").read_text("utf-8")
    return Response(text, content_type="text/css; charset=utf-8")
