"""The pages of the host, drawn from the registry."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Declare the routes of all pages."""
