"""The Flask host: pages, API, sign-in, command line."""

from host_app.app import create_app

__all__ = ["create_app"]
