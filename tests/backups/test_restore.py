"""A backup holds database and files together, and brings both back whole, on either engine, or changes nothing."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import Crm, Plugin, backups, customfields, migrate, records
from gigacore.access import users
from gigacore.backups import schema
from gigacore.data import activities, links, settings, trash
from gigacore.files import service as files
from gigacore.testing.databases import SqliteDatabases
from gigacore.testing.databases import settings as of_tests
from tests.plugins.samples import CARDS, TOURS, with_migrations


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Plugin]:
    return with_migrations(tmp_path_factory.mktemp("migrations"), TOURS, CARDS)


@pytest.fixture
def plugins(samples: list[Plugin]) -> list[Plugin]:
    return samples


@pytest.fixture
def other(sqlite_databases: SqliteDatabases, samples: list[Plugin], tmp_path: Path) -> Iterator[Crm]:
    """An empty installation elsewhere, on SQLite."""
    url = sqlite_databases.empty()
    with Crm(of_tests(url, tmp_path / "other"), plugins=samples) as found:
        yield found


def use(crm: Crm) -> dict[str, Any]:
    with crm.system("custom fields") as ctx:
        users.create(ctx, "ben@example.test", "Ben", None, "user")
        wish = {"entity": "crm.lead", "key": "x_tour", "kind": "text", "label": "Tour", "indexed": True}
        customfields.define(ctx, wish)
        settings.put(ctx, "tours.season", "été", plugin="tours")
    with crm.system("records") as ctx:
        lead = records.create(
            ctx, "crm.lead", {"last_name": "Durand", "tours": {"wish": "the sea"}, "amount": amount("1234.5678")}
        )
        company = records.create(ctx, "crm.company", {"name": "Nord"})
        tour = records.create(ctx, "tours.tour", {"title": "Île d'Yeu", "price": amount("12.50"), "lead_id": lead.id})
        records.update(ctx, "tours.tour", tour.id, {"before_id": tour.id, "guests": [{"name": "Zoé"}]}, version=None)
        records.update(ctx, "crm.lead", lead.id, {"x_tour": "north"}, version=None)
        last = records.create(ctx, "crm.company", {"name": "Last"})
        links.link(ctx, tour, company)
        activities.log(ctx, "tours.departed", "Departed", source=tour, records=[tour, lead])
        stored = files.register(ctx, crm.storage.write_stream(io.BytesIO(b"a map" * 50_000)), "map.txt")
        files.attach(ctx, stored.uid, "crm.lead", lead.id)
        made = {"lead": lead.id, "company": company.id, "tour": tour.id, "last": last.id, "file": stored.uid}
    with crm.system("the last one goes") as ctx:
        records.delete(ctx, "crm.company", made["last"])
    return made


def amount(value: str) -> dict[str, str]:
    return {"amount": value, "currency": "EUR"}


def export(crm: Crm) -> dict[str, Any]:
    """Every record as the API gives it, with files and timeline."""
    found: dict[str, Any] = {}
    with crm.system("export") as ctx:
        for entity in ("crm.lead", "crm.company", "tours.tour", "cards.postcard"):
            page = records.page(ctx, entity, records.ListRequest(limit=200))
            found[entity] = [records.get(ctx, entity, row["id"]) for row in page.items]
        for lead in found["crm.lead"]:
            found["timeline"] = activities.timeline(ctx, "crm.lead", lead["id"])
            found["files"] = [
                (one.name, b"".join(crm.storage.read_range(one.object_id)))
                for one in files.of_record(ctx, "crm.lead", lead["id"])
            ]
        found["trash"] = trash.listing(ctx)
        found["season"] = settings.get(ctx, "tours.season")
    return found


def wreck(crm: Crm, folder: Path) -> None:
    """Loses every table and file."""
    with migrate.operation(crm.engine) as connection:
        tables = sa.inspect(connection).get_table_names()
        schema.drop(connection, sorted(name for name in tables if "_search" not in name))
    shutil.rmtree(folder / "files")


@pytest.mark.parametrize("encrypted", [False, True])
def test_destroyed_and_restored_everything_is_as_it_was(crm: Crm, tmp_path: Path, encrypted: bool) -> None:
    made = use(crm)
    before = export(crm)
    backup = backups.create(crm, encrypted=encrypted)
    path = tmp_path / "backups" / backup.name
    assert (backup.files, backup.file_bytes, backup.sealed) == (1, 250_000, "key" if encrypted else "")
    assert backups.verify(crm, path).state == "verified"
    wreck(crm, tmp_path)
    done = backups.restore(crm, path)
    assert (done.files, done.kept_out, done.safety) == (1, 0, None)
    assert export(crm) == before
    assert crm.plugins.check() == {}
    with crm.system("go on") as ctx:
        assert records.create(ctx, "crm.company", {"name": "Next"}).id > made["last"]
        rows = trash.listing(ctx, entity="crm.company")
        trash.restore(ctx, rows[0].id)


def test_a_drill_restores_into_a_scratch_place_and_compares(crm: Crm, tmp_path: Path) -> None:
    use(crm)
    before = export(crm)
    found = backups.drill(crm, encrypted=True)
    assert (found.files, found.lost_files) == (1, 0)
    assert export(crm) == before
    assert [one.name for one in tmp_path.glob("drill-*")] == []


def test_a_backup_is_restored_on_the_other_engine(crm: Crm, other: Crm, tmp_path: Path, database_url: str) -> None:
    use(crm)
    before = export(crm)
    path = tmp_path / "backups" / backups.create(crm).name
    assert backups.inspect(other, path).replaced == {}
    backups.restore(other, path)
    assert export(other) == before
    back = tmp_path / "other" / "backups" / backups.create(other).name
    backups.restore(crm, back, replace=True, safety=False)
    assert export(crm) == before
