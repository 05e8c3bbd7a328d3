"""Entities with a field of every kind, rows with gaps, and the two engines that conditions are tried on."""

from __future__ import annotations

import enum
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Mapped, Session

from gigacore.context import Actor
from gigacore.data import create_engine
from gigacore.entity import (
    KINDS,
    Child,
    ChildMeta,
    Choice,
    ChoiceList,
    Entity,
    EntityMeta,
    Extension,
    ExtensionMeta,
    FieldSpec,
    Money,
    Registry,
    children,
    choice,
    field,
    metadata,
    ref,
)
from gigacore.filter import ObjectReader, RecordSource, SqlEnv, ToMany, Via, store_value, stored_key
from gigacore.filter.sql import Bool


class Colour(enum.Enum):
    red = "red"
    blue = "blue"


class Group(Entity):
    __entity__ = EntityMeta("filt.group", plural="groups", title="name", access="reference")

    name: Mapped[str] = field()
    size: Mapped[int | None] = field()
    hidden: Mapped[bool] = field(default=False)
    above_id: Mapped[int | None] = ref("filt.group", on_delete="set_null")


class Part(Child):
    __child__ = ChildMeta("filt.part", "filt.thing")

    label: Mapped[str | None] = field(indexed=True)
    weight: Mapped[Decimal | None] = field()


class Thing(Entity):
    __entity__ = EntityMeta("filt.thing", plural="things", title="name", access="reference")

    name: Mapped[str | None] = field()
    code: Mapped[str | None] = field()
    notes: Mapped[str | None] = field(kind="longtext")
    mail: Mapped[str | None] = field(kind="email")
    phone: Mapped[str | None] = field(kind="phone")
    site: Mapped[str | None] = field(kind="url")
    count: Mapped[int | None] = field()
    other: Mapped[int | None] = field()
    rate: Mapped[Decimal | None] = field()
    price: Mapped[Money | None] = field()
    cost: Mapped[Money | None] = field()
    day: Mapped[date | None] = field()
    moment: Mapped[datetime | None] = field()
    flag: Mapped[bool | None] = field()
    colour: Mapped[Colour | None] = field()
    status: Mapped[str | None] = choice("filt.status")
    labels: Mapped[list[str] | None] = choice("filt.label", many=True)
    data: Mapped[dict[str, Any] | None] = field()
    secret: Mapped[str | None] = field(secret=True)
    hidden: Mapped[bool] = field(default=False)
    group_id: Mapped[int | None] = ref("filt.group", on_delete="set_null")
    twin_id: Mapped[int | None] = ref("filt.thing", on_delete="set_null")
    parts: Mapped[list[Part]] = children(Part)


class Rating(Extension):
    __extension__ = ExtensionMeta("score", "filt.thing")

    points: Mapped[int | None] = field()
    grade: Mapped[str | None] = field()
    judge_id: Mapped[int | None] = ref("filt.group", soft=True)


tagging = sa.Table(
    "filt_tagging", metadata, sa.Column("thing_id", sa.BigInteger), sa.Column("group_id", sa.BigInteger),
    sa.Column("kind", sa.String(20)),
)  # fmt: skip

CUSTOM_KINDS = (
    "text", "longtext", "integer", "decimal", "money", "date", "datetime", "choice", "choices", "boolean", "url",
    "email", "phone", "ref",
)  # fmt: skip
STATUS = ChoiceList(
    "filt.status",
    "Status",
    (Choice("new", "New", "open"), Choice("hot", "Hot", "open"), Choice("done", "Done", "won"), Choice("x", "X")),
)
NOW = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)  # already 2 March in Paris
ACTOR = Actor("user", 2, "Ada", team_id=1, team_ids=(1, 3), subordinate_ids=(), timezone="Europe/Paris")


class Tagging:
    """A relation that another part declares."""

    def relation(self, name: str, entity: object, registry: Registry) -> ToMany | None:
        if name != "tags":
            return None
        via = Via(tagging, "thing_id", "group_id", (("kind", "tag"),))
        return ToMany("tags", registry.entity("filt.group"), via=(via,))


