"""The form of every entity: create, edit, and what happens when it cannot be saved. Nothing typed is ever lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import records
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import Conflict, FieldError, GigaError, Invalid, StaleVersion
from gigacore.messages import Msg, msg
from gigacore.records import labels_of
from gigacore.ui import Slot
from host_app.api.policies import entity_at, on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import forms
from host_app.pages.addresses import is_local, list_url, record_url
from host_app.pages.columns import new_label, number_of, title_of
from host_app.pages.currencies import currency_codes
from host_app.pages.forms import Filling
from host_app.pages.frame import page as answer
from host_app.pages.notes import note
from host_app.pages.options import find_by_name
from host_app.pages.parts import fill
from host_app.pages.raw import Raw, Typed, TypedReader, raw_from, raw_of
from host_app.pages.reader import Reader, reader
from host_app.routing import route

NEW: Final = "/<plugin>/<plural>/new"
EDIT: Final = "/<plugin>/<plural>/<int:record_id>/edit"
AGAIN: Final = "_restore"


@dataclass(frozen=True, slots=True)
class Task:
    """What a form is for: the entity, its fields, and the record where one is edited."""

    spec: EntitySpec
    fields: Sequence[FieldSpec]
    who: Reader
    item: Mapping[str, Any] | None = None

    @property
    def heading(self) -> str:
        """The title of the page."""
        if self.item is not None:
            return self.who.t(msg("Edit {title}", title=title_of(self.spec, self.item)))
        return new_label(self.spec, self.who)

    @property
    def home(self) -> str:
        """Where “Cancel” leads."""
        if self.item is not None:
            return record_url(self.spec, self.item["id"])
        back = request.args.get("back", "")
        return back if is_local(back) else list_url(self.spec)


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, NEW, policy=on_entity("create"))(new)
    route(app, NEW, policy=on_entity("create"), methods=["POST"])(create)
    route(app, EDIT, policy=on_entity("edit"))(edit)
    route(app, EDIT, policy=on_entity("edit"), methods=["POST"])(change)


def new(plugin: str, plural: str) -> ResponseReturnValue:
    """An empty form; parameters of the address fill fields in."""
    task = _task(entity_at(plugin, plural))
    return _show(task, Filling(preset(task), currencies=currency_codes(task.who)))


def edit(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """The form of a record."""
    task = _task(entity_at(plugin, plural), record_id)
    raw = forms.filled(task.spec, task.fields, task.item or {}, task.who)
    return _show(task, Filling(raw, currencies=currency_codes(task.who)))


def create(plugin: str, plural: str) -> ResponseReturnValue:
    """Save a new record; then show it, or an empty form for the next one."""
    task, raw = _task(entity_at(plugin, plural)), raw_from(request.form.to_dict(flat=False))
    if (kept := _not_yet(task, raw)) is not None:
        return kept
    typed = read_typed(task, raw)
    try:
        _refuse_faults(typed)
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            record = records.create(ctx, task.spec.name, filled_in(typed.data))
            number, title = record.id, getattr(record, task.spec.title) or number_of(task.spec, record.id)
    except (Invalid, Conflict) as error:
        return _show(task, _faulty(task, raw, error), error)
    note(task.who.t(msg("“{title}” was created.", title=title)), link=record_url(task.spec, number))
    if raw.text("_then") == "again":
        return redirect(request.full_path.rstrip("?"), 303)
    back = request.args.get("back", "")
    return redirect(back if is_local(back) else record_url(task.spec, number), 303)


def change(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Save a record; when somebody else was faster, show both and let the reader decide."""
    task, raw = _task(entity_at(plugin, plural), record_id), raw_from(request.form.to_dict(flat=False))
    if (kept := _not_yet(task, raw)) is not None:
        return kept
    typed = read_typed(task, raw)
    try:
        _refuse_faults(typed)
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            records.update(ctx, task.spec.name, record_id, typed.data, version=_version(raw))
    except StaleVersion as error:
        return _show(task, _compared(task, raw), error)
    except (Invalid, Conflict) as error:
        return _show(task, _faulty(task, raw, error), error)
    note(task.who.t(msg("Saved.")))
    return redirect(record_url(task.spec, record_id), 303)


def _task(spec: EntitySpec, record_id: int | None = None) -> Task:
    who = reader()
    fields = forms.editable(spec, who.writable(spec))
    item = None if record_id is None else with_labels(spec, records.get(who.ctx, spec.name, record_id), who)
    return Task(spec, fields, who, item)


def with_labels(spec: EntitySpec, item: dict[str, Any], who: Reader) -> dict[str, Any]:
    """A record whose child rows name the records that they refer to."""
    for child in spec.children.values():
        for field in child.fields.values():
            rows = [row for row in item.get(child.name) or () if isinstance(row.get(field.name), int)]
            if field.kind != "ref" or not rows or field.target is None:
                continue
            labels = labels_of(who.ctx.session, field.target, [row[field.name] for row in rows])
            for row in rows:
                number = row[field.name]
                row[field.name] = {"id": number, "label": labels.get(number), "hidden": number not in labels}
    return item


