"""Tasks about a record on its own page: what is still to do, ticked off where it stands, and the quick new task."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from flask import request
from markupsafe import Markup

from gigacore import records
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import Invalid, NotFound
from gigacore.records import ListRequest
from gigacore.values import dataclass
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import forms, plain_form
from host_app.pages.addresses import record_url
from host_app.pages.cells import person
from host_app.pages.forms import Filling, Input
from host_app.pages.raw import Raw, raw_from, raw_of
from host_app.pages.reader import Reader
from host_app.pages.record_view import RecordView

TASK: Final = "crm.task"
MOST: Final = 20
ASKED: Final = ("title", "due_at", "owner_id")
PREFIX: Final = "task-"
ACTS: Final = frozenset({"close", "reopen"})


@dataclass(frozen=True, slots=True)
class Todo:
    """A task that is still to do."""

    title: str
    url: str
    tick: str
    due: str
    exact: str
    late: bool
    owner: Markup


def reference_to(entity: str, view: RecordView) -> FieldSpec | None:
    """The field by which records of `entity` refer to records of this kind."""
    fields: Sequence[FieldSpec] = view.who.registry.referrers.get(view.spec.name, ())
    return next((field for field in fields if field.entity == entity and not field.readonly), None)


def open_tasks(view: RecordView) -> list[Todo]:
    """What is still to do about the record and the reader may see, what is due first."""
    who, field = view.who, reference_to(TASK, view)
    task = who.registry.entities.get(TASK)
    if field is None or task is None or not who.may("view", TASK):
        return []
    mine = {"field": field.name, "op": "eq", "value": view.record_id}
    still = {"field": "status.kind", "op": "ne", "value": "done"}
    wanted = ListRequest({"all": [mine, still]}, ("-id",), ("id", "title", "due_at", "owner_id"), MOST, count=False)
    found = records.page(who.ctx, TASK, wanted).items
    found.sort(key=lambda item: (item.get("due_at") is None, item.get("due_at") or who.now))
    return [_todo(item, task, view) for item in found]


def _todo(item: dict[str, Any], task: EntitySpec, view: RecordView) -> Todo:
    due: dt.datetime | None = item.get("due_at")
    who, owner = view.who, item.get("owner_id") or {}
    return Todo(
        item["title"],
        record_url(task, item["id"]),
        f"{view.path}/tasks/{item['id']}/close",
        who.formats.relative(due, who.now) if due else "",
        who.formats.datetime(due) if due else "",
        due is not None and due < who.now,
        person(owner["label"]) if owner.get("label") else Markup(),
    )


def task_inputs(view: RecordView, raw: Raw | None = None, error: Invalid | None = None) -> tuple[Input, ...]:
    """The inputs of the quick task, none where the reader cannot create one; the reader is its first assignee."""
    who = view.who
    if reference_to(TASK, view) is None or not who.may("create", TASK):
        return ()
    fields = _fields(who)
    texts = raw or Raw(_me(fields, who))
    problems = plain_form.problems_of(error, who) if error is not None else {}
    filling = Filling(texts, problems)
    return tuple(forms.make_input(field, f"{PREFIX}{field.name}", _prefixed(filling), who) for field in fields)


def _prefixed(filling: Filling) -> Filling:
    """The same texts under names that no other input of the page has."""
    raw = Raw({f"{PREFIX}{name}": texts for name, texts in filling.raw.items()})
    problems = {f"{PREFIX}{name}": text for name, text in filling.problems.items()}
    return Filling(raw, problems)


def _fields(who: Reader) -> list[FieldSpec]:
    task = who.registry.entity(TASK)
    writable = {field.name for field in who.writable(task)}
    return [task.fields[name] for name in ASKED if name in writable]


def _me(fields: Sequence[FieldSpec], who: Reader) -> dict[str, list[str]]:
    owner = next((field for field in fields if field.name == "owner_id"), None)
    me = {"id": who.actor.user_id, "label": who.actor.name}
    return raw_of(owner, owner.name, me, who.formats) if owner is not None else {}


def sent_task() -> Raw:
    """What was typed into the quick task."""
    sent = raw_from(request.form.to_dict(flat=False))
    return Raw({name.removeprefix(PREFIX): texts for name, texts in sent.items() if name.startswith(PREFIX)})


def create_task(view: RecordView, raw: Raw) -> None:
    """A task about the record. Raises Invalid with an error per input, NotFound where tasks are about other things."""
    field = reference_to(TASK, view)
    if field is None:
        raise NotFound
    typed = plain_form.typed(_fields(view.who), raw, view.who)
    data = {name: value for name, value in typed.items() if value is not None}
    with current_crm().unit_of_work(current()) as ctx:
        ctx.source = "page"
        records.create(ctx, TASK, data | {field.name: view.record_id})


def act_on_task(view: RecordView, task: int, act: str) -> None:
    """Close a task that is about the record, or open it again, by the task's own action. Raises NotFound, Conflict."""
    field = reference_to(TASK, view)
    if field is None or act not in ACTS:
        raise NotFound
    with current_crm().unit_of_work(current()) as ctx:
        ctx.source = "page"
        if getattr(records.load(ctx, TASK, task), field.attribute) != view.record_id:
            raise NotFound
        records.run_action(ctx, TASK, task, act, {})
