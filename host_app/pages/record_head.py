"""The head of a record's page: title, status, key facts and what can be done; what cannot says why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import access, records
from gigacore.entity import Entity, EntitySpec
from gigacore.errors import GigaError
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.api.policies import entity_at, on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.addresses import is_local, list_url, record_url
from host_app.pages.answers import reason_of, refused
from host_app.pages.avatars import drawer_of, picture_of
from host_app.pages.cells import choices_of, pill
from host_app.pages.columns import label_of, number_of, title_of, value_of
from host_app.pages.frame import is_partial, part
from host_app.pages.notes import note
from host_app.pages.reader import Reader, reader
from host_app.pages.record_view import RULE, RecordView
from host_app.routing import route

REACHABLE: Final = frozenset({"email", "phone"})
"""Kinds that are drawn as links to write to or to call."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something to do with the record; `refused` says why it cannot be done now."""

    name: str
    label: str
    icon: str
    refused: str = ""
    danger: bool = False
    confirm: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class KeyFact:
    """A fact of the strip below the title."""

    label: str
    value: Markup


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, f"{RULE}/status", policy=on_entity("edit"), methods=["POST"])(set_status)
    route(app, f"{RULE}/delete", policy=on_entity("delete"), methods=["POST"])(delete)


def drawn_head(view: RecordView, *, oob: bool = False) -> Markup:
    """The head, drawn; `oob` marks it as taking the place of the one that stands."""
    spec, who = view.spec, view.who
    avatar = drawer_of(spec, picture_of(spec, (field.name for field in who.readable(spec))))
    return part(
        "record_head",
        oob=oob,
        title=title_of(spec, view.item),
        number=number_of(spec, view.record_id) if spec.id_prefix else "",
        icon_name=spec.icon,
        avatar=avatar(view.item) if avatar else "",
        path=view.path,
        mark=view.drawn(spec.board or ""),
        statuses=_statuses(view),
        owner=view.drawn("owner_id"),
        strip=_strip(view),
        acts=acts(spec, view.record, who),
        no_edit=view.refusal("edit"),
        no_delete=view.refusal("delete"),
        may_erase="delete" in view.rights and access.permits(who.ctx, "core.trash.edit"),
        version=view.item.get("version", ""),
    )


def _strip(view: RecordView) -> list[KeyFact]:
    """The key facts that have a value."""
    spec = view.spec
    names = [name for name in spec.key_facts if name in spec.fields and name not in (spec.board, "owner_id")]
    found = [
        KeyFact(label_of(field, view.who), view.drawn(field.name, short=field.kind not in REACHABLE))
        for field in map(spec.fields.__getitem__, names)
    ]
    return [fact for fact in found if fact.value]


def acts(spec: EntitySpec, record: Entity, who: Reader) -> list[Act]:
    """The entity's own actions; those that cannot be done now say why."""
    path = record_url(spec, record.id)
    return [
        Act(
            offer.action.name,
            who.t(offer.action.label),
            offer.action.icon or "bolt",
            who.t(offer.refused) if offer.refused else "",
            offer.action.danger,
            who.t(offer.action.confirm) if offer.action.confirm else "",
            f"{path}/actions/{offer.action.name}",
        )
        for offer in records.offered(who.ctx, spec.name, record)
    ]


def _statuses(view: RecordView) -> list[tuple[str, Markup, bool]]:
    """The values that the status may be set to: key, pill, whether it stands now."""
    field = view.spec.fields.get(view.spec.board or "")
    if field is None or field.kind not in ("choice", "enum") or not view.may_change(field):
        return []
    now, choices = value_of(view.item, field.name), choices_of(field, view.who)
    return [(key, pill(label, colour), key == now) for key, label, colour, active in choices if active]


def set_status(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Change the status from the head or from a board; a refusal says why."""
    spec, who = entity_at(plugin, plural), reader()
    target, version = record_url(spec, record_id), request.form.get("_version", "")
    try:
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            records.update(
                ctx, spec.name, record_id, _status(spec), version=int(version) if version.isdigit() else None
            )
    except GigaError as error:
        return _not_moved(error, who) if is_partial() else refused(error, target, who)
    if is_partial():
        return Response(status=204)
    back = request.form.get("back", "")
    target = back if is_local(back) else target
    note(who.t(msg("Saved.")))
    return redirect(target, 303)


def _status(spec: EntitySpec) -> Mapping[str, Any]:
    """The status that was sent, as input for `records`."""
    name, value = spec.board or "", request.form.get("value", "")
    is_ref = name in spec.fields and spec.fields[name].kind == "ref"
    return {name: int(value) if is_ref and value.isdigit() else value}


def _not_moved(error: GigaError, who: Reader) -> Response:
    """Why a card goes back, for the script that moved it."""
    return Response(reason_of(error, who), error.status, content_type="text/plain; charset=utf-8")


def delete(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Move the record into the trash; a note offers to take it back."""
    spec, who = entity_at(plugin, plural), reader()
    title = title_of(spec, records.get(who.ctx, spec.name, record_id))
    try:
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            records.delete(ctx, spec.name, record_id)
    except GigaError as error:
        return refused(error, record_url(spec, record_id), who)
    note(who.t(msg("“{title}” is in the trash.", title=title)), undo=f"{record_url(spec, record_id)}/restore")
    return redirect(list_url(spec), 303)
