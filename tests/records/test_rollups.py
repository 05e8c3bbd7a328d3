"""Figures that are kept: what each reader gets is what counting at that moment gives, and nothing they may not see."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import Actor, Crm, Plugin, keeping, measures, records
from gigacore.access import roles, shares
from gigacore.context import Context
from gigacore.crm.measures import FOLLOW_UPS, LEADS, NEW_LEADS, OPEN_AMOUNT, WEIGHTED_AMOUNT, WON_AMOUNT
from gigacore.data import trash
from gigacore.data.tables import core_rollup
from gigacore.exchange import imports
from gigacore.measures import Aggregate, Measure
from gigacore.records import few, rollups
from gigacore.records.rollups import Question

MakeUser = Callable[..., Actor]
BOARD = Question("crm.opportunity", "stage_id", "amount")
ALL = (LEADS, FOLLOW_UPS, NEW_LEADS, OPEN_AMOUNT, WEIGHTED_AMOUNT, WON_AMOUNT)
WIDE = Measure(
    name="wide.by_source", label="Leads", entity="crm.lead", definition="Leads with a source.",
    filter={"field": "source", "op": "empty", "value": False},
)  # fmt: skip


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every entity with a record is large, also for who sees few, and counted anew as soon as something happened."""
    monkeypatch.setattr(rollups, "among_few", lambda *_: None)
    monkeypatch.setattr(keeping, "MANY", 0)
    monkeypatch.setattr(keeping, "SPARING", 0)


@pytest.fixture
def readers(crm: Crm, make_user: MakeUser) -> Mapping[str, Actor]:
    with crm.system("roles") as ctx:
        roles.create(ctx, "own", {"en": "Own"})
        roles.grant(ctx, "own", "crm.lead", "*", "own")
        roles.grant(ctx, "own", "crm.opportunity", "*", "own")
        roles.grant(ctx, "own", "crm.stage", "view")
        roles.create(ctx, "closed", {"en": "Closed"}, like="admin")
        roles.grant(ctx, "closed", "@owned", "view", "team", forbid=True)
        roles.create(ctx, "picky", {"en": "Picky"}, like="admin")
        only_big = {"field": "amount", "op": "ge", "value": 50}
        roles.grant(ctx, "picky", "crm.opportunity", "view", "all", filter=only_big)
        roles.grant(ctx, "picky", "crm.lead", "view", "all", filter=only_big)
    teams = {"own": None, "user": "North", "manager": "North", "closed": "South", "picky": None, "super_admin": None}
    return {role: make_user(role, team) for role, team in teams.items()}


def refresh(crm: Crm) -> None:
    with crm.system("figures") as ctx:
        crm.jobs.enqueue(ctx, "core.figures", system="figures")
    crm.jobs.run_pending()


