"""Files of a record on its page: a list with download, upload by button or drop, and taking one off."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from flask import Flask, redirect
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import files
from gigacore.errors import GigaError
from gigacore.files.storage import DEFAULT_LIMIT
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.api.files import UPLOAD_LIMIT, receive
from host_app.api.policies import on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.answers import parts, refused
from host_app.pages.frame import is_partial, part
from host_app.pages.reader import Reader
from host_app.pages.record_view import RULE, RecordView, seen_again, view_of
from host_app.routing import route

KILO: Final = 1024


@dataclass(frozen=True, slots=True)
class File:
    """A file as the card shows it."""

    name: str
    url: str
    size: str
    at: str
    exact: str
    icon: str
    shown: bool
    remove: str


def register(app: Flask) -> None:
    """Declare the routes."""
    edit = on_entity("edit")
    route(app, f"{RULE}/files", policy=edit, methods=["POST"], body=UPLOAD_LIMIT)(add)
    route(app, f"{RULE}/files/<uuid:uid>/remove", policy=edit, methods=["POST"])(take_off)


def files_card(view: RecordView) -> Markup:
    """The card, drawn."""
    found = [_file(one, view) for one in files.of_record(view.who.ctx, view.spec.name, view.record_id)]
    most = size_of(DEFAULT_LIMIT, view.who)
    return part(
        "files_card", files=found, path=view.path, may_edit="edit" in view.rights, most=most, limit=DEFAULT_LIMIT
    )


def _file(one: files.StoredFile, view: RecordView) -> File:
    who, image = view.who, one.mime.startswith("image/")
    return File(
        one.name,
        f"/files/{one.uid}",
        size_of(one.size, who),
        who.formats.relative(one.created_at, who.now),
        who.formats.datetime(one.created_at),
        "photo" if image else "file-type-pdf" if one.mime == "application/pdf" else "file",
        files.may_show(one.mime),
        f"{view.path}/files/{one.uid}/remove",
    )


def size_of(count: int, who: Reader) -> str:
    """A number of bytes in words."""
    if count < KILO:
        return who.t(msg("{count} bytes", count=count))
    if count < KILO**2:
        return who.t(msg("{count} KB", count=who.formats.number(count / KILO, 0)))
    return who.t(msg("{count} MB", count=who.formats.number(count / KILO**2, 0 if count % KILO**2 == 0 else 1)))


def add(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Store the sent file and attach it."""
    view = view_of(plugin, plural, record_id)
    try:
        receive(view.spec.name, record_id, source="page")
    except GigaError as error:
        return refused(error, view.path, view.who)
    return _anew(view)


def take_off(plugin: str, plural: str, record_id: int, uid: UUID) -> ResponseReturnValue:
    """Take a file off the record."""
    view = view_of(plugin, plural, record_id)
    try:
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            files.detach(ctx, uid, view.spec.name, record_id)
    except GigaError as error:
        return refused(error, view.path, view.who)
    return _anew(view)


def _anew(view: RecordView) -> ResponseReturnValue:
    return parts([files_card(seen_again(view))]) if is_partial() else redirect(view.path, 303)
