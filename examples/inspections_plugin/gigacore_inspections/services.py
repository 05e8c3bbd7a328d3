"""Inspecting a machine, and which machines are due."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from gigacore import records
from gigacore.data import settings

if TYPE_CHECKING:
    from gigacore import Context
    from gigacore_inspections.kinds import Signer

MACHINE: Final = "equipment.machine"
INSPECTED_ON: Final = "inspections.inspected_on"
INTERVAL: Final = 365


def inspect(ctx: Context, machine: Any, signer: Signer | None = None) -> Any:
    """A new inspection of the machine, of today; signed where somebody signs."""
    records.update(ctx, MACHINE, machine.id, {"inspections": {"inspected_on": ctx.now.date().isoformat()}})
    made: Any = records.create(ctx, "inspections.inspection", {"title": machine.name, "machine_id": machine.id})
    made.signature = None if signer is None else signer.sign(f"{machine.uid} {ctx.now.date()}")
    return made


def due(ctx: Context) -> list[dict[str, Any]]:
    """The machines that nobody inspected within the interval of the settings."""
    last = ctx.now.date() - timedelta(days=int(settings.get(ctx, "inspections.interval", INTERVAL)))
    before = {"field": INSPECTED_ON, "op": "lt", "value": last.isoformat()}
    old = {"any": [{"field": INSPECTED_ON, "op": "empty"}, before]}
    return records.page(ctx, MACHINE, records.ListRequest(filter=old, fields=("name", "owner_id", INSPECTED_ON))).items
