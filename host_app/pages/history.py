"""The change history of a record: who changed what, and one change taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import records
from gigacore.access.verbs import verb_label
from gigacore.context import Context
from gigacore.data import audit
from gigacore.data.audit import AuditRow
from gigacore.entity import SYSTEM_TARGETS, ChildSpec, EntitySpec, FieldSpec
from gigacore.errors import GigaError, NotFound
from gigacore.files.fields import described
from gigacore.messages import Msg, msg
from gigacore.values import dataclass
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

Names = Mapping[tuple[str, int], str]
MOST: Final = 30
MOST_TEXT: Final = 200
UPDATED: Final = "updated"
TIED: Final = ("linked", "unlinked", "shared", "unshared")
MERGED: Final = "merged"
ICONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "created": "plus", "updated": "edit", "deleted": "trash", "restored": "arrow-back-up", "linked": "link",
        "unlinked": "unlink", "shared": "share", "unshared": "lock", "merged": "arrows-join",
        "unmerged": "arrows-split",
    }
)  # fmt: skip
VERBS: Final[Mapping[str, Msg]] = MappingProxyType(
    {
        "created": msg("created this"), "updated": msg("changed this"), "deleted": msg("deleted this"),
        "restored": msg("took this back from the trash"), "linked": msg("linked a record:"),
        "unlinked": msg("removed a link:"), "shared": msg("shared this with"),
        "unshared": msg("took a share back from"),
        "merged": msg("merged another record into this"), "unmerged": msg("took a merge back"),
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
    entries = change_entries(rows[:MOST], view)
    back = with_query(view.path, [("tab", "changes")])
    return part("changes", entries=entries, more=more, first=before is None, back=back)


def undo(plugin: str, plural: str, record_id: int, change: UUID) -> ResponseReturnValue:
    """Take one change back; a refusal says which field was changed since."""
    spec, who = entity_at(plugin, plural), reader()
    target = record_url(spec, record_id)
    try:
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            left = _take_back(ctx, spec, record_id, change)
    except GigaError as error:
        return refused(error, target, who)
    note(who.t(_undone(left, who)))
    back = request.form.get("back", "")
    return redirect(back if is_local(back) else target, 303)


def _undone(left: Sequence[Msg], who: Reader) -> Msg:
    """What came of it; what was changed again since is named."""
    if not left:
        return msg("The change was undone.")
    names = ", ".join(who.t(label) for label in left)
    return msg("Undone, but for what was changed again since: {fields}.", fields=names)


def _take_back(ctx: Context, spec: EntitySpec, record_id: int, change: UUID) -> Sequence[Msg]:
    """Undo a change or a merge; gives what stays because it was changed since, in words."""
    row = audit.entry(ctx.session.connection(), change)
    if row is None or row.verb != MERGED:
        return records.undo(ctx, spec.name, record_id, change)
    return records.unmerge(ctx, spec.name, record_id, change).left


def change_entries(rows: Sequence[AuditRow], view: RecordView) -> list[Entry]:
    """Recorded acts in words; the records that they name are looked up together."""
    words = Words(view.spec, view.who, _names(rows, view))
    return [_entry(row, view, words) for row in rows]


def _entry(row: AuditRow, view: RecordView, words: Words) -> Entry:
    who = view.who
    at, exact = when(row.at, who)
    values = row.values if isinstance(row.values, dict) else {}
    told = Entry(ICONS.get(row.verb, "bolt"), actor_of(row, who), _verb(row.verb, view), at, exact)
    undo_url = f"{view.path}/changes/{row.id}/undo"
    if row.verb in TIED:
        title, url = words.other_end(values)
        may = "edit" in view.rights and (row.verb in ("linked", "unlinked") or "share" in view.rights)
        return replace(told, title=title, url=url, undo=undo_url if may and title else "")
    values = values if row.verb == UPDATED else {}
    may = view.may_edit and (row.verb == MERGED or words.some_written(values))
    return replace(told, changes=tuple(words.changed(values)), undo=undo_url if may else "")


def _verb(verb: str, view: RecordView) -> str:
    """What was done; the entity's own actions by their label."""
    action = view.who.registry.actions.get(view.spec.name, {}).get(verb)
    if verb in VERBS:
        return view.who.t(VERBS[verb])
    return view.who.t(action.label) if action is not None else verb.replace("_", " ")


def _names(rows: Sequence[AuditRow], view: RecordView) -> Names:
    """The titles of all records that changes name, as far as the reader sees them, in one statement."""
    wanted: dict[str, set[int]] = {}
    for row in rows:
        for field, value in _references(row, view.spec):
            if field.target and (number := _number(value)) is not None:
                wanted.setdefault(field.target, set()).add(number)
        for target, number in _ends(row):
            if target in view.who.registry.entities or target in SYSTEM_TARGETS:
                wanted.setdefault(target, set()).add(number)
    found = records.all_labels(view.who.ctx.session, wanted)
    return {(target, number): label for target, labels in found.items() for number, label in labels.items()}


