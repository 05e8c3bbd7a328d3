"""The form of every entity: create, edit, and what happens when it cannot be saved. Nothing typed is ever lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access, records
from gigacore.context import Context
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import Conflict, FieldError, GigaError, Invalid, Locked, StaleVersion
from gigacore.messages import Msg, msg
from gigacore.records import labels_of
from gigacore.ui import Slot
from gigacore.values import dataclass
from host_app.api.files import UPLOAD_LIMIT
from host_app.api.policies import entity_at, on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import forms, gone_fields, sheets, switches, uploaded
from host_app.pages.addresses import is_local, list_url, new_url, record_url
from host_app.pages.columns import new_label, number_of, title_of
from host_app.pages.currencies import currency_codes
from host_app.pages.forms import Filling
from host_app.pages.frame import page as answer
from host_app.pages.notes import note
from host_app.pages.options import find_by_name
from host_app.pages.parts import fill
from host_app.pages.presets import preset
from host_app.pages.raw import Raw, Typed, TypedReader, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.saving import MARK, Saved, new_mark, save_once
from host_app.routing import route

NEW: Final = "/<plugin>/<plural>/new"
EDIT: Final = "/<plugin>/<plural>/<int:record_id>/edit"
AGAIN: Final = "_restore"
REQUIRED: Final = msg("This is required.")
EMPTY: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Task:
    """What a form is for: the entity, its fields, and the record where one is edited."""

    spec: EntitySpec
    fields: Sequence[FieldSpec]
    who: Reader
    item: Mapping[str, Any] | None = None
    off: Sequence[FieldSpec] = ()

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
    route(app, NEW, policy=on_entity("create"), methods=["POST"], body=UPLOAD_LIMIT)(create)
    route(app, EDIT, policy=on_entity("edit"))(edit)
    route(app, EDIT, policy=on_entity("edit"), methods=["POST"], body=UPLOAD_LIMIT)(change)


def new(plugin: str, plural: str) -> ResponseReturnValue:
    """An empty form; parameters of the address fill fields in."""
    task = _task(entity_at(plugin, plural))
    return _show(task, _filling(task, preset(task.spec, task.fields, task.who)))


def edit(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """The form of a record. Whoever could not save anything is told so before typing."""
    task = _task(entity_at(plugin, plural), record_id)
    _require_change(task, record_id)
    return _show(task, _filling(task, forms.filled(task.spec, task.fields, task.item or {}, task.who)))


def create(plugin: str, plural: str) -> ResponseReturnValue:
    """Save a new record; then show it, or an empty form for the next one."""
    task, raw = _task(entity_at(plugin, plural)), raw_from(request.form.to_dict(flat=False))

    def work(ctx: Context, typed: Typed) -> Saved:
        record = records.create(ctx, task.spec.name, filled_in(typed.data))
        return Saved(record.id, getattr(record, task.spec.title) or number_of(task.spec, record.id))

    return _save(task, raw, work, msg("“{title}” was created."))


def change(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Save a record; when somebody else was faster, show both and let the reader decide."""
    task, raw = _task(entity_at(plugin, plural), record_id), raw_from(request.form.to_dict(flat=False))

    def work(ctx: Context, typed: Typed) -> Saved:
        records.update(ctx, task.spec.name, record_id, typed.data, version=_version(raw))
        return Saved(record_id, "")

    return _save(task, raw, work, msg("Saved."))


def _save(task: Task, raw: Raw, work: Callable[[Context, Typed], Saved], done: Msg) -> ResponseReturnValue:
    """Run `work` once for this form; what cannot be saved comes back with everything that was typed."""
    refused = uploaded.take(task.fields, raw)
    if (kept := _not_yet(task, raw)) is not None:
        return kept
    typed = read_typed(task, raw)
    typed.errors += [*refused, *gone_fields.told(task.spec, task.fields, raw, task.who)]
    try:
        _refuse_faults(task, typed)
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            saved = save_once(ctx, raw, lambda: work(ctx, typed))
    except StaleVersion as error:
        return _show(task, _compared(task, raw), error)
    except (Invalid, Conflict) as error:
        return _show(task, _faulty(task, raw, error), error)
    return _saved(task, raw, saved, task.who.t(msg(done.text, title=saved.title)))


def _saved(task: Task, raw: Raw, saved: Saved, text: str) -> ResponseReturnValue:
    """Onward: to the record, back to where the form was opened, or to an empty form."""
    again = raw.text("_then") == "again"
    back, here = request.args.get("back", ""), request.full_path.rstrip("?")
    record = record_url(task.spec, saved.id)
    onward = here if again else back if is_local(back) else record
    if sheets.wanted() != sheets.PICK and not (again and sheets.wanted()):
        note(text, link=record if task.item is None and onward != record else "", saved=raw.text(MARK))
    return sheets.told(saved, text, onward, again=again) if sheets.wanted() else redirect(onward, 303)


def _task(spec: EntitySpec, record_id: int | None = None) -> Task:
    who = reader()
    fields, off = switches.split(forms.editable(spec, who.writable(spec)), who)
    item = None if record_id is None else with_labels(spec, records.get(who.ctx, spec.name, record_id), who)
    return Task(spec, fields, who, item, off)


