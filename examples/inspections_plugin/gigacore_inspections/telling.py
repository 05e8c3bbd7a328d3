"""What people can be told of inspections, and the rules that an inspection can start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gigacore.automation import Happened, Trigger
from gigacore.live import LiveEvent
from gigacore.notices import NotificationKind
from gigacore_inspections.services import INSPECTED_ON, MACHINE


def _changes(entity: str, params: Mapping[str, Any]) -> list[str]:
    return [f"{entity}.updated"]


def _inspected(params: Mapping[str, Any], happened: Happened) -> bool:
    return INSPECTED_ON in happened.fields


DUE: Final = NotificationKind("inspections.due", "Machines are due", icon="clipboard-check")
PASSED: Final = Trigger(
    "inspections.passed", "A machine was inspected", _changes, fires=_inspected, entities=(MACHINE,)
)
CALL: Final = LiveEvent(name="inspections.call", label="Somebody is called to a machine")
