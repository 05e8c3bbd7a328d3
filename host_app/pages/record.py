"""The page of a record: header, facts, child rows, timeline, panels of plugins, related records, actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import access, records
from gigacore.entity import Entity, EntitySpec, FieldSpec
from gigacore.errors import GigaError, Invalid
from gigacore.messages import msg
from gigacore.records import ListRequest
from gigacore.ui import Slot
from host_app.api.policies import entity_at, on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.addresses import is_local, list_url, new_url, record_url, with_query
from host_app.pages.cells import choices_of, drawer, pill
from host_app.pages.columns import label_of, names_in_order, new_label, number_of, title_of, value_of
from host_app.pages.form import with_labels
from host_app.pages.forms import section_of
from host_app.pages.frame import is_partial
from host_app.pages.frame import page as answer
from host_app.pages.notes import note
from host_app.pages.parts import Drawn, draw_part, fill, may_see, panels_of, tabs_of
from host_app.pages.reader import Reader, reader
from host_app.pages.timeline import Composer, composer_of, timeline_of
from host_app.routing import route

RULE: Final = "/<plugin>/<plural>/<int:record_id>"
OWN: Final = frozenset({"id", "uid", "version", "org_id"})
MOST_RELATED: Final = 5


@dataclass(frozen=True, slots=True)
class Fact:
    """A field with its drawn value."""

    label: str
    value: Markup
    long: bool = False
    computed: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts under one heading; `empty` are labels of fields without a value."""

    label: str
    facts: tuple[Fact, ...]
    empty: tuple[str, ...] = ()


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
class Related:
    """Records of one kind that refer to this one."""

    label: str
    icon: str
    items: tuple[tuple[str, str], ...]
    more: str
    create: str
    create_label: str


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, RULE, policy=on_entity("view"))(show)
    route(app, f"{RULE}/status", policy=on_entity("edit"), methods=["POST"])(set_status)
    route(app, f"{RULE}/delete", policy=on_entity("delete"), methods=["POST"])(delete)


