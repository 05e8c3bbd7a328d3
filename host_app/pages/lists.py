"""The list of every entity: search, filters, order, columns, pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import records
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import Invalid
from gigacore.messages import msg
from gigacore.records import Count, ListRequest, Page
from gigacore.ui import Slot
from host_app.api.policies import entity_at, on_entity
from host_app.pages import listing
from host_app.pages.addresses import list_url
from host_app.pages.bulk import offered_actions
from host_app.pages.columns import Column, columns_of, default_fields, new_label, row_writer
from host_app.pages.filter_box import chips
from host_app.pages.frame import page as answer
from host_app.pages.frame import part
from host_app.pages.listing import PAGE, Listing, kept_columns
from host_app.pages.parts import columns_of_plugins, fill
from host_app.pages.reader import Reader, reader
from host_app.pages.views import views
from host_app.routing import route

RULE: Final = "/<plugin>/<plural>"


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, RULE, policy=on_entity("view"), endpoint="list")(show)


def show(plugin: str, plural: str) -> ResponseReturnValue:
    """A page of the list."""
    spec, who = entity_at(plugin, plural), reader()
    readable = who.kept(("by name", spec.name), lambda: {field.name: field for field in who.readable(spec)})
    try:
        return _list(listing.read(spec, request.args), spec, who, readable)
    except Invalid as error:
        if not request.args:
            raise
        return _refused(error, spec, who)


def _list(state: Listing, spec: EntitySpec, who: Reader, readable: Mapping[str, FieldSpec]) -> Response:
    columns = shown_columns(state, spec, who, readable)
    found = records.page(who.ctx, spec.name, request_of(state, columns))
    write = row_writer(spec, columns, who, tick=True)
    rows = Markup("\n".join(map(write, found.items)))  # noqa: S704 - the writer escapes every value
    values = _frame_values(state, spec, who) | _table_values(state, spec, columns, found, who)
    in_view = any(current for _label, _url, current in values["views"])
    told = [] if in_view else chips(state, readable, who)
    body = part("list_body", **values, chips=told, rows=rows)
    return answer("list.html", title=values["title"], body=body)


def shown_columns(state: Listing, spec: EntitySpec, who: Reader, readable: Mapping[str, FieldSpec]) -> list[Column]:
    """The columns that the address names, or those of the entity."""
    names: Sequence[str] = [name for name in state.fields or kept_columns(spec) if name in readable]
    if not names:
        names = who.kept(
            ("columns", spec.name),
            lambda: default_fields(spec, readable.values(), columns_of_plugins(who.crm, spec.name)),
        )
    return columns_of(spec, names, who)


def request_of(state: Listing, columns: Sequence[Column]) -> ListRequest:
    """What to ask `records` for."""
    return ListRequest(
        filter=state.filter.tree(),
        sort=(state.sort,) if state.sort else (),
        fields=("id", *(column.name for column in columns)),
        limit=PAGE,
        cursor=state.cursor or None,
        search=state.q,
    )


def _frame_values(state: Listing, spec: EntitySpec, who: Reader) -> dict[str, Any]:
    fixed = who.kept(("list", spec.name, who.locale), lambda: _fixed_values(spec, who))
    bare = state.at(sort="", fields=()).url
    return fixed | {
        "here": state.url,
        "q": state.q,
        "kept": state.kept("q"),
        "filtered": bool(state.q or state.filter.tree()),
        "filter_url": state.box_url("filter"),
        "board_url": state.box_url("board") if spec.board in spec.fields else "",
        "columns_url": state.box_url("columns"),
        "export_url": state.box_url("export"),
        "views": [(label, url, url == bare) for label, url in fixed["tabs"]],
    }


def _fixed_values(spec: EntitySpec, who: Reader) -> dict[str, Any]:
    """What the address does not change."""
    return {
        "title": who.t(spec.label_plural),
        "path": list_url(spec),
        "icon_name": spec.icon,
        "tabs": [(who.t(label), url) for label, url in views(spec)],
        "bulk": offered_actions(spec, who),
        "may_create": who.may("create", spec.name),
        "may_import": who.may("import", spec.name),
        "may_export": who.may("export", spec.name),
        "create_label": new_label(spec, who),
        "empty_title": who.t(msg("No {things} yet", things=who.t(spec.label_plural).lower())),
    }


def _table_values(
    state: Listing, spec: EntitySpec, columns: Sequence[Column], found: Page, who: Reader
) -> dict[str, Any]:
    sort = state.sort or spec.sort
    count = counted(found.count, who) if found.count else ""
    return {
        "heads": listing.heads(state, columns, sort),
        "count": count,
        "whole": found.next is not None or found.previous is not None,
        "span": who.t(msg("{shown} of {all}", shown=len(found.items), all=count)),
        "older": state.at(cursor=found.next).url if found.next else "",
        "newer": state.at(cursor=found.previous).url if found.previous else "",
        "by_time": sort.lstrip("-") in ("id", "created_at", "updated_at"),
        "top": fill(Slot.LIST_TOP, who, spec),
    }


def counted(count: Count, who: Reader) -> str:
    """`1 234`, or `10 000+` where it was not counted further."""
    return f"{who.formats.number(count.value)}{'' if count.exact else '+'}"


def _refused(error: Invalid, spec: EntitySpec, who: Reader) -> Response:
    """An address with a filter or order that does not fit shows what is wrong and the way back."""
    told = [who.t(entry.message) for entry in error.errors] or [who.t(error.message)]
    return answer("list_refused.html", 422, title=who.t(spec.label_plural), problems=told, path=list_url(spec))
