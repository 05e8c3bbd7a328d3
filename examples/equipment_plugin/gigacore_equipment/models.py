"""The machines; list, form, API, rights, import and export follow from the declaration."""

import enum
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Mapped

from gigacore import Entity, EntityMeta, field, ref


class State(enum.Enum):
    """Whether a machine works."""

    running = "running"
    broken = "broken"
    retired = "retired"


class Machine(Entity):
    """One machine at one customer's."""

    __entity__ = EntityMeta("equipment.machine", plural="machines", title="name", board="state", icon="tool")

    name: Mapped[str] = field(search=True, listed=True, max_length=200)
    serial_number: Mapped[str | None] = field(search=True, unique=True, max_length=80)
    state: Mapped[State] = field(default=State.running, listed=True)
    company_id: Mapped[int | None] = ref("crm.company", on_delete="set_null", listed=True)
    service_due: Mapped[date | None] = field(listed=True, sort=True, label="Service due")
    manual: Mapped[UUID | None] = field(kind="file", label="Manual")
    planned_for: Mapped[date | None] = field(readonly=True, label="Service planned for")
