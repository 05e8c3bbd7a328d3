"""What happened with a record, newest first, what is still to do, and the composer for notes and tasks on top."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import access, mail, records
from gigacore.access import users
from gigacore.data import activities, audit
from gigacore.data.activities import Activity
from gigacore.data.audit import AuditRow
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import GigaError, Invalid, NotFound
from gigacore.messages import msg
from gigacore.records.labels import Labels
from gigacore.values import dataclass
from host_app.api.policies import on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.addresses import record_url
from host_app.pages.answers import parts, refused
from host_app.pages.cells import choice_label
from host_app.pages.forms import Input
from host_app.pages.frame import is_partial, part
from host_app.pages.history import UPDATED, Entry, change_entries, when
from host_app.pages.reader import Reader
from host_app.pages.record_view import RULE, RecordView, seen_again, view_of
from host_app.pages.todo import TASK, act_on_task, create_task, open_tasks, reference_to, sent_task, task_inputs
from host_app.routing import route

NOTE: Final = "crm.note"
AUTOMATION: Final = "core.automation"
CONSENT: Final = "core.consent"
ENDS: Final = ("from", "to")
MAIL: Final = "core.mail"
MOST: Final = 50
AT_ONCE: Final = dt.timedelta(seconds=5)
MOST_TITLE: Final = 200
ICONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "note": "note", "call": "phone", "call_in": "phone-incoming", "call_out": "phone-outgoing", "email": "mail",
        "email_in": "mail-opened", "email_out": "mail-forward", "meeting": "calendar-event", "task": "checklist",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Composer:
    """What the composer offers: a note, a task, or both."""

    path: str
    note: bool
    task: tuple[Input, ...]


def register(app: Flask) -> None:
    """Declare the routes. What may be written, the rules of notes and tasks decide."""
    view = on_entity("view")
    route(app, f"{RULE}/notes", policy=view, methods=["POST"])(add_note)
    route(app, f"{RULE}/tasks", policy=view, methods=["POST"])(add_task)
    route(app, f"{RULE}/tasks/<int:task>/<act>", policy=view, methods=["POST"])(tick)


def drawn_timeline(view: RecordView) -> Markup:
    """The composer and the timeline, drawn."""
    may_note = reference_to(NOTE, view) is not None and view.who.may("create", NOTE)
    composer = Composer(view.path, may_note, task_inputs(view))
    return part("composer", composer=composer) + _entries(view)


def _entries(view: RecordView) -> Markup:
    return part("timeline", entries=_happened(view), todo=open_tasks(view), back=view.path)


def _happened(view: RecordView) -> list[Entry]:
    """Activities that the reader may see, and changes, newest first."""
    ctx, name, number = view.who.ctx, view.spec.name, view.record_id
    rows = audit.history(ctx.session.connection(), name, number, limit=MOST)
    told = activities.timeline(ctx, name, number, limit=MOST)
    told = [one for one in told if not _told_twice(one, rows, view)]
    names = _names_of_moves(told, view.who)
    done = [(entry.at, _activity(entry, view, names)) for entry in told]
    done += [(row.at, entry) for row, entry in zip(rows, change_entries(rows, view), strict=True)]
    return [entry for _at, entry in sorted(done, key=lambda pair: pair[0], reverse=True)[:MOST]]


def _told_twice(entry: Activity, rows: Sequence[AuditRow], view: RecordView) -> bool:
    """Whether a change of the record tells of the move already, with all that changed at the same time."""
    field = _moved_field(entry, view.spec)
    if field is None or (entry.source_entity, entry.source_id) != (view.spec.name, view.record_id):
        return False
    changed = (row for row in rows if row.verb == UPDATED and abs(row.at - entry.at) < AT_ONCE)
    return any(isinstance(row.values, dict) and field.name in row.values for row in changed)


def _activity(entry: Activity, view: RecordView, names: Mapping[str, Labels]) -> Entry:
    who = view.who
    at, exact = when(entry.at, who)
    kind = entry.kind.rpartition(".")[2]
    key = f"{kind}_{entry.direction}" if entry.direction else kind
    source = who.registry.entities.get(entry.source_entity or "")
    url = record_url(source, entry.source_id) if source is not None and entry.source_id else ""
    if entry.kind == AUTOMATION:
        return _automation(entry, at, exact, who)
    if entry.kind == CONSENT:
        return _consent(entry, at, exact, who)
    if entry.kind == MAIL:
        return _mail(entry, at, exact, who)
    reopen = f"{view.path}/tasks/{entry.source_id}/reopen" if entry.source_entity == TASK else ""
    icon = ICONS.get(key, ICONS.get(kind, "activity"))
    what, title = _kind(entry, key, who), _title(entry, source, who, names)
    if source is not None and _moved_field(entry, source) is not None:
        what = who.t(msg("moved: {thing}", thing=who.t(source.label).lower()))
    return Entry(icon, entry.actor_name, what, at, exact, title, url, entry.summary or "", reopen=reopen)


def _automation(entry: Activity, at: str, exact: str, who: Reader) -> Entry:
    """What a rule did, with the way to its run in the log for whoever may read that."""
    data = entry.data or {}
    actions = who.crm.automation.kit.actions
    did = [who.t(actions[name].label) for name in data.get("did") or () if name in actions]
    url = f"/automations/runs/{data.get('run')}" if access.may(who.ctx, "view", "core.rule") else ""
    what = who.t(msg("ran the automation"))
    return Entry("robot", entry.actor_name, what, at, exact, entry.title, url, ", ".join(dict.fromkeys(did)))


def _consent(entry: Activity, at: str, exact: str, who: Reader) -> Entry:
    """What a person said about being written to."""
    data = entry.data or {}
    purpose = mail.PURPOSES.get(str(data.get("purpose"))) or msg("Every purpose")
    noted = msg("noted: may be written to ({purpose})", purpose=purpose)
    if not data.get("allowed"):
        noted = msg("noted: may not be written to ({purpose})", purpose=purpose)
    return Entry("mail", entry.actor_name, who.t(noted), at, exact, entry.title, "", "")


def _mail(entry: Activity, at: str, exact: str, who: Reader) -> Entry:
    """A mail that went out, in the name of who had it sent: a worker did it, which says nothing to anybody."""
    data = entry.data or {}
    people = who.kept(("people",), lambda: dict(users.names(who.ctx, active_only=False)))
    what = who.t(msg("sent a mail to {address}", address=data.get("to") or "?"))
    return Entry(
        ICONS["email_out"], people.get(data.get("by") or 0, entry.actor_name), what, at, exact, entry.title, "",
        entry.summary or "",
    )  # fmt: skip


def _title(entry: Activity, source: EntitySpec | None, who: Reader, names: Mapping[str, Labels]) -> str:
    """What happened; a move between choices, or between stages, in the reader's words."""
    data, field = entry.data or {}, _moved_field(entry, source)
    if field is None:
        return entry.title
    moved = [_said(field, data.get(end), who, names.get(field.target or "", {})) for end in ENDS]
    return " → ".join(moved) if all(moved) else entry.title


