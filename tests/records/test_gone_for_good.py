"""Merged, erased, purged: what is gone is entered in the register and comes back by no way."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import Actor, Crm, Forbidden, Plugin, backups, customfields, records
from gigacore.access import shares
from gigacore.backups import register
from gigacore.data import activities, gone, links, trash
from gigacore.data.tables import core_audit, core_audit_value, core_outbox
from gigacore.errors import Conflict, InTheWay, NotFound
from gigacore.files import core_file
from gigacore.files import service as files
from gigacore.plugins.reinstallation import reinstall
from gigacore.plugins.removal import uninstall
from gigacore.records import erasing
from tests.plugins.samples import CARDS, TOURS, with_migrations


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Plugin]:
    return with_migrations(tmp_path_factory.mktemp("migrations"), TOURS, CARDS)


@pytest.fixture
def plugins(samples: Sequence[Plugin]) -> Sequence[Plugin]:
    return samples


@pytest.fixture
def twins(crm: Crm) -> Mapping[str, Any]:
    """Two companies that are one, each with something of its own."""
    with crm.system("twins") as ctx:
        wish = {"entity": "crm.lead", "key": "x_firm", "kind": "ref", "label": "Firm", "target": "crm.company"}
        customfields.define(ctx, wish)
    with crm.system("records") as ctx:
        first = records.create(ctx, "crm.company", {"name": "Nord", "phones": [{"phone": "+33123456789"}]})
        second = records.create(
            ctx, "crm.company", {"name": "Nord SA", "phones": [{"phone": "+33123456789"}, {"phone": "+33987654321"}]}
        )
        contact = records.create(
            ctx, "crm.contact", {"first_name": "Zoe", "last_name": "Durand", "company_id": second.id}
        )
        lead = records.create(ctx, "crm.lead", {"last_name": "Lead", "x_firm": second.id})
        tour = records.create(ctx, "tours.tour", {"title": "Tour", "company_id": second.id})
        links.link(ctx, second, lead)
        links.link(ctx, first, second)
        activities.log(ctx, "crm.call", "Called", records=[second])
        stored = files.register(ctx, crm.storage.write_stream(io.BytesIO(b"contract")), "contract.txt")
        files.attach(ctx, stored.uid, "crm.company", second.id)
        return {
            "first": first.id,
            "second": second.id,
            "uids": (first.uid, second.uid),
            "contact": contact.id,
            "lead": lead.id,
            "tour": tour.id,
        }


def test_the_winner_of_a_merge_has_everything(crm: Crm, admin: Actor, twins: Mapping[str, Any]) -> None:
    first, second = twins["first"], twins["second"]
    with crm.unit_of_work(admin) as ctx:
        records.merge(ctx, "crm.company", first, second)
    with crm.read(admin) as ctx:
        found = records.get(ctx, "crm.company", first)
        assert (found["name"], len(found["phones"])) == ("Nord", 2)
        assert records.get(ctx, "crm.contact", twins["contact"])["company_id"]["id"] == first
        assert records.get(ctx, "crm.lead", twins["lead"])["x_firm"]["id"] == first
        assert records.get(ctx, "tours.tour", twins["tour"])["company_id"]["id"] == first
        winner = records.load(ctx, "crm.company", first)
        assert [(one.entity, one.record_id) for one in links.links_of(ctx, winner)] == [("crm.lead", twins["lead"])]
        assert [one.title for one in activities.timeline(ctx, "crm.company", first)] == ["Called"]
        assert [one.name for one in files.of_record(ctx, "crm.company", first)] == ["contract.txt"]
        with pytest.raises(NotFound):
            records.get(ctx, "crm.company", second)
        (trashed,) = trash.listing(ctx)
    with pytest.raises(Conflict, match="merged into another record"), crm.unit_of_work(admin) as ctx:
        trash.restore(ctx, trashed.id)
    with crm.database.connect() as connection:
        assert [(one.uid, one.fate, one.into_uid) for one in gone.read(connection)] == [
            (twins["uids"][1], "merged", twins["uids"][0])
        ]
        assert "crm.company.merged" in set(connection.scalars(sa.select(core_outbox.c.name)))


def test_who_may_not_edit_or_share_the_winner_merges_nothing_into_it(crm: Crm, make_user: Callable[..., Actor]) -> None:
    anna, ben = make_user("user", name="Anna"), make_user("user", name="Ben")
    with crm.unit_of_work(ben) as ctx:
        read = records.create(ctx, "crm.company", {"name": "Nord", "visibility": "read"}).id
        write = records.create(ctx, "crm.company", {"name": "Nord SA", "visibility": "write"}).id
    with crm.unit_of_work(anna) as ctx:
        own, shared = (records.create(ctx, "crm.company", {"name": name}) for name in ("Nord", "Norde"))
        shares.add(ctx, shared, user_id=ben.user_id, verb="responsible")
    for winner, loser in ((read, own.id), (read, shared.id), (write, shared.id)):
        with pytest.raises(Forbidden), crm.unit_of_work(anna) as ctx:
            records.merge(ctx, "crm.company", winner, loser)
    with crm.unit_of_work(anna) as ctx:
        records.merge(ctx, "crm.company", write, own.id)


def test_who_may_not_delete_the_loser_may_not_merge_it(
    crm: Crm, twins: Mapping[str, Any], make_user: Callable[..., Actor]
) -> None:
    for role in ("user", ()):
        with pytest.raises((Forbidden, NotFound)), crm.unit_of_work(make_user(role, name=f"Zoe {role}")) as ctx:
            records.merge(ctx, "crm.company", twins["first"], twins["second"])
    with crm.database.connect() as connection:
        assert list(gone.read(connection)) == []


def test_erased_nothing_of_it_is_left_but_that_it_was(crm: Crm, admin: Actor, twins: Mapping[str, Any]) -> None:
    with crm.system("refer elsewhere") as ctx:
        records.update(ctx, "tours.tour", twins["tour"], {"company_id": twins["first"]})
        records.update(ctx, "crm.contact", twins["contact"], {"company_id": twins["first"]})
    with crm.unit_of_work(admin) as ctx:
        records.erase(ctx, "crm.company", twins["second"])
        assert trash.listing(ctx) == []
    with crm.database.connect() as connection:
        mine = sa.select(core_audit.c.id).where(
            core_audit.c.entity == "crm.company", core_audit.c.record_id == twins["second"]
        )
        verbs = set(connection.scalars(sa.select(core_audit.c.verb).where(core_audit.c.id.in_(mine))))
        assert verbs >= {"created", "deleted", "erased"}
        bodies = connection.scalars(
            sa.select(core_audit_value.c.body).where(
                core_audit_value.c.audit_id.in_(
                    sa.select(core_audit.c.id).where(core_audit.c.id.in_(mine), core_audit.c.verb != "erased")
                )
            )
        )
        assert set(bodies) == {None}
        assert connection.scalars(sa.select(core_file.c.id)).all() == []
        assert [one.fate for one in gone.read(connection)] == ["erased"]


def test_rows_of_a_disabled_plugin_refuse_merge_and_erasure(crm: Crm, admin: Actor, twins: Mapping[str, Any]) -> None:
    crm.disable("cards")
    crm.disable("tours")
    for act in (
        lambda ctx: records.merge(ctx, "crm.company", twins["first"], twins["second"]),
        lambda ctx: records.erase(ctx, "crm.company", twins["second"]),
    ):
        with pytest.raises(InTheWay, match="1 tours of the plugin tours, which"), crm.unit_of_work(admin) as ctx:
            act(ctx)


def test_fields_of_a_disabled_plugin_come_back_out_of_the_trash(crm: Crm, admin: Actor) -> None:
    with crm.unit_of_work(admin) as ctx:
        lead = records.create(ctx, "crm.lead", {"last_name": "Durand", "tours": {"wish": "the sea"}}).id
    crm.disable("cards")
    crm.disable("tours")
    with crm.unit_of_work(admin) as ctx:
        records.delete(ctx, "crm.lead", lead)
    with crm.unit_of_work(admin) as ctx:
        trash.restore(ctx, trash.listing(ctx)[0].id)
    crm.enable("tours")
    with crm.read(admin) as ctx:
        assert records.get(ctx, "crm.lead", lead)["tours"]["wish"] == "the sea"


@pytest.mark.slow_on_postgres
def test_no_restore_brings_back_what_was_erased_merged_or_purged_since(
    crm: Crm, admin: Actor, twins: Mapping[str, Any], tmp_path: Path
) -> None:
    with crm.system("more") as ctx:
        old = records.create(ctx, "crm.lead", {"last_name": "Old"}).id
        secret = records.create(ctx, "crm.lead", {"last_name": "Secret"}).id
    path = tmp_path / "backups" / backups.create(crm).name
    with crm.unit_of_work(admin) as ctx:
        records.merge(ctx, "crm.company", twins["first"], twins["second"])
        records.delete(ctx, "crm.lead", old)
    with crm.unit_of_work(admin) as ctx:
        records.erase(ctx, "crm.lead", secret)
    with crm.database.begin() as connection:
        erasing.purge(connection, crm.clock.now() + timedelta(days=31))
    assert backups.restore(crm, path, replace=True).kept_out == 3
    check(crm, twins, old, secret)
    crm.jobs.run_pending()
    with crm.engine.connect() as connection:  # elsewhere only the file beside the backup tells
        assert register.export(connection, crm.settings) == 3


def check(crm: Crm, twins: Mapping[str, Any], *away: int) -> None:
    with crm.system("look") as ctx:
        for number in away:
            with pytest.raises(NotFound):
                records.get(ctx, "crm.lead", number)
        assert records.get(ctx, "crm.contact", twins["contact"])["company_id"]["id"] == twins["first"]
        assert records.get(ctx, "tours.tour", twins["tour"])["company_id"]["id"] == twins["first"]
        assert [one.name for one in files.of_record(ctx, "crm.company", twins["first"])] == ["contract.txt"]
        with pytest.raises(NotFound):
            records.get(ctx, "crm.company", twins["second"])


def test_a_reinstalled_plugin_follows_merges_and_leaves_out_what_was_erased(
    crm: Crm, admin: Actor, twins: Mapping[str, Any]
) -> None:
    with crm.system("more") as ctx:
        erased = records.create(ctx, "tours.tour", {"title": "Erased"}).id
    archive = uninstall(crm, "tours", encrypted=True)
    reinstall(crm, "tours", archive)
    with crm.unit_of_work(admin) as ctx:
        records.erase(ctx, "tours.tour", erased)
        tour = records.load(ctx, "tours.tour", twins["tour"]).uid
    uninstall(crm, "tours")
    with crm.unit_of_work(admin) as ctx:
        records.merge(ctx, "crm.company", twins["first"], twins["second"])
    assert reinstall(crm, "tours", archive).left_out == 1
    with crm.read(admin) as ctx:
        found = records.get(ctx, "tours.tour", twins["tour"])
        assert (found["company_id"]["id"], found["uid"]) == (twins["first"], tour)
