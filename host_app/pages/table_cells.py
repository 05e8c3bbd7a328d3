"""The cells of a list edited where they stand: the editor of one field of one record, and the cell drawn anew."""

from __future__ import annotations

from flask import Flask, Response
from flask import request as asked
from flask.typing import ResponseReturnValue
from markupsafe import escape

from gigacore.entity import FieldSpec
from gigacore.errors import GigaError, StaleVersion
from gigacore.messages import msg
from host_app.api.policies import on_entity
from host_app.pages.columns import title_of
from host_app.pages.facts import change, editor, field_of, problem_of, stored
from host_app.pages.frame import part
from host_app.pages.raw import Raw, raw_from
from host_app.pages.record_view import RULE, RecordView, seen_again, view_of
from host_app.routing import route

HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"


def register(app: Flask) -> None:
    """Declare the routes. Whether a field may be changed, the record's own rules decide."""
    route(app, f"{RULE}/cells/<name>", policy=on_entity("view"))(ask)
    route(app, f"{RULE}/cells/<name>", policy=on_entity("view"), methods=["POST"])(save)


def ask(plugin: str, plural: str, record_id: int, name: str) -> ResponseReturnValue:
    """The editor of a cell; a text with the reason where the reader may not change it."""
    view = view_of(plugin, plural, record_id)
    field = field_of(view, name)
    if not view.may_change(field):
        told = view.refusal("edit") or view.who.t(msg("Your role does not allow this."))
        return Response(told, 403, content_type=PLAIN)
    return _form(view, field, stored(field, view.item, view.who))


def save(plugin: str, plural: str, record_id: int, name: str) -> ResponseReturnValue:
    """Save a cell and draw it anew; the editor again with the reason where that cannot be."""
    view = view_of(plugin, plural, record_id)
    field, raw = field_of(view, name), raw_from(asked.form.to_dict(flat=False))
    try:
        change(view, field, raw)
    except StaleVersion as error:
        return _form(seen_again(view), field, raw, stale=True, status=error.status)
    except GigaError as error:
        if error.status == 404:
            raise
        return _form(view, field, raw, problem=problem_of(field, error, view.who), status=error.status)
    return _drawn(seen_again(view), field)


def _drawn(view: RecordView, field: FieldSpec) -> Response:
    """The cell; for the title its text, which stands in the link to the record."""
    if field.name == view.spec.title:
        return Response(str(escape(title_of(view.spec, view.item))), content_type=HTML)
    return Response(str(view.drawn(field.name)), content_type=HTML)


def _form(
    view: RecordView, field: FieldSpec, raw: Raw, *, problem: str = "", stale: bool = False, status: int = 200
) -> Response:
    made, was = editor(view, field, raw, problem=problem, stale=stale)
    url = f"{view.path}/cells/{field.name}"
    return Response(str(part("cell_form", f=made, was=was, url=url)), status, content_type=HTML)
