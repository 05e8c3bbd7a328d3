"""Believable data to try the CRM with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigacore import records

if TYPE_CHECKING:
    from gigacore.application import Crm


def fill(crm: Crm, lang: str = "en", *, password: str = "") -> None:
    """Fill an installation without records with people, companies, leads and sales, in French or English."""
    with crm.system("demo data") as ctx:
        name = "Boulangerie Morel" if lang == "fr" else "Hillside Bakery"
        company = records.create(ctx, "crm.company", {"name": name})
        contact = {"first_name": "Camille", "last_name": "Morel", "company_id": company.id}
        records.create(ctx, "crm.contact", contact)
        records.create(ctx, "crm.lead", {"last_name": "Girard", "email": "l.girard@example.test"})
