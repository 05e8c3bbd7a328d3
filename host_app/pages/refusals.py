"""What pages answer when a session has ended or a form is too old: nothing that was typed is lost."""

from __future__ import annotations

import uuid

from flask import Flask, Response, request

from gigacore.errors import GigaError, Unauthenticated
from host_app.csrf import BadToken
from host_app.pages.signin import resumable, resume, signed_out
from host_app.problems import answer, wants_json


def register(app: Flask) -> None:
    """Declare the handlers."""
    app.register_error_handler(Unauthenticated, _signed_out)
    app.register_error_handler(BadToken, _too_old)


def _signed_out(error: Unauthenticated) -> Response:
    if wants_json() or request.headers.get("Authorization") or request.headers.get("HX-Request"):
        return _plain(error)
    return signed_out()


def _too_old(error: BadToken) -> Response:
    if wants_json() or not resumable():
        return _plain(error)
    response = resume(request.full_path.rstrip("?"))
    response.status_code = error.status
    return response


def _plain(error: GigaError) -> Response:
    return answer(error, uuid.uuid4().urn)