def _require_change(task: Task, record_id: int) -> None:
    ctx, name = task.who.ctx, task.spec.name
    record = records.load(ctx, name, record_id)
    if not access.allowed(ctx, name, record, ("edit", "assign", "share")):
        raise access.why_not(ctx, name, "edit")
    if (reason := records.lock_of(ctx, name, record)) is not None:
        raise Locked(reason)


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


def read_typed(task: Task, raw: Raw) -> Typed:
    """What the reader typed, as input for `records`."""

    def lookup(field: FieldSpec, text: str) -> int | None:
        return find_by_name(task.who, field.target or "", text)

    return TypedReader(task.who.formats, task.who.locale, lookup).read(task.spec, task.fields, raw)


def _refuse_faults(task: Task, typed: Typed) -> None:
    """Tell what cannot be read, and in the same breath what is missing."""
    if not typed.errors:
        return
    known = {fault.path for fault in typed.errors}
    missing = (f.name for f in task.fields if f.required and f.name not in known and typed.data.get(f.name, 0) is None)
    raise Invalid(errors=[*typed.errors, *(FieldError(name, REQUIRED, "required") for name in missing)])


def filled_in(data: Mapping[str, Any]) -> dict[str, Any]:
    """What was filled in; fields left empty take their defaults."""
    plain = {name: filled_in(value) if isinstance(value, dict) else value for name, value in data.items()}
    return {name: value for name, value in plain.items() if value is not None and value != {}}


def _version(raw: Raw) -> int | None:
    text = raw.text("_version")
    return int(text) if text.isdigit() else None


def _not_yet(task: Task, raw: Raw) -> ResponseReturnValue | None:
    """The form again, with a row more or less (a browser without scripts), after signing in anew, or from a draft."""
    if raw.text(AGAIN):
        missing = uploaded.to_choose_again(task.fields, raw).items()
        problems = {name: task.who.t(text) for name, text in missing}
        return _show(task, _filling(task, raw, problems), restored=raw.text(AGAIN))
    if name := raw.text("_add"):
        index = max(raw.indexes(name), default=-1) + 1
        return _show(task, _filling(task, Raw({**raw, f"{name}.{index}.": [""]})))
    if name := raw.text("_remove"):
        kept = Raw({key: texts for key, texts in raw.items() if not key.startswith(f"{name}.")})
        return _show(task, _filling(task, kept))
    return None


def _filling(task: Task, raw: Raw, problems: Mapping[str, str] = EMPTY, notes: Mapping[str, str] = EMPTY) -> Filling:
    return Filling(raw, problems, notes, currency_codes(task.who), create=creation_of(task.who))


def creation_of(who: Reader) -> Callable[[str], str]:
    """The address at which the reader may create a record of an entity, for pickers; empty where it may not."""

    def address(target: str) -> str:
        spec = who.registry.entities.get(target)
        return new_url(spec) if spec and not spec.hidden and who.may("create", target) else ""

    return address


def _faulty(task: Task, raw: Raw, error: GigaError) -> Filling:
    """What was typed, with the faults beside the inputs."""
    found = error.errors if isinstance(error, Invalid) else ()
    problems = {input_name(task.spec, fault): task.who.t(fault.message) for fault in found}
    if not problems:
        problems[""] = " ".join(task.who.t(text) for text in (error.message, error.fix) if text)
    return _filling(task, raw, problems)


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
        shown = f"{field.name}.text" if field.kind in ("ref", "file") else field.name
        if now.texts(shown) != raw.texts(shown) and (now.text(shown) or raw.text(shown)):
            notes[field.name] = now.text(shown)
    return _filling(task, Raw({**raw, "_version": list(now.texts("_version"))}), notes=notes)


def _show(task: Task, filling: Filling, error: GigaError | None = None, *, restored: str = "") -> ResponseReturnValue:
    made = forms.build(task.spec, task.fields, filling, task.who)
    stale = isinstance(error, StaleVersion)
    response = answer(
        "parts/form_sheet.html" if sheets.wanted() else "form.html",
        error.status if error else 200,
        title=task.heading,
        spec_label=task.who.t(task.spec.label_plural),
        list_path=list_url(task.spec),
        form=made,
        here=request.full_path.rstrip("?"),
        draft=f"{task.who.actor.user_id}:{request.full_path.rstrip('?')}",
        kept=request.method == "POST",
        once=filling.raw.text(MARK) or new_mark(),
        home=task.home,
        is_new=task.item is None,
        stale=stale,
        restored=restored,
        switched_off=switches.hints(task.off, task.who),
        bottom=fill(Slot.FORM_BOTTOM, task.who, task.spec),
        trouble=_trouble(error, task.who) if error and not stale and not made.problems else "",
    )
    if sheets.wanted():
        response.headers[sheets.HEADER] = "form"
    return response


def _trouble(error: GigaError, who: Reader) -> str:
    texts: list[Msg] = [text for text in (error.message, error.fix) if text is not None]
    return " ".join(who.t(text) for text in texts)
