"""Pages show countries and languages by name, in the reader's language, and offer them as choices."""

from __future__ import annotations

import re
from typing import Any

from gigacore import Crm, records


def test_a_country_is_chosen_shown_and_filtered_by_its_name(crm: Crm, visit: Any) -> None:
    reader = visit("super_admin", "fr")
    reader.get("/crm/companies/new")
    assert reader.post("/crm/companies/new", {"name": "Ada", "country": "DE", "language": "fr"}).status_code == 303
    page = reader.get("/crm/companies/1").get_data(as_text=True)
    assert "Allemagne" in page
    assert "Français" in page
    form = reader.get("/crm/companies/1/edit").get_data(as_text=True)
    assert re.search('name="country"[^>]* value="Allemagne"[^>]* list="names-countries"', form)
    assert "Espagne" in reader.get("/names/countries").json["items"]
    sent = {"name": "Ada", "country": "Espagne", "language": "Néerlandais", "_version": "1"}
    assert reader.post("/crm/companies/1/edit", sent).status_code == 303
    with crm.system("look") as ctx:
        found = records.get(ctx, "crm.company", 1)
    assert (found["country"], found["language"]) == ("ES", "nl")
    tree = '{"field":"country","op":"eq","value":"ES"}'
    listed = reader.get(f"/crm/companies?filter={tree}&fields=name,country").get_data(as_text=True)
    assert "Espagne</b>" in listed
    box = reader.get("/crm/companies/filter?field=country").get_data(as_text=True)
    assert '<option value="ES">Espagne</option>' in box


def test_a_text_that_is_no_country_stays_in_the_form(crm: Crm, root: Any) -> None:
    with crm.system("old") as ctx:
        number = records.create(ctx, "crm.company", {"name": "Old", "country": "Ruritania"}).id
    form = root.get(f"/crm/companies/{number}/edit").get_data(as_text=True)
    assert re.search('name="country"[^>]* value="Ruritania"', form)
    assert "Ruritania" in root.get(f"/crm/companies/{number}").get_data(as_text=True)
