"""What happened with a record: activities and changes, newest first; and the composer on top."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import records
from gigacore.data import activities, audit
from gigacore.data.activities import Activity
from gigacore.data.audit import AuditRow
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import GigaError, NotFound
from gigacore.messages import Msg, msg
from host_app.api.policies import entity_at, on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.addresses import new_url, record_url
from host_app.pages.cells import choices_of
from host_app.pages.columns import label_of
from host_app.pages.notes import note
from host_app.pages.reader import Reader, reader
from host_app.routing import route

NOTE: Final = "crm.note"
TASK: Final = "crm.task"
MOST: Final = 50
MOST_TEXT: Final = 200
ICONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "note": "note", "call": "phone", "call_in": "phone-incoming", "call_out": "phone-outgoing", "email": "mail",
        "email_in": "mail-opened", "email_out": "mail-forward", "meeting": "calendar-event", "task": "checklist",
        "created": "plus", "updated": "edit", "deleted": "trash", "restored": "arrow-back-up",
    }
)  # fmt: skip
VERBS: Final[Mapping[str, Msg]] = MappingProxyType(
    {
        "created": msg("created this"), "updated": msg("changed this"), "deleted": msg("deleted this"),
        "restored": msg("took this back from the trash"), "linked": msg("linked a record"),
        "unlinked": msg("removed a link"),
    }
)  # fmt: skip
QUIET: Final = frozenset({"version", "updated_at", "updated_by", "created_at", "created_by", "uid", "org_id", "id"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    icon: str
    who: str
    what: str
    at: str
    exact: str
    title: str = ""
    url: str = ""
    body: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Composer:
    """The box in which a note is written, with the way to a new task."""

    url: str
    label: str
    button: str
    task_url: str = ""
    task_label: str = ""


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, "/<plugin>/<plural>/<int:record_id>/notes", policy=on_entity("view"), methods=["POST"])(add_note)


def timeline_of(spec: EntitySpec, record_id: int, who: Reader, *, changes: bool) -> list[Entry]:
    """The entries of a record that the reader sees already: activities and its first day, or every change."""
    connection = who.ctx.session.connection()
    rows = audit.history(connection, spec.name, record_id, limit=MOST)
    if changes:
        return [_change(row, spec, who) for row in rows]
    done = [
        (entry.at, _activity(entry, who)) for entry in activities.timeline(who.ctx, spec.name, record_id, limit=MOST)
    ]
    done += [(row.at, _change(row, spec, who)) for row in rows]
    return [entry for _at, entry in sorted(done, key=lambda pair: pair[0], reverse=True)[:MOST]]


def _when(moment: dt.datetime, who: Reader) -> tuple[str, str]:
    recent = abs((who.now - moment).total_seconds()) < 60
    return who.t(msg("just now")) if recent else who.formats.relative(moment, who.now), who.formats.datetime(moment)


def _activity(entry: Activity, who: Reader) -> Entry:
    at, exact = _when(entry.at, who)
    kind = entry.kind.rpartition(".")[2]
    key = f"{kind}_{entry.direction}" if entry.direction else kind
    source = who.registry.entities.get(entry.source_entity or "")
    url = record_url(source, entry.source_id) if source is not None and entry.source_id else ""
    return Entry(ICONS.get(key, ICONS.get(kind, "activity")), entry.actor_name, _kind(entry, key, who), at, exact,
                 _title(entry, source, who), url, entry.summary or "")  # fmt: skip


def _title(entry: Activity, source: EntitySpec | None, who: Reader) -> str:
    """What happened; a move between choices in the reader's words."""
    data = entry.data or {}
    field = source.fields.get(str(data.get("field"))) if source is not None else None
    choices = who.registry.choice_list(field) if field is not None else None
    moved = [choices.get(str(data.get(end))) for end in ("from", "to")] if choices else []
    if not moved or None in moved:
        return entry.title
    return " → ".join(one.labels.get(who.locale) or who.t(one.label) for one in moved if one)


def _kind(entry: Activity, key: str, who: Reader) -> str:
    """The category of an activity in the administrator's words."""
    found = who.registry.choice_lists.get(f"{entry.plugin}.activity_kind")
    choice = found and (found.get(key) or found.get(entry.kind.rpartition(".")[2]))
    return (choice.labels.get(who.locale) or who.t(choice.label)) if choice else ""


def _change(row: AuditRow, spec: EntitySpec, who: Reader) -> Entry:
    at, exact = _when(row.at, who)
    what = who.t(VERBS[row.verb]) if row.verb in VERBS else row.verb.replace("_", " ")
    values = row.values if isinstance(row.values, dict) and row.verb != "created" else {}
    return Entry(
        ICONS.get(row.verb, "bolt"), _actor(row, who), what, at, exact, changes=tuple(_changed(values, spec, who))
    )


def _actor(row: AuditRow | Activity, who: Reader) -> str:
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


def composer_of(spec: EntitySpec, record_id: int, who: Reader) -> Composer | None:
    """The composer, where notes can be about this kind of record and the reader may write one."""
    if _reference(NOTE, spec, who) is None or not who.may("create", NOTE):
        return None
    field = _reference(TASK, spec, who) if who.may("create", TASK) else None
    task = who.registry.entities.get(TASK)
    preset = {field.name: record_id, "back": record_url(spec, record_id)} if field else {}
    return Composer(
        f"{record_url(spec, record_id)}/notes",
        who.t(msg("Write a note")),
        who.t(msg("Add note")),
        new_url(task, **preset) if task and field else "",
        who.t(msg("Create task")),
    )


def _reference(entity: str, spec: EntitySpec, who: Reader) -> FieldSpec | None:
    """The field by which records of `entity` refer to records of `spec`."""
    fields: Sequence[FieldSpec] = who.registry.referrers.get(spec.name, ())
    return next((field for field in fields if field.entity == entity and not field.readonly), None)


def add_note(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """A note about the record; its first line is its title."""
    spec, who = entity_at(plugin, plural), reader()
    field, text = _reference(NOTE, spec, who), request.form.get("text", "").strip()
    if field is None:
        raise NotFound
    target = record_url(spec, record_id)
    if not text:
        return redirect(target, 303)
    title, _, rest = text.partition("\n")
    data = {"title": title[:200], "text": text if rest or len(title) > MOST_TEXT else None, field.name: record_id}
    try:
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            records.create(ctx, NOTE, data)
    except GigaError as error:
        note(who.t(error.message), kind="error")
    return redirect(target, 303)