def custom_spec(kind: str) -> FieldSpec:
    text = kind in ("text", "url", "email", "phone")
    return FieldSpec(
        f"x_{kind}", kind, kind, entity="filt.thing", attribute="custom", column="custom", custom=True,
        key_column="custom_key" if text else None, target="filt.group" if kind == "ref" else None,
    )  # fmt: skip


CUSTOM = {kind: custom_spec(kind) for kind in CUSTOM_KINDS}
REGISTRY = Registry.build(
    [Group, Thing], extensions=[Rating], choice_lists=[STATUS], relation_sources=[Tagging()]
).with_custom_fields(CUSTOM.values(), 1)
THING = REGISTRY.entity("filt.thing")
GROUP = REGISTRY.entity("filt.group")
TEXTS = ("", "a", "A", "Éa", "ea", "b%", "b_x", "bax", "/", "'", "œ", "Straße", "\U0001f600", "\ud7ff", "\uffee", "b\\")
PHONES = ("+33 6 12 34 56 78", "06 12 34 56 78", "0033612345678", "0612", "01 02 03 x 12")
_TABLES = [one.__table__ for one in (Group, Thing, Part, Rating)] + [tagging]


def value_of(kind: str, pick: random.Random) -> Any:
    """A value of that kind, or None one time in four."""
    if pick.random() < 0.25:
        return None
    match kind:
        case "integer" | "ref":
            return pick.choice([1, 2, 3])
        case "decimal":
            return pick.choice([Decimal("-1"), Decimal("0.0001"), Decimal("1.5"), Decimal("99999999999999.9999")])
        case "money":
            return Money(pick.choice([Decimal(-1), Decimal("1.5"), Decimal(3)]), pick.choice(["EUR", "USD"]))
        case "date":
            return date(2026, 3, 2) + timedelta(days=pick.choice([-400, -31, -7, -1, 0, 1, 30]))
        case "datetime":
            return NOW + timedelta(hours=pick.choice([-8760, -48, -24, -1, 0, 1, 24]), microseconds=pick.choice([0, 1]))
        case "boolean":
            return pick.choice([True, False])
        case "enum":
            return pick.choice(list(Colour))
        case "choice":
            return pick.choice(["new", "hot", "done", "x", "gone"])
        case "choices":
            return pick.choice([[], ["a"], ["a", "b"], ["c"]])
        case "json":
            return pick.choice([{}, {"a": 1}])
        case "phone":
            return pick.choice(PHONES)
    return pick.choice(TEXTS)


def make_thing(number: int, pick: random.Random) -> Thing:
    """A thing with gaps."""
    thing = Thing(id=number, created_at=NOW, updated_at=NOW, hidden=pick.random() < 0.3)
    for spec in THING.fields.values():
        skipped = spec.section == "record" or spec.extension or spec.custom or spec.name in ("hidden", "twin_id")
        if skipped:
            continue
        value = value_of(spec.kind, pick)
        setattr(thing, spec.name, value)
        if spec.key_column:
            setattr(thing, spec.key_column, KINDS[spec.kind].key(value))
    values = {spec.name: value_of(kind, pick) for kind, spec in CUSTOM.items()}
    stored = {key: store_value(THING.fields[key], value) for key, value in values.items() if value is not None}
    keys = {key: stored_key(THING.fields[key], values[key]) for key in stored}
    thing.custom, thing.custom_key = stored, {key: text for key, text in keys.items() if text is not None}
    return thing


