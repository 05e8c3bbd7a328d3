"""The French interface speaks the product's own words, and every text of the CRM is translated."""

import pytest

from gigacore import Crm
from gigacore.crm import lists, plugin
from gigacore.text.catalogue import Catalogue, Translator, read_package
from gigacore.text.extract import labels, package_texts, placeholders, typography


@pytest.fixture(scope="module")
def french() -> Translator:
    return Catalogue.load(["gigacore", "gigacore.crm"]).translator("fr")


def texts() -> set[str]:
    specs = [entity.__giga__ for entity in plugin.entities]
    return {*labels(plugin), *labels(specs), *package_texts("gigacore.crm")}


def test_every_text_is_translated(french: Translator) -> None:
    assert sorted(text for text in texts() if text not in french.texts) == []


def test_no_translation_is_left_over_and_all_are_well_formed() -> None:
    file = dict(read_package("gigacore.crm"))["fr"]
    own = {text: "\n".join(forms) for text, forms in file.texts.items()}
    assert sorted(set(own) - texts()) == []
    assert [text for text, said in own.items() if placeholders(text) != placeholders(said) or typography(said)] == []


def test_the_words_of_the_product(french: Translator) -> None:
    words = {
        "Lead": "Piste", "Prospect": "Prospect", "Opportunity": "Opportunité", "Stage": "Étape",
        "Next action": "Prochaine action", "Priority": "Priorité",
    }  # fmt: skip
    assert {text: french(text) for text in words} == words


def test_the_statuses_of_leads(french: Translator) -> None:
    said = [french(choice.label) for choice in lists.LEAD_STATUS.choices]
    wanted = "Nouveau, À contacter, Contacté, En suivi, Qualifié, Clos, Perdu, À corriger"
    assert ", ".join(said) == wanted


def test_words_that_menus_use_otherwise_keep_their_own_translation(crm: Crm) -> None:
    home = crm.registry.choice_lists["crm.phone_kind"].get("home")
    assert home is not None
    assert home.labels["fr"] == "Domicile"
