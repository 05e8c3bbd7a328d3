"""Inspections, and what they add to every machine."""

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Mapped

from gigacore import Entity, EntityMeta, Extension, ExtensionMeta, choice, field, ref


class Inspection(Entity):
    """One look at one machine."""

    __entity__ = EntityMeta("inspections.inspection", plural="inspections", title="title", icon="checklist")

    title: Mapped[str] = field(search=True, listed=True, max_length=200)
    machine_id: Mapped[int] = ref("equipment.machine", on_delete="cascade", listed=True)
    signature: Mapped[str | None] = field(readonly=True, max_length=200)


class MachineInspections(Extension):
    """Fields of machines; they stand in a section of their own."""

    __extension__ = ExtensionMeta("inspections", "equipment.machine")

    inspected_on: Mapped[date | None] = field(sort=True, label="Inspected on", section="Inspection")
    place: Mapped[str | None] = field(search=True, max_length=80, label="Place", section="Inspection")
    certificate: Mapped[UUID | None] = field(kind="file", label="Certificate", section="Inspection")
    risk: Mapped[str | None] = choice("inspections.risk", label="Risk", section="Inspection")
