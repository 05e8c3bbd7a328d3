"""Each level, visibility, share and forbid, for lists and for single records."""

import pytest

from gigacore.access import users
from gigacore.context import Actor
from tests.access.world import Animal, Keeper, Meal, World

VERBS = ("view", "edit", "delete", "assign", "share", "export", "feed")


@pytest.fixture
def people(world: World) -> dict[str, int]:
    """A boss over a mate's team and one below it; a mate in the same team as `me`; a stranger."""
    names = {name: world.user() for name in ("boss", "mate", "below", "stranger")}
    names["me"] = world.user()
    team = world.team(names["me"], names["mate"], manager=names["boss"])
    names["team"] = team
    names["lower"] = world.team(names["below"], parent=team)
    return names


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("level", "reached"),
    [
        ("none", set()),
        ("own", {"mine"}),
        ("team", {"mine", "of_team"}),
        ("tree", {"mine", "of_team"}),
        ("all", {"mine", "of_team", "of_lower", "of_below", "of_stranger", "of_nobody"}),
    ],
)
def test_a_member_reaches_what_the_level_says(
    world: World, people: dict[str, int], verb: str, level: str, reached: set[str]
) -> None:
    actor = give(world, people["me"], ("zoo.animal", "view", "all"), ("zoo.animal", verb, level))
    animals = population(world, people)
    if verb == "view":
        actor = give(world, people["me"], ("zoo.animal", "view", level))
    assert {name for name, key in animals.items() if world.may(actor, verb, key)} == reached


def test_a_manager_reaches_the_teams_below_and_their_members_records(world: World, people: dict[str, int]) -> None:
    animals = population(world, people)
    actor = give(world, people["boss"], ("zoo.animal", "view", "tree"))
    assert world.seen(actor) == {animals[name] for name in ("mine", "of_team", "of_lower", "of_below")}


def test_a_manager_with_level_team_reaches_only_teams_of_which_it_is_a_member(
    world: World, people: dict[str, int]
) -> None:
    population(world, people)
    actor = give(world, people["boss"], ("zoo.animal", "view", "team"))
    assert world.seen(actor) == set()


def test_visibility_opens_to_whoever_has_the_verb_at_any_level(world: World) -> None:
    actor = world.person(world.role(("zoo.animal", "view", "own"), ("zoo.animal", "edit", "own")))
    public = {v: world.animal(visibility=v) for v in ("private", "read", "write")}
    assert world.seen(actor) == {public["read"], public["write"]}
    assert [world.may(actor, "edit", key) for key in public.values()] == [False, False, True]
    assert not any(world.may(actor, "delete", key) for key in public.values())


def test_visibility_gives_nothing_to_whoever_lacks_the_verb(world: World) -> None:
    world.animal(visibility="write")
    nobody = world.person(world.role(("zoo.keeper", "view", "all")))
    reader = world.person(world.role(("zoo.animal", "view", "own")))
    key = world.animal(visibility="write")
    assert world.seen(nobody) == set()
    assert not world.may(reader, "edit", key)


@pytest.mark.parametrize(
    ("shared_for", "allowed"),
    [
        ("view", {"view"}),
        ("edit", {"view", "edit", "feed"}),
        ("delete", {"view", "delete"}),
        ("feed", {"view", "feed"}),
        ("responsible", set(VERBS)),
    ],
)
def test_a_share_gives_its_verb_and_the_view(world: World, shared_for: str, allowed: set[str]) -> None:
    actor = world.person(world.role(("zoo.animal", "*", "own")))
    key = world.animal()
    assert world.seen(actor) == set()
    world.share(key, shared_for, user=actor.user_id)
    assert {verb for verb in VERBS if world.may(actor, verb, key)} == allowed


def test_a_share_with_a_team_reaches_its_members_only(world: World) -> None:
    role = world.role(("zoo.animal", "view", "own"))
    member, outsider = world.user(role), world.user(role)
    team = world.team(member)
    key = world.animal()
    world.share(key, "view", team=team)
    assert world.seen(world.actor(member)) == {key}
    assert world.seen(world.actor(outsider)) == set()


def test_a_share_gives_nothing_to_whoever_lacks_the_verb(world: World) -> None:
    actor = world.person(world.role(("zoo.animal", "view", "own")))
    key = world.animal()
    world.share(key, "edit", user=actor.user_id)
    assert world.seen(actor) == {key}
    assert not world.may(actor, "edit", key)