class Writes:
    """Random writes of every kind, by the system, so that rights stand in no one's way."""

    def __init__(self, crm: Crm, readers: Mapping[str, Actor], seed: int) -> None:
        self.crm, self.readers, self.random = crm, readers, random.Random(seed)
        with crm.system("company") as ctx:
            self.company = records.create(ctx, "crm.company", {"name": "Firm"}).id
            found = records.page(ctx, "crm.stage", records.ListRequest(fields=("id",))).items
            self.stages = [item["id"] for item in found]
            for entity in ("crm.lead", "crm.opportunity"):
                records.create_many(ctx, entity, [self.row(entity) for _ in range(8)])

    def row(self, entity: str) -> dict[str, Any]:
        pick, owner = self.random.choice, self.random.choice([*self.readers.values()])
        more = {"crm.lead": self._lead, "crm.opportunity": self._deal}[entity]()
        money = {"amount": str(pick((10, 49, 50, "75.5"))), "currency": pick(("EUR", "USD"))}
        return {
            **more, "amount": pick((money, money, None)), "visibility": pick(("private", "private", "read", "write")),
            "owner_id": owner.user_id, "team_id": owner.team_id,
        }  # fmt: skip

    def _lead(self) -> dict[str, Any]:
        status = self.random.choice(("new", "contacted", "qualified", "to_fix"))
        due = None if self.random.random() < 0.5 else {"next_action_at": "2020-01-01T10:00:00Z"}
        return {"last_name": f"L{self.random.random()}", "status": status, "source": "website", **(due or {})}

    def _deal(self) -> dict[str, Any]:
        return {"title": "Deal", "company_id": self.company, "stage_id": self.random.choice(self.stages)}

    def one(self) -> None:
        entity = self.random.choice(("crm.lead", "crm.opportunity"))
        act: Callable[[Context, str], None] = self.random.choice(
            (self.create, self.edit, self.edit, self.give, self.delete, self.restore, self.share, self.merge, self.bulk)
        )
        with self.crm.system("write") as ctx:
            act(ctx, entity)
        if self.random.random() < 0.15:
            self.load()

    def _some(self, ctx: Context, entity: str) -> int:
        items = records.page(ctx, entity, records.ListRequest(fields=("id",), limit=200)).items
        return int(self.random.choice(items)["id"])

    def create(self, ctx: Context, entity: str) -> None:
        records.create(ctx, entity, self.row(entity))

    def edit(self, ctx: Context, entity: str) -> None:
        row = self.row(entity)
        kept = {name: row[name] for name in ("amount", "status", "stage_id") if name in row}
        records.update(ctx, entity, self._some(ctx, entity), kept)

    def give(self, ctx: Context, entity: str) -> None:
        row = self.row(entity)
        given = {name: row[name] for name in ("owner_id", "team_id", "visibility")}
        records.update(ctx, entity, self._some(ctx, entity), given)

    def delete(self, ctx: Context, entity: str) -> None:
        records.delete(ctx, entity, self._some(ctx, entity))
        records.create_many(ctx, entity, [self.row(entity)])

    def restore(self, ctx: Context, entity: str) -> None:
        if found := trash.listing(ctx, entity=entity):
            trash.restore(ctx, found[0].id)

    def share(self, ctx: Context, entity: str) -> None:
        record = ctx.session.get(ctx.session.registry.entity(entity).cls, self._some(ctx, entity))
        who = self.random.choice([*self.readers.values()])
        shares.add(ctx, record, user_id=who.user_id)
        if who.team_id:
            shares.add(ctx, record, team_id=who.team_id)

    def merge(self, ctx: Context, entity: str) -> None:
        first, second = self._some(ctx, "crm.lead"), self._some(ctx, "crm.lead")
        if first != second:
            records.merge(ctx, "crm.lead", first, second)
        records.create_many(ctx, "crm.lead", [self.row("crm.lead")])

    def bulk(self, ctx: Context, entity: str) -> None:
        name, value = ("status", "qualified") if entity == "crm.lead" else ("stage_id", self.stages[1])
        ids = {self._some(ctx, entity) for _ in range(3)}
        records.bulk(ctx, entity, "update", sorted(ids), {name: value})

    def load(self) -> None:
        who = self.readers["super_admin"]
        file = io.BytesIO(b"Last name,Status\nImported,contacted\nAnother,new\n")
        imports.begin(self.crm, who, imports.stage(self.crm, who, "crm.lead", file, "leads.csv").id)
        self.crm.jobs.run_pending()


def wrong(crm: Crm, readers: Mapping[str, Actor]) -> Iterator[tuple[object, ...]]:
    """Where what is kept differs from what is counted now."""
    for role, who in readers.items():
        with crm.read(who) as ctx:
            for one in ALL:
                by = measures.kept_by(ctx.session.registry, one)
                for period in ("", *one.periods):
                    kept = measures.values_by(ctx, one, by, period)
                    live = measures.values_by(ctx, one, by, period, kept=False)
                    if kept != live:
                        yield role, one.name, period, kept, live
            number = rollups.counts(ctx, BOARD)
            if number is not None and number != records.counts_by(ctx, "crm.opportunity", "stage_id"):
                yield role, "board", number


def kept_for(crm: Crm, who: Actor) -> set[str]:
    with crm.read(who) as ctx:
        asked = {one.name: measures.question(one, measures.kept_by(ctx.session.registry, one)) for one in ALL}
        return {name for name, question in asked.items() if rollups.counts(ctx, question) is not None}


@pytest.mark.parametrize("seed", range(2))
def test_what_is_kept_is_what_counting_gives(crm: Crm, readers: Mapping[str, Actor], seed: int) -> None:
    writes = Writes(crm, readers, seed)
    for _ in range(6):
        for _ in range(4):
            writes.one()
        refresh(crm)
        assert list(wrong(crm, readers)) == []
    everything = {one.name for one in ALL}
    assert {role: kept_for(crm, who) for role, who in readers.items()} == {
        role: set() if role == "picky" else everything for role in readers
    }


