"""Rules for tests."""

from collections.abc import Mapping
from typing import Any

import pytest

from gigacore import Actor, Crm, records

LEAD = {"last_name": "Martin"}


class Rules:
    """Short words for rules that run at once, in the thread that committed."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self.crm, self.actor = crm, actor

    def on(self, trigger: Mapping[str, Any] | str, steps: list[Any], actor: Actor | None = None, **body: Any) -> int:
        """A rule that is switched on; gives its number."""
        kind = {"kind": trigger} if isinstance(trigger, str) else dict(trigger)
        whole = {"entity": "crm.lead", "trigger": kind, "steps": steps, **body}
        with self.crm.unit_of_work(actor or self.actor) as ctx:
            rule = self.crm.automation.create(ctx, "Welcome", whole)
            self.crm.automation.switch(ctx, rule.id, active=True)
            return rule.id

    def lead(self, actor: Actor | None = None, **values: Any) -> int:
        """A new lead, with everything that follows from it."""
        with self.crm.unit_of_work(actor or self.actor) as ctx:
            number = records.create(ctx, "crm.lead", LEAD | values).id
        self.crm.jobs.run_pending()
        return number

    def change(self, lead: int, **values: Any) -> None:
        """A changed lead, with everything that follows."""
        with self.crm.unit_of_work(self.actor) as ctx:
            records.update(ctx, "crm.lead", lead, values)
        self.crm.jobs.run_pending()

    def read(self, lead: int, entity: str = "crm.lead") -> dict[str, Any]:
        """The lead as it is."""
        with self.crm.read(self.actor) as ctx:
            return records.get(ctx, entity, lead)

    def runs(self, actor: Actor | None = None, **options: Any) -> list[Any]:
        """The log."""
        with self.crm.read(actor or self.actor) as ctx:
            return self.crm.automation.runs(ctx, **options)


@pytest.fixture
def rules(crm: Crm, admin: Actor) -> Rules:
    return Rules(crm, admin)


def put(**values: Any) -> dict[str, Any]:
    """A step that sets fields."""
    return {"do": "core.set_fields", "with": {"values": values}}
