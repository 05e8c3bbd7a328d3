"""The API's own documents: /api/v1/openapi.json, and a page to read at /api/docs drawn from it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import orjson
from flask import Flask, Response, render_template

from host_app.api.answers import JSON
from host_app.api.openapi import build
from host_app.context import host
from host_app.routing import public_route, route, signed_in

CACHE: Final = "openapi"


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, "/api/v1/openapi.json", policy=signed_in, endpoint="openapi")(openapi)
    route(app, "/api/docs", policy=signed_in, endpoint="api_docs")(docs)
    public_route(app, "/api/docs.css", reason="a style holds no data", endpoint="api_docs_css")(style)


def document() -> tuple[dict[str, Any], bytes]:
    """The document and its bytes, made once per generation of the registry."""
    state = host()
    registry, plugins = state.crm.registry, state.crm.plugins
    kept = state.cache.get(CACHE)
    if kept is None or kept[0] is not registry:
        made = build(registry, plugins.actions, plugins.bulk_actions, server=state.settings.public_url)
        kept = state.cache[CACHE] = (registry, made, orjson.dumps(made))
    return kept[1], kept[2]


def openapi() -> Response:
    """The OpenAPI 3.1 document."""
    return Response(document()[1], content_type=JSON)


def docs() -> str:
    """The document as a page: no script, no other site."""
    made = document()[0]
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
