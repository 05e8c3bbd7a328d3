"""The REST API: generic routes over every entity of the registry."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Declare the routes of the API."""
