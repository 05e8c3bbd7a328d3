"""Records that refer to the one on the page: a list for each way of referring, a few at a time, and a new one."""

from __future__ import annotations

from typing import Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access, records
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import NotFound
from gigacore.records import ListRequest
from gigacore.values import dataclass
from host_app.api.policies import on_entity
from host_app.pages.addresses import list_url, new_url, record_url, with_query
from host_app.pages.answers import parts
from host_app.pages.columns import label_of, new_label, title_of
from host_app.pages.frame import is_partial, part
from host_app.pages.record_view import RULE, RecordView, view_of
from host_app.routing import route

MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Related:
    """Records of one kind that refer to this one by one field. `older` leads to the next few, `all` to the list."""

    id: str
    label: str
    icon: str
    items: tuple[tuple[str, str], ...]
    older: str
    all: str
    create: str
    create_label: str


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, f"{RULE}/related", policy=on_entity("view"))(show)


def related_of(view: RecordView) -> list[Related]:
    """The related lists, each with its first records."""
    return [_list(view, other, field, None) for other, field in _referrers(view)]


def show(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """All related lists anew, or with `by=<entity>.<field>&cursor=` the next records of one."""
    view = view_of(plugin, plural, record_id)
    if not is_partial():
        return redirect(view.path, 303)
    by = request.args.get("by", "")
    if not by:
        return parts([part("related", related=related_of(view), path=view.path)])
    for other, field in _referrers(view):
        if by == f"{other.name}.{field.name}":
            return parts([part("related_items", rel=_list(view, other, field, request.args.get("cursor")))])
    raise NotFound


def _referrers(view: RecordView) -> list[tuple[EntitySpec, FieldSpec]]:
    """The entities and fields that refer to this kind of record, as far as the reader may see them."""
    who = view.who
    found = []
    for field in who.registry.referrers.get(view.spec.name, ()):
        other = who.registry.entities.get(field.entity)
        if other is None or other.hidden or field.extension or not who.may("view", other.name):
            continue
        if access.may_read(who.ctx, other, field.name):
            found.append((other, field))
    return found


def _list(view: RecordView, other: EntitySpec, field: FieldSpec, cursor: str | None) -> Related:
    who, number = view.who, view.record_id
    mine = {"field": field.name, "op": "eq", "value": number}
    wanted = ListRequest(mine, ("-id",), ("id", other.title), MOST, cursor, count=False)
    page = records.page(who.ctx, other.name, wanted)
    several = sum(one.entity == other.name for one in who.registry.referrers[view.spec.name]) > 1
    older = [("by", f"{other.name}.{field.name}"), ("cursor", page.next)]
    may_create = not field.readonly and who.may("create", other.name)
    return Related(
        f"rel-{other.name}-{field.name}".replace(".", "-"),
        f"{who.t(other.label_plural)} ({label_of(field, who)})" if several else who.t(other.label_plural),
        other.icon,
        tuple((record_url(other, item["id"]), title_of(other, item)) for item in page.items),
        with_query(f"{view.path}/related", older) if page.next else "",
        with_query(list_url(other), [(field.name, number)]),
        new_url(other, **{field.name: number, "back": view.path}) if may_create else "",
        new_label(other, who),
    )
