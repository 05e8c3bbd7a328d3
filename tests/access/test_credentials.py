"""Signing in, sessions, tokens, links and limits: what is stored, what ends when, what a guesser learns."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import access
from gigacore.access import Caller, limits, links, passwords, sessions, sign_in, tables, tokens, users
from gigacore.access.limits import Limit
from gigacore.access.sign_in import BY_ACCOUNT, BY_ADDRESS, history
from gigacore.context import Actor
from gigacore.errors import Forbidden, Invalid, NotFound, RateLimited, Unauthenticated
from tests.access.world import PASSWORD, World

HERE = Caller("203.0.113.7", "Firefox")


@pytest.fixture
def user(world: World) -> int:
    return world.user("user", password=PASSWORD)


def email_of(world: World, user_id: int) -> str:
    with world.database.system("test") as ctx:
        return users.get(ctx, user_id).email


def enter(world: World, user_id: int, password: str = PASSWORD, **more: Any) -> str:
    return sign_in(world.engine, world.clock, email_of(world, user_id), password, HERE, **more)


def look(world: World, raw: str) -> sessions.WebSession | None:
    with world.database.connect() as connection:
        return sessions.lookup(connection, raw, world.clock.now(), world.guard.cache)


def counted(world: World, raw: str) -> int:
    """How many statements a look-up takes."""
    count = 0

    def note(*args: Any) -> None:
        nonlocal count
        count += 1

    with world.database.connect() as connection:
        sa.event.listen(connection, "before_cursor_execute", note)
        sessions.lookup(connection, raw, world.clock.now(), world.guard.cache)
    return count


# Passwords and signing in ---------------------------------------------------------------------------------------------


def test_the_right_password_opens_a_session_of_that_user(world: World, user: int) -> None:
    found = look(world, enter(world, user))
    assert found is not None
    assert (found.actor.user_id, found.actor.kind, found.half) == (user, "user", False)


def test_the_address_is_found_without_regard_to_case_and_spaces(world: World, user: int) -> None:
    text = f"  {email_of(world, user).upper()} "
    assert look(world, sign_in(world.engine, world.clock, text, PASSWORD, HERE)) is not None


@pytest.mark.parametrize("case", ["wrong", "unknown", "inactive", "no_password"])
def test_every_failure_reads_the_same_and_hashes_once(
    world: World, user: int, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, password = email_of(world, user), PASSWORD
    if case == "wrong":
        password = "not it at all"
    elif case == "unknown":
        email = "nobody@example.test"
    elif case == "inactive":
        with world.database.system("test") as ctx:
            users.set_active(ctx, user, False)
    else:
        email = email_of(world, world.user("user"))
    hashed = []
    monkeypatch.setattr(passwords, "verify", lambda *a, real=passwords.verify: hashed.append(1) or real(*a))
    with pytest.raises(Unauthenticated) as caught:
        sign_in(world.engine, world.clock, email, password, HERE)
    assert str(caught.value) == "E-mail or password is not right."
    assert hashed == [1]


def test_the_history_keeps_each_attempt(world: World, user: int) -> None:
    enter(world, user)
    with pytest.raises(Unauthenticated):
        enter(world, user, "not it at all")
    with world.database.connect() as connection:
        assert [attempt.outcome for attempt in history(connection, user_id=user)] == ["wrong", "ok"]


def test_after_ten_tries_on_an_account_even_the_right_password_waits(world: World, user: int) -> None:
    for _ in range(BY_ACCOUNT.count):
        with pytest.raises(Unauthenticated):
            enter(world, user, "not it at all")
    with pytest.raises(RateLimited) as caught:
        enter(world, user)
    assert 0 < caught.value.retry_after <= BY_ACCOUNT.seconds
    world.advance(timedelta(seconds=BY_ACCOUNT.seconds))
    assert look(world, enter(world, user)) is not None


def test_strangers_who_try_passwords_do_not_keep_the_owner_out(world: World, user: int) -> None:
    enter(world, user)
    email, stranger = email_of(world, user), Caller("203.0.113.9", "bot")
    for _ in range(BY_ACCOUNT.count):
        with pytest.raises(Unauthenticated):
            sign_in(world.engine, world.clock, email, "not it at all", stranger)
    for elsewhere in (stranger, Caller("198.51.100.7")):
        with pytest.raises(RateLimited):
            sign_in(world.engine, world.clock, email, PASSWORD, elsewhere)
    assert look(world, enter(world, user)) is not None
    with pytest.raises(RateLimited):
        sign_in(world.engine, world.clock, email, PASSWORD, stranger)


def test_tries_from_where_the_account_is_used_are_limited_too(world: World, user: int) -> None:
    enter(world, user)
    for _ in range(BY_ACCOUNT.count):
        with pytest.raises(Unauthenticated):
            enter(world, user, "not it at all")
    with pytest.raises(RateLimited):
        enter(world, user)


def test_a_slow_spray_over_many_accounts_is_stopped_by_its_address(world: World, user: int) -> None:
    sprayer = Caller("203.0.113.9")
    for number in range(BY_ADDRESS.count):
        with pytest.raises(Unauthenticated):
            sign_in(world.engine, world.clock, f"person{number}@example.test", "Summer-2026", sprayer)
    with pytest.raises(RateLimited):
        sign_in(world.engine, world.clock, email_of(world, user), PASSWORD, sprayer)
    assert look(world, enter(world, user)) is not None, "the control: others sign in meanwhile"


def test_the_right_password_starts_the_count_anew(world: World, user: int) -> None:
    for _ in range(BY_ACCOUNT.count - 1):
        with pytest.raises(Unauthenticated):
            enter(world, user, "not it at all")
    enter(world, user)
    with pytest.raises(Unauthenticated):
        enter(world, user, "not it at all")


def test_limits_count_by_subject_and_window(world: World) -> None:
    limit = Limit("test", 2, 60)
    with world.engine.begin() as connection:
        for expected in (1, 2, 3):
            assert limits.count(connection, limit, "a", world.clock.now()) == expected
        assert limits.count(connection, limit, "b", world.clock.now()) == 1
        with pytest.raises(RateLimited):
            limits.check(connection, limit, "a", world.clock.now())
        limits.check(connection, limit, "a", world.clock.now() + timedelta(seconds=60))
        assert limits.sweep(connection, world.clock.now() + timedelta(days=2)) == 3


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "x" * 201, "nul\x00bytes are out"])
def test_poor_passwords_are_refused(password: str) -> None:
    with pytest.raises(Invalid):
        passwords.check_new(password)


def test_only_a_digest_of_the_password_is_stored(world: World, user: int) -> None:
    with world.database.connect() as connection:
        stored = connection.scalar(sa.select(tables.core_user.c.password_hash).where(tables.core_user.c.id == user))
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


# Sessions -------------------------------------------------------------------------------------------------------------


def test_a_session_is_looked_up_in_one_statement_once_its_user_is_known(world: World, user: int) -> None:
    raw = enter(world, user)
    look(world, raw)
    assert counted(world, raw) == 1


def test_a_change_of_rights_holds_for_the_next_look_up(world: World, user: int) -> None:
    raw = enter(world, user)
    before = look(world, raw)
    with world.database.system("test") as ctx:
        users.set_roles(ctx, user, ["admin"])
    after = look(world, raw)
    assert before is not None
    assert after is not None
    assert before.actor.role_ids != after.actor.role_ids


def test_a_rolled_back_change_of_rights_leaves_no_trace_in_the_cache(world: World, user: int) -> None:
    raw = enter(world, user)
    before = look(world, raw)
    with pytest.raises(RuntimeError):
        promote_and_fail(world, raw, user)
    with world.database.system("test") as ctx:
        users.change(ctx, user, {"name": "New"})
    after = look(world, raw)
    assert before is not None
    assert after is not None
    assert (after.actor.super_admin, after.actor.role_ids) == (False, before.actor.role_ids)


def promote_and_fail(world: World, raw: str, user: int) -> None:
    with world.database.system("test") as ctx:
        users.set_roles(ctx, user, ["super_admin"])
        found = sessions.lookup(ctx.session.connection(), raw, world.clock.now(), world.guard.cache)
        assert found is not None
        assert found.actor.super_admin
        raise RuntimeError


@pytest.mark.parametrize(
    "end",
    [
        lambda world, raw, user: world.advance(sessions.LIFETIME),
        lambda world, raw, user: world.advance(sessions.IDLE),
        lambda world, raw, user: revoke(world, raw),
        lambda world, raw, user: deactivate(world, user),
        lambda world, raw, user: new_password(world, user),
        lambda world, raw, user: enter(world, user, old=raw),
    ],
    ids=["expired", "idle", "revoked", "deactivated", "password_changed", "signed_in_again"],
)
def test_a_session_ends(world: World, user: int, end: Any) -> None:
    raw = enter(world, user)
    assert look(world, raw) is not None
    end(world, raw, user)
    assert look(world, raw) is None


def revoke(world: World, raw: str) -> None:
    found = look(world, raw)
    assert found is not None
    with world.engine.begin() as connection:
        sessions.revoke(connection, found.session_id, world.clock.now())


def deactivate(world: World, user: int) -> None:
    with world.database.system("test") as ctx:
        users.set_active(ctx, user, False)


def new_password(world: World, user: int) -> None:
    with world.database.system("test") as ctx:
        users.set_password(ctx, user, "another good one")


def test_a_rotated_session_has_a_new_value_only(world: World, user: int) -> None:
    raw = enter(world, user)
    found = look(world, raw)
    assert found is not None
    with world.engine.begin() as connection:
        fresh = sessions.rotate(connection, found.session_id, world.clock.now())
    assert fresh is not None
    assert look(world, raw) is None
    again = look(world, fresh)
    assert again is not None
    assert again.csrf_secret != found.csrf_secret


def test_a_person_sees_and_ends_its_own_devices(world: World, user: int) -> None:
    raw, other = enter(world, user), enter(world, user)
    found = look(world, raw)
    assert found is not None
    with world.engine.begin() as connection:
        listed = sessions.devices(connection, user, world.clock.now(), current=found.session_id)
        assert [device.current for device in listed].count(True) == 1
        away = next(device.uid for device in listed if not device.current)
        assert not sessions.revoke_device(connection, user + 1, away, world.clock.now())
        assert sessions.revoke_device(connection, user, away, world.clock.now())
    assert look(world, other) is None
    assert look(world, raw) is not None


def test_no_secret_is_stored_as_it_is(world: World, user: int) -> None:
    raw = enter(world, user)
    with world.database.unit_of_work(world.actor(user)) as ctx:
        token = tokens.create(ctx, user, "t")
        link = links.create(ctx, "visit", "zoo.animal", 1)
    with world.database.connect() as connection:
        for table in tables.core_user.metadata.sorted_tables:
            if table.name.startswith("core_"):
                text = repr(connection.execute(sa.select(table)).all())
                assert not [secret for secret in (raw, token, link, PASSWORD) if secret in text], table.name


# Tokens and links -----------------------------------------------------------------------------------------------------


def token_actor(world: World, raw: str) -> Actor | None:
    with world.database.connect() as connection:
        found = tokens.authenticate(connection, raw, world.clock.now(), world.guard.cache)
    return found[0] if found else None


def test_a_token_acts_for_its_user_until_it_expires_or_is_revoked(world: World, user: int) -> None:
    soon = world.clock.now() + timedelta(days=1)
    with world.database.unit_of_work(world.actor(user)) as ctx:
        short = tokens.create(ctx, user, "short", expires_at=soon)
        long = tokens.create(ctx, user, "long")
        [kept, _] = tokens.tokens_of(ctx, user)
        assert kept.prefix == long[:12]
    assert [a and (a.kind, a.user_id) for a in (token_actor(world, r) for r in (short, long, "x"))] == [
        ("token", user), ("token", user), None,
    ]  # fmt: skip
    world.advance(timedelta(days=1))
    assert token_actor(world, short) is None
    with world.database.unit_of_work(world.actor(user)) as ctx:
        tokens.revoke(ctx, kept.id)
    assert token_actor(world, long) is None


def test_a_token_of_a_deactivated_user_is_dead(world: World, user: int) -> None:
    with world.database.unit_of_work(world.actor(user)) as ctx:
        raw = tokens.create(ctx, user, "t")
    deactivate(world, user)
    assert token_actor(world, raw) is None


def test_nobody_makes_or_revokes_tokens_of_others_without_the_right(world: World, user: int) -> None:
    other = world.person("user")
    with world.database.unit_of_work(world.actor(user)) as ctx:
        raw = tokens.create(ctx, user, "t")
        [token] = tokens.tokens_of(ctx, user)
    with pytest.raises(Forbidden), world.database.unit_of_work(other) as ctx:
        tokens.create(ctx, user, "theirs")
    with pytest.raises(NotFound), world.database.unit_of_work(other) as ctx:
        tokens.revoke(ctx, token.id)
    by_token = token_actor(world, raw)
    assert by_token is not None
    with pytest.raises(Forbidden), world.database.unit_of_work(by_token) as ctx:
        tokens.create(ctx, user, "breeds")
    with world.database.unit_of_work(world.person("admin")) as ctx:
        tokens.revoke(ctx, token.id)
    assert token_actor(world, raw) is None


def test_an_admin_makes_no_token_of_a_super_admin(world: World) -> None:
    top = world.user("super_admin")
    with pytest.raises(Forbidden), world.database.unit_of_work(world.person("admin")) as ctx:
        tokens.create(ctx, top, "t")


@pytest.mark.parametrize(
    "scope", ["", "*", "zoo", "zoo.animal", "zoo.animal.view; drop", "zoo.animal.", "ZOO.animal.view"]
)
def test_malformed_scopes_are_refused(scope: str) -> None:
    with pytest.raises(Invalid):
        tokens.check_scopes([scope])


def test_well_formed_scopes_are_kept_sorted_and_once() -> None:
    wanted = ["zoo.*.view", "*.view", "zoo.animal.*", "@owned.edit", "zoo.animal.@action", "*.view"]
    assert tokens.check_scopes(wanted) == sorted(set(wanted))


def test_a_scope_holds_for_tools_too(world: World) -> None:
    admin = world.user("admin")
    with world.database.unit_of_work(world.actor(admin)) as ctx:
        raw = tokens.create(ctx, admin, "t", scopes=["zoo.*.*"])
    actor = token_actor(world, raw)
    assert actor is not None
    with world.database.read(actor) as ctx:
        assert access.may(ctx, "edit", "zoo.animal")
        assert not access.may(ctx, "edit", "core.setting")
        assert not access.permits(ctx, "super_admin")


def test_a_link_ends_by_uses_time_and_revocation(world: World) -> None:
    now = world.clock.now()
    with world.database.system("test") as ctx:
        once = links.create(ctx, "pay", "zoo.animal", 1, max_uses=1)
        brief = links.create(ctx, "pay", "zoo.animal", 1, expires_at=now + timedelta(hours=1))
        plain = links.create(ctx, "pay", "zoo.animal", 2)
    with world.engine.begin() as connection:
        assert links.follow(connection, once, "pay", now, use=True).record_id == 1
        for raw, purpose, at in ((once, "pay", now), (brief, "pay", now + timedelta(hours=1)), (brief, "sign", now)):
            with pytest.raises(NotFound):
                links.follow(connection, raw, purpose, at, use=True)
    with world.database.system("test") as ctx:
        assert links.revoke(ctx, "pay", "zoo.animal", 2) == 1
    with world.database.connect() as connection, pytest.raises(NotFound):
        links.follow(connection, plain, "pay", now)


def test_no_secret_reaches_the_log(world: World, user: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        raw = enter(world, user)
    assert raw not in caplog.text
    assert PASSWORD not in caplog.text
