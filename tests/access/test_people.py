"""Users, teams and roles: who may change whom, what the built-in roles give, and what is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import access
from gigacore.access import roles, tables, teams, users
from gigacore.access.builtin import add_plugin_grants
from gigacore.context import Actor, Context
from gigacore.data.tables import core_audit, core_audit_value
from gigacore.entity import Visibility
from gigacore.errors import Conflict, Forbidden, GigaError, Invalid, NotFound
from tests.access.world import ANIMAL, PASSWORD, REGISTRY, Animal, Keeper, World

Change = Callable[[Context], Any]


def attempt(world: World, actor: Actor, change: Change, error: type[GigaError]) -> GigaError:
    before = world.digest()
    with pytest.raises(error) as caught, world.database.unit_of_work(actor) as ctx:
        change(ctx)
    assert world.digest() == before
    return caught.value


def done(world: World, actor: Actor, change: Change) -> Any:
    with world.database.unit_of_work(actor) as ctx:
        return change(ctx)


# The built-in roles ---------------------------------------------------------------------------------------------------


def test_a_user_sees_what_is_not_private_and_changes_what_is_its_own(world: World) -> None:
    actor = world.person("user")
    mine = world.animal(actor.user_id)
    private, read, write = (world.animal(world.user(), visibility=v) for v in ("private", "read", "write"))
    assert world.seen(actor) == {mine, read, write}
    assert [world.may(actor, "edit", key) for key in (mine, private, read, write)] == [True, False, False, True]
    assert [world.may(actor, "delete", key) for key in (mine, read, write)] == [True, False, False]


def test_a_user_creates_and_limits_access_to_it(world: World) -> None:
    actor = world.person("user")

    def make(ctx: Context) -> None:
        record = Animal(name="Mine", visibility=Visibility.read)
        ctx.session.add(record)
        ctx.session.flush()
        record.visibility = Visibility.private

    done(world, actor, make)
    assert world.seen(world.person("user")) == set()


@pytest.mark.parametrize("verb", ["export", "import"])
@pytest.mark.parametrize(
    ("role", "allowed"), [("user", False), ("manager", False), ("admin", True), ("super_admin", True)]
)
def test_only_administrators_import_and_export(world: World, verb: str, role: str, allowed: bool) -> None:
    with world.database.read(world.person(role)) as ctx:
        assert access.may(ctx, verb, "zoo.animal") is allowed


def test_a_manager_handles_the_records_of_its_team_tree(world: World) -> None:
    boss, worker, outsider = world.user("manager"), world.user("user"), world.user("user")
    team = world.team(manager=boss)
    world.team(worker, parent=team)
    theirs, foreign = world.animal(worker), world.animal(outsider)
    assert world.seen(world.actor(boss)) == {theirs}
    assert world.may(world.actor(boss), "assign", theirs)
    assert not world.may(world.actor(boss), "edit", foreign)


def test_an_admin_reads_and_moderates_what_is_private(world: World) -> None:
    admin, key = world.person("admin"), world.animal(world.user())
    assert world.seen(admin) == {key}
    assert world.may(admin, "delete", key)


@pytest.mark.parametrize(
    ("role", "settings", "plugins", "keepers"),
    [
        ("user", False, False, False),
        ("manager", False, False, False),
        ("admin", True, False, True),
        ("super_admin", True, True, True),
    ],
)
def test_settings_plugins_and_reference_records(
    world: World, role: str, settings: bool, plugins: bool, keepers: bool
) -> None:
    with world.database.read(world.person(role)) as ctx:
        assert access.may(ctx, "edit", "core.setting") is settings
        assert access.may(ctx, "edit", "core.plugin") is plugins
        assert access.may(ctx, "view", "zoo.keeper")
        assert access.may(ctx, "edit", "zoo.keeper") is keepers
        assert access.permits(ctx, "super_admin") is (role == "super_admin")
        assert access.permits(ctx, "zoo.animal.view")


def test_somebody_without_a_role_may_nothing(world: World) -> None:
    actor = world.person()
    world.animal(actor.user_id, visibility="write")
    assert world.seen(actor) == set()
    with world.database.read(actor) as ctx, pytest.raises(Forbidden):
        access.require(ctx, "view", "zoo.animal")


def test_seeding_twice_changes_nothing_and_keeps_what_was_changed(world: World) -> None:
    with world.engine.begin() as connection:
        query = sa.select(sa.func.count()).select_from(tables.core_grant)
        before = connection.scalar(query)
        access.seed(connection)
        assert connection.scalar(query) == before


def test_the_grants_of_a_plugin_are_added_once(world: World) -> None:
    query = sa.select(sa.func.count()).select_from(tables.core_grant)
    rows = [("user", "zoo.keeper", ("edit",), "all"), ("gone", "zoo.keeper", ("edit",), "all")]
    with world.engine.begin() as connection:
        before = connection.scalar(query)
        for _ in range(2):
            add_plugin_grants(connection, "zoo", rows)
        assert connection.scalar(query) == before + 1
    assert world.may(world.person("user"), "edit", make_keeper(world), Keeper)


def make_keeper(world: World) -> int:
    with world.database.system("test") as ctx:
        keeper = Keeper(name="Kim")
        ctx.session.add(keeper)
    return keeper.id


# Users ----------------------------------------------------------------------------------------------------------------


def test_users_are_made_by_whoever_has_the_right_and_hands_out_roles(world: World) -> None:
    admin = world.person("admin")
    user_id = done(world, admin, lambda ctx: users.create(ctx, "New.Person@Example.test", "  New  Person ", PASSWORD))
    with world.database.read(admin) as ctx:
        found = users.get(ctx, user_id)
    assert (found.email, found.name, found.roles, found.active) == (
        "New.Person@example.test",
        "New Person",
        ("user",),
        True,
    )
    attempt(world, world.person("manager"), lambda ctx: users.create(ctx, "a@example.test", "A"), Forbidden)


@pytest.mark.parametrize(
    ("email", "name", "password", "role"),
    [
        ("no address", "A", PASSWORD, "user"),
        ("a@example.test", "  ", PASSWORD, "user"),
        ("a@example.test", "A\x00", PASSWORD, "user"),
        ("a@example.test", "A", "short", "user"),
        ("a@example.test", "A", PASSWORD, "emperor"),
    ],
)
def test_bad_input_for_a_user_is_refused(world: World, email: str, name: str, password: str, role: str) -> None:
    attempt(world, world.person("super_admin"), lambda ctx: users.create(ctx, email, name, password, role), Invalid)


def test_an_address_is_used_once_whatever_its_case(world: World) -> None:
    admin = world.person("admin")
    done(world, admin, lambda ctx: users.create(ctx, "twin@example.test", "A"))
    attempt(world, admin, lambda ctx: users.create(ctx, "TWIN@example.test", "B"), Conflict)


def test_nobody_climbs_above_an_admin_without_being_super_admin(world: World) -> None:
    admin, top = world.person("admin"), world.user("super_admin")
    attempt(world, admin, lambda ctx: users.create(ctx, "x@example.test", "X", None, "super_admin"), Forbidden)
    attempt(world, admin, lambda ctx: users.set_roles(ctx, admin.user_id or 0, ["super_admin"]), Forbidden)
    attempt(world, admin, lambda ctx: users.set_password(ctx, top, "another good one"), Forbidden)
    attempt(world, admin, lambda ctx: users.set_active(ctx, top, False), Forbidden)
    attempt(world, admin, lambda ctx: users.set_roles(ctx, top, ["user"]), Forbidden)
    attempt(world, admin, lambda ctx: users.change(ctx, top, {"name": "Fool"}), Forbidden)


def test_whoever_may_only_make_users_gives_no_role_that_exceeds_the_own(world: World) -> None:
    clerk = world.person(world.role(("core.user", "*", "all")))
    attempt(world, clerk, lambda ctx: users.create(ctx, "x@example.test", "X", None, "admin"), Forbidden)


def test_the_last_super_admin_stays(world: World) -> None:
    top = world.person("super_admin")
    attempt(world, top, lambda ctx: users.set_roles(ctx, top.user_id or 0, ["user"]), Conflict)
    attempt(world, top, lambda ctx: users.set_active(ctx, top.user_id or 0, False), Conflict)


@pytest.mark.parametrize(
    "field", ["role", "is_staff", "org_id", "id", "password_hash", "email", "active", "created_at"]
)
def test_the_own_profile_takes_preferences_only(world: World, field: str) -> None:
    me = world.person("user")
    attempt(world, me, lambda ctx: users.change(ctx, me.user_id or 0, {"name": "Me", field: "1"}), Invalid)


def test_the_own_profile_is_changed_and_nobody_elses(world: World) -> None:
    me, other = world.person("user"), world.user("user")
    done(world, me, lambda ctx: users.change(ctx, me.user_id or 0, {"locale": "fr", "timezone": "Europe/Paris"}))
    assert (world.actor(me.user_id or 0).locale, world.actor(me.user_id or 0).timezone) == ("fr", "Europe/Paris")
    attempt(world, me, lambda ctx: users.change(ctx, other, {"name": "Fool"}), Forbidden)
    attempt(world, me, lambda ctx: users.change(ctx, me.user_id or 0, {"timezone": "Mars/Base"}), Invalid)
    attempt(world, me, lambda ctx: users.get(ctx, other), Forbidden)


def test_the_own_password_takes_the_present_one(world: World) -> None:
    me = world.actor(world.user("user", password=PASSWORD))
    attempt(world, me, lambda ctx: users.set_password(ctx, me.user_id or 0, "another good one", current="no"), Invalid)
    done(world, me, lambda ctx: users.set_password(ctx, me.user_id or 0, "another good one", current=PASSWORD))


def test_a_deactivated_user_is_no_actor(world: World) -> None:
    user = world.user("user")
    done(world, world.person("admin"), lambda ctx: users.set_active(ctx, user, False))
    with pytest.raises(NotFound):
        world.actor(user)


def test_changes_of_people_are_audited_without_secrets(world: World) -> None:
    with world.database.connect() as connection:
        start = connection.scalar(sa.select(sa.func.max(core_audit.c.at)))
    admin = world.person("super_admin")
    done(world, admin, lambda ctx: users.create(ctx, "seen@example.test", "Seen", PASSWORD))
    with world.database.connect() as connection:
        verbs = connection.execute(sa.select(core_audit.c.entity, core_audit.c.verb, core_audit.c.actor_id)).all()
        bodies = b"".join(filter(None, connection.scalars(sa.select(core_audit_value.c.body))))
    assert start is None or ("core.user", "created", admin.user_id) in [tuple(row) for row in verbs]
    assert PASSWORD.encode() not in bodies
    assert b"argon2" not in bodies


# Teams ----------------------------------------------------------------------------------------------------------------


def test_a_team_does_not_stand_below_itself(world: World) -> None:
    top = world.team()
    middle = world.team(parent=top)
    bottom = world.team(parent=middle)
    admin = world.person("admin")
    attempt(world, admin, lambda ctx: teams.change(ctx, top, parent_id=bottom), Conflict)
    attempt(world, admin, lambda ctx: teams.change(ctx, top, parent_id=top), Conflict)
    attempt(world, admin, lambda ctx: teams.remove(ctx, middle), Conflict)
    attempt(world, admin, lambda ctx: teams.change(ctx, bottom, colour="red"), Invalid)
    attempt(world, admin, lambda ctx: teams.change(ctx, bottom, manager_id=10**9), Invalid)
    attempt(world, world.person("manager"), lambda ctx: teams.remove(ctx, bottom), Forbidden)
    done(world, admin, lambda ctx: teams.remove(ctx, bottom))


def test_the_first_team_is_the_main_one_until_another_is_chosen(world: World) -> None:
    user = world.user("user")
    first, second = world.team(user), world.team(user)
    assert world.actor(user).team_id == first
    with world.database.system("test") as ctx:
        teams.set_members(ctx, second, [user], main=[user])
    assert (world.actor(user).team_id, world.actor(user).team_ids) == (second, (first, second))


def test_new_records_belong_to_their_maker_and_its_main_team(world: World) -> None:
    user = world.user("user")
    team = world.team(user)

    def make(ctx: Context) -> Animal:
        record = Animal(name="Mine")
        ctx.session.add(record)
        return record

    record = done(world, world.actor(user), make)
    assert (record.owner_id, record.team_id) == (user, team)


# Roles ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        {"entity": "Robert'); DROP TABLE core_user;--", "verb": "view"},
        {"entity": "zoo.animal", "verb": "view edit"},
        {"entity": "zoo.animal", "verb": "view", "level": "most"},
        {"entity": "zoo.*", "verb": "view", "filter": {"all": []}},
        {"entity": "zoo.animal", "verb": "view", "filter": {"field": "nope", "op": "eq", "value": 1}},
        {"entity": "zoo.animal", "verb": "view", "filter": {"field": "size", "op": "regex", "value": ".*"}},
    ],
)
def test_malformed_grants_are_refused(world: World, rule: dict[str, Any]) -> None:
    role, top = world.role(), world.person("super_admin")
    attempt(world, top, lambda ctx: roles.grant(ctx, role, **rule), Invalid)


def test_nobody_widens_the_own_role_and_super_admin_is_not_changed(world: World) -> None:
    admin = world.person("admin")
    attempt(world, admin, lambda ctx: roles.grant(ctx, "admin", "core.plugin", "edit"), Forbidden)
    attempt(world, admin, lambda ctx: roles.grant(ctx, "super_admin", "zoo.animal", "view"), Forbidden)
    attempt(world, admin, lambda ctx: roles.remove(ctx, "user"), Conflict)
    attempt(world, world.person("user"), lambda ctx: roles.create(ctx, "mine", {}), Forbidden)


def test_nobody_hands_on_more_rights_than_the_own(world: World) -> None:
    lead = world.person(world.role(("core.role", "*", "all"), ("core.user", "*", "all"), ("zoo.*", "view", "team")))
    target = world.role()
    for rule in (("zoo.animal", "view", "own"), ("zoo.*", "view", "team"), ("zoo.animal", "edit", "none")):
        done(world, lead, lambda ctx, rule=rule: roles.grant(ctx, target, *rule))
    for rule in (
        ("zoo.animal", "view", "all"),
        ("zoo.animal", "edit", "own"),
        ("*", "view", "own"),
        ("zoo.*", "*", "own"),
    ):
        attempt(world, lead, lambda ctx, rule=rule: roles.grant(ctx, target, *rule), Forbidden)
    done(world, lead, lambda ctx: roles.grant(ctx, target, "*", "*", forbid=True))
    attempt(world, lead, lambda ctx: roles.create(ctx, "copy", {}, like="admin"), Forbidden)
    user = world.user()
    attempt(world, lead, lambda ctx: users.set_roles(ctx, user, ["manager"]), Forbidden)
    done(world, lead, lambda ctx: users.set_roles(ctx, user, [target]))


def test_no_grant_opens_the_plugins_to_anybody_but_a_super_admin(world: World) -> None:
    actor = world.person(world.role(("core.plugin", "edit", "all"), ("*", "*", "all")))
    with world.database.read(actor) as ctx:
        assert access.may(ctx, "view", "core.plugin")
        assert not access.may(ctx, "edit", "core.plugin")


def test_a_role_is_copied_compared_and_removed(world: World) -> None:
    admin = world.person("super_admin")

    def change(ctx: Context) -> list[roles.Difference]:
        roles.create(ctx, "sales", {"en": "Sales", "fr": "Vente"}, like="user")
        assert roles.compare(ctx, "user", "sales") == []
        roles.grant(ctx, "sales", "zoo.animal", "export", "own")
        roles.grant(ctx, "sales", "zoo.animal", "delete", forbid=True)
        return roles.compare(ctx, "user", "sales")

    found = {line.permission.key: (line.left, line.right) for line in done(world, admin, change)}
    assert found == {"zoo.animal.export": ("", "own"), "zoo.animal.delete": ("own", "forbidden")}
    user = world.user("sales")
    attempt(world, admin, lambda ctx: roles.remove(ctx, "sales"), Conflict)
    done(world, admin, lambda ctx: users.set_roles(ctx, user, ["user"]))
    done(world, admin, lambda ctx: roles.remove(ctx, "sales"))


def test_a_withdrawn_grant_is_gone_at_once(world: World) -> None:
    role, top = world.role(), world.person("super_admin")
    actor, key = world.user(role), world.animal()
    grant = done(world, top, lambda ctx: roles.grant(ctx, role, "zoo.animal", "view"))
    assert world.seen(world.actor(actor)) == {key}
    done(world, top, lambda ctx: roles.withdraw(ctx, role, grant))
    assert world.seen(world.actor(actor)) == set()
    attempt(world, top, lambda ctx: roles.withdraw(ctx, role, grant), NotFound)


def test_the_catalogue_holds_each_entity_with_each_verb_and_the_tools() -> None:
    keys = {line.key for line in roles.permissions(REGISTRY)}
    assert {"zoo.animal.view", "zoo.animal.share", "zoo.keeper.edit", "core.setting.edit", "core.plugin.edit"} <= keys
    assert "zoo.keeper.share" not in keys
    assert not [key for key in keys if key.startswith("zoo.meal")]


# Field rules ----------------------------------------------------------------------------------------------------------


def rule(world: World, role: str, field: str, *, read: bool, write: bool = False) -> None:
    with world.database.system("test") as ctx:
        roles.set_field_rule(ctx, role, "zoo.animal", field, read=read, write=write)


def readable(world: World, actor: Actor, field: str) -> bool:
    with world.database.read(actor) as ctx:
        return access.may_read(ctx, ANIMAL, field)


def writable(world: World, actor: Actor, field: str) -> bool:
    with world.database.read(actor) as ctx:
        return access.may_write(ctx, ANIMAL, field)


def test_a_field_rule_closes_a_field_for_its_role(world: World) -> None:
    role = world.role(("zoo.animal", "*", "all"))
    rule(world, role, "size", read=False)
    actor = world.person(role)
    assert [readable(world, actor, name) for name in ("size", "name", "nope")] == [False, True, False]
    assert [writable(world, actor, name) for name in ("size", "name", "nope")] == [False, True, False]


def test_another_role_that_grants_on_the_entity_opens_the_field_again(world: World) -> None:
    closed, wide = world.role(("zoo.animal", "*", "all")), world.role(("zoo.animal", "view", "own"))
    unrelated = world.role(("zoo.keeper", "*", "all"))
    rule(world, closed, "size", read=False)
    assert readable(world, world.person(closed, wide), "size")
    assert not readable(world, world.person(closed, unrelated), "size")
    assert not writable(world, world.person(closed, wide), "size")


def test_a_rule_on_one_field_stands_before_a_rule_on_all(world: World) -> None:
    role = world.role(("zoo.animal", "*", "all"))
    rule(world, role, "*", read=True)
    rule(world, role, "size", read=True, write=True)
    actor = world.person(role)
    assert [writable(world, actor, name) for name in ("name", "size")] == [False, True]


def test_an_action_sets_what_the_role_may_not_write_by_hand(world: World) -> None:
    role = world.role(("zoo.animal", "*", "all"))
    rule(world, role, "size", read=True)
    actor, key = world.person(role), world.animal(size=1)

    def feed(ctx: Context) -> None:
        record = ctx.session.get(Animal, key)
        with access.acting(ctx, record, "feed"):
            record.size = 2

    done(world, actor, feed)
    attempt(world, actor, lambda ctx: setattr(ctx.session.get(Animal, key), "size", 3), Forbidden)


def test_secrets_are_read_by_nobody_and_the_servers_fields_written_by_nobody(world: World) -> None:
    top = world.person("super_admin")
    assert not readable(world, top, "secret")
    assert [writable(world, top, name) for name in ("id", "uid", "version", "created_by", "org_id")] == [False] * 5


# Explanations ---------------------------------------------------------------------------------------------------------


def why(world: World, actor: Actor, verb: str, key: int) -> access.Explanation:
    with world.database.system("test") as ctx:
        return access.explain(ctx, actor, verb, ctx.session.get(Animal, key))


def test_the_explanation_names_role_and_grant(world: World) -> None:
    role = world.role(("zoo.animal", "view", "own"), ("zoo.animal", "edit", "none"), key="trainee")
    actor = world.person(role)
    mine, other = world.animal(actor.user_id), world.animal()
    found = why(world, actor, "view", mine)
    assert (found.allowed, found.decided_by.role) == (True, "trainee")
    assert "trainee grants “View” on zoo.animal: own records" in str(found.decided_by.text)
    assert why(world, actor, "view", other).decided_by.kind == "out_of_reach"
    assert why(world, actor, "edit", mine).decided_by.kind == "no_grant"


def test_the_explanation_names_the_forbid_the_share_the_visibility(world: World) -> None:
    forbid = {"entity": "zoo.animal", "verb": "delete", "level": "own", "forbid": True}
    actor = world.person(world.role(("zoo.animal", "*", "own"), forbid))
    mine = world.animal(actor.user_id)
    assert why(world, actor, "delete", mine).decided_by.kind == "forbid"
    public = world.animal(visibility="read")
    assert why(world, actor, "view", public).decided_by.kind == "visibility"
    shared = world.animal()
    team = world.team(actor.user_id or 0)
    world.share(shared, "edit", team=team)
    found = why(world, world.actor(actor.user_id or 0), "edit", shared)
    assert found.decided_by.kind == "share"
    assert "Team" in str(found.decided_by.text)


def test_the_explanation_says_what_a_token_or_a_plugin_leaves_out(world: World) -> None:
    actor, key = world.person("admin"), world.animal(size=9)
    assert why(world, replace(actor, kind="token", scopes=("zoo.keeper.view",)), "view", key).decided_by.kind == "scope"
    world.guard.narrow = lambda actor, entity, verb: [{"field": "size", "op": "lt", "value": 5}]
    found = why(world, actor, "view", key)
    assert (found.allowed, found.decided_by.kind) == (False, "narrowing")
    assert why(world, world.person("super_admin"), "view", key).decided_by.kind == "narrowing"


def test_only_whoever_may_look_at_roles_asks_about_somebody_else(world: World) -> None:
    me, other = world.person("user"), world.person("user")
    key = world.animal(me.user_id)
    with world.database.read(me) as ctx:
        record = ctx.session.get(Animal, key)
        assert access.explain(ctx, me, "view", record).allowed
    with pytest.raises(Forbidden), world.database.read(me) as ctx:
        access.explain(ctx, other, "view", ctx.session.get(Animal, key))
