"""The change history of a record: who changed what, and one change taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import records
from gigacore.data import audit
from gigacore.data.audit import AuditRow
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import GigaError, NotFound
from gigacore.messages import Msg, msg
from host_app.api.policies import entity_at, on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.addresses import is_local, record_url, with_query
from host_app.pages.answers import parts, refused
from host_app.pages.cells import choices_of
from host_app.pages.columns import label_of
from host_app.pages.frame import is_partial, part
from host_app.pages.notes import note
from host_app.pages.reader import Reader, reader
from host_app.pages.record_view import RULE, RecordView, view_of
from host_app.routing import route

MOST: Final = 30
MOST_TEXT: Final = 200
UPDATED: Final = "updated"
ICONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "created": "plus", "updated": "edit", "deleted": "trash", "restored": "arrow-back-up", "linked": "link",
        "unlinked": "unlink", "shared": "share", "unshared": "lock",
    }
)  # fmt: skip
VERBS: Final[Mapping[str, Msg]] = MappingProxyType(
    {
        "created": msg("created this"), "updated": msg("changed this"), "deleted": msg("deleted this"),
        "restored": msg("took this back from the trash"), "linked": msg("linked a record"),
        "unlinked": msg("removed a link"), "shared": msg("shared this"), "unshared": msg("took a share back"),
    }
)  # fmt: skip
QUIET: Final = frozenset({"version", "updated_at", "updated_by", "created_at", "created_by", "uid", "org_id", "id"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `undo` and `reopen` are where it is taken back, if it can be."""

    icon: str
    who: str
    what: str
    at: str
    exact: str
    title: str = ""
    url: str = ""
    body: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()
    undo: str = ""
    reopen: str = ""


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, f"{RULE}/changes", policy=on_entity("view"))(older)
    route(app, f"{RULE}/changes/<uuid:change>/undo", policy=on_entity("edit"), methods=["POST"])(undo)


def changes_of(view: RecordView) -> Markup:
    """The newest changes, drawn."""
    return _page(view, None)


def older(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Changes before the one that `before` names."""
    view = view_of(plugin, plural, record_id)
    if not is_partial():
        return redirect(with_query(view.path, [("tab", "changes")]), 303)
    try:
        before = UUID(request.args.get("before", ""))
    except ValueError:
        raise NotFound from None
    return parts([_page(view, before)])


def _page(view: RecordView, before: UUID | None) -> Markup:
    rows = audit.history(
        view.who.ctx.session.connection(), view.spec.name, view.record_id, limit=MOST + 1, before=before
    )
    more = with_query(f"{view.path}/changes", [("before", rows[MOST - 1].id)]) if len(rows) > MOST else ""
    entries = [change_entry(row, view) for row in rows[:MOST]]
    back = with_query(view.path, [("tab", "changes")])
    return part("changes", entries=entries, more=more, first=before is None, back=back)


def undo(plugin: str, plural: str, record_id: int, change: UUID) -> ResponseReturnValue:
    """Take one change back; a refusal says which field was changed since."""
    spec, who = entity_at(plugin, plural), reader()
    target = record_url(spec, record_id)
    try:
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            records.undo(ctx, spec.name, record_id, change)
    except GigaError as error:
        return refused(error, target, who)
    note(who.t(msg("The change was undone.")))
    back = request.form.get("back", "")
    return redirect(back if is_local(back) else target, 303)


def change_entry(row: AuditRow, view: RecordView) -> Entry:
    """One recorded act in words."""
    who = view.who
    at, exact = when(row.at, who)
    what = who.t(VERBS[row.verb]) if row.verb in VERBS else row.verb.replace("_", " ")
    values = row.values if isinstance(row.values, dict) and row.verb == UPDATED else {}
    changes = tuple(_changed(values, view.spec, who))
    undo_url = f"{view.path}/changes/{row.id}/undo" if changes and view.may_edit else ""
    return Entry(ICONS.get(row.verb, "bolt"), actor_of(row, who), what, at, exact, changes=changes, undo=undo_url)


def when(moment: dt.datetime, who: Reader) -> tuple[str, str]:
    """A moment in words and exactly."""
    recent = abs((who.now - moment).total_seconds()) < 60
    return who.t(msg("just now")) if recent else who.formats.relative(moment, who.now), who.formats.datetime(moment)


def actor_of(row: AuditRow, who: Reader) -> str:
    """Who acted."""
    return who.t(msg("The system")) if row.actor_kind == "system" else row.actor_name


def _changed(values: Mapping[str, Any], spec: EntitySpec, who: Reader) -> Iterable[tuple[str, str, str]]:
    readable = {field.name: field for field in who.readable(spec)}
    for name, pair in values.items():
        field = readable.get(name)
        if name in QUIET or (field is None and name not in spec.children) or not isinstance(pair, list | tuple):
            continue
        before, after = (*pair, None, None)[:2]
        label = label_of(field, who) if field else who.t(spec.children[name].label)
        yield label, _word(before, field, who), _word(after, field, who)


def _word(value: Any, field: FieldSpec | None, who: Reader) -> str:
    """A recorded value in words, as far as the record alone tells."""
    if value in (None, "", [], {}):
        return ""
    if field is None:
        return who.t(msg("{count} rows", count=len(value))) if isinstance(value, list) else str(value)[:MOST_TEXT]
    if field.kind in ("choice", "enum", "choices"):
        labels = {key: label for key, label, _colour, _active in choices_of(field, who)}
        return ", ".join(labels.get(key, str(key)) for key in (value if isinstance(value, list) else [value]))
    try:
        return _measured(value, field, who)
    except (ValueError, TypeError, ArithmeticError, KeyError):
        return str(value)[:MOST_TEXT]


def _measured(value: Any, field: FieldSpec, who: Reader) -> str:
    match field.kind:
        case "boolean":
            return who.t(msg("Yes")) if value else who.t(msg("No"))
        case "datetime":
            return who.formats.datetime(dt.datetime.fromisoformat(value))
        case "date":
            return who.formats.date(dt.date.fromisoformat(value))
        case "money":
            return who.formats.money(Decimal(value["amount"]), value["currency"])
        case "decimal":
            return who.formats.number(Decimal(str(value)))
        case "ref":
            return _named(field, value, who)
    return str(value)[:MOST_TEXT]


def _named(field: FieldSpec, value: Any, who: Reader) -> str:
    number = value["id"] if isinstance(value, dict) else int(value)
    labels = records.labels_of(who.ctx.session, field.target or "", [number])
    return labels.get(number, f"#{number}")
