"""Imports: a CSV file or a workbook becomes a job, whose state and faulty rows can be read while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO, Final, cast

from flask import Flask, Response, g, request

from gigacore.entity import EntitySpec
from gigacore.errors import Invalid, NotFound
from gigacore.exchange import imports
from gigacore.exchange.imports import FILE_LIMIT, Import
from gigacore.exchange.workbook import MIME
from gigacore.messages import msg
from host_app.api.answers import answer
from host_app.api.body import loads
from host_app.api.policies import entity_at, on_entity
from host_app.api.query import only
from host_app.api.records import COLLECTION
from host_app.auth import current
from host_app.context import current_crm, say
from host_app.problems import Problem
from host_app.routing import route
from host_app.spooling import SpooledRequest

IMPORTS: Final = f"{COLLECTION}/imports"
RAW: Final = frozenset({"text/csv", "text/plain", "application/octet-stream", MIME})
OPTIONS: Final = frozenset({"key", "duplicates", "rules", "create_references", "locale", "currency", "words"})
PARTS: Final = frozenset({"mapping", "options", "dialect", "start"})
SHOWN_ERRORS: Final = 500
COUNTERS: Final = ("total", "created", "updated", "skipped", "failed", "noted")
SHOWN: Final = ("id", "entity", "file_name", "state", "mapping", "ignored", "options", "error", "job_id")


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, IMPORTS, policy=on_entity("import"))(list_imports)
    route(app, IMPORTS, policy=on_entity("import"), methods=["POST"])(start_import)
    route(app, f"{IMPORTS}/<int:id>", policy=on_entity("import"))(show_import)


def start_import(plugin: str, plural: str) -> Response:
    """Store the file, map its columns and begin, unless `start` is false.

    The body is multipart (`file`, and `settings` as JSON: mapping, options, dialect, start) or the file itself.
    """
    only("file_name")
    entity, (stream, name), settings = entity_at(plugin, plural), _file(), _settings()
    crm, actor = current_crm(), current()
    found = imports.stage(crm, actor, entity.name, stream, name)
    chosen = {part: settings[part] for part in ("mapping", "options", "dialect") if part in settings}
    if chosen:
        found = imports.configure(crm, actor, found.id, **chosen)
    if settings.get("start", True):
        found = imports.begin(crm, actor, found.id)
    place = f"/api/v1/{entity.api_path}/imports/{found.id}"
    return answer(_shown(found), 202, Location=place)


def list_imports(plugin: str, plural: str) -> Response:
    """The caller's latest imports into this entity."""
    only()
    entity = entity_at(plugin, plural)
    return answer({"items": [_shown(one) for one in imports.recent(g.ctx) if one.entity == entity.name]})


def show_import(plugin: str, plural: str, id: int) -> Response:
    """How far an import is, the rows at fault, and the values that were not taken over (`notes`)."""
    only()
    found = _own(entity_at(plugin, plural), id)
    return answer(_shown(found) | {"errors": _faults(id, refused=True), "notes": _faults(id, refused=False)})


def _faults(number: int, *, refused: bool) -> list[dict[str, Any]]:
    return [
        {"row": row, "column": one.column, "message": say(one.message), "value": one.value}
        for row, one in imports.errors(g.ctx, number, SHOWN_ERRORS, refused=refused)
    ]


def _own(entity: EntitySpec, number: int) -> Import:
    found = imports.get(g.ctx, number)
    if found.entity != entity.name:
        raise NotFound
    return found


def _file() -> tuple[BinaryIO, str]:
    request.max_content_length = FILE_LIMIT
    if request.mimetype in RAW:
        return cast(BinaryIO, cast(SpooledRequest, request).body_file), request.args.get("file_name", "import.csv")
    if request.mimetype != "multipart/form-data":
        raise Problem(415, msg("Send the file as multipart/form-data (part “file”) or as text/csv."))
    sent = request.files.get("file")
    if sent is None:
        raise Invalid.of("file", msg("Add the file as the part “file”."), "required")
    return cast(BinaryIO, sent.stream), sent.filename or "import.csv"


def _settings() -> Mapping[str, Any]:
    text = request.form.get("settings") if request.mimetype == "multipart/form-data" else None
    given = loads(text) if text else {}
    if not isinstance(given, dict):
        raise Invalid.of("settings", msg("This must be an object."))
    _known(given, PARTS)
    for part in ("mapping", "options", "dialect"):
        if not isinstance(given.get(part, {}), dict):
            raise Invalid.of(part, msg("This must be an object."))
    _known(given.get("options", {}), OPTIONS)
    _known(given.get("dialect", {}), frozenset({"encoding", "delimiter"}))
    return given


def _known(given: Mapping[str, Any], names: frozenset[str]) -> None:
    for name in given:
        if name not in names:
            raise Invalid.of(name, msg("There is no field {name}.", name=name), "unknown_field")


def _shown(found: Import) -> dict[str, Any]:
    shown: dict[str, Any] = {name: getattr(found, name) for name in (*SHOWN, *COUNTERS, "created_at", "finished_at")}
    return shown
