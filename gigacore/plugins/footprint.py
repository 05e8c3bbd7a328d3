"""Which rows of the core's tables belong to a plugin: those with its name, and those that stand on its entities."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from gigacore.access.tables import (
    core_field_rule,
    core_grant,
    core_link_token,
    core_role,
    core_share,
    core_user_role,
)
from gigacore.automation.tables import core_rule, core_rule_run, core_rule_version
from gigacore.customfields.tables import core_custom_field
from gigacore.data.choices import core_choice
from gigacore.data.tables import (
    core_activity,
    core_activity_link,
    core_counter,
    core_delivery,
    core_link,
    core_outbox,
    core_setting,
    core_state,
    core_trash,
)
from gigacore.exchange.tables import core_import, core_import_error, core_import_key
from gigacore.files.tables import core_attachment, core_file, core_file_use
from gigacore.jobs.tables import RUNNING, core_job, core_schedule
from gigacore.notices.tables import core_notice
from gigacore.text.tables import core_template
from gigacore.values import dataclass
from gigacore.views.tables import core_list_choice, core_view
from gigacore.webhooks.tables import core_hook_newest, core_hook_source

Where = Callable[[str], sa.ColumnElement[bool]]

REFERRED: Final = MappingProxyType(
    {
        "org_id": "core_org",
        "owner_id": "core_user",
        "user_id": "core_user",
        "actor_user_id": "core_user",
        "created_by": "core_user",
        "updated_by": "core_user",
        "deleted_by": "core_user",
        "team_id": "core_team",
        "role_id": "core_role",
        "file_id": "core_file",
        "activity_id": "core_activity",
        "import_id": "core_import",
        "rule_id": "core_rule",
    }
)
"""Columns of the core, and of every entity, that hold the id of a row with a uid."""


@dataclass(frozen=True, slots=True)
class Owned:
    """The rows of one core table that go with a plugin.

    `pairs` are (entity, id) columns that name a record. `archived` narrows what is kept for a later reinstallation;
    None keeps nothing. A row is not put back without what its columns in `needed` refer to. Rows `by_id` are found
    before anything is removed, for they are recognised by others.
    """

    table: sa.Table
    where: Where
    pairs: tuple[tuple[str, str], ...] = ()
    archived: Where | None = lambda _name: sa.true()
    by_id: bool = False
    needed: tuple[str, ...] = ()

    def count(self, connection: sa.Connection, plugin: str) -> int:
        """How many rows there are."""
        found = sa.select(sa.func.count()).select_from(self.table).where(self.where(plugin))
        return int(connection.execute(found).scalar_one())


def table_of(entity: str) -> str:
    """The table of an entity or of one of the core's own targets: `crm.lead` -> `crm_lead`."""
    return entity.replace(".", "_")


def is_of(column: sa.ColumnElement[Any], plugin: str) -> sa.ColumnElement[bool]:
    """Whether a name in a column begins with the plugin's."""
    return column.startswith(f"{plugin}.", autoescape=True)


def _any(table: sa.Table, *columns: str) -> Where:
    """Rows in which one of the columns is the plugin's name (`plugin`) or begins with it."""

    def where(name: str) -> sa.ColumnElement[bool]:
        tests = [table.c[c] == name if c == "plugin" else is_of(table.c[c], name) for c in columns]
        return sa.or_(*tests)

    return where


def _below(table: sa.Table, column: str, above: sa.Table, of_above: Where, *more: str) -> Where:
    """Rows below rows that go, besides those that `_any` finds."""

    def where(name: str) -> sa.ColumnElement[bool]:
        upper = table.c[column].in_(sa.select(above.c.id).where(of_above(name)))
        return sa.or_(upper, _any(table, *more)(name)) if more else upper

    return where


def _own_files(name: str) -> sa.ColumnElement[bool]:
    """What the plugin stored itself, and what hangs on its records only."""
    own, others = _held(name, True), _held(name, False)
    return sa.or_(core_file.c.plugin == name, sa.and_(own, ~others))


def _held(name: str, own: bool) -> sa.ColumnElement[bool]:
    """Whether a file hangs on records of the plugin or stands in its fields, or, not `own`, somewhere else."""
    held = []
    for table, columns in ((core_attachment, ("entity",)), (core_file_use, ("entity", "field"))):
        mine = sa.or_(*(is_of(table.c[column], name) for column in columns))
        held.append(sa.exists().where(table.c.file_id == core_file.c.id, mine if own else ~mine).correlate(core_file))
    return sa.or_(*held)