def _moved_field(entry: Activity, source: EntitySpec | None) -> FieldSpec | None:
    return source.fields.get(str((entry.data or {}).get("field"))) if source is not None else None


def _said(field: FieldSpec, value: Any, who: Reader, names: Labels) -> str:
    choices = who.registry.choice_list(field)
    if choices is None:
        return names.get(value, "") if isinstance(value, int) else ""
    found = choices.get(str(value))
    return choice_label(found.labels, found.label, who) if found else ""


def _names_of_moves(entries: Sequence[Activity], who: Reader) -> Mapping[str, Labels]:
    """The names of the stages that activities speak of, by entity; they may have one in each language."""
    moved: dict[str, set[int]] = {}
    for entry in entries:
        field = _moved_field(entry, who.registry.entities.get(entry.source_entity or ""))
        target = who.registry.entities.get(field.target or "") if field is not None else None
        if target is not None and target.labels:
            moved.setdefault(target.name, set()).update(
                value for end in ENDS if isinstance(value := (entry.data or {}).get(end), int)
            )
    return {target: records.labels_of(who.ctx.session, target, ids) for target, ids in moved.items()}


def _kind(entry: Activity, key: str, who: Reader) -> str:
    """The category of an activity in the administrator's words."""
    found = who.registry.choice_lists.get(f"{entry.plugin}.activity_kind")
    choice = found and (found.get(key) or found.get(entry.kind.rpartition(".")[2]))
    return (choice.labels.get(who.locale) or who.t(choice.label)) if choice else ""


def add_note(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """A note about the record; its first line is its title."""
    view = view_of(plugin, plural, record_id)
    field, text = reference_to(NOTE, view), request.form.get("text", "").strip()
    if field is None:
        raise NotFound
    if not text:
        return redirect(view.path, 303)
    title, _, rest = text.partition("\n")
    data = {"title": title[:MOST_TITLE], "text": text if rest or len(title) > MOST_TITLE else None}
    try:
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            records.create(ctx, NOTE, data | {field.name: record_id})
    except GigaError as error:
        return refused(error, view.path, view.who)
    return _anew(view, part("note_form", path=view.path, fresh=True))


def add_task(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """A task about the record, by its title, due date and assignee."""
    view, raw = view_of(plugin, plural, record_id), sent_task()
    try:
        create_task(view, raw)
    except Invalid as error:
        if not is_partial():
            return refused(error, view.path, view.who)
        form = part("task_form", path=view.path, inputs=task_inputs(view, raw, error))
        response = parts([form], error.status)
        response.headers.update({"HX-Retarget": "#task-form", "HX-Reswap": "outerHTML"})
        return response
    except GigaError as error:
        return refused(error, view.path, view.who)
    return _anew(view, part("task_form", path=view.path, inputs=task_inputs(view), fresh=True))


def tick(plugin: str, plural: str, record_id: int, task: int, act: str) -> ResponseReturnValue:
    """Close a task that is about the record, or open it again."""
    view = view_of(plugin, plural, record_id)
    try:
        act_on_task(view, task, act)
    except GigaError as error:
        return refused(error, view.path, view.who)
    return _anew(view)


def _anew(view: RecordView, *forms: Markup) -> ResponseReturnValue:
    """The timeline as it stands now, with fresh forms; related lists are told to look again."""
    if not is_partial():
        return redirect(view.path, 303)
    response: Response = parts([_entries(seen_again(view)), *forms])
    response.headers["HX-Trigger"] = "giga:related"
    return response
