"""What the guard refuses in a flush, and that each refusal leaves the data as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import access
from gigacore.access import AccessGuard, shares
from gigacore.context import Actor, Context
from gigacore.entity import Entity, Visibility
from gigacore.errors import Forbidden, GigaError, NotFound, Unavailable
from tests.access.world import Animal, Keeper, Meal, World

Change = Callable[[Context], None]


def load(world: World, record_id: int, cls: type[Entity] = Animal) -> Any:
    """A record that reached the actor's session past its criteria, as an earlier lock might have let it."""
    with world.database.system("test") as ctx:
        record = ctx.session.get(cls, record_id)
        ctx.session.expunge(record)
    return record


def refused(world: World, actor: Actor, change: Change, error: type[GigaError] = Forbidden) -> GigaError:
    """Run a change that must be refused, and see that nothing is different afterwards."""
    before = world.digest()
    with pytest.raises(error) as caught, world.database.unit_of_work(actor) as ctx:
        change(ctx)
    assert world.digest() == before
    return caught.value


def edit(record: Any, **values: Any) -> Change:
    def change(ctx: Context) -> None:
        ctx.session.add(record)
        for name, value in values.items():
            setattr(record, name, value)
        ctx.session.flush()

    return change


def delete(record: Any) -> Change:
    def change(ctx: Context) -> None:
        ctx.session.add(record)
        ctx.session.delete(record)
        ctx.session.flush()

    return change


def create(record: Any) -> Change:
    def change(ctx: Context) -> None:
        ctx.session.add(record)
        ctx.session.flush()

    return change


def done(world: World, actor: Actor, change: Change) -> None:
    with world.database.unit_of_work(actor) as ctx:
        change(ctx)


READ_ALL = ("zoo.animal", "view", "all")


@pytest.mark.parametrize("make", [lambda r: edit(r, name="x"), delete], ids=["edit", "delete"])
def test_a_hidden_record_is_not_found(world: World, make: Callable[[Any], Change]) -> None:
    actor = world.person(world.role(("zoo.animal", "*", "own")))
    error = refused(world, actor, make(load(world, world.animal())), NotFound)
    assert str(error) == str(NotFound())


@pytest.mark.parametrize("make", [lambda r: edit(r, name="x"), delete], ids=["edit", "delete"])
def test_a_seen_record_out_of_reach_is_forbidden(world: World, make: Callable[[Any], Change]) -> None:
    actor = world.person(world.role(READ_ALL, ("zoo.animal", "edit", "own"), ("zoo.animal", "delete", "own")))
    assert "right" in str(refused(world, actor, make(load(world, world.animal()))))


@pytest.mark.parametrize("make", [lambda r: edit(r, name="x"), delete], ids=["edit", "delete"])
def test_without_the_verb_in_any_role_it_is_forbidden(world: World, make: Callable[[Any], Change]) -> None:
    actor = world.person(world.role(READ_ALL))
    error = refused(world, actor, make(load(world, world.animal(actor.user_id))))
    assert "roles do not include" in str(error)


def test_whoever_has_the_right_edits_and_deletes(world: World) -> None:
    actor = world.person(world.role(("zoo.animal", "*", "own")))
    record = load(world, world.animal(actor.user_id))
    done(world, actor, edit(record, name="Rex"))
    done(world, actor, delete(load(world, record.id)))
    assert world.seen(actor) == set()


def test_creating_takes_a_grant_that_the_new_record_fulfils(world: World) -> None:
    own = world.person(world.role(READ_ALL, ("zoo.animal", "create", "own")))
    done(world, own, create(Animal(name="Mine")))
    refused(world, own, create(Animal(name="Theirs", owner_id=world.user())))
    refused(world, own, create(Animal(name="Nobody's", owner_id=None)))
    reader = world.person(world.role(READ_ALL))
    assert "roles do not include" in str(refused(world, reader, create(Animal(name="Mine"))))


def test_creating_is_judged_by_the_filter_of_the_grant(world: World) -> None:
    small = {"entity": "zoo.animal", "verb": "create", "filter": {"field": "size", "op": "lt", "value": 5}}
    actor = world.person(world.role(READ_ALL, small))
    done(world, actor, create(Animal(name="Mouse", size=1)))
    refused(world, actor, create(Animal(name="Whale", size=9)))
    refused(world, actor, create(Animal(name="Unknown")))


def test_creating_is_judged_through_references_the_actor_cannot_see(world: World) -> None:
    with world.database.system("test") as ctx:
        kim, tom = Keeper(name="Kim"), Keeper(name="Tom")
        ctx.session.add_all([kim, tom])
    forbid = {
        "entity": "zoo.animal", "verb": "create", "forbid": True,
        "filter": {"field": "keeper_id.name", "op": "eq", "value": "Kim"},
    }  # fmt: skip
    actor = world.person(world.role(("zoo.animal", "*", "all"), forbid))
    assert world.seen(actor, Keeper) == set()
    done(world, actor, create(Animal(name="A", keeper_id=tom.id)))
    refused(world, actor, create(Animal(name="B", keeper_id=kim.id)))