def fill(session: Session, count: int, seed: int = 7) -> None:
    """Groups, things, parts, ratings and taggings."""
    pick = random.Random(seed)
    for number in (1, 2, 3):
        session.add(
            Group(id=number, name=pick.choice(TEXTS), size=number if number < 3 else None, hidden=number == 2,
                  created_at=NOW, updated_at=NOW)
        )  # fmt: skip
    session.flush()
    for group, above in ((1, 3), (2, 1), (3, 2)):
        session.get_one(Group, group).above_id = above
    for group in session.scalars(sa.select(Group)):
        group.name_key = KINDS["text"].key(group.name)
    things = [make_thing(number, pick) for number in range(1, count + 1)]
    session.add_all(things)
    session.flush()
    for thing in things:
        thing.twin_id = pick.choice([None, *range(1, count + 1)])
        for _ in range(pick.choice([0, 0, 1, 2])):
            label = value_of("text", pick)
            thing.parts.append(Part(label=label, label_key=KINDS["text"].key(label), weight=value_of("decimal", pick)))
        if pick.random() < 0.6:
            session.add(
                Rating(id=thing.id, points=value_of("integer", pick), grade=value_of("text", pick),
                       judge_id=value_of("ref", pick))
            )  # fmt: skip
    session.flush()
    pairs = [
        {"thing_id": thing.id, "group_id": pick.choice([1, 2, 3]), "kind": pick.choice(["tag", "other"])}
        for thing in things
        if pick.random() < 0.5
    ]
    session.execute(sa.insert(tagging), [*pairs, {"thing_id": None, "group_id": 1, "kind": "tag"}])


@contextmanager
def sqlite_engine() -> Iterator[Engine]:
    """An empty SQLite database with the tables."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine, tables=_TABLES)
    yield engine
    engine.dispose()


@contextmanager
def postgres_engine() -> Iterator[Engine]:
    """A schema of its own on the PostgreSQL named by GIGA_TEST_DATABASE_URL."""
    url = os.environ.get("GIGA_TEST_DATABASE_URL", "")
    if not url.startswith("postgresql"):
        pytest.skip("GIGA_TEST_DATABASE_URL names no PostgreSQL database")
    schema = f"filter_{os.getpid()}"
    engine = create_engine(url, connect_args={"options": f"-c search_path={schema} -c timezone=UTC"})
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    metadata.create_all(engine, tables=_TABLES)
    yield engine
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
    engine.dispose()


def visible(entity: Any) -> Bool | None:
    """Hidden records are hidden from paths and relations."""
    return entity.cls.hidden.is_(False)


def sql_env(**changes: Any) -> SqlEnv:
    """The surroundings in SQL."""
    return replace(SqlEnv(Thing.__table__, REGISTRY, ACTOR, NOW, visible), **changes)


class World:
    """The rows as objects, with the same rules of visibility as `visible`."""

    def __init__(self, session: Session) -> None:
        self.things = {one.id: one for one in session.scalars(sa.select(Thing).order_by(Thing.id))}
        self.groups = {one.id: one for one in session.scalars(sa.select(Group))}
        self.ratings = {one.id: one for one in session.scalars(sa.select(Rating))}
        self.tags = [row for row in session.execute(sa.select(tagging)) if row.kind == "tag"]
        for thing in self.things.values():
            _ = thing.parts
        self.source = RecordSource(self.load, self.related, lambda record, cls: self.ratings.get(record.id))

    def reader(self, number: int) -> ObjectReader:
        return ObjectReader(self.things[number], self.source)

    def load(self, entity: str, number: int) -> Entity | None:
        found = (self.groups if entity == "filt.group" else self.things).get(number)
        return None if found is None or found.hidden else found

    def related(self, record: Any, relation: ToMany) -> list[Any]:
        if relation.name == "tags":
            wanted = {row.group_id for row in self.tags if row.thing_id == record.id}
            rows: list[Any] = [group for group in self.groups.values() if group.id in wanted]
        elif isinstance(relation.owner, FieldSpec) and relation.entity is THING:
            rows = [n for n, _ in self.things.items() if self.reader(n).get(relation.owner) == record.id]
            rows = [self.things[number] for number in rows]
        else:
            rows = []
        return [row for row in rows if not row.hidden]
