"""Searching: what the index finds is what reading every record finds, whatever happened to the records."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from gigacore import Actor, Crm, records, search
from gigacore.data import trash
from gigacore.data.tables import core_trash
from gigacore.records import ListRequest
from gigacore.records.words import holding, pattern, search_words, searched_fields
from tests.counting import statements

LEADS = (
    {"last_name": "Dupont", "company_name": "Atelier Bleu", "email": "j.dupont@bleu.example.test"},
    {"last_name": "Müller-Öz", "company_name": 'Le "Quai" 100%', "email": "mueller@quai.example.test"},
    {"last_name": "O'Neill", "company_name": "Σίσυφος_AE", "city": "Dupontville"},
    {"last_name": "Ng", "company_name": "Łódź 😀😀😀 GmbH", "phone": "+33612345678"},
)
WORDS = ("dupont", "DUPONT", "pon", "muller", "öz", "quai", '"quai"', "100%", "_", "o'neill", "ng", "σισυφος", "😀😀😀",
         "łodz", "example test", "dupont bleu", "bleu quai", "zzz", "du", "ex", "example.test@")  # fmt: skip


@pytest.fixture
def leads(crm: Crm, admin: Actor) -> list[int]:
    with crm.unit_of_work(admin) as ctx:
        return [records.create(ctx, "crm.lead", one).id for one in LEADS]


def found(crm: Crm, actor: Actor, text: str) -> set[int]:
    """What list and palette find; they must agree with reading every record."""
    with crm.read(actor) as ctx:
        spec = ctx.session.registry.entity("crm.lead")
        held = holding(spec, searched_fields(ctx.session, spec), [pattern(word) for word in search_words(text)])
        every = ctx.session.scalars(sa.select(spec.cls.id).where(held))
        wanted = set(every)
        listed = {one["id"] for one in records.page(ctx, "crm.lead", ListRequest(search=text)).items}
        shown = {one.id for one in records.find(ctx, text, ["crm.lead"], 20)}
    assert listed == shown == wanted
    return wanted


@pytest.mark.parametrize("text", WORDS)
def test_the_index_finds_what_reading_finds(crm: Crm, admin: Actor, leads: list[int], text: str) -> None:
    assert bool(found(crm, admin, text)) is (text not in ("zzz", "bleu quai", "example.test@"))


def test_the_index_follows_every_change(crm: Crm, admin: Actor, leads: list[int]) -> None:
    first = leads[0]
    with crm.unit_of_work(admin) as ctx:
        records.update(ctx, "crm.lead", first, {"last_name": "Durand", "email": None})
    assert found(crm, admin, "dupont") == set()
    assert found(crm, admin, "durand") == {first}
    with crm.unit_of_work(admin) as ctx:
        records.delete(ctx, "crm.lead", first)
    assert found(crm, admin, "durand") == set()
    with crm.unit_of_work(admin) as ctx:
        trash.restore(ctx, ctx.session.connection().scalar(sa.select(core_trash.c.id)))
    assert found(crm, admin, "durand") == {first}
    with pytest.raises(ZeroDivisionError), crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.lead", {"last_name": "Vanished"})
        raise ZeroDivisionError
    assert found(crm, admin, "vanished") == set()


def test_what_lost_its_triggers_is_made_anew(crm: Crm, admin: Actor, leads: list[int]) -> None:
    spec = crm.registry.entity("crm.lead")
    with crm.database.system_connection("test") as connection:
        search.remove(connection, [spec.table.name])
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("DROP INDEX crm_lead_search")
        connection.execute(sa.update(spec.table).values(name_key="elsewhere"))
    crm.upgrade()
    assert found(crm, admin, "elsewhere") == set(leads)
    assert crm.plugins.check() == {}


def test_a_search_is_one_statement_and_uses_the_index(crm: Crm, admin: Actor, leads: list[int]) -> None:
    with crm.read(admin) as ctx:
        records.find(ctx, "first", ["crm.lead"])
        with statements(crm) as seen:
            assert len(records.find(ctx, "dupont", ["crm.lead"])) == 1
        (statement,) = seen
    with crm.database.system_connection("test") as connection:
        if connection.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", statement.values).all()
            assert "SCAN crm_lead_search VIRTUAL TABLE INDEX" in str(plan)
            assert "TEMP B-TREE" not in str(plan)
        else:
            query = "SELECT indexdef FROM pg_indexes WHERE indexname = 'crm_lead_search'"
            assert "USING gin (name_key gin_trgm_ops" in connection.exec_driver_sql(query).scalar_one()


def test_upkeep_merges_what_writing_has_left_in_pieces(crm: Crm, admin: Actor, leads: list[int]) -> None:
    if crm.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps its index in order by itself")

    def pieces() -> int:
        with crm.database.system_connection("test") as connection:
            return int(
                connection.exec_driver_sql("SELECT count(DISTINCT segid) FROM crm_lead_search_idx").scalar() or 0
            )

    for number in range(4):
        with crm.unit_of_work(admin) as ctx:
            records.create(ctx, "crm.lead", {"last_name": f"Dupont {number}"})
    assert pieces() > 1
    with crm.system("test") as ctx:
        crm.jobs.enqueue(ctx, "core.tidy", {})
    crm.jobs.run_pending()
    assert pieces() == 1
    assert len(found(crm, admin, "dupont")) == 5
