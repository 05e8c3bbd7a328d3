"""Errors as answers: problem JSON (RFC 9457) for programs, a page for people; never a stack, SQL or a path."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import orjson
import sqlalchemy as sa
from flask import Flask, Response, g, render_template, request
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from gigacore.data.faults import is_changed_since, is_read_only
from gigacore.errors import Conflict, GigaError, InTheWay, Invalid, NotFound, RateLimited, StaleVersion, Unavailable
from gigacore.messages import Msg, Translate, msg
from host_app.context import look_again, say

log = logging.getLogger("host_app")

TITLES: Final[Mapping[int, Msg]] = MappingProxyType(
    {
        400: msg("Bad request"),
        401: msg("Not signed in"),
        403: msg("Not allowed"),
        404: msg("Not found"),
        405: msg("Method not allowed"),
        409: msg("Conflict"),
        410: msg("Gone"),
        412: msg("Changed in the meantime"),
        413: msg("Too large"),
        414: msg("Address too long"),
        415: msg("Wrong kind of content"),
        422: msg("Not valid"),
        428: msg("Version required"),
        429: msg("Too many requests"),
        431: msg("Headers too large"),
        500: msg("Something went wrong"),
        503: msg("Not available now"),
    }
)
DETAILS: Final[Mapping[int, Msg]] = MappingProxyType(
    {
        400: msg("The request cannot be understood."),
        404: NotFound().message,
        405: msg("This address does not take that method."),
        413: msg("The request is larger than allowed."),
        415: msg("Send the body as application/json."),
    }
)
HELP: Final[Mapping[int, Msg]] = MappingProxyType(
    {
        403: msg("Ask an administrator if you need this for your work."),
        404: msg("It may have been deleted, or it is not open to you. Search for it, or go back."),
        410: msg("The link has expired or was withdrawn. Ask whoever sent it for a new one."),
        413: msg("Choose a smaller file, or split it. What you had typed is kept in your browser: go back."),
        429: msg("Wait a minute, then try again. Nothing was changed."),
        500: msg("What you had typed is kept in your browser: go back, or try again."),
        503: msg("What you had typed is kept in your browser: try again in a moment."),
    }
)
AGAIN: Final = (429, 500, 503)
FAILED: Final = msg("The request failed. The number above helps the administrator to find the cause.")


class Problem(GigaError):
    """An error known by its HTTP status only, such as a wrong method."""

    def __init__(self, status: int, message: Msg | str | None = None, *, code: str | None = None) -> None:
        self.status = status  # type: ignore[misc]  # a class constant in the tree, one per answer here
        self.code = code or f"http_{status}"  # type: ignore[misc]
        super().__init__(message or DETAILS.get(status) or TITLES.get(status, TITLES[500]))


def handle_errors(app: Flask) -> None:
    """Turn every exception of a request into an answer."""
    app.register_error_handler(Exception, _handle)


def _handle(error: Exception) -> Response | HTTPException:
    if isinstance(error, HTTPException) and (error.response is not None or (error.code or 500) < 400):
        return error  # a redirect, or an answer made on purpose
    instance = f"urn:giga:request:{g.request_id}"
    return answer(_known(error, instance), instance)


def _known(error: Exception, instance: str) -> GigaError:
    """The typed error that the caller may see."""
    if isinstance(error, HTTPException):
        return NotFound() if error.code == 404 else Problem(error.code or 500)
    if isinstance(error, GigaError) and error.status < 500:
        return error
    if isinstance(error, Unavailable):
        log.warning("unavailable %s: %s", instance, error)
        return error
    if (translated := _database(error)) is not None:
        log.warning("database %s: %s", instance, type(error).__name__, exc_info=error)
        return translated
    log.error("failed %s %s %s", instance, request.method, request.path, exc_info=error)
    return Problem(500, FAILED, code="internal")


def _database(error: Exception) -> GigaError | None:
    if isinstance(error, sa.exc.IntegrityError):
        return Conflict(msg("Another record already has these values, or still refers to this one."))
    if isinstance(error, StaleDataError):
        return StaleVersion()
    if isinstance(error, sa.exc.DataError):
        return Invalid(msg("A value is outside of what can be stored."))
    if isinstance(error, sa.exc.OperationalError) and is_read_only(error):
        return Unavailable(
            msg("The database cannot be written: its files are read-only for this server."),
            retry_after=60,
            fix=msg("Ask the administrator to let the user that runs the server write to the data folder."),
        )
    if isinstance(error, sa.exc.DBAPIError) and is_changed_since(error):
        return Unavailable(
            msg("Tables of a plugin changed since this server started."),
            retry_after=60,
            fix=msg("Ask the administrator to restart the server."),
        )
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.TimeoutError):
        return Unavailable(msg("The database does not answer just now."), retry_after=5)
    return None


def answer(error: GigaError, instance: str) -> Response:
    """The answer for `error`, in the form that the caller reads."""
    response = _as_problem(error, instance) if wants_json() else _as_page(error, instance)
    if isinstance(error, RateLimited | Unavailable):
        response.headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="giga"'
    if error.status == 405 and request.routing_exception is not None:
        response.headers["Allow"] = ", ".join(getattr(request.routing_exception, "valid_methods", None) or ())
    return response


def wants_json() -> bool:
    """Whether the caller is a program: the API, web hooks, or whoever accepts JSON rather than a page."""
    if request.path.startswith(("/api/", "/hooks/")) or request.path == "/metrics":
        return True
    accepted = request.accept_mimetypes
    return accepted.best_match(("text/html", "application/json"), default="text/html") == "application/json"


def problem(error: GigaError, instance: str) -> dict[str, Any]:
    """The problem document. A 404 carries no instance: it is byte-equal for unknown and hidden records."""
    body: dict[str, Any] = {
        "type": f"urn:giga:error:{error.code}",
        "title": say(TITLES.get(error.status, TITLES[500])),
        "status": error.status,
        "detail": say(error.message),
        "code": error.code,
    }
    if error.fix is not None:
        body["fix"] = say(error.fix)
    if error.status != 404:
        body["instance"] = instance
    return body | _extras(error)


def _extras(error: GigaError) -> dict[str, Any]:
    if isinstance(error, Invalid):
        return {"errors": [{"field": e.path, "code": e.code, "message": say(e.message)} for e in error.errors]}
    if isinstance(error, StaleVersion) and error.current is not None:
        return {"current": error.current}
    if isinstance(error, InTheWay):
        records = [{"entity": o.entity, "id": o.id, "label": o.label} for o in error.obstacles]
        return {"obstacles": records, "total": error.total}
    return {}


def _as_problem(error: GigaError, instance: str) -> Response:
    body = orjson.dumps(problem(error, instance))
    return Response(body, status=error.status, content_type="application/problem+json")


def _as_page(error: GigaError, instance: str) -> Response:
    """A page with a way on: within the menus for those who are signed in, alone when the server is in trouble."""
    fix: Msg | str = HELP.get(error.status, "") if error.fix is None else error.fix
    values: dict[str, Any] = {
        "status": error.status,
        "title": say(TITLES.get(error.status, TITLES[500])),
        "detail": say(error.message),
        "fix": say(fix),
        "errors": [(e.path, say(e.message)) for e in getattr(error, "errors", ())],
        "instance": instance if error.status >= 500 else "",
        "again": request.full_path.rstrip("?") if error.status in AGAIN and request.method == "GET" else "",
    }
    return Response(_drawn(values), status=error.status, content_type="text/html; charset=utf-8")


def _drawn(values: Mapping[str, Any]) -> str:
    if values["status"] < 500:
        try:
            if g.actor is not None and g.actor.user_id is not None:
                return _within_menus(values)
        except Exception:  # the menus may be what failed
            log.warning("an error page was drawn without menus", exc_info=True)
    return render_template("error.html", parent="base.html", **values)


def _within_menus(values: Mapping[str, Any]) -> str:
    """The page with its menus, from a reading of its own: the request's has ended with the error."""
    look_again()
    g.pop("reader", None)
    with g.exit_stack:
        return render_template("error.html", parent="shell.html", **values)


def describe(error: Exception, translate: Translate) -> list[str]:
    """An error as lines of text for a terminal: what happened, which fields, what to do next."""
    known = error if isinstance(error, GigaError) else _database(error) or Problem(500, FAILED)
    lines = [translate("Error: {text}").format(text=known.message.render(translate))]
    lines += [f"  {e.path}: {e.message.render(translate)}" for e in getattr(known, "errors", ())]
    lines += [f"  {o.entity} {o.id}: {o.label or ''}" for o in getattr(known, "obstacles", ())]
    if known.fix is not None:
        lines.append(known.fix.render(translate))
    return lines
