"""Files of records and of their fields: uploaded, listed, taken off, and downloaded in whole or in part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Final, cast
from urllib.parse import quote
from uuid import UUID

from flask import Flask, Response, g, request

from gigacore import access, files, records
from gigacore.errors import GigaError, Invalid, NotFound
from gigacore.files import StoredFile
from gigacore.files.storage import DEFAULT_LIMIT, Stored
from gigacore.messages import msg
from host_app.api.answers import answer, nothing
from host_app.api.policies import entity_at, on_entity
from host_app.api.query import only
from host_app.api.records import RECORD
from host_app.auth import current
from host_app.context import current_crm
from host_app.problems import Problem
from host_app.routing import route, signed_in

FILES: Final = f"{RECORD}/files"
UPLOAD_LIMIT: Final = DEFAULT_LIMIT + 4 * 1024 * 1024
"""The most bytes of a request with a file, what a form holds besides it included."""
UPLOADS: Final = "/api/v1/<plugin>/<plural>/uploads/<field>"
SHOWN: Final = ("uid", "name", "mime", "size", "sha256", "created_at")
# Whatever a file holds, a browser that opens it runs nothing of it.
INERT: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def register(app: Flask) -> None:
    """Declare the routes. Who may read a file, the records that it hangs on decide."""
    route(app, FILES, policy=on_entity("view"))(list_files)
    route(app, FILES, policy=on_entity("edit"), methods=["POST"], body=UPLOAD_LIMIT)(add_file)
    route(app, UPLOADS, policy=on_entity("view"), methods=["POST"], body=UPLOAD_LIMIT)(add_for_field)
    route(app, f"{FILES}/<uuid:uid>", policy=on_entity("edit"), methods=["DELETE"])(take_off)
    route(app, "/files/<uuid:uid>", policy=signed_in)(download)


def list_files(plugin: str, plural: str, id: int) -> Response:
    """The files of a record."""
    only()
    return answer({"items": [_shown(one) for one in files.of_record(g.ctx, entity_at(plugin, plural).name, id)]})


def add_file(plugin: str, plural: str, id: int) -> Response:
    """Store the part `file` of a multipart body and attach it to the record."""
    only()
    found = receive(entity_at(plugin, plural).name, id, source="api")
    return answer(_shown(found), 201, Location=f"/files/{found.uid}")


def receive(entity: str, record_id: int, *, source: str) -> StoredFile:
    """Store the part `file` of the request's multipart body and attach it to a record that the caller may edit.

    Raises NotFound, Forbidden, TooLarge, Invalid without such a part.
    """
    access.require(g.ctx, "edit", entity, records.load(g.ctx, entity, record_id))
    crm = current_crm()
    stream, name = _sent()
    stored = crm.storage.write_stream(stream, limit=DEFAULT_LIMIT)
    try:
        return _attach(stored, name, entity, record_id, source)
    except GigaError:  # after anything else the sweeper removes it
        crm.storage.delete(stored.object_id)
        raise


def _attach(stored: Stored, name: str, entity: str, record_id: int, source: str) -> StoredFile:
    with current_crm().unit_of_work(current()) as ctx:
        ctx.source = source
        return files.attach(ctx, files.register(ctx, stored, name).uid, entity, record_id)


def _sent() -> tuple[BinaryIO, str]:
    if request.mimetype != "multipart/form-data":
        raise Problem(415, msg("Send the file as multipart/form-data, in the part “file”."))
    sent = request.files.get("file")
    if sent is None:
        raise Invalid.of("file", msg("Add the file as the part “file”."), "required")
    return cast(BinaryIO, sent.stream), sent.filename or "file"


def add_for_field(plugin: str, plural: str, field: str) -> Response:
    """Store the part `file` of a multipart body for a field of records; its uid then stands in their input."""
    only()
    entity = entity_at(plugin, plural)
    spec = entity.fields.get(field)
    if spec is None or spec.kind != "file" or not access.may_write(g.ctx, entity, spec):
        raise NotFound
    stream, name = _sent()
    return answer(_shown(files.upload(current_crm(), current(), spec, stream, name, "api")), 201)


def take_off(plugin: str, plural: str, id: int, uid: UUID) -> Response:
    """Take a file off the record."""
    only()
    entity = entity_at(plugin, plural)
    with current_crm().unit_of_work(current()) as ctx:
        ctx.source = "api"
        files.detach(ctx, uid, entity.name, id)
    return nothing()


def download(uid: UUID) -> Response:
    """The bytes of a file, or the one range asked for; `?show=1` shows images and PDF in the browser."""
    only("show")
    found = files.get(g.ctx, uid)
    start, end = _range(found.size)
    partial = (start, end) != (0, found.size)
    response = Response(_bytes(found, start, end - start), status=206 if partial else 200, mimetype=found.mime)
    headers = response.headers
    headers["Content-Length"] = str(end - start)
    headers["Accept-Ranges"] = "bytes"
    headers["Content-Disposition"] = _disposition(found)
    headers["Content-Security-Policy"] = INERT
    headers["X-Content-Type-Options"] = "nosniff"
    if partial:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
    return response


def _range(size: int) -> tuple[int, int]:
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return 0, size
    found = asked.range_for_length(size)
    if found is None:
        raise Problem(416, msg("The file has no such range."))
    return found


def _bytes(found: StoredFile, start: int, length: int) -> Iterator[bytes]:
    return current_crm().storage.read_range(found.object_id, start, length)


def _disposition(found: StoredFile) -> str:
    kind = "inline" if request.args.get("show") == "1" and files.may_show(found.mime) else "attachment"
    plain = "".join(char if " " <= char < "\x7f" and char not in '"\\;' else "_" for char in found.name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(found.name, safe='')}"


def _shown(one: StoredFile) -> dict[str, Any]:
    return {name: getattr(one, name) for name in SHOWN} | {"url": f"/files/{one.uid}"}
