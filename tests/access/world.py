"""Entities of every kind of access, and short ways to make people, roles and records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from gigacore import access
from gigacore.access import AccessGuard, load_actor, roles, tables, teams, users
from gigacore.access.tables import core_share, core_team
from gigacore.clock import FixedClock
from gigacore.context import Actor
from gigacore.data import Database
from gigacore.entity import Entity, EntityMeta, Registry, field, ref
from gigacore.entity.base import metadata
from gigacore.ids import uuid7
from tests.stored import stored

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


class Keeper(Entity):
    __entity__ = EntityMeta("zoo.keeper", plural="keepers", title="name", access="reference")

    name: Mapped[str] = field(max_length=80)


class Animal(Entity):
    __entity__ = EntityMeta("zoo.animal", plural="animals", title="name")

    name: Mapped[str] = field(max_length=80)
    size: Mapped[int | None] = field()
    secret: Mapped[str | None] = field(secret=True)
    keeper_id: Mapped[int | None] = ref("zoo.keeper", on_delete="set_null")


class Meal(Entity):
    __entity__ = EntityMeta("zoo.meal", plural="meals", title="dish", access="parent", parent="animal_id")

    dish: Mapped[str] = field(max_length=80)
    animal_id: Mapped[int | None] = ref("zoo.animal", on_delete="cascade")


REGISTRY = Registry.build([Keeper, Animal, Meal])
ANIMAL, MEAL, KEEPER = (REGISTRY.entity(f"zoo.{name}") for name in ("animal", "meal", "keeper"))
EMPTIED = (
    tables.core_share,
    tables.core_token,
    tables.core_session,
    tables.core_sign_in,
    tables.core_rate_limit,
    tables.core_link_token,
    tables.core_user_role,
    tables.core_team_member,
    tables.core_team,
    tables.core_user,
)
Rule = tuple[str, str, str]


class World:
    """One installation under test."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.guard = AccessGuard()
        self.clock = FixedClock(NOW)
        self.database = Database(engine, REGISTRY, guard=self.guard, clock=self.clock)
        self._made = 0

    def close(self) -> None:
        self.database._statements.unwatch(self.engine)

    def clear(self) -> None:
        """Forget everything but the built-in roles."""
        with self.database.system_connection("test") as connection:
            connection.execute(sa.update(core_team).values(parent_id=None))
            for table in (*EMPTIED, *(metadata.tables[f"zoo_{name}"] for name in ("meal", "animal", "keeper"))):
                connection.execute(sa.delete(table))
            connection.execute(
                sa.text("DELETE FROM core_grant WHERE role_id IN (SELECT id FROM core_role WHERE NOT builtin)")
            )
            connection.execute(sa.text("DELETE FROM core_role WHERE NOT builtin"))

    def advance(self, by: timedelta) -> None:
        self.clock.advance(by)

    def role(self, *rules: Rule | Mapping[str, Any], key: str | None = None) -> str:
        """A role with rules such as `("zoo.animal", "view", "own")`, or keyword arguments of `roles.grant`."""
        self._made += 1
        key = key or f"role_{self._made}"
        with self.database.system("test") as ctx:
            roles.create(ctx, key, {"en": key})
            for rule in rules:
                options: Mapping[str, Any] = rule if isinstance(rule, Mapping) else {}
                entity, verb, level = (rule["entity"], rule["verb"], rule.get("level", "all")) if options else rule
                more = {name: options[name] for name in ("filter", "forbid") if name in options}
                roles.grant(ctx, key, entity, verb, level, **more)
        return key

    def user(self, *keys: str, password: str | None = None) -> int:
        """A user with these roles; gives the id."""
        self._made += 1
        with self.database.system("test") as ctx:
            return users.create(ctx, f"user{self._made}@example.test", f"User {self._made}", password, keys)

    def team(self, *members: int, manager: int | None = None, parent: int | None = None) -> int:
        """A team; gives the id."""
        self._made += 1
        with self.database.system("test") as ctx:
            return teams.create(ctx, f"Team {self._made}", parent_id=parent, manager_id=manager, members=members)

    def actor(self, user_id: int) -> Actor:
        """Who acts for a user, at this moment."""
        with self.database.connect() as connection:
            return load_actor(connection, user_id, cache=self.guard.cache)

    def person(self, *keys: str) -> Actor:
        """A new user with these roles, as an actor."""
        return self.actor(self.user(*keys))

    def animal(self, owner: int | None = None, **values: Any) -> int:
        """An animal as the system writes it; gives the id."""
        options = {"name": "Leo", "owner_id": owner, "team_id": None} | values
        with self.database.system("test") as ctx:
            record = Animal(**options)
            ctx.session.add(record)
            ctx.session.flush()
            return record.id

    def meal(self, animal_id: int | None, **values: Any) -> int:
        """A meal as the system writes it; gives the id."""
        with self.database.system("test") as ctx:
            record = Meal(dish="Hay", animal_id=animal_id, **values)
            ctx.session.add(record)
            ctx.session.flush()
            return record.id

    def share(self, record_id: int, verb: str, *, user: int | None = None, team: int | None = None) -> None:
        """A share, straight into the table."""
        row = {"entity": "zoo.animal", "record_id": record_id, "user_id": user, "team_id": team, "verb": verb}
        with self.engine.begin() as connection:
            connection.execute(sa.insert(core_share).values(row | {"created_at": NOW}))

    def seen(self, actor: Actor, cls: type[Entity] = Animal) -> set[int]:
        """The ids in the actor's list."""
        with self.database.read(actor) as ctx:
            return set(ctx.session.scalars(sa.select(cls.id)))

    def may(self, actor: Actor, verb: str, record_id: int, cls: type[Entity] = Animal) -> bool:
        """The verdict on one record, loaded by the system."""
        with self.database.read(actor) as ctx:
            return access.may(ctx, verb, cls.__giga__.name, cls(id=record_id))

    def digest(self) -> dict[str, list[Any]]:
        """All rows, but for what a refusal may leave behind."""
        left_out = ("core_session", "core_sign_in", "core_rate_limit", "core_audit")
        with self.database.system_connection("test") as connection:
            names = [
                name for name in metadata.tables if name.startswith(("core_", "zoo_")) and not name.startswith(left_out)
            ]
            return {name: sorted(map(repr, rows)) for name, rows in stored(connection, names)}


def raw_animal(values: Mapping[str, Any]) -> dict[str, Any]:
    """A row for a direct insert."""
    base = {"uid": uuid7(), "name": "Leo", "name_key": "leo", "org_id": 1, "version": 1, "custom": {}, "custom_key": {}}
    return base | {"created_at": NOW, "updated_at": NOW} | dict(values)


def ids(records: Iterable[Entity]) -> set[int]:
    return {record.id for record in records}