def _ends(row: AuditRow) -> Iterable[tuple[str, int]]:
    """With whom or what a recorded act tied the record, or from whom or what it untied it."""
    if row.verb not in TIED or not isinstance(row.values, dict):
        return
    for tie in row.values.get("links") or ():
        if isinstance(tie, dict):
            yield tie["entity"], tie["id"]
    for key, target in (("user_id", "core.user"), ("team_id", "core.team")):
        if number := _number(row.values.get(key)):
            yield target, number


def _references(row: AuditRow, spec: EntitySpec) -> Iterable[tuple[FieldSpec, Any]]:
    """The references that a change holds, in its fields and its child rows."""
    for name, pair in row.values.items() if isinstance(row.values, dict) and row.verb == UPDATED else ():
        field, child = spec.fields.get(name), spec.children.get(name)
        if field is not None and field.kind == "ref":
            yield from ((field, value) for value in pair or ())
        elif child is not None:
            refs = [one for one in child.fields.values() if one.kind == "ref"]
            yield from ((one, image.get(one.name)) for images in pair or () for image in images or () for one in refs)


def _number(value: Any) -> int | None:
    found = value.get("id") if isinstance(value, dict) else value
    return found if isinstance(found, int) else None


def when(moment: dt.datetime, who: Reader) -> tuple[str, str]:
    """A moment in words and exactly."""
    recent = abs((who.now - moment).total_seconds()) < 60
    return who.t(msg("just now")) if recent else who.formats.relative(moment, who.now), who.formats.datetime(moment)


def actor_of(row: AuditRow, who: Reader) -> str:
    """Who acted."""
    return who.t(msg("The system")) if row.actor_kind == "system" else row.actor_name


@dataclass(frozen=True, slots=True)
class Words:
    """Puts recorded values of one kind of record into words, as far as the reader may see them."""

    spec: EntitySpec
    who: Reader
    names: Names

    def other_end(self, values: Mapping[str, Any]) -> tuple[str, str]:
        """Title and address of what a recorded link leads to, or the name of the party of a share and the level."""
        tie = next((one for one in values.get("links") or () if isinstance(one, dict)), None)
        if tie is not None:
            spec = self.who.registry.entities.get(tie["entity"])
            title = self.names.get((tie["entity"], tie["id"]))
            if spec is None or title is None:
                return self.who.t(msg("no access")), ""
            return title, record_url(spec, tie["id"])
        for key, target in (("user_id", "core.user"), ("team_id", "core.team")):
            if (number := values.get(key)) and values.get("verb"):
                level = self.who.t(verb_label(values["verb"]))
                return f"{self.names.get((target, number), f'#{number}')} ({level})", ""
        return "", ""

    def changed(self, values: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
        """Label, old and new value of what changed."""
        readable = records.readable_fields(self.who.ctx.session, self.spec)
        for name, pair in values.items():
            field, child = self.spec.fields.get(name), self.spec.children.get(name)
            if name in QUIET or name not in readable or not isinstance(pair, list | tuple):
                continue
            before, after = (*pair, None, None)[:2]
            if field is not None:
                yield label_of(field, self.who), self.word(before, field), self.word(after, field)
            elif child is not None and not child.readonly:
                yield self.who.t(child.label), self._rows(before, child), self._rows(after, child)

    def some_written(self, values: Mapping[str, Any]) -> bool:
        """Whether people wrote some of these values; the others follow by rules."""
        fields = (self.spec.fields.get(name) for name in values)
        children = (self.spec.children.get(name) for name in values)
        return any(field is not None and not (field.readonly or field.computed) for field in fields) or any(
            child is not None and not child.readonly for child in children
        )

    def word(self, value: Any, field: FieldSpec) -> str:
        """A recorded value in words, as far as the record alone tells."""
        if value in (None, "", [], {}):
            return ""
        if field.kind in ("choice", "enum", "choices"):
            labels = {key: label for key, label, _colour, _active in choices_of(field, self.who)}
            return ", ".join(labels.get(key, str(key)) for key in (value if isinstance(value, list) else [value]))
        try:
            return self._measured(value, field)
        except (ValueError, TypeError, ArithmeticError, KeyError):
            return str(value)[:MOST_TEXT]

    def _rows(self, rows: Any, child: ChildSpec) -> str:
        """Child rows by their first values."""
        shown = [
            next((text for name, field in child.fields.items() if (text := self.word(row.get(name), field))), "")
            for row in rows or ()
            if isinstance(row, dict)
        ]
        return ", ".join(text for text in shown if text)[:MOST_TEXT]

    def _measured(self, value: Any, field: FieldSpec) -> str:
        formats = self.who.formats
        match field.kind:
            case "boolean":
                return self.who.t(msg("Yes")) if value else self.who.t(msg("No"))
            case "datetime":
                return formats.datetime(dt.datetime.fromisoformat(value))
            case "date":
                return formats.date(dt.date.fromisoformat(value))
            case "money":
                return formats.money(Decimal(value["amount"]), value["currency"])
            case "decimal":
                return formats.number(Decimal(str(value)))
            case "file":
                found = described(self.who.ctx.session.connection(), [UUID(value)])[UUID(value)]
                return found["name"] or self.who.t(msg("This file is no longer kept."))
            case "ref":
                number = _number(value)
                return self.names.get((field.target or "", number or 0), f"#{number}")
        return str(value)[:MOST_TEXT]
