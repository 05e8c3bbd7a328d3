"""The pages of the host, drawn from the registry."""

from __future__ import annotations

from flask import Flask

from host_app.pages import (
    actions,
    around,
    assets,
    attachments,
    automations,
    board,
    builder,
    bulk,
    bulk_job,
    child_rows,
    consents,
    exporting,
    facts,
    filter_box,
    form,
    frame,
    history,
    home,
    imports,
    invitations,
    linking,
    lists,
    me,
    merging,
    news,
    notes,
    notices,
    options,
    palette,
    record,
    record_head,
    refusals,
    related,
    reports,
    row_menu,
    settings,
    sharing,
    signin,
    table_cells,
    timeline,
    trash,
    view_box,
)

ROOMS = (
    assets, frame, notes, notices, signin, invitations, me, home, options, palette, lists, filter_box, builder,
    view_box, board, form, imports, exporting, record, record_head, facts, child_rows, related, timeline, history,
    around, consents, linking, attachments, sharing, news, row_menu, table_cells, actions, bulk, bulk_job, trash,
    settings, refusals, automations, merging, reports,
)  # fmt: skip


def register(app: Flask) -> None:
    """Declare the routes of all pages."""
    for room in ROOMS:
        room.register(app)