def test_without_a_look_at_the_outbox_figures_would_be_wrong(
    crm: Crm, readers: Mapping[str, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = Writes(crm, readers, 7)
    refresh(crm)
    monkeypatch.setattr(keeping, "_is_due", lambda kept, *_: kept is None)
    with crm.system("write") as ctx:
        records.create_many(ctx, "crm.lead", [writes.row("crm.lead")])
    refresh(crm)
    assert list(wrong(crm, readers)) != []


@pytest.mark.parametrize("broken", ["policy", "shares"])
def test_without_the_readers_rights_figures_would_be_wrong(
    crm: Crm, readers: Mapping[str, Actor], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    writes = Writes(crm, readers, 7)
    with crm.system("share") as ctx:
        for _ in range(20):
            writes.share(ctx, "crm.opportunity")
    refresh(crm)
    assert list(wrong(crm, readers)) == []
    if broken == "shares":
        monkeypatch.setattr(rollups, "_shared_parts", lambda *_: [])
    else:
        monkeypatch.setattr(rollups, "EntityRows", _AllRows)
    assert list(wrong(crm, readers)) != []


class _AllRows(rollups.EntityRows):
    def column(self, name: str) -> sa.ColumnElement[Any]:
        return sa.literal(self.actor.user_id) if name == "owner_id" else super().column(name)


def test_small_entities_are_counted(crm: Crm, readers: Mapping[str, Actor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MANY", 20_000)
    Writes(crm, readers, 1)
    refresh(crm)
    assert kept_for(crm, readers["super_admin"]) == set()


def test_who_sees_few_records_is_told_those_of_now(
    crm: Crm, readers: Mapping[str, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    Writes(crm, readers, 1)
    refresh(crm)
    monkeypatch.setattr(rollups, "among_few", few.among_few)
    assert (kept_for(crm, readers["own"]), kept_for(crm, readers["super_admin"])) == (set(), {one.name for one in ALL})


def test_a_reader_who_may_not_see_stages_gets_what_counting_gives(
    crm: Crm, readers: Mapping[str, Actor], make_user: MakeUser
) -> None:
    Writes(crm, readers, 1)
    with crm.system("role") as ctx:
        roles.create(ctx, "stageless", {"en": "Stageless"})
        roles.grant(ctx, "stageless", "crm.opportunity", "view")
    refresh(crm)
    who = make_user("stageless")
    with crm.read(who) as ctx:
        assert rollups.sums(ctx, measures.question(OPEN_AMOUNT, "stage_id")) is None
        assert rollups.counts(ctx, BOARD) is not None
        assert measures.values_by(ctx, OPEN_AMOUNT, "stage_id") == {}


def test_a_figure_of_today_is_not_one_of_tomorrow(crm: Crm, readers: Mapping[str, Actor]) -> None:
    Writes(crm, readers, 1)
    refresh(crm)
    with crm.read(readers["super_admin"]) as ctx:
        due = measures.question(FOLLOW_UPS, "status")
        assert rollups.counts(ctx, due) is not None
        assert rollups.take_age(ctx) is not None
        tomorrow = replace(ctx, now=ctx.now + timedelta(days=1))
        assert rollups.counts(tomorrow, due) is None
        assert rollups.take_age(tomorrow) is None


@pytest.fixture
def plugins() -> list[Plugin]:
    return [Plugin("wide", api="1.0", declares=[WIDE])]


def test_figures_of_a_plugin_go_with_it(crm: Crm, readers: Mapping[str, Actor]) -> None:
    Writes(crm, readers, 1)
    refresh(crm)
    before = _stored(crm)
    with crm.read(readers["super_admin"]) as ctx:
        assert rollups.counts(ctx, measures.question(WIDE, "status")) is not None
    crm.disable("wide")
    refresh(crm)
    assert len(before - _stored(crm)) == 1


def test_a_changed_definition_is_counted_until_it_is_kept(crm: Crm, readers: Mapping[str, Actor]) -> None:
    Writes(crm, readers, 1)
    refresh(crm)
    changed = replace(WIDE, aggregate=Aggregate.sum, field="amount")
    with crm.read(readers["super_admin"]) as ctx:
        assert rollups.sums(ctx, measures.question(changed, "status")) is None
        assert measures.value(ctx, changed) == records.totals(ctx, "crm.lead", "amount", WIDE.filter)


def _stored(crm: Crm) -> set[str]:
    with crm.database.connect() as connection:
        return set(connection.scalars(sa.select(core_rollup.c.key)))
