"""Lists, single verdicts, the Python policy and a plain reading of the rules agree, whatever the rules are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gigacore import access
from gigacore.access.candidates import candidates
from gigacore.access.judge import Image, Judge
from gigacore.access.profiles import bump
from gigacore.access.tables import (
    core_grant,
    core_role,
    core_share,
    core_team,
    core_team_member,
    core_user,
    core_user_role,
)
from gigacore.context import Actor
from gigacore.data import mark_scoped
from gigacore.ids import uuid7
from tests.access.world import ANIMAL, MEAL, NOW, Animal, Meal, World, raw_animal

VERBS = ("view", "edit", "delete", "feed")
PEOPLE, TEAMS = (1, 2, 3), (1, 2, 3)
someone, some_team = st.sampled_from((None, *PEOPLE)), st.sampled_from((None, *TEAMS))
filters = st.sampled_from(
    [
        None,
        {"field": "size", "op": "gt", "value": 1},
        {"field": "size", "op": "ne", "value": 1},
        {"not": {"field": "size", "op": "le", "value": 1}},
        {"field": "owner_id", "op": "eq", "value": {"ref": "actor.id"}},
        {"field": "team_id", "op": "in", "value": {"ref": "actor.teams"}},
        {"field": "visibility", "op": "eq", "value": "read"},
    ]
)
rules = st.fixed_dictionaries(
    {
        "role_id": st.sampled_from((1, 2)),
        "entity": st.sampled_from(("zoo.animal", "zoo.animal", "zoo.*", "@owned", "*", "zoo.keeper")),
        "verb": st.sampled_from(("*", "view", "view", "edit", "delete", "@action", "feed")),
        "level": st.sampled_from(("none", "own", "team", "tree", "all")),
        "filter": filters,
        "forbid": st.sampled_from((False, False, False, True)),
    }
)
animals = st.fixed_dictionaries(
    {
        "owner_id": someone,
        "team_id": some_team,
        "visibility": st.sampled_from(("private", "private", "read", "write")),
        "size": st.sampled_from((None, 1, 2)),
    }
)
shares = st.tuples(
    st.integers(1, 4), st.sampled_from(PEOPLE), st.booleans(), st.sampled_from(("view", "edit", "feed", "responsible"))
)


@dataclass
class Scene:
    """Random people, rules and records."""

    rules: list[dict[str, Any]]
    animals: list[dict[str, Any]]
    shares: list[tuple[int, int, bool, str]]
    members: list[tuple[int, int]]
    managers: list[int | None]
    parents: list[int | None]
    roles: list[list[int]]
    meals: list[tuple[int | None, int]]


scenes = st.builds(
    Scene,
    rules=st.lists(rules, min_size=1, max_size=7),
    animals=st.lists(animals, min_size=4, max_size=4),
    shares=st.lists(shares, max_size=4, unique=True),
    members=st.lists(st.tuples(st.sampled_from(TEAMS), st.sampled_from(PEOPLE)), max_size=5, unique=True),
    managers=st.lists(someone, min_size=3, max_size=3),
    parents=st.tuples(st.none(), st.sampled_from((None, 1)), st.sampled_from((None, 1, 2))).map(list),
    roles=st.lists(st.lists(st.sampled_from((1, 2)), unique=True, max_size=2), min_size=3, max_size=3),
    meals=st.lists(st.tuples(st.sampled_from((None, 1, 2, 3, 4)), st.sampled_from(PEOPLE)), max_size=4),
)


def build(connection: sa.Connection, scene: Scene) -> None:
    """Write the scene with ids 1, 2, 3 ... for everything."""

    def insert(table: sa.Table, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            connection.execute(sa.insert(table).values(row))

    def named(key: int) -> dict[str, Any]:
        text = f"n{key}@x.test"
        return {"email": text, "email_key": text, "name": text, "name_key": text}

    stamp = {"created_at": NOW, "updated_at": NOW}
    insert(core_user, [{"id": k, "uid": uuid7(), "org_id": 1, **named(k), **stamp} for k in PEOPLE])
    teams = zip(TEAMS, scene.parents, scene.managers, strict=True)
    team = {"org_id": 1, "name": "t", "created_at": NOW}
    insert(core_team, [{"id": k, "uid": uuid7(), "parent_id": p, "manager_id": m} | team for k, p, m in teams])
    insert(core_team_member, [{"team_id": t, "user_id": u, "main": False} for t, u in scene.members])
    role = {"labels": {}, "builtin": False, "created_at": NOW}
    insert(core_role, [{"id": 100 + k, "uid": uuid7(), "key": f"r{k}", **role} for k in (1, 2)])
    pairs = [(u, r) for u, roles in zip(PEOPLE, scene.roles, strict=True) for r in roles]
    insert(core_user_role, [{"user_id": u, "role_id": 100 + r} for u, r in pairs])
    insert(core_grant, [{**rule, "uid": uuid7(), "role_id": 100 + rule["role_id"]} for rule in scene.rules])
    insert(ANIMAL.table, [raw_animal({"id": k, **values}) for k, values in enumerate(scene.animals, 1)])
    for key, party, is_team, verb in scene.shares:
        who = {"team_id": party, "user_id": None} if is_team else {"user_id": party, "team_id": None}
        insert(core_share, [{"entity": "zoo.animal", "record_id": key, "verb": verb, "created_at": NOW, **who}])
    meal = {"dish": "Hay", "dish_key": "hay", "version": 1, "custom": {}, "custom_key": {}, **stamp}
    for key, (animal, maker) in enumerate(scene.meals, 1):
        insert(MEAL.table, [{"id": key, "uid": uuid7(), "animal_id": animal, "created_by": maker, **meal}])
    bump(connection)


# The rules read aloud, written without a look at the implementation ---------------------------------------------------


def pattern_rank(rule: dict[str, Any], verb: str) -> tuple[int, int]:
    entity = {"zoo.animal": 4, "zoo.*": 3, "@owned": 2, "*": 1}.get(rule["entity"], 0)
    if rule["verb"] == verb:
        return (entity, 3) if entity else (0, 0)
    if rule["verb"] == "@action" and verb == "feed":
        return (entity, 2) if entity else (0, 0)
    return (entity, 1) if entity and rule["verb"] == "*" else (0, 0)


def fulfils(tree: dict[str, Any] | None, animal: dict[str, Any], actor: Actor) -> bool:
    size = animal["size"]
    if tree is None:
        return True
    if "not" in tree:
        return size is None or size > 1
    match tree["field"], tree["op"]:
        case "size", "gt":
            return size is not None and size > 1
        case "size", "ne":
            return size != 1
        case "owner_id", _:
            return animal["owner_id"] == actor.user_id
        case "team_id", _:
            return animal["team_id"] in actor.team_ids
    return animal["visibility"] == "read"


def within(level: str, animal: dict[str, Any], user: int, scene: Scene) -> bool:
    teams = {t for t, u in scene.members if u == user}
    managed = {t for t, m in zip(TEAMS, scene.managers, strict=True) if m == user}
    for _ in TEAMS:
        managed |= {t for t, p in zip(TEAMS, scene.parents, strict=True) if p in managed}
    below = {u for t, u in scene.members if t in managed}
    own = animal["owner_id"] == user
    return {
        "none": False,
        "own": own,
        "team": own or animal["team_id"] in teams,
        "tree": own or animal["team_id"] in teams | managed or animal["owner_id"] in below,
        "all": True,
    }[level]


def expected(scene: Scene, actor: Actor, verb: str, key: int) -> bool:
    user, animal = actor.user_id or 0, scene.animals[key - 1]
    mine = [rule for rule in scene.rules if rule["role_id"] in scene.roles[user - 1]]
    ranked = [(rule, pattern_rank(rule, verb)) for rule in mine]
    for rule, rank in ranked:
        reached = rank != (0, 0) and within(rule["level"], animal, user, scene)
        if rule["forbid"] and reached and fulfils(rule["filter"], animal, actor):
            return False
    granted = []
    for role in (1, 2):
        own = [(r, rank) for r, rank in ranked if r["role_id"] == role and not r["forbid"] and rank != (0, 0)]
        best = max((rank for _, rank in own), default=None)
        granted += [r for r, rank in own if rank == best and r["level"] != "none"]
    if not granted:
        return False
    if any(within(r["level"], animal, user, scene) and fulfils(r["filter"], animal, actor) for r in granted):
        return True
    opened = {"view": ("read", "write"), "edit": ("write",), "feed": ("write",), "delete": ()}[verb]
    if animal["visibility"] in opened:
        return True
    teams = {t for t, u in scene.members if u == user}
    giving = {"view": None, "edit": {"edit"}, "feed": {"feed", "edit"}, "delete": {"delete"}}[verb]
    return any(
        record == key
        and (party in teams if is_team else party == user)
        and (giving is None or verb_ in giving | {"responsible"})
        for record, party, is_team, verb_ in scene.shares
    )


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(scene=scenes)
@pytest.mark.slow_on_postgres
def test_lists_verdicts_and_the_rules_read_aloud_agree(world: World, scene: Scene) -> None:
    world.clear()
    with world.database.system_connection("test") as connection:
        build(connection, scene)
    with world.database.system("test") as ctx:
        records = {record.id: record for record in ctx.session.scalars(sa.select(Animal))}
        ctx.session.expunge_all()
    for user in PEOPLE:
        check_animals(world, scene, world.actor(user), records)
        check_meals(world, scene, world.actor(user))


def check_animals(world: World, scene: Scene, actor: Actor, records: dict[int, Animal]) -> None:
    with world.database.read(actor) as ctx:
        session = ctx.session
        for verb in VERBS:
            wanted = {key for key in records if expected(scene, actor, verb, key)}
            policy = world.guard.policy(session, ANIMAL, verb)
            criteria = world.guard.criteria(session, ANIMAL, verb)
            listed = sa.select(ANIMAL.table.c.id) if criteria is None else sa.select(ANIMAL.table.c.id).where(criteria)
            assert set(session.connection().scalars(mark_scoped(listed))) == wanted
            ids = candidates(policy, actor)
            if ids is not None:  # what narrows a list leaves nothing out of it
                assert wanted <= set(session.connection().scalars(mark_scoped(sa.union_all(*ids))))
            judged = {key: Judge(world.guard, session, Image(ANIMAL, record, {})) for key, record in records.items()}
            assert {key for key, judge in judged.items() if judge.old(verb)} == wanted
            assert {key for key, judge in judged.items() if judge.draft(policy)} == wanted
        assert set(session.scalars(sa.select(Animal.id))) == {k for k in records if expected(scene, actor, "view", k)}


def check_meals(world: World, scene: Scene, actor: Actor) -> None:
    with world.database.read(actor) as ctx:
        view = world.guard.policy(ctx.session, ANIMAL, "view")
        if any(arm.source.kind == "forbid" for arm in world.guard.policy(ctx.session, MEAL, "view").arms()):
            return
        wanted = set()
        for key, (animal, maker) in enumerate(scene.meals, 1):
            made = animal is None and not view.nothing and maker == actor.user_id
            if (animal is not None and expected(scene, actor, "view", animal)) or made:
                wanted.add(key)
        if view.unlimited:
            wanted = set(range(1, len(scene.meals) + 1))
        assert set(ctx.session.scalars(sa.select(Meal.id))) == wanted


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(scene=scenes)
def test_the_explanation_agrees_with_the_verdict_and_names_what_decided(world: World, scene: Scene) -> None:
    world.clear()
    with world.database.system_connection("test") as connection:
        build(connection, scene)
    for user in PEOPLE:
        actor = world.actor(user)
        with world.database.system("test") as ctx:
            for key in range(1, 5):
                record = ctx.session.get(Animal, key)
                for verb in VERBS:
                    found = access.explain(ctx, actor, verb, record)
                    assert found.allowed == expected(scene, actor, verb, key)
                    kinds = (
                        {"grant", "visibility", "share"} if found.allowed else {"forbid", "no_grant", "out_of_reach"}
                    )
                    assert found.decided_by.kind in kinds
                    if found.decided_by.grant is not None:
                        assert found.decided_by.grant.role_id in actor.role_ids
