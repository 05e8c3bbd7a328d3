"""The settings area: one way in, each page by permission."""

from __future__ import annotations

from flask import Flask

from host_app.pages.settings import (
    area,
    backups,
    choices,
    company,
    currencies,
    custom_fields,
    explain,
    incoming,
    jobs,
    mails,
    pipelines,
    plugins,
    roles,
    schedules,
    teams,
    templates,
    users,
    values,
    webhooks,
)

ROOMS = (
    area, company, currencies, custom_fields, choices, pipelines, users, teams, roles, explain, plugins, templates,
    mails, webhooks, incoming, jobs, schedules, backups, values,
)  # fmt: skip


def register(app: Flask) -> None:
    """Declare the routes of all settings pages."""
    for room in ROOMS:
        room.register(app)
