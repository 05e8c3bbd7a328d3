"""An installation starts, and says what stands in its way when it cannot."""

from collections.abc import Callable

from gigacore import Actor, Crm


def test_an_installation_knows_the_built_in_entities(crm: Crm) -> None:
    assert "crm.lead" in crm.registry.entities
    assert crm.registry.choice_lists["crm.lead_status"].kind_of("won") == "won"


def test_people_of_a_test_have_their_role_and_team(crm: Crm, admin: Actor, make_user: Callable[..., Actor]) -> None:
    ann, bob = make_user(team="North"), make_user("manager", team="North")
    assert admin.super_admin
    assert not ann.super_admin
    assert ann.team_id == bob.team_id
