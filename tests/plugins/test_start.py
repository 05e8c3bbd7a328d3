"""An installation starts, and says what stands in its way when it cannot."""

from gigacore import Crm


def test_an_installation_knows_the_built_in_entities(crm: Crm) -> None:
    assert "crm.lead" in crm.registry.entities
    assert crm.registry.choice_lists["crm.lead_status"].kind_of("won") == "won"