def test_an_edit_must_pass_on_the_new_image_too(world: World) -> None:
    small = {"entity": "zoo.animal", "verb": "edit", "filter": {"field": "size", "op": "lt", "value": 5}}
    actor = world.person(world.role(READ_ALL, small))
    key = world.animal(size=1)
    done(world, actor, edit(load(world, key), size=4))
    refused(world, actor, edit(load(world, key), size=5))
    refused(world, actor, edit(load(world, world.animal(size=9)), size=1))


def test_giving_away_takes_the_right_to_assign(world: World) -> None:
    other = world.user()
    editor = world.person(world.role(("zoo.animal", "view", "own"), ("zoo.animal", "edit", "own")))
    giver = world.person(world.role(("zoo.animal", "*", "own")))
    refused(world, editor, edit(load(world, world.animal(editor.user_id)), owner_id=other))
    key = world.animal(giver.user_id)
    done(world, giver, edit(load(world, key), owner_id=other, name="Gift"))
    assert world.seen(giver) == set()
    assert world.seen(world.actor(other)) == set()


def test_giving_to_another_team_takes_the_right_to_assign(world: World) -> None:
    team = world.team()
    editor = world.person(world.role(("zoo.animal", "view", "all"), ("zoo.animal", "edit", "all")))
    refused(world, editor, edit(load(world, world.animal(editor.user_id)), team_id=team))


def test_nobody_takes_over_what_is_not_theirs(world: World) -> None:
    actor = world.person(world.role(READ_ALL, ("zoo.animal", "edit", "own"), ("zoo.animal", "assign", "own")))
    refused(world, actor, edit(load(world, world.animal(world.user())), owner_id=actor.user_id))
    public = world.animal(world.user(), visibility=Visibility.write)
    refused(world, actor, edit(load(world, public), owner_id=actor.user_id))


def test_opening_and_closing_a_record_takes_the_right_to_share(world: World) -> None:
    editor = world.person(world.role(("zoo.animal", "view", "own"), ("zoo.animal", "edit", "own")))
    sharer = world.person(world.role(("zoo.animal", "view", "own"), ("zoo.animal", "share", "own")))
    refused(world, editor, edit(load(world, world.animal(editor.user_id)), visibility=Visibility.write))
    key = world.animal(sharer.user_id)
    done(world, sharer, edit(load(world, key), visibility=Visibility.read))
    refused(world, sharer, edit(load(world, key), name="x"))
    public = world.animal(visibility=Visibility.write)
    refused(world, editor, edit(load(world, public), visibility=Visibility.private))


@pytest.mark.parametrize("column", ["uid", "org_id", "created_at", "created_by"])
def test_server_owned_columns_do_not_change(world: World, column: str) -> None:
    actor = world.person("super_admin")
    record, other = load(world, world.animal()), load(world, world.animal())
    value = {"uid": other.uid.__class__(int=7), "org_id": 2, "created_at": record.created_at.replace(year=1999)}
    refused(world, actor, edit(record, name="x", **{column: value.get(column, 1)}))


def test_a_record_cannot_be_made_for_another_organisation(world: World) -> None:
    refused(world, world.person("super_admin"), create(Animal(name="x", org_id=2)))


def test_a_field_that_a_role_may_not_write_is_refused(world: World) -> None:
    role = world.role(("zoo.animal", "*", "all"))
    with world.database.system("test") as ctx:
        access.roles.set_field_rule(ctx, role, "zoo.animal", "size", read=True, write=False)
    actor = world.person(role)
    key = world.animal(size=1)
    done(world, actor, edit(load(world, key), name="Rex"))
    assert "size" in str(refused(world, actor, edit(load(world, key), size=2)))
    refused(world, actor, create(Animal(name="x", size=3)))


def test_a_record_that_follows_its_parent_is_written_as_the_parent_is(world: World) -> None:
    actor = world.person(world.role(READ_ALL, ("zoo.animal", "edit", "own")))
    mine, other = world.animal(actor.user_id), world.animal()
    done(world, actor, create(Meal(dish="Hay", animal_id=mine)))
    refused(world, actor, create(Meal(dish="Hay", animal_id=other)))
    of_mine = world.meal(mine)
    done(world, actor, edit(load(world, of_mine, Meal), dish="Oats"))
    refused(world, actor, edit(load(world, of_mine, Meal), animal_id=other))
    refused(world, actor, edit(load(world, world.meal(other), Meal), animal_id=mine))


def test_an_action_of_its_own_stands_in_for_edit_on_its_record_only(world: World) -> None:
    actor = world.person(world.role(READ_ALL, ("zoo.animal", "feed", "own")))
    key, other = world.animal(actor.user_id), world.animal(actor.user_id)
    refused(world, actor, edit(load(world, key), name="Fed"))
    mine = load(world, key)
    with world.database.unit_of_work(actor) as ctx:
        ctx.session.add(mine)
        with access.acting(ctx, mine, "feed"):
            mine.name = "Fed"
    assert load(world, key).name == "Fed"

    mine, second = load(world, key), load(world, other)

    def both(ctx: Context) -> None:
        ctx.session.add_all([mine, second])
        with access.acting(ctx, mine, "feed"):
            second.name = "Fed too"

    refused(world, actor, both)


