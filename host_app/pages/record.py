"""The page of a record: head, facts, child rows, tabs with the timeline, panels of plugins, related records."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, request
from flask.typing import ResponseReturnValue

from gigacore.messages import msg
from gigacore.ui import Slot
from host_app.api.policies import on_entity
from host_app.pages.addresses import list_url, with_query
from host_app.pages.child_rows import cards
from host_app.pages.columns import title_of
from host_app.pages.facts import sections
from host_app.pages.frame import page as answer
from host_app.pages.history import changes_of
from host_app.pages.news import news_url
from host_app.pages.parts import Drawn, count_of, draw_part, fill, may_see, panels_of, tabs_of
from host_app.pages.record_head import drawn_head
from host_app.pages.record_view import RULE, RecordView, view_of
from host_app.pages.related import related_of
from host_app.pages.timeline import drawn_timeline
from host_app.routing import route

TIMELINE: Final = "timeline"
CHANGES: Final = "changes"


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, RULE, policy=on_entity("view"))(show)


def show(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """The page; `?tab=` chooses what the middle shows."""
    view = view_of(plugin, plural, record_id)
    spec, who = view.spec, view.who
    return answer(
        "record.html",
        title=title_of(spec, view.item),
        path=view.path,
        list_path=list_url(spec),
        list_label=who.t(spec.label_plural),
        head=drawn_head(view),
        lock=view.lock if "edit" in view.rights else "",
        news_url=news_url(view),
        live=f"record:{view.spec.name}:{view.record_id}",
        sections=sections(view),
        children=cards(view),
        **_middle(view, request.args.get("tab", TIMELINE)),
        over=_panels(view, Slot.RECORD_HEAD),
        main=_panels(view, Slot.RECORD_MAIN),
        panels=_panels(view, Slot.RECORD_SIDE),
        related=related_of(view),
    )


def _middle(view: RecordView, tab: str) -> dict[str, Any]:
    """The tabs, and what the chosen one shows; an unknown one shows the timeline."""
    who = view.who
    plugins = {part.name: part for part in tabs_of(who.crm, view.spec.name) if may_see(part.policy, who, part.name)}
    names = [(TIMELINE, who.t(msg("Timeline")), ""), (CHANGES, who.t(msg("Changes")), "")]
    names += [(name, who.t(part.label), count_of(part, who, view.record)) for name, part in plugins.items()]
    chosen = tab if tab == CHANGES or tab in plugins else TIMELINE
    drawn: Drawn | None = draw_part(plugins[chosen], who, view.record) if chosen in plugins else None
    middle = changes_of(view) if chosen == CHANGES else drawn_timeline(view) if drawn is None else ""
    tabs = [
        (view.path if name == TIMELINE else with_query(view.path, [("tab", name)]), label, count, name == chosen)
        for name, label, count in names
    ]
    return {"tabs": tabs, "drawn": drawn, "middle": middle}


def _panels(view: RecordView, slot: Slot) -> list[Drawn]:
    """The panels of plugins in one place of the page, and what their hooks put there; empty ones are left out."""
    spec, who = view.spec, view.who
    wanted = [
        panel
        for panel in panels_of(who.crm, spec.name)
        if panel.slot == slot and may_see(panel.policy, who, panel.name)
    ]
    drawn = [draw_part(panel, who, view.record) for panel in wanted]
    drawn.append(Drawn(slot.value, "", "", tuple(fill(slot, who, spec, view.record))))
    return [panel for panel in drawn if panel.contents]
