"""The pages of the host, drawn from the registry."""

from __future__ import annotations

from flask import Flask

from host_app.pages import (
    actions,
    assets,
    board,
    builder,
    bulk,
    bulk_job,
    filter_box,
    form,
    frame,
    home,
    imports,
    invitations,
    lists,
    me,
    notes,
    options,
    palette,
    record,
    refusals,
    row_menu,
    settings,
    signin,
    timeline,
    trash,
    view_box,
)

ROOMS = (
    assets, frame, notes, signin, invitations, me, home, options, palette, lists, filter_box, builder, view_box, board,
    form, imports, record, timeline, row_menu, actions, bulk, bulk_job, trash, settings, refusals,
)  # fmt: skip


def register(app: Flask) -> None:
    """Declare the routes of all pages."""
    for room in ROOMS:
        room.register(app)
