"""Countries and languages: chosen by name, kept as codes; what is no known name stays as it was typed."""

from __future__ import annotations

import importlib
import io
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from gigacore import Actor, Crm, records
from gigacore.exchange import imports
from gigacore.records import ListRequest
from tests.exchange.samples import exported_csv


def company(crm: Crm, actor: Actor, **data: Any) -> dict[str, Any]:
    with crm.unit_of_work(actor) as ctx:
        number = records.create(ctx, "crm.company", {"name": "Ada & Co", **data}).id
    with crm.read(actor) as ctx:
        return records.get(ctx, "crm.company", number)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("France", "FR"), ("États-Unis", "US"), ("united states", "US"), ("de", "DE"), ("UK", "GB"), ("Freedonia",) * 2],
)
def test_names_in_both_languages_and_codes_are_kept_as_codes(crm: Crm, admin: Actor, typed: str, kept: str) -> None:
    assert company(crm, admin, country=typed)["country"] == kept


def test_a_list_is_filtered_by_name_or_code(crm: Crm, admin: Actor) -> None:
    company(crm, admin, country="Germany", language="Allemand")
    for field, value in (("country", "Allemagne"), ("country", "DE"), ("language", "German"), ("language", "de")):
        tree = {"field": field, "op": "eq", "value": value}
        with crm.read(admin) as ctx:
            assert records.count(ctx, "crm.company", tree) == 1, value


def test_files_name_countries_in_any_of_the_languages(crm: Crm, admin: Actor) -> None:
    content = "Name,Country\nA,Espagne\nB,Spain\nC,ES\nD,Ruritania\n"
    staged = imports.stage(crm, admin, "crm.company", io.BytesIO(content.encode()), "own.csv")
    assert imports.run(crm, admin, staged.id).created == 4
    with crm.read(admin) as ctx:
        found = records.page(ctx, "crm.company", ListRequest(sort=("name",))).items
        assert [one["country"] for one in found] == ["ES", "ES", "ES", "Ruritania"]
        content = exported_csv(ctx, "crm.company", ListRequest(fields=("name", "country"))).decode()
    assert "A,Spain" in content


def test_what_was_typed_before_becomes_a_code_where_it_is_known(crm: Crm, admin: Actor) -> None:
    numbers = [company(crm, admin, name=name)["id"] for name in ("Old", "Odd")]
    step = importlib.import_module("gigacore.crm.migrations.versions.0006_countries_and_languages_as_codes")
    with crm.database.system_connection("as a migration, for which nobody is signed in") as connection:
        for number, text in zip(numbers, ("Belgique", "Ruritania"), strict=True):
            old = "UPDATE crm_company SET country = :text, country_key = :key WHERE id = :id"
            connection.execute(sa.text(old), {"text": text, "key": text.lower(), "id": number})
        with Operations.context(MigrationContext.configure(connection)):
            step.upgrade()
        rows = connection.execute(sa.text("SELECT country, country_key FROM crm_company ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [("BE", "be"), ("Ruritania", "ruritania")]
