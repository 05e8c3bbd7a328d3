"""The library in a plain script: the script's own engine, and its own people as actors.

`python script.py crm.sqlite3` writes a lead as Ada and lists what she may see.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from gigacore import Actor, Crm, NotFound, Settings, records
from gigacore.access import users
from gigacore.data import prepare_engine


@dataclass(frozen=True)
class Employee:
    """A person as this script knows people."""

    login: str
    full_name: str
    is_boss: bool = False


def open_crm(engine: sa.Engine, folder: Path) -> Crm:
    """The CRM on an engine that the script made itself."""
    prepare_engine(engine)  # before its first connection
    crm = Crm(Settings(data_dir=folder), engine=engine)
    crm.upgrade()
    return crm


def actor_for(crm: Crm, employee: Employee) -> Actor:
    """The employee as an actor; whoever is new becomes a user with the role that fits."""
    with crm.system("employees become users") as ctx:
        try:
            user_id = users.find(ctx, employee.login).id
        except NotFound:
            role = "manager" if employee.is_boss else "user"
            user_id = users.create(ctx, employee.login, employee.full_name, role=role)
    return crm.actor(user_id)


def main(file: Path) -> None:
    """Write a lead as Ada; Ben, who is no colleague of hers, does not see it."""
    engine = sa.create_engine(f"sqlite:///{file}")
    with open_crm(engine, file.parent) as crm:
        ada = actor_for(crm, Employee("ada@example.test", "Ada Martin"))
        ben = actor_for(crm, Employee("ben@example.test", "Ben Leroy"))
        with crm.unit_of_work(ada) as ctx:
            records.create(ctx, "crm.lead", {"last_name": "Durand", "company_name": "Atelier Bleu"})
        for actor in (ada, ben):
            with crm.read(actor) as ctx:
                leads = records.page(ctx, "crm.lead", records.ListRequest(fields=("name",))).items
            print(f"{actor.name}: {', '.join(lead['name'] for lead in leads) or 'nothing'}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the database file: python script.py crm.sqlite3")
    main(Path(sys.argv[1]).resolve())
