"""The facts of a record, each of which is edited where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import access, records
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import Forbidden, GigaError, Invalid, NotFound, StaleVersion
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.api.files import UPLOAD_LIMIT
from host_app.api.policies import on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import plain_form, uploaded
from host_app.pages.answers import parts, reason_of
from host_app.pages.columns import label_of, names_in_order, value_of
from host_app.pages.currencies import currency_codes
from host_app.pages.forms import Filling, Input, make_input, section_of
from host_app.pages.frame import is_partial, part
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from, raw_of
from host_app.pages.reader import Reader
from host_app.pages.record_head import drawn_head
from host_app.pages.record_view import RULE, RecordView, seen_again, view_of
from host_app.routing import route

OWN: Final = frozenset({"id", "uid", "version", "org_id"})
DATED: Final = frozenset({"date", "datetime"})
WAS: Final = "_was"


@dataclass(frozen=True, slots=True)
class Fact:
    """A field with its drawn value. `open` = the reader may change it now; `kept` = shown though it is empty."""

    name: str
    id: str
    label: str
    value: Markup
    url: str
    open: bool
    long: bool = False
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Facts under one heading; `empty` counts those that could have a value and have none."""

    label: str
    facts: tuple[Fact, ...]
    empty: int


def register(app: Flask) -> None:
    """Declare the routes. Whether a field may be changed, the record's own rules decide."""
    route(app, f"{RULE}/facts/<name>", policy=on_entity("view"))(ask)
    route(app, f"{RULE}/facts/<name>", policy=on_entity("view"), methods=["POST"], body=UPLOAD_LIMIT)(save)


def sections(view: RecordView) -> list[Section]:
    """All facts by section, the record's own last."""
    who, spec = view.who, view.spec
    found: dict[str, list[Fact]] = {}
    for field in _shown(spec, who):
        fact = fact_of(view, field)
        if fact.value or not (field.readonly or field.computed):
            found.setdefault(section_of(field, spec, who), []).append(fact)
    return [
        Section(label or who.t(msg("Details")), tuple(facts), sum(not fact.value for fact in facts))
        for label, facts in found.items()
    ]


def _shown(spec: EntitySpec, who: Reader) -> Iterable[FieldSpec]:
    readable = {field.name for field in who.readable(spec)} - OWN
    for name in names_in_order(spec):
        field = spec.fields[name]
        if name in readable and field.kind != "json" and not (name == spec.title and field.computed):
            yield field


def fact_of(view: RecordView, field: FieldSpec, *, kept: bool = False) -> Fact:
    """One fact."""
    return Fact(
        field.name,
        f"fact-{field.name.replace('.', '-')}",
        label_of(field, view.who),
        view.drawn(field.name, short=field.kind in DATED),
        f"{view.path}/facts/{field.name}",
        view.may_change(field),
        field.kind == "longtext",
        kept,
    )


def ask(plugin: str, plural: str, record_id: int, name: str) -> ResponseReturnValue:
    """The small form of one fact; `?as=text` gives the fact itself, as it stands now."""
    view = view_of(plugin, plural, record_id)
    field = field_of(view, name)
    if not is_partial():
        return redirect(f"{view.path}/edit#f-{name}", 303)
    if request.args.get("as") == "text":
        return parts([_drawn(view, field, done=True)])
    _require_change(view, field)
    return parts([_form(view, field, stored(field, view.item, view.who))])


def save(plugin: str, plural: str, record_id: int, name: str) -> ResponseReturnValue:
    """Save one fact. When somebody else changed it meanwhile, both values are shown and the reader decides."""
    view = view_of(plugin, plural, record_id)
    field, who = field_of(view, name), view.who
    raw = raw_from(request.form.to_dict(flat=False))
    try:
        before = change(view, field, raw)
    except StaleVersion as error:
        return parts([_form(seen_again(view), field, raw, stale=True)], error.status)
    except GigaError as error:
        if error.status == 404:
            raise
        return parts([_form(view, field, raw, problem=problem_of(field, error, who))], error.status)
    if not is_partial():
        note(who.t(msg("Saved.")))
        return redirect(view.path, 303)
    return parts(changed_parts(seen_again(view), before, field))


