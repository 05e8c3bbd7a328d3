"""Links of a record on its page: what it is linked to and how, a new link to any record, and taking one away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import records
from gigacore.data import links
from gigacore.data.links import LinkKind
from gigacore.errors import GigaError, Invalid
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.api.answers import answer as json_answer
from host_app.api.policies import on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.addresses import record_url
from host_app.pages.answers import parts, reason_of, refused
from host_app.pages.columns import title_of
from host_app.pages.frame import is_partial, part
from host_app.pages.options import find
from host_app.pages.reader import Reader, reader
from host_app.pages.record_view import RULE, RecordView, seen_again, view_of
from host_app.routing import route

MOST_PER_ENTITY: Final = 5
BACK: Final = "<"


@dataclass(frozen=True, slots=True)
class Bond:
    """A linked record, as it is read from this one."""

    id: int
    label: str
    icon: str
    url: str


@dataclass(frozen=True, slots=True)
class Bonds:
    """The linked records of one relation."""

    label: str
    bonds: tuple[Bond, ...]


def register(app: Flask) -> None:
    """Declare the routes."""
    view, edit = on_entity("view"), on_entity("edit")
    route(app, f"{RULE}/links/options", policy=view)(options)
    route(app, f"{RULE}/links", policy=edit, methods=["POST"])(add)
    route(app, f"{RULE}/links/<int:link>/remove", policy=edit, methods=["POST"])(remove)


def links_card(view: RecordView, *, problem: str = "", typed: str = "") -> Markup:
    """The card, drawn."""
    kinds = [(key, view.who.t(label)) for key, label in _readings(links.kinds_of(view.who.registry).values())]
    return part(
        "links_card",
        groups=_groups(view),
        kinds=kinds,
        path=view.path,
        may_edit="edit" in view.rights,
        problem=problem,
        typed=typed,
        chosen=request.form.get("kind", ""),
    )


def _readings(kinds: Iterable[LinkKind]) -> Iterable[tuple[str, str]]:
    """How a link can read from this record: each kind, and from its other end where that reads differently."""
    for kind in kinds:
        yield kind.key, kind.label
        if not kind.symmetric:
            yield f"{kind.key}{BACK}", kind.reverse


def _groups(view: RecordView) -> list[Bonds]:
    who = view.who
    found = links.links_of(who.ctx, view.record)
    titles = {
        entity: records.labels_of(who.ctx.session, entity, [one.record_id for one in found if one.entity == entity])
        for entity in {one.entity for one in found}
    }
    groups: dict[str, list[Bond]] = {}
    for one in found:
        other = who.registry.entity(one.entity)
        title = titles[one.entity].get(one.record_id, f"#{one.record_id}")
        bond = Bond(one.link_id, title, other.icon, record_url(other, one.record_id))
        groups.setdefault(who.t(one.label), []).append(bond)
    return [Bonds(label, tuple(bonds)) for label, bonds in groups.items()]


def options(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Records of every kind that `q` finds, as JSON for the picker; their ids read `crm.lead:7`."""
    who, text = reader(), request.args.get("q", "").strip()
    if len(text) < 2:
        return json_answer({"items": []})
    return json_answer({"items": list(_found(who, text))})


def _found(who: Reader, text: str) -> Iterable[dict[str, str]]:
    for spec in who.entities("view"):
        for item in find(who, spec, text, MOST_PER_ENTITY):
            yield {"id": f"{spec.name}:{item['id']}", "label": title_of(spec, item), "hint": who.t(spec.label)}


def add(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Link the record to another one (`other` = `crm.lead:7`, `kind`)."""
    view = view_of(plugin, plural, record_id)
    key, typed = request.form.get("kind", ""), request.form.get("other.text", "")
    try:
        kind = links.kinds_of(view.who.registry).get(key.removesuffix(BACK))
        if kind is None:
            raise Invalid.of("kind", msg("There is no such kind of link."))
        entity, number = _other(view.who, request.form.get("other", ""), typed)
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            mine, other = records.load(ctx, view.spec.name, record_id), records.load(ctx, entity, number)
            links.link(ctx, mine, other, kind, reverse=key.endswith(BACK))
    except Invalid as error:
        if not is_partial():
            return refused(error, view.path, view.who)
        return parts([links_card(view, problem=reason_of(error, view.who), typed=typed)], error.status)
    except GigaError as error:
        return refused(error, view.path, view.who)
    return _anew(view)


def _other(who: Reader, picked: str, typed: str) -> tuple[str, int]:
    """The record that was picked, or the only one that is called so. Raises Invalid."""
    entity, _, number = picked.partition(":")
    if entity in who.registry.entities and number.isdigit():
        return entity, int(number)
    found = [one for one in _found(who, typed.strip()) if one["label"] == typed.strip()] if typed.strip() else []
    if len(found) != 1:
        raise Invalid.of("other", msg("Choose a record from the list."))
    entity, _, number = found[0]["id"].partition(":")
    return entity, int(number)


def remove(plugin: str, plural: str, record_id: int, link: int) -> ResponseReturnValue:
    """Take a link away."""
    view = view_of(plugin, plural, record_id)
    try:
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            links.unlink(ctx, records.load(ctx, view.spec.name, record_id), link)
    except GigaError as error:
        return refused(error, view.path, view.who)
    return _anew(view)


def _anew(view: RecordView) -> ResponseReturnValue:
    return parts([links_card(seen_again(view))]) if is_partial() else redirect(view.path, 303)
