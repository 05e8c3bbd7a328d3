"""The REST API: generic routes over every entity of the registry, and what surrounds them."""

from __future__ import annotations

from typing import Final

from flask import Flask

from host_app.api import (
    account,
    batch,
    catalogue,
    custom_fields,
    documents,
    files,
    imports,
    jobs,
    records,
    surroundings,
    trash,
)

PARTS: Final = (
    account,
    batch,
    catalogue,
    custom_fields,
    documents,
    files,
    imports,
    jobs,
    records,
    surroundings,
    trash,
)


def register(app: Flask) -> None:
    """Declare the routes of the API."""
    for part in PARTS:
        part.register(app)
