"""The pages of the automation rules: their list, the builder, trials, and the log."""

from __future__ import annotations

from flask import Flask

from host_app.pages.automations import building, listing, log

ROOMS = (listing, building, log)


def register(app: Flask) -> None:
    """Declare the routes of these pages."""
    for room in ROOMS:
        room.register(app)
