"""The CRM's own pipelines for tests."""

import json
from typing import Any

import pytest

from gigacore import Actor, Crm, records
from gigacore.crm.pipelines import DEFAULT_STAGES, add_pipeline


class Sales:
    """Short words for what these tests do all the time, all of it through the record service."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self.crm, self.actor = crm, actor

    def create(self, entity: str, **values: Any) -> int:
        with self.crm.unit_of_work(self.actor) as ctx:
            return records.create(ctx, entity, values).id

    def update(self, entity: str, number: int, **values: Any) -> None:
        with self.crm.unit_of_work(self.actor) as ctx:
            records.update(ctx, entity, number, values)

    def act(self, entity: str, number: int, action: str, **params: Any) -> Any:
        with self.crm.unit_of_work(self.actor) as ctx:
            return records.run_action(ctx, entity, number, action, params)

    def read(self, entity: str, number: int) -> dict[str, Any]:
        with self.crm.read(self.actor) as ctx:
            found: dict[str, Any] = json.loads(records.dumps(records.get(ctx, entity, number)))
            return found

    def all(self, entity: str, **options: Any) -> list[dict[str, Any]]:
        with self.crm.read(self.actor) as ctx:
            found: list[dict[str, Any]] = json.loads(
                records.dumps(records.page(ctx, entity, records.ListRequest(**options)).items)
            )
            return found

    def stages(self, pipeline: int | None = None) -> dict[str, int]:
        """Stage ids by name, of the first pipeline unless one is named."""
        found = self.all("crm.stage", sort=("position",))
        wanted = pipeline or min(stage["pipeline_id"]["id"] for stage in found)
        return {stage["name"]: stage["id"] for stage in found if stage["pipeline_id"]["id"] == wanted}

    def second_pipeline(self) -> int:
        with self.crm.system("a second pipeline") as ctx:
            return add_pipeline(ctx, "Renewals", DEFAULT_STAGES, position=1).id


@pytest.fixture
def sales(crm: Crm, admin: Actor) -> Sales:
    return Sales(crm, admin)
