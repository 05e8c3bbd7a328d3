"""The sample plugin of tours in use, and what a database holds of it: for what comes and goes with plugins."""

from __future__ import annotations

import io
import json
import warnings
from typing import Any

import sqlalchemy as sa

from gigacore import Crm, customfields, records, views
from gigacore.access import load_actor, shares, users
from gigacore.data import activities, links, settings
from gigacore.data.door import SCOPED
from gigacore.files import service as files
from gigacore.text import stored as texts
from tests.plugins.samples import TICKET

LATER = """
from alembic import op

revision = "tours_0002"
down_revision = "tours_0001"


def upgrade():
    op.execute("UPDATE tours_tour SET title = title || '!'")


def downgrade():
    pass
"""
VOLATILE = ("core_audit", "core_outbox", "core_delivery", "core_state", "core_access", "core_plugin", "core_session")


def schema(crm: Crm) -> dict[str, Any]:
    with crm.engine.execution_options(**{SCOPED: True}).connect() as connection:
        seen = sa.inspect(connection)
        warnings.filterwarnings("ignore", "Skipped unsupported reflection")
        indexes, keys = seen.get_multi_indexes(), seen.get_multi_foreign_keys()
        return {
            place[1]: (
                sorted((c["name"], str(c["type"]), c["nullable"]) for c in columns),
                sorted(str(one["name"]) for one in indexes[place]),
                sorted(str(one) for one in keys[place]),
            )
            for place, columns in seen.get_multi_columns().items()
        }


def contents(crm: Crm) -> dict[str, list[str]]:
    """Every row of every table but the journals; numbers that the core gave out anew are left out."""
    found: dict[str, list[str]] = {}
    with crm.engine.execution_options(**{SCOPED: True}).connect() as connection:
        for name in sa.inspect(connection).get_table_names():
            if not (name.startswith(VOLATILE) or "_search" in name):  # an index holds its segments as it likes
                left_out = {"object_id"} | ({"id", "file_id", "activity_id"} if name.startswith("core_") else set())
                rows = [dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}").mappings()]
                kept = [{c: v for c, v in row.items() if c not in left_out} for row in rows]
                found[name] = sorted(json.dumps(row, default=str, sort_keys=True) for row in kept)
    return found


def use(crm: Crm) -> dict[str, int]:
    """Records with everything that can hang on them; returns their numbers."""
    with crm.system("custom fields") as ctx:
        made = {"user": users.create(ctx, "ben@example.test", "Ben", None, "user")}
        customfields.define(ctx, {"entity": "tours.tour", "key": "x_guide", "kind": "text", "label": "Guide"})
        wish = {"entity": "crm.lead", "key": "x_tour", "kind": "ref", "label": "Tour", "target": "tours.tour"}
        customfields.define(ctx, {**wish, "indexed": True})
        settings.put(ctx, "tours.season", "summer", plugin="tours")
        words = {"name": "Ticket", "language": "en", "body": "{{ record.title }}"}
        texts.save(ctx, kind="tours.ticket", key="ticket", **words, plugin="tours", kinds=(TICKET,))
        texts.save(ctx, kind="core.mail", key="bon_voyage", **words, entity="tours.tour")
    with crm.engine.connect() as connection:
        ben = load_actor(connection, made["user"])
    with crm.unit_of_work(ben) as ctx:
        by_sea = {"field": "title", "op": "contains", "value": "sea"}
        views.save(ctx, "tours.tour", {"name": "By the sea", "filter": by_sea, "fields": ["price"]})
        views.save(ctx, "crm.lead", {"name": "Wishes", "fields": ["tours.wish"]})
        views.choose(ctx, "tours.tour", fields=["price"])
    with crm.system("records") as ctx:
        lead = records.create(ctx, "crm.lead", {"last_name": "Durand", "tours": {"wish": "the sea"}})
        company = records.create(ctx, "crm.company", {"name": "Nord"})
        first = records.create(ctx, "tours.tour", {"title": "First", "kind": "boat", "lead_id": lead.id})
        second = records.create(
            ctx,
            "tours.tour",
            {
                "title": "Île d'Yeu",
                "price": {"amount": "12.50", "currency": "EUR"},
                "company_id": company.id,
                "before_id": first.id,
                "guests": [{"name": "Anne"}, {"name": "Zoé"}],
                "x_guide": "Paul",
            },
        )
        gone = records.create(ctx, "tours.tour", {"title": "Cancelled"})
        last = records.create(ctx, "tours.tour", {"title": "Last"})
        records.update(ctx, "tours.tour", first.id, {"before_id": second.id}, version=None)
        records.update(ctx, "crm.lead", lead.id, {"x_tour": second.id}, version=None)
        records.create(ctx, "cards.postcard", {"text": "Hello", "tour_id": second.id})
        shares.add(ctx, second, user_id=made["user"])
        links.link(ctx, second, company)
        activities.log(ctx, "tours.departed", "Departed", source=second, records=[second, lead])
        stored = files.register(ctx, crm.storage.write_stream(io.BytesIO(b"a map of the sea")), "map.txt")
        files.attach(ctx, stored.uid, "tours.tour", second.id)
        crm.jobs.enqueue(ctx, "core.tidy", {})
        made |= {"lead": lead.id, "first": first.id, "second": second.id, "last": last.id, "company": company.id}
        made["gone"] = gone.id
    with crm.system("the last ones go") as ctx:
        records.delete(ctx, "tours.tour", made["gone"])
        records.delete(ctx, "tours.tour", made["last"])
    return made