def test_sharing_takes_the_right_and_nobody_hands_on_more_than_they_have(world: World) -> None:
    friend = world.user(world.role(("zoo.animal", "*", "own")))
    sharer = world.person(world.role(("zoo.animal", "view", "all"), ("zoo.animal", "share", "own")))
    mine, other = world.animal(sharer.user_id), world.animal()
    done(world, sharer, lambda ctx: shares.add(ctx, ctx.session.get(Animal, mine), user_id=friend))
    assert world.seen(world.actor(friend)) == {mine}
    refused(world, sharer, lambda ctx: shares.add(ctx, ctx.session.get(Animal, other), user_id=friend))
    for verb in ("edit", "delete", "responsible"):
        refused(
            world,
            sharer,
            lambda ctx, verb=verb: shares.add(ctx, ctx.session.get(Animal, mine), user_id=friend, verb=verb),
        )
    done(world, sharer, lambda ctx: shares.remove(ctx, ctx.session.get(Animal, mine), user_id=friend))
    assert world.seen(world.actor(friend)) == set()


def test_a_token_stays_within_its_scopes(world: World) -> None:
    user = world.user(world.role(("zoo.animal", "*", "all")))
    key = world.animal()
    actor = world.actor(user)
    with world.database.unit_of_work(actor) as ctx:
        raw = access.tokens.create(ctx, user, "reader", scopes=["zoo.animal.view"])
    with world.database.connect() as connection:
        found = access.tokens.authenticate(connection, raw, world.clock.now(), world.guard.cache)
    assert found is not None
    assert world.seen(found[0]) == {key}
    refused(world, found[0], edit(load(world, key), name="x"))


def test_a_link_reaches_its_record_for_its_verbs_only(world: World) -> None:
    key, other = world.animal(), world.animal()
    with world.database.system("test") as ctx:
        raw = access.links.create(ctx, "visit", "zoo.animal", key)
    with world.database.connect() as connection:
        actor = access.links.follow(connection, raw, "visit", world.clock.now()).actor
    assert world.seen(actor) == {key}
    assert world.seen(actor, Keeper) == set()
    refused(world, actor, edit(load(world, key), name="x"))
    refused(world, actor, edit(load(world, other), name="x"), NotFound)


# Controls: with a lock taken away, the same change goes through -------------------------------------------------------


class Open(AccessGuard):
    """A guard that checks no write."""

    def check_write(self, *args: Any, **kwargs: Any) -> None:
        """Lets everything pass."""


class Careless(AccessGuard):
    """A guard that forgets criteria."""

    def criteria(self, *args: Any, **kwargs: Any) -> sa.ColumnElement[bool] | None:
        """Lets everything be seen."""
        return None


def test_control_without_the_write_check_a_foreign_record_is_changed(world: World) -> None:
    actor = world.person(world.role(("zoo.animal", "*", "own")))
    key = world.animal()
    world.database.guard = Open(world.guard.cache)
    done(world, actor, edit(load(world, key), name="Hacked", owner_id=actor.user_id))
    done(world, actor, create(Animal(name="x", owner_id=None)))
    assert load(world, key).name == "Hacked"


def test_control_without_criteria_the_list_shows_foreign_records(world: World) -> None:
    actor = world.person(world.role(("zoo.animal", "view", "own")))
    key = world.animal()
    assert world.seen(actor) == set()
    world.database.guard = Careless(world.guard.cache)
    assert world.seen(actor) == {key}


def test_control_with_the_old_image_alone_an_edit_leaves_its_grant(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {"entity": "zoo.animal", "verb": "edit", "filter": {"field": "size", "op": "lt", "value": 5}}
    actor = world.person(world.role(READ_ALL, small))
    key = world.animal(size=1)
    monkeypatch.setattr(AccessGuard, "_depends_on_draft", lambda *args: False)
    done(world, actor, edit(load(world, key), size=99))
    assert load(world, key).size == 99


# Narrowing ------------------------------------------------------------------------------------------------------------


def test_a_plugin_narrows_lists_and_writes_and_never_widens(world: World) -> None:
    actor = world.person(world.role(("zoo.animal", "*", "own")))
    small, large, foreign = (
        world.animal(actor.user_id, size=1),
        world.animal(actor.user_id, size=9),
        world.animal(size=1),
    )
    world.guard.narrow = lambda actor, entity, verb: [{"field": "size", "op": "lt", "value": 5}]
    assert world.seen(actor) == {small}
    refused(world, actor, edit(load(world, small), size=6))
    refused(world, actor, edit(load(world, large), size=1), NotFound)
    refused(world, actor, edit(load(world, foreign), name="x"), NotFound)


def test_a_failing_narrowing_closes_the_entity(world: World) -> None:
    def broken(actor: Actor, entity: object, verb: str) -> list[Any]:
        raise RuntimeError("boom")

    actor = world.person(world.role(("zoo.animal", "*", "all")))
    world.guard.narrow = broken
    with pytest.raises(Unavailable):
        world.seen(actor)
