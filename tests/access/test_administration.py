"""Administering people and rights: one-time links, levels of a role, closed modules, what a hidden source hides."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from gigacore import Crm, access, records
from gigacore.access import Caller, invitations, modules, roles, teams, users
from gigacore.context import Actor
from gigacore.data.tables import core_audit
from gigacore.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from gigacore.records import ListRequest

People = Callable[..., Actor]
PASSWORD = "Correct-horse-battery-1"


def test_a_link_sets_a_password_once_and_ends_sessions(crm: Crm, make_user: People) -> None:
    root = make_user("super_admin")
    with crm.unit_of_work(root) as ctx:
        number = users.create(ctx, "new@example.test", "Néo", None, "user")
        spent, raw = invitations.issue(ctx, number), invitations.issue(ctx, number)
    with crm.database.connect() as connection, pytest.raises(NotFound):
        invitations.invited(connection, spent, crm.clock.now())
    with crm.database.connect() as connection:
        actor, email = invitations.invited(connection, raw, crm.clock.now())
    assert email == "new@example.test"
    with pytest.raises(Invalid), crm.unit_of_work(actor) as ctx:
        invitations.redeem(ctx, raw, "short")
    with crm.unit_of_work(actor) as ctx:
        invitations.redeem(ctx, raw, "Another-good-one-7")
    assert access.sign_in(crm.engine, crm.clock, email, "Another-good-one-7", Caller())
    with pytest.raises(NotFound), crm.unit_of_work(actor) as ctx:
        invitations.redeem(ctx, raw, "Another-good-one-8")
    with pytest.raises(Unauthenticated):
        access.sign_in(crm.engine, crm.clock, email, "Another-good-one-8", Caller())


def test_who_may_invite_and_sign_others_out(crm: Crm, make_user: People) -> None:
    root, admin = make_user("super_admin"), make_user("admin")
    user = make_user("user", password=PASSWORD)
    access.sign_in(crm.engine, crm.clock, _email(crm, user), PASSWORD, Caller("10.0.0.1", "Firefox"))
    for actor, other in ((user, admin.user_id), (admin, root.user_id)):
        with pytest.raises(Forbidden), crm.unit_of_work(actor) as ctx:
            invitations.issue(ctx, other or 0)
        with pytest.raises(Forbidden), crm.unit_of_work(actor) as ctx:
            users.sign_out(ctx, other or 0)
    with crm.unit_of_work(admin) as ctx:
        assert [one.ip for one in users.devices(ctx, user.user_id or 0)] == ["10.0.0.1"]
        users.sign_out(ctx, user.user_id or 0)
        assert users.devices(ctx, user.user_id or 0) == []


def _email(crm: Crm, actor: Actor) -> str:
    with crm.read(actor) as ctx:
        return users.get(ctx, actor.user_id or 0).email


def test_levels_of_a_role_count_at_once_and_never_exceed_ones_own(crm: Crm, make_user: People) -> None:
    root = make_user("super_admin")
    with crm.unit_of_work(root) as ctx:
        roles.create(ctx, "closer", {"en": "Closer"}, like="user")
        pairs = {("crm.lead", "delete"): "none", ("crm.lead", "view"): "all", ("crm.task", "view"): None}
        assert roles.set_levels(ctx, "closer", pairs) == 2
        roles.create(ctx, "clerk", {"en": "Clerk"}, like="user")
        roles.grant(ctx, "clerk", "core.role", "edit")
        roles.grant(ctx, "clerk", "core.role", "view")
    with crm.read(make_user("closer")) as ctx:
        assert access.may(ctx, "view", "crm.lead")
        assert not access.may(ctx, "delete", "crm.lead")
    clerk = make_user("clerk")
    for wider in ({("crm.lead", "delete"): None, ("crm.lead", "export"): "all"}, {("*", "*"): "all"}):
        with pytest.raises(Forbidden), crm.unit_of_work(clerk) as ctx:
            roles.set_levels(ctx, "closer", wider)  # type: ignore[arg-type]
    with pytest.raises(Forbidden), crm.unit_of_work(clerk) as ctx:
        roles.set_levels(ctx, "clerk", {("crm.lead", "delete"): "none"})
    with crm.unit_of_work(clerk) as ctx:
        assert roles.set_levels(ctx, "closer", {("crm.task", "delete"): "none"}) == 1


def test_taking_a_limit_away_is_handing_on_rights(crm: Crm, make_user: People) -> None:
    with crm.system("test") as ctx:
        roles.create(ctx, "boss", {"en": "Boss"}, like="admin")
        limit = roles.grant(ctx, "boss", "crm.lead", "delete", "all", forbid=True)
        roles.create(ctx, "clerk", {"en": "Clerk"}, like="user")
        roles.grant(ctx, "clerk", "core.role", "edit")
    with pytest.raises(Forbidden), crm.unit_of_work(make_user("clerk")) as ctx:
        roles.withdraw(ctx, "boss", limit)
    with crm.unit_of_work(make_user("super_admin")) as ctx:
        roles.withdraw(ctx, "boss", limit)


def test_a_computed_field_is_as_closed_as_its_sources(crm: Crm, make_user: People) -> None:
    with crm.system("test") as ctx:
        roles.create(ctx, "blind", {"en": "Blind"}, like="admin")
        roles.set_field_rule(ctx, "blind", "crm.contact", "first_name", read=False, write=False)
        roles.set_field_rule(ctx, "blind", "crm.opportunity", "probability", read=False, write=False)
        contact = records.create(ctx, "crm.contact", {"first_name": "Zoé", "last_name": "Martin"})
        ctx.session.flush()
        records.create(ctx, "crm.opportunity", {"title": "Deal", "contact_id": contact.id})
    for actor, sees in ((make_user("blind"), False), (make_user("admin"), True)):
        with crm.read(actor) as ctx:
            contact_seen = records.page(ctx, "crm.contact", ListRequest()).items[0]
            deal = records.page(ctx, "crm.opportunity", ListRequest()).items[0]
        assert ("name" in contact_seen, "weighted" in deal) == (sees, sees)
        assert ("Zoé" in str(contact_seen) + str(deal)) == sees
        assert "total" in deal


def test_asking_for_a_hidden_record_is_recorded_and_for_an_unknown_one_not(crm: Crm, make_user: People) -> None:
    ann, ben = make_user("user"), make_user("user")
    with crm.unit_of_work(ann) as ctx:
        hidden = records.create(ctx, "crm.lead", {"last_name": "A", "visibility": "private"}).id
    answers = []
    for number in (hidden, 999):
        with pytest.raises(NotFound) as caught, crm.read(ben) as ctx:
            records.get(ctx, "crm.lead", number)
        answers.append(str(caught.value))
    with pytest.raises(NotFound), crm.unit_of_work(ben) as ctx:
        records.update(ctx, "crm.lead", hidden, {"last_name": "B"})
    assert answers[0] == answers[1]
    assert _denied(crm) == 2
    for _ in range(110):
        with pytest.raises(NotFound), crm.read(ben) as ctx:
            records.get(ctx, "crm.lead", hidden)
    assert _denied(crm) == 100


def _denied(crm: Crm) -> int:
    with crm.database.connect() as connection:
        counted = sa.select(sa.func.count()).select_from(core_audit).where(core_audit.c.entity == "core.denied")
        return int(connection.scalar(counted) or 0)


def test_a_module_is_open_to_whom_it_was_opened(crm: Crm, make_user: People) -> None:
    root, admin, ann, ben = make_user("super_admin"), make_user("admin"), make_user("user"), make_user("user")
    with pytest.raises(Forbidden), crm.unit_of_work(admin) as ctx:
        roles.limit_module(ctx, "lead_scoring", None)
    with crm.unit_of_work(root) as ctx:
        with pytest.raises(Conflict):
            roles.limit_module(ctx, "crm", modules.Admitted())
        role_id = roles.get(ctx, "admin").id
        roles.limit_module(ctx, "zoo", modules.Admitted((role_id,), (ann.user_id or 0,)))
    closed = {}
    for name, actor in (("root", root), ("admin", admin), ("ann", ann), ("ben", ben)):
        with crm.read(access_again(crm, actor)) as ctx:
            closed[name] = bool(crm.guard.rights(ctx.session).closed_modules)
    assert closed == {"root": False, "admin": False, "ann": False, "ben": True}


def access_again(crm: Crm, actor: Actor) -> Actor:
    with crm.database.connect() as connection:
        return access.load_actor(connection, actor.user_id or 0)


def test_teams_of_a_person_are_set_at_once(crm: Crm, make_user: People) -> None:
    person = make_user("user").user_id or 0
    with crm.unit_of_work(make_user("admin")) as ctx:
        north, south = teams.create(ctx, "North"), teams.create(ctx, "South", members=[person])
        teams.set_teams_of(ctx, person, [south, north], main=north)
        assert [team.name for team in teams.all_teams(ctx) if person in team.member_ids] == ["North", "South"]
        with pytest.raises(Invalid):
            teams.set_teams_of(ctx, person, [999])
