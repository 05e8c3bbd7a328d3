"""Stages and pipelines are called by the reader's words and painted in their own colour, wherever they stand."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from gigacore import Crm, records
from gigacore.records import ListRequest
from host_app.pages.colours import pill_class
from tests.pages.conftest import Visitor

PATH = "/crm/opportunities"
PURPLE, GREEN = pill_class("purple"), pill_class("green")


def sale(crm: Crm, stage: str) -> int:
    """An opportunity in that stage; gives the number of the stage."""
    with crm.system("sale") as ctx:
        firm = records.create(ctx, "crm.company", {"name": "Acme"}).id
        tree = {"field": "name", "op": "eq", "value": stage}
        number: int = records.page(ctx, "crm.stage", ListRequest(tree)).items[0]["id"]
        money = {"amount": "10", "currency": "EUR"}
        records.create(
            ctx, "crm.opportunity", {"title": "Sale", "company_id": firm, "stage_id": number, "amount": money}
        )
    return number


def test_every_page_and_the_api_say_the_stage_in_french(crm: Crm, visit: Any) -> None:
    stage = sale(crm, "Negotiation")
    reader = visit("super_admin", "fr")
    pill = f'<span class="pill {PURPLE}">Négociation</span>'
    for page in (PATH, f"{PATH}/board", f"{PATH}/1", f"{PATH}?as=status"):
        assert pill in reader.get(page).get_data(as_text=True), page
    assert ">Négociation</a>" in reader.get("/home/crm.pipeline").get_data(as_text=True)
    chip = json.dumps({"field": "stage_id", "op": "in", "value": [stage]})
    assert "Négociation</b>" in reader.get(f"{PATH}?filter={chip}").get_data(as_text=True)
    found = reader.get("/crm/stages/options?q=négo").json
    assert [(one["id"], one["label"]) for one in found["items"]] == [(stage, "Négociation")]
    rows = csv.DictReader(io.StringIO(reader.get(f"{PATH}/export").data.decode("utf-8-sig")), delimiter=";")
    assert next(rows)["Étape"] == "Négociation"
    told = reader.client.get(f"/api/v1{PATH}/1").json
    assert told["stage_id"] == {"id": stage, "label": "Négociation", "colour": "purple"}
    assert reader.client.get(f"/api/v1/crm/stages/{stage}").json["label"] == "Négociation"
    assert "Negotiation" in visit("super_admin").get(PATH).get_data(as_text=True)


def test_names_are_edited_with_their_translation_and_moves_are_told_in_it(crm: Crm, root: Visitor, visit: Any) -> None:
    stage = sale(crm, "Won")
    first = sale(crm, "Prospect")
    root.get("/settings/pipelines")
    changed = {"do": "save", "id": str(stage), "name": "Signed", "french": "Signé", "kind": "won", "colour": ""}
    assert root.post("/settings/pipelines/1", changed).status_code == 303
    root.post("/settings/pipelines", {"do": "rename", "id": "1", "name": "Direct", "french": "Vente directe"})
    with crm.system("move") as ctx:
        records.update(ctx, "crm.opportunity", 2, {"stage_id": stage})
    french = visit("super_admin", "fr")
    told = re.sub(r"<[^>]+>|\s+", " ", french.get(f"{PATH}/2").get_data(as_text=True))
    assert re.search("Étape ?: +Prospect +→ +Signé", told)
    assert f'<span class="pill {GREEN}">Signé</span>' in french.get("/settings/pipelines").get_data(as_text=True)
    assert "Vente directe" in french.get(f"{PATH}/1").get_data(as_text=True)
    wrong = root.client.patch(
        f"/api/v1/crm/stages/{first}", json={"labels": {"fr": 7}}, headers={"If-Match": "*", "X-CSRFToken": root.token}
    )
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "labels")
