"""The REST API: generic routes over every entity of the registry, and what surrounds them."""

from __future__ import annotations

from flask import Flask

from host_app.api import documents, records


def register(app: Flask) -> None:
    """Declare the routes of the API."""
    documents.register(app)
    records.register(app)
