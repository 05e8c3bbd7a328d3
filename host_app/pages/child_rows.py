"""The child rows of a record (e-mails, phones, lines), each of which is added, changed and removed where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import records
from gigacore.context import Context
from gigacore.entity import ChildSpec, FieldSpec
from gigacore.errors import Conflict, Forbidden, GigaError, Invalid, NotFound, StaleVersion
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.api.policies import on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import plain_form
from host_app.pages.answers import parts, reason_of, refused
from host_app.pages.cells import NUMBERS, drawer
from host_app.pages.columns import label_of
from host_app.pages.currencies import currency_codes
from host_app.pages.facts import changed_parts
from host_app.pages.forms import Filling, Input, make_input, row_fields
from host_app.pages.frame import is_partial, part
from host_app.pages.raw import Raw, raw_from, raw_of
from host_app.pages.reader import Reader
from host_app.pages.record_view import RULE, RecordView, seen_again, view_of
from host_app.routing import route

NEW: Final = "new"
NAMELESS: Final = NUMBERS | {"date", "datetime"}
ROWS: Final = f"{RULE}/rows/<child>"
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Row:
    """One child row with its drawn values; `inputs` where it is being changed."""

    key: str
    values: tuple[Markup, ...] = ()
    first: bool = False
    inputs: tuple[Input, ...] = ()
    was: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """The child rows of one kind. `main` = the first row stands for all (the main e-mail); `open` = may be changed."""

    name: str
    label: str
    url: str
    form_url: str
    rows: tuple[Row, ...]
    open: bool
    main: bool


@dataclass(frozen=True, slots=True)
class Editing:
    """The row that is being changed: its key, what was typed, and what is wrong with it."""

    key: str
    raw: Raw
    problems: Mapping[str, str]
    was: str


def register(app: Flask) -> None:
    """Declare the routes. Whether rows may be changed, the record's own rules decide."""
    view = on_entity("view")
    route(app, ROWS, policy=view)(show)
    route(app, f"{ROWS}/<key>", policy=view)(ask)
    route(app, f"{ROWS}/<key>", policy=view, methods=["POST"])(save)
    route(app, f"{ROWS}/<int:row>/remove", policy=view, methods=["POST"])(remove)
    route(app, f"{ROWS}/<int:row>/first", policy=view, methods=["POST"])(make_first)


def cards(view: RecordView) -> list[Markup]:
    """The cards of all child rows that there are or may be, drawn."""
    made = (card_of(view, child) for child in view.spec.children.values() if child.name in view.item)
    return [_drawn(card) for card in made if card.rows or card.open]


def card_of(view: RecordView, child: ChildSpec, editing: Editing | None = None) -> Card:
    """One card; `editing` opens one of its rows."""
    who = view.who
    rows = [_row(row, place, child, who) for place, row in enumerate(view.item.get(child.name) or ())]
    if editing is not None:
        form = _form(child, editing, who)
        rows = [form if row.key == editing.key else row for row in rows] + ([form] if editing.key == NEW else [])
    main = any(child.name in field.depends_on for field in view.spec.fields.values())
    url = f"{view.path}/rows/{child.name}"
    form_url = f"{view.path}/edit#c-{child.name}"
    return Card(child.name, who.t(child.label), url, form_url, tuple(rows), view.may_change_rows(child), main)


def _row(row: Mapping[str, Any], place: int, child: ChildSpec, who: Reader) -> Row:
    shown = [(field, row.get(name)) for name, field in child.fields.items()]
    filled = [(field, value) for field, value in shown if value not in (None, "", [], False)]
    filled.sort(key=lambda pair: pair[0].kind in ("choice", "enum"))
    return Row(str(row["id"]), tuple(_value(field, value, who) for field, value in filled), place == 0)


def _value(field: FieldSpec, value: Any, who: Reader) -> Markup:
    """A value; figures and days, which do not speak for themselves, with their label."""
    shown = Markup(drawer(field, who, short=False)(value))  # noqa: S704 - escaped
    if field.kind not in NAMELESS:
        return shown
    return Markup("<small>{}</small> {}").format(label_of(field, who), shown)


def _form(child: ChildSpec, editing: Editing, who: Reader) -> Row:
    filling = Filling(editing.raw, editing.problems, currencies=currency_codes(who))
    inputs = tuple(make_input(field, field.name, filling, who) for field in row_fields(child))
    known = {one.name for one in inputs}
    rest = " ".join(text for name, text in editing.problems.items() if name not in known)
    return Row(editing.key, inputs=inputs, was=editing.was, problem=rest)


def _drawn(card: Card, *, focus: bool = False) -> Markup:
    return part("child_card", card=card, focus=focus)


def show(plugin: str, plural: str, record_id: int, child: str) -> ResponseReturnValue:
    """The card as it stands."""
    view = view_of(plugin, plural, record_id)
    spec = _child(view, child)
    return parts([_drawn(card_of(view, spec), focus=True)]) if is_partial() else redirect(view.path, 303)


def ask(plugin: str, plural: str, record_id: int, child: str, key: str) -> ResponseReturnValue:
    """The card with one row open, or with a new one (`new`)."""
    view = view_of(plugin, plural, record_id)
    spec = _child(view, child)
    if not is_partial():
        return redirect(f"{view.path}/edit#c-{child}", 303)
    if not view.may_change_rows(spec):
        raise Forbidden(view.refusal("edit") or msg("You may not change {fields}.", fields=view.who.t(spec.label)))
    raw = _fresh(spec, view.who) if key == NEW else _raw(spec, _stored(view.item, spec, key), view.who)
    return parts([_drawn(card_of(view, spec, Editing(key, raw, {}, _mark(raw))))])


