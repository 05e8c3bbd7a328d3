"""A declared field of machines, and the ways to look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from gigacore import Crm
from tests.faults.house import House

MACHINES, PAGES, ENTITY = "/api/v1/equipment/machines", "/equipment/machines", "equipment.machine"


@dataclass
class Field:
    """One declared field, and a machine that has a value in it."""

    house: House
    name: str
    label: str
    machine: int

    @property
    def crm(self) -> Crm:
        return self.house.crm

    def body(self, value: str) -> dict[str, Any]:
        plugin, dot, own = self.name.rpartition(".")
        return {plugin: {own: value}} if dot else {own: value}

    def of(self, item: Any) -> Any:
        for part in self.name.split("."):
            item = item[part]
        return item

    def get(self, query: str = "") -> Any:
        answer = self.house.call("GET", f"{MACHINES}{query}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def missing(self, surfaces: Iterable[Callable[[Field], bool]]) -> list[str]:
        """The surfaces that the field does not reach, with what each of them gave instead."""
        found = []
        for surface in surfaces:
            try:
                found += [] if surface(self) else [surface.__name__]
            except AssertionError as error:
                found.append(f"{surface.__name__}: {error}")
        return found

    def page(self, path: str) -> str:
        answer = self.house.root.get(path)
        assert answer.status_code == 200, path
        return str(answer.get_data(as_text=True))
