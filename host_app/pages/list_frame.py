"""What stands around the records of a list, whatever their kind of view: title, views, chips, tools, actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from gigacore.entity import EntitySpec, FieldSpec
from gigacore.messages import msg
from gigacore.records import Count
from gigacore.ui import Slot
from host_app.pages import views
from host_app.pages.addresses import list_url
from host_app.pages.bulk import offered_actions
from host_app.pages.columns import new_label
from host_app.pages.filter_box import chips
from host_app.pages.lanes import readable_board
from host_app.pages.listing import NO_FILTER, Listing
from host_app.pages.parts import fill
from host_app.pages.reader import Reader


def readable_by_name(spec: EntitySpec, who: Reader) -> Mapping[str, FieldSpec]:
    """The fields that the reader may see."""
    return who.kept(("by name", spec.name), lambda: {field.name: field for field in who.readable(spec)})


def frame_values(state: Listing, spec: EntitySpec, who: Reader) -> dict[str, Any]:
    """The values of the list's template that do not depend on the records."""
    key = ("list", spec.name, who.locale, who.actor.user_id, bool(who.actor.tree_ids or who.actor.team_ids))
    fixed = who.kept(key[:3], lambda: _fixed_values(spec, who))
    # Most lists are opened by the menu: all addresses are then the same each time.
    bare = not request.query_string and state == Listing(spec)
    moving = who.kept(key, lambda: _moving_values(state, who, fixed)) if bare else _moving_values(state, who, fixed)
    in_view = any(tab.current and not tab.key.isdigit() for tab in moving["views"])
    job = request.args.get("job", "")
    return {
        **fixed,
        **moving,
        "live": f"list:{spec.name}",
        "chips": [] if in_view else chips(state, readable_by_name(spec, who), who),
        "job": job if job.isdigit() else "",
        "top": fill(Slot.LIST_TOP, who, spec),
    }


def _moving_values(state: Listing, who: Reader, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """What follows from the address: the neighbouring states."""
    filtered = bool(state.q or state.filter.tree())
    return {
        "kind": state.kind,
        "own_path": state.path,
        "here": state.url,
        "q": state.q,
        "kept": state.kept("q"),
        "filtered": filtered,
        "clear_url": state.at(q="", filter=NO_FILTER).url if filtered else "",
        "filter_url": state.box_url("filter"),
        "columns_url": state.box_url("columns"),
        "views_url": state.box_url("views"),
        "export_url": state.box_url("export"),
        "xlsx_url": state.box_url("export", format="xlsx"),
        "shown_url": state.box_url("export", columns=1),
        "views": views.tabs(state, who),
        "kinds": views.kinds(state, who, board=fixed["has_board"]),
    }


def _fixed_values(spec: EntitySpec, who: Reader) -> dict[str, Any]:
    """What the address does not change."""
    return {
        "title": who.t(spec.label_plural),
        "path": list_url(spec),
        "icon_name": spec.icon,
        "has_board": readable_board(spec, who) is not None,
        "bulk": offered_actions(spec, who),
        "may_create": who.may("create", spec.name),
        "may_import": who.may("import", spec.name),
        "may_export": who.may("export", spec.name),
        "create_label": new_label(spec, who),
        "empty_title": who.t(msg("No {things} yet", things=who.t(spec.label_plural).lower())),
    }


def counted(count: Count, who: Reader) -> str:
    """`1 234`, or `10 000+` where it was not counted further."""
    return f"{who.formats.number(count.value)}{'' if count.exact else '+'}"