def change(view: RecordView, field: FieldSpec, raw: Raw) -> Mapping[str, Any]:
    """Write one field as it was typed and give the record as it was before.

    Raises StaleVersion when the field is not what it was when its editor opened, else as `records.update`.
    """
    if refused := uploaded.take([field], raw):
        raise Invalid(errors=refused)
    data = _data(field, raw, view.who)
    with current_crm().unit_of_work(current()) as ctx:
        ctx.source = "page"
        before = records.get(ctx, view.spec.name, view.record_id)
        if WAS in raw and raw.text(WAS) != mark(field, before, view.who):
            raise StaleVersion(before.get("version"))
        records.update(ctx, view.spec.name, view.record_id, data, version=before.get("version"))
    return before


def changed_parts(view: RecordView, before: Mapping[str, Any], edited: FieldSpec | None = None) -> list[str]:
    """What a change asks the page to draw anew: the edited fact, the head, and facts that followed by rules."""
    followed = [
        field
        for field in _shown(view.spec, view.who)
        if field is not edited
        and value_of(before, field.name) != value_of(view.item, field.name)
        and not (value_of(before, field.name) is None and (field.readonly or field.computed))  # it has no place yet
    ]
    first = [_drawn(view, edited, done=True)] if edited is not None else []
    return [*first, drawn_head(view, oob=True), *(_drawn(view, field, oob=True) for field in followed)]


def mark(field: FieldSpec, item: Mapping[str, Any], who: Reader) -> str:
    """What a value was when its editor opened, as one text."""
    return "\x1f".join(text for texts in stored(field, item, who).values() for text in texts)


def field_of(view: RecordView, name: str) -> FieldSpec:
    """A field that the reader may see. Raises NotFound."""
    field = view.spec.fields.get(name)
    if field is None or not access.may_read(view.who.ctx, view.spec, field):
        raise NotFound
    return field


def _require_change(view: RecordView, field: FieldSpec) -> None:
    if not view.may_change(field):
        raise Forbidden(view.refusal("edit") or msg("You may not change {fields}.", fields=label_of(field, view.who)))


def stored(field: FieldSpec, item: Mapping[str, Any], who: Reader) -> Raw:
    """The texts of a field's inputs as the record stands."""
    return Raw(raw_of(field, field.name, value_of(item, field.name), who.formats))


def _data(field: FieldSpec, raw: Raw, who: Reader) -> dict[str, Any]:
    value = plain_form.typed([field], raw, who)[field.name]
    plugin, dot, rest = field.name.partition(".")
    return {plugin: {rest: value}} if dot else {field.name: value}


def problem_of(field: FieldSpec, error: GigaError, who: Reader) -> str:
    """Why a field could not be saved."""
    faults = error.errors if isinstance(error, Invalid) else ()
    own = [who.t(fault.message) for fault in faults if fault.path.partition(".")[0] == field.name.partition(".")[0]]
    return " ".join(dict.fromkeys(own)) or reason_of(error, who)


def _form(view: RecordView, field: FieldSpec, raw: Raw, *, problem: str = "", stale: bool = False) -> str:
    made, was = editor(view, field, raw, problem=problem, stale=stale)
    return part("fact_form", fact=fact_of(view, field), f=made, was=was)


def editor(
    view: RecordView, field: FieldSpec, raw: Raw, *, problem: str = "", stale: bool = False
) -> tuple[Input, str]:
    """The input of a field with what is wrong about it, and the mark of the value that it opened with."""
    now = stored(field, view.item, view.who)
    shown = now.text(f"{field.name}.text") or ", ".join(now.texts(field.name))
    if stale:
        problem = view.who.t(msg("Somebody else changed this meanwhile. Save again to keep your value."))
    told = view.who.t(msg("Stored now: {value}", value=shown or "–")) if stale else ""
    filling = Filling(raw, {field.name: problem}, {field.name: told}, _currencies(field, view.who))
    made = make_input(field, field.name, filling, view.who)
    return made, mark(field, view.item, view.who)


def _currencies(field: FieldSpec, who: Reader) -> Sequence[str]:
    return currency_codes(who) if field.kind == "money" else ()


def _drawn(view: RecordView, field: FieldSpec, *, oob: bool = False, done: bool = False) -> str:
    return part("fact", fact=fact_of(view, field, kept=done), oob=oob, done=done)