def save(plugin: str, plural: str, record_id: int, child: str, key: str) -> ResponseReturnValue:
    """Add a row, or change one; one that somebody else changed meanwhile is shown again with both."""
    view = view_of(plugin, plural, record_id)
    spec, who = _child(view, child), view.who
    raw = raw_from(request.form.to_dict(flat=False))
    was = raw.text("_was")

    def change(rows: Rows, before: Mapping[str, Any]) -> Rows:
        typed = _typed(spec, raw, who)
        if key == NEW:
            return [*rows, {name: value for name, value in typed.items() if value is not None}]
        stored = _stored(before, spec, key)
        if was != _mark(_raw(spec, stored, who)):
            raise StaleVersion
        return [row | typed if str(row["id"]) == key else row for row in rows]

    try:
        before = _write(view, spec, change)
    except StaleVersion:
        view = seen_again(view)
        now = _raw(spec, _stored(view.item, spec, key), who)
        told = who.t(msg("Somebody else changed this meanwhile. Save again to keep your value."))
        return parts([_drawn(card_of(view, spec, Editing(key, raw, {"": told}, _mark(now))))], StaleVersion.status)
    except GigaError as error:
        problems = _problems(spec, key, error, view)
        return parts([_drawn(card_of(view, spec, Editing(key, raw, problems, was)))], error.status)
    return _changed(view, spec, before)


def remove(plugin: str, plural: str, record_id: int, child: str, row: int) -> ResponseReturnValue:
    """Take a row away."""
    return _rearrange(view_of(plugin, plural, record_id), child, row, lambda rows, one: rows)


def make_first(plugin: str, plural: str, record_id: int, child: str, row: int) -> ResponseReturnValue:
    """Put a row before the others: it is the main one then."""
    return _rearrange(view_of(plugin, plural, record_id), child, row, lambda rows, one: [one, *rows])


def _rearrange(
    view: RecordView, child: str, row: int, arrange: Callable[[Rows, dict[str, Any]], Rows]
) -> ResponseReturnValue:
    spec = _child(view, child)

    def change(rows: Rows, before: Mapping[str, Any]) -> Rows:
        mine = next((one for one in rows if one["id"] == row), None)
        if mine is None:
            raise Conflict(msg("This row is gone already."))
        return arrange([one for one in rows if one is not mine], mine)

    try:
        before = _write(view, spec, change)
    except GigaError as error:
        return refused(error, view.path, view.who)
    return _changed(view, spec, before)


def _write(view: RecordView, child: ChildSpec, change: Callable[[Rows, Mapping[str, Any]], Rows]) -> dict[str, Any]:
    """Write the rows as `change` makes them, in one unit of work; gives the record as it was."""
    name, number = view.spec.name, view.record_id
    with current_crm().unit_of_work(current()) as ctx:
        ctx.source = "page"
        before = records.get(ctx, name, number)
        rows = change(_present(ctx, view, child), before)
        records.update(ctx, name, number, {child.name: rows}, version=before.get("version"))
    return before


def _present(ctx: Context, view: RecordView, child: ChildSpec) -> Rows:
    record = records.load(ctx, view.spec.name, view.record_id, verb="edit")
    return records.rows_as_input(ctx.session, record, child.name)


def _changed(view: RecordView, child: ChildSpec, before: Mapping[str, Any]) -> ResponseReturnValue:
    if not is_partial():
        return redirect(view.path, 303)
    fresh = seen_again(view)
    return parts([_drawn(card_of(fresh, child), focus=True), *changed_parts(fresh, before)])


def _child(view: RecordView, name: str) -> ChildSpec:
    child = view.spec.children.get(name)
    if child is None or name not in view.item:
        raise NotFound
    return child


def _stored(item: Mapping[str, Any], child: ChildSpec, key: str) -> Mapping[str, Any]:
    for row in item.get(child.name) or ():
        if str(row["id"]) == key:
            found: Mapping[str, Any] = row
            return found
    raise Conflict(msg("This row is gone already."))


def _raw(child: ChildSpec, row: Mapping[str, Any], who: Reader) -> Raw:
    raw = Raw()
    for field in row_fields(child):
        raw.update(raw_of(field, field.name, row.get(field.name), who.formats))
    return raw


def _fresh(child: ChildSpec, who: Reader) -> Raw:
    defaults = {field.name: field.default_value() for field in row_fields(child)}
    return _raw(child, {name: getattr(value, "value", value) for name, value in defaults.items()}, who)


def _mark(raw: Raw) -> str:
    """What a row was when its editor opened, as one text."""
    return "\x1f".join(text for texts in raw.values() for text in texts)


def _typed(child: ChildSpec, raw: Raw, who: Reader) -> dict[str, Any]:
    typed = plain_form.typed(row_fields(child), raw, who)
    if all(value in (None, "", [], False) for value in typed.values()):
        raise Invalid(msg("Fill in a value."))
    return typed


def _problems(child: ChildSpec, key: str, error: GigaError, view: RecordView) -> dict[str, str]:
    """The faults by input: those of the whole record name the row by its place (`emails.0.email`)."""
    faults = error.errors if isinstance(error, Invalid) else ()
    found = {fault.path.rpartition(".")[2]: view.who.t(fault.message) for fault in faults}
    return found or {"": reason_of(error, view.who)}