def show(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """The page; `?tab=` chooses what the middle shows."""
    spec, who = entity_at(plugin, plural), reader()
    item = with_labels(spec, records.get(who.ctx, spec.name, record_id), who)
    record = records.load(who.ctx, spec.name, record_id)
    tab = request.args.get("tab", "timeline")
    may_edit = access.may(who.ctx, "edit", spec.name, record)
    return answer(
        "record.html",
        title=title_of(spec, item),
        number=number_of(spec, record_id) if spec.id_prefix else "",
        icon_name=spec.icon,
        path=record_url(spec, record_id),
        list_path=list_url(spec),
        list_label=who.t(spec.label_plural),
        mark=_drawn(spec, spec.board or "", item, who),
        statuses=_statuses(spec, item, who) if may_edit else [],
        owner=_drawn(spec, "owner_id", item, who),
        strip=_strip(spec, item, who),
        sections=sections(spec, item, who),
        children=child_rows(spec, item, who),
        tab=tab,
        **_middle(spec, record, item, tab, who),
        head=_panels(spec, record, who, Slot.RECORD_HEAD),
        main=_panels(spec, record, who, Slot.RECORD_MAIN),
        panels=_panels(spec, record, who, Slot.RECORD_SIDE),
        related=_related(spec, record_id, who),
        acts=acts(spec, record, who),
        may_edit=may_edit,
        may_delete=access.may(who.ctx, "delete", spec.name, record),
        version=item.get("version", ""),
    )


def _drawn(spec: EntitySpec, name: str, item: Mapping[str, Any], who: Reader, *, short: bool = True) -> Markup:
    """The drawn value of a field; empty where the record has none or the reader may not see it."""
    field, value = spec.fields.get(name), value_of(item, name)
    if field is None or value is None or value in ("", []):
        return Markup()
    return Markup(drawer(field, who, short=short)(value))  # noqa: S704 - every drawer escapes what it is given


def _strip(spec: EntitySpec, item: Mapping[str, Any], who: Reader) -> list[Fact]:
    """The key facts of the header that have a value."""
    names = [name for name in spec.key_facts if name in spec.fields and name not in (spec.board, "owner_id")]
    facts = [Fact(label_of(spec.fields[name], who), _drawn(spec, name, item, who)) for name in names]
    return [fact for fact in facts if fact.value]


def sections(spec: EntitySpec, item: Mapping[str, Any], who: Reader) -> list[Facts]:
    """All facts by section, the record's own last."""
    readable = {field.name for field in who.readable(spec)}
    found: dict[str, list[FieldSpec]] = {}
    for name in names_in_order(spec):
        if name in readable and name not in OWN and name != spec.title and spec.fields[name].kind != "json":
            found.setdefault(section_of(spec.fields[name], spec, who), []).append(spec.fields[name])
    return [
        made for label, fields in found.items() if (made := _facts(label, fields, spec, item, who)).facts or made.empty
    ]


def _facts(label: str, fields: Iterable[FieldSpec], spec: EntitySpec, item: Mapping[str, Any], who: Reader) -> Facts:
    facts, empty = [], []
    for field in fields:
        value = _drawn(spec, field.name, item, who, short=field.kind in ("datetime", "date"))
        if value:
            facts.append(Fact(label_of(field, who), value, field.kind == "longtext", field.computed))
        elif not field.readonly:
            empty.append(label_of(field, who))
    return Facts(label or who.t(msg("Details")), tuple(facts), tuple(empty))


def child_rows(spec: EntitySpec, item: Mapping[str, Any], who: Reader) -> list[tuple[str, list[list[Markup]]]]:
    """The child rows, each as its drawn values."""
    made = []
    for child in spec.children.values():
        draws = [(name, drawer(field, who)) for name, field in child.fields.items()]
        rows = [
            [Markup(draw(row[name])) for name, draw in draws if row.get(name) not in (None, "", [], False)]  # noqa: S704
            for row in item.get(child.name) or ()
        ]
        if rows:
            made.append((who.t(child.label), rows))
    return made


def _middle(spec: EntitySpec, record: Entity, item: Mapping[str, Any], tab: str, who: Reader) -> dict[str, Any]:
    """The tabs, and what the chosen one shows."""
    own = [("timeline", who.t(msg("Timeline"))), ("changes", who.t(msg("Changes")))]
    plugins = {part.name: part for part in tabs_of(who.crm, spec.name) if may_see(part.policy, who)}
    path = record_url(spec, record.id)
    names = [*own, *((name, who.t(part.label)) for name, part in plugins.items())]
    drawn: Drawn | None = draw_part(plugins[tab], who, record) if tab in plugins else None
    composer: Composer | None = composer_of(spec, record.id, who) if tab == "timeline" else None
    return {
        "tabs": [
            (path if name == "timeline" else with_query(path, [("tab", name)]), label, name == tab)
            for name, label in names
        ],
        "drawn": drawn,
        "composer": composer,
        "entries": timeline_of(spec, record.id, who, changes=tab == "changes") if drawn is None else (),
    }


def _panels(spec: EntitySpec, record: Entity, who: Reader, slot: Slot) -> list[Drawn]:
    """The panels of plugins in one place of the page, and what their hooks put there; empty ones are left out."""
    wanted = [panel for panel in panels_of(who.crm, spec.name) if panel.slot == slot and may_see(panel.policy, who)]
    drawn = [draw_part(panel, who, record) for panel in wanted]
    drawn.append(Drawn(slot.value, "", "", tuple(fill(slot, who, spec, record))))
    return [panel for panel in drawn if panel.contents]


def _related(spec: EntitySpec, record_id: int, who: Reader) -> list[Related]:
    """The records that refer to this one, by the field with which they do."""
    found = []
    for field in who.registry.referrers.get(spec.name, ()):
        other = who.registry.entities.get(field.entity)
        if other is None or other.hidden or field.extension or not who.may("view", other.name):
            continue
        if access.may_read(who.ctx, other, field.name):
            found.append(_related_by(other, field, record_id, who))
    return found


def _related_by(other: EntitySpec, field: FieldSpec, record_id: int, who: Reader) -> Related:
    wanted = ListRequest(
        {"field": field.name, "op": "eq", "value": record_id},
        ("-id",),
        ("id", other.title),
        MOST_RELATED + 1,
        count=False,
    )
    items = records.page(who.ctx, other.name, wanted).items
    shown = tuple((record_url(other, item["id"]), title_of(other, item)) for item in items[:MOST_RELATED])
    may_create = not field.readonly and who.may("create", other.name)
    back = request.path
    return Related(
        who.t(other.label_plural),
        other.icon,
        shown,
        with_query(list_url(other), [(field.name, record_id)]) if len(items) > MOST_RELATED else "",
        new_url(other, **{field.name: record_id, "back": back}) if may_create else "",
        new_label(other, who),
    )


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


def _statuses(spec: EntitySpec, item: Mapping[str, Any], who: Reader) -> list[tuple[str, Markup, bool]]:
    """The values that the status may be set to from the header: key, pill, whether it stands now."""
    field = spec.fields.get(spec.board or "")
    if field is None or field.readonly or field.kind not in ("choice", "enum") or not who.may_write(spec, field):
        return []
    now = value_of(item, field.name)
    return [(key, pill(label, colour), key == now) for key, label, colour, active in choices_of(field, who) if active]


def set_status(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Change the status from the header; a refusal says why."""
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


def _status(spec: EntitySpec) -> dict[str, Any]:
    """The status that was sent, as input for `records`."""
    name, value = spec.board or "", request.form.get("value", "")
    is_ref = name in spec.fields and spec.fields[name].kind == "ref"
    return {name: int(value) if is_ref and value.isdigit() else value}


def _not_moved(error: GigaError, who: Reader) -> Response:
    """Why a card goes back, for the script that moved it."""
    faults = [fault.message for fault in error.errors] if isinstance(error, Invalid) else []
    told = dict.fromkeys(who.t(text) for text in (error.message, *faults, error.fix) if text is not None)
    return Response(" ".join(told), error.status, content_type="text/plain; charset=utf-8")


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


def refused(error: GigaError, target: str, who: Reader) -> ResponseReturnValue:
    """Say on the page at `target` why something was not done."""
    if error.status == 404:
        raise error
    told: Sequence[str] = [who.t(text) for text in (error.message, error.fix) if text is not None]
    note(" ".join(told), kind="error")
    back = request.form.get("back", "")
    return redirect(back if is_local(back) else target, 303)
