"""The settings area: one way in, each page by permission."""

from __future__ import annotations

from flask import Flask

from host_app.pages.settings import area, choices, custom_fields, people, plugins, values

ROOMS = (area, custom_fields, choices, people, plugins, values)


def register(app: Flask) -> None:
    """Declare the routes of all settings pages."""
    for room in ROOMS:
        room.register(app)