def preset(task: Task) -> Raw:
    """The texts of an empty form: defaults of the fields, then what the address says."""
    raw = Raw()
    for field in task.fields:
        value = field.default_value()
        if value is not None and field.kind not in ("money", "ref"):
            raw.update(raw_of(field, field.name, getattr(value, "value", value), task.who.formats))
        if text := request.args.get(field.name, ""):
            raw.update(_from_address(field, text, task.who))
    if "owner_id" in {field.name for field in task.fields} and not raw.text("owner_id"):
        me = {"id": task.who.actor.user_id, "label": task.who.actor.name}
        raw.update(raw_of(task.spec.fields["owner_id"], "owner_id", me, task.who.formats))
    return raw


def _from_address(field: FieldSpec, text: str, who: Reader) -> dict[str, list[str]]:
    if field.kind != "ref" or not text.isdigit() or field.target is None:
        return {field.name: [text]}
    label = labels_of(who.ctx.session, field.target, [int(text)]).get(int(text))
    return raw_of(field, field.name, {"id": int(text), "label": label}, who.formats) if label else {}


def read_typed(task: Task, raw: Raw) -> Typed:
    """What the reader typed, as input for `records`."""

    def lookup(field: FieldSpec, text: str) -> int | None:
        return find_by_name(task.who, field.target or "", text)

    return TypedReader(task.who.formats, task.who.locale, lookup).read(task.spec, task.fields, raw)


def _refuse_faults(typed: Typed) -> None:
    if typed.errors:
        raise Invalid(errors=typed.errors)


def filled_in(data: Mapping[str, Any]) -> dict[str, Any]:
    """What was filled in; fields left empty take their defaults."""
    plain = {name: filled_in(value) if isinstance(value, dict) else value for name, value in data.items()}
    return {name: value for name, value in plain.items() if value is not None and value != {}}


def _version(raw: Raw) -> int | None:
    text = raw.text("_version")
    return int(text) if text.isdigit() else None


def _not_yet(task: Task, raw: Raw) -> ResponseReturnValue | None:
    """The form again, with a row more or less (a browser without scripts), or after signing in anew."""
    currencies = currency_codes(task.who)
    if raw.text(AGAIN):
        return _show(task, Filling(raw, currencies=currencies), restored=True)
    if name := raw.text("_add"):
        index = max(raw.indexes(name), default=-1) + 1
        return _show(task, Filling(Raw({**raw, f"{name}.{index}.": [""]}), currencies=currencies))
    if name := raw.text("_remove"):
        kept = Raw({key: texts for key, texts in raw.items() if not key.startswith(f"{name}.")})
        return _show(task, Filling(kept, currencies=currencies))
    return None


def _faulty(task: Task, raw: Raw, error: GigaError) -> Filling:
    """What was typed, with the faults beside the inputs."""
    found = error.errors if isinstance(error, Invalid) else ()
    problems = {input_name(task.spec, fault): task.who.t(fault.message) for fault in found}
    if not problems:
        problems[""] = " ".join(task.who.t(text) for text in (error.message, error.fix) if text)
    return Filling(raw, problems, currencies=currency_codes(task.who))


def input_name(spec: EntitySpec, fault: FieldError) -> str:
    """The input that a fault belongs to: `amount.currency` is told at `amount`."""
    name, _, _rest = fault.path.partition(".")
    if name in spec.children or fault.path in spec.fields:
        return fault.path
    return name if name in spec.fields else fault.path


def _compared(task: Task, raw: Raw) -> Filling:
    """What was typed, beside what stands in the database now; saving again then takes the reader's words."""
    now = forms.filled(task.spec, task.fields, task.item or {}, task.who)
    notes = {}
    for field in task.fields:
        shown = f"{field.name}.text" if field.kind == "ref" else field.name
        if now.texts(shown) != raw.texts(shown) and (now.text(shown) or raw.text(shown)):
            notes[field.name] = task.who.t(msg("Stored now: {value}", value=now.text(shown) or "–"))
    return Filling(Raw({**raw, "_version": list(now.texts("_version"))}), {}, notes, currency_codes(task.who))


def _show(
    task: Task, filling: Filling, error: GigaError | None = None, *, restored: bool = False
) -> ResponseReturnValue:
    made = forms.build(task.spec, task.fields, filling, task.who)
    stale = isinstance(error, StaleVersion)
    return answer(
        "form.html",
        error.status if error else 200,
        title=task.heading,
        spec_label=task.who.t(task.spec.label_plural),
        list_path=list_url(task.spec),
        form=made,
        home=task.home,
        is_new=task.item is None,
        stale=stale,
        restored=restored,
        bottom=fill(Slot.FORM_BOTTOM, task.who, task.spec),
        trouble=_trouble(error, task.who) if error and not stale and not made.problems else "",
    )


def _trouble(error: GigaError, who: Reader) -> str:
    texts: list[Msg] = [text for text in (error.message, error.fix) if text is not None]
    return " ".join(who.t(text) for text in texts)