def _deliveries(name: str) -> sa.ColumnElement[bool]:
    events = sa.select(core_outbox.c.id).where(is_of(core_outbox.c.entity, name))
    return sa.or_(is_of(core_delivery.c.consumer, name), core_delivery.c.event_id.in_(events))


_ROLES: Final = _any(core_role, "plugin")
_ACTIVITIES: Final = _any(core_activity, "plugin", "source_entity")
_IMPORTS: Final = _any(core_import, "entity")
_RULES: Final = _any(core_rule, "plugin")
_SOURCES: Final = _any(core_hook_source, "plugin")
_RECORD: Final = (("entity", "record_id"),)

OWNED: Final = (
    Owned(core_role, _ROLES),
    Owned(core_user_role, _below(core_user_role, "role_id", core_role, _ROLES)),
    Owned(core_grant, _below(core_grant, "role_id", core_role, _ROLES, "plugin", "entity")),
    Owned(core_field_rule, _below(core_field_rule, "role_id", core_role, _ROLES, "plugin", "entity", "field")),
    Owned(core_share, _any(core_share, "entity"), _RECORD, needed=("user_id", "team_id")),
    Owned(core_link_token, _any(core_link_token, "entity"), _RECORD),
    Owned(
        core_link,
        _any(core_link, "from_entity", "to_entity", "kind"),
        (("from_entity", "from_id"), ("to_entity", "to_id")),
    ),
    Owned(core_file, _own_files, by_id=True),
    Owned(core_attachment, _below(core_attachment, "file_id", core_file, _own_files, "entity"), _RECORD),
    Owned(core_file_use, _below(core_file_use, "file_id", core_file, _own_files, "entity", "field"), _RECORD),
    Owned(core_activity, _ACTIVITIES, (("source_entity", "source_id"),)),
    Owned(core_activity_link, _below(core_activity_link, "activity_id", core_activity, _ACTIVITIES, "entity"), _RECORD),
    Owned(core_setting, _any(core_setting, "plugin", "key")),
    Owned(core_choice, _any(core_choice, "plugin", "list")),
    Owned(core_custom_field, _any(core_custom_field, "plugin", "entity", "target")),
    Owned(core_view, _any(core_view, "plugin", "entity")),
    Owned(core_template, _any(core_template, "plugin", "kind", "entity")),
    Owned(core_list_choice, _any(core_list_choice, "entity")),
    Owned(core_rule, _RULES),
    Owned(core_rule_version, _below(core_rule_version, "rule_id", core_rule, _RULES)),
    Owned(core_rule_run, _below(core_rule_run, "rule_id", core_rule, _RULES, "entity"), _RECORD),
    Owned(core_notice, _any(core_notice, "entity", "kind"), _RECORD),
    Owned(core_schedule, _any(core_schedule, "plugin")),
    Owned(core_hook_source, _SOURCES, needed=("user_id",)),
    Owned(core_hook_newest, _below(core_hook_newest, "source_id", core_hook_source, _SOURCES), archived=None),
    Owned(core_job, _any(core_job, "plugin"), archived=lambda _name: core_job.c.state != RUNNING),
    Owned(core_counter, _any(core_counter, "series")),
    Owned(core_state, _any(core_state, "key")),
    Owned(core_trash, _any(core_trash, "entity")),
    Owned(core_import, _IMPORTS),
    Owned(core_import_error, _below(core_import_error, "import_id", core_import, _IMPORTS)),
    Owned(core_import_key, _any(core_import_key, "entity"), _RECORD),
    Owned(core_outbox, _any(core_outbox, "entity"), archived=None),
    Owned(core_delivery, _deliveries, archived=None),
)
"""Rows above stand before those below, as they are put back; the audit is not among them: it stays."""


def remove(connection: sa.Connection, plugin: str) -> None:
    """Removes every row that goes with the plugin, those below before those above."""
    found = {
        o.table: list(connection.scalars(sa.select(o.table.c.id).where(o.where(plugin)))) for o in OWNED if o.by_id
    }
    for owned in reversed(OWNED):
        if owned.by_id:
            ids = found[owned.table]
            for start in range(0, len(ids), 500):
                connection.execute(sa.delete(owned.table).where(owned.table.c.id.in_(ids[start : start + 500])))
        else:
            connection.execute(sa.delete(owned.table).where(owned.where(plugin)))
