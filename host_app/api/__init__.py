"""The REST API: generic routes over every entity of the registry, and what surrounds them."""

from __future__ import annotations

from flask import Flask

from host_app.api import (
    account,
    batch,
    catalogue,
    custom_fields,
    documents,
    exports,
    files,
    hooks,
    imports,
    jobs,
    merging,
    money,
    notices,
    people,
    planning,
    records,
    reports,
    rules,
    settings,
    surroundings,
    trash,
    views,
)


def register(app: Flask) -> None:
    """Declare the routes of the API."""
    for part in (
        account,
        batch,
        catalogue,
        custom_fields,
        documents,
        exports,
        files,
        hooks,
        imports,
        jobs,
        merging,
        money,
        notices,
        people,
        planning,
        records,
        reports,
        rules,
        settings,
        surroundings,
        trash,
        views,
    ):
        part.register(app)