def test_a_forbid_closes_whatever_else_is_granted(world: World) -> None:
    forbid = {
        "entity": "zoo.animal",
        "verb": "view",
        "forbid": True,
        "filter": {"field": "size", "op": "gt", "value": 5},
    }
    actor = world.person(world.role(("*", "*", "all"), forbid))
    small, large, unknown = world.animal(size=1), world.animal(size=9), world.animal(actor.user_id)
    world.share(large, "responsible", user=actor.user_id)
    assert world.seen(actor) == {small, unknown}


def test_a_forbid_of_one_role_holds_against_another_role(world: World) -> None:
    wide = world.role(("*", "*", "all"))
    narrow = world.role({"entity": "zoo.animal", "verb": "delete", "forbid": True})
    key = world.animal()
    assert world.may(world.person(wide), "delete", key)
    assert not world.may(world.person(wide, narrow), "delete", key)


def test_a_forbid_at_level_own_closes_own_records_even_without_an_owner_elsewhere(world: World) -> None:
    forbid = {"entity": "zoo.animal", "verb": "delete", "level": "own", "forbid": True}
    actor = world.person(world.role(("zoo.animal", "*", "all"), forbid))
    mine, nobodys = world.animal(actor.user_id), world.animal()
    assert [world.may(actor, "delete", key) for key in (mine, nobodys)] == [False, True]


def test_a_filter_may_name_the_actor(world: World) -> None:
    mine = {"field": "created_by", "op": "eq", "value": {"ref": "actor.id"}}
    actor = world.person(
        world.role(("zoo.animal", "create", "all"), {"entity": "zoo.animal", "verb": "view", "filter": mine})
    )
    world.animal()
    with world.database.unit_of_work(actor) as ctx:
        ctx.session.add(Animal(name="Mine", owner_id=None))
    assert len(world.seen(actor)) == 1


def test_the_closest_grant_of_a_role_decides_and_roles_add_up(world: World) -> None:
    key = world.animal()
    closed = world.role(("*", "view", "all"), ("zoo.animal", "view", "none"))
    wide = world.role(("zoo.*", "view", "all"))
    assert world.seen(world.person(closed)) == set()
    assert world.seen(world.person(closed, wide)) == {key}


def test_reference_records_are_seen_by_any_grant_and_changed_by_level_all(world: World) -> None:
    with world.database.system("test") as ctx:
        keeper = Keeper(name="Kim")
        ctx.session.add(keeper)
    own = world.person(world.role(("zoo.keeper", "*", "own")))
    all_ = world.person(world.role(("zoo.keeper", "*", "all")))
    nobody = world.person(world.role(("zoo.animal", "*", "all")))
    assert [len(world.seen(actor, Keeper)) for actor in (own, all_, nobody)] == [1, 1, 0]
    assert [world.may(actor, "edit", keeper.id, Keeper) for actor in (own, all_, nobody)] == [False, True, False]


def test_records_that_follow_a_parent_are_seen_and_changed_as_it_is(world: World) -> None:
    actor = world.person(world.role(("zoo.animal", "view", "all"), ("zoo.animal", "edit", "own")))
    mine, other = world.animal(actor.user_id), world.animal()
    of_mine, of_other = world.meal(mine), world.meal(other)
    assert world.seen(actor, Meal) == {of_mine, of_other}
    assert world.may(actor, "delete", of_mine, Meal)
    assert not world.may(actor, "delete", of_other, Meal)


def test_a_record_whose_parent_is_hidden_is_hidden(world: World) -> None:
    actor = world.person(world.role(("zoo.animal", "view", "own")))
    world.meal(world.animal())
    shown = world.meal(world.animal(actor.user_id))
    assert world.seen(actor, Meal) == {shown}


def test_a_record_without_its_parent_belongs_to_whoever_made_it(world: World) -> None:
    role = world.role(("zoo.animal", "*", "own"))
    maker, other = world.person(role), world.person(role)
    with world.database.unit_of_work(maker) as ctx:
        ctx.session.add(Meal(dish="Hay"))
    assert len(world.seen(maker, Meal)) == 1
    assert world.seen(other, Meal) == set()


def give(world: World, user_id: int, *rules: tuple[str, str, str]) -> Actor:
    """The user with just these rights."""
    role = world.role(*rules)
    with world.database.system("test") as ctx:
        users.set_roles(ctx, user_id, [role])
    return world.actor(user_id)


def population(world: World, people: dict[str, int]) -> dict[str, int]:
    """One animal for each way to be near or far."""
    return {
        "mine": world.animal(people["me"]),
        "of_team": world.animal(team_id=people["team"]),
        "of_lower": world.animal(team_id=people["lower"]),
        "of_below": world.animal(people["below"]),
        "of_stranger": world.animal(people["stranger"]),
        "of_nobody": world.animal(),
    }
