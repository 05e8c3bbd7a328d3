"""A rule on the records of another plugin."""

from __future__ import annotations

from typing import Any

from gigacore import Abort, hookimpl, msg
from gigacore.entity import EntitySpec


@hookimpl
def validate_record(entity: EntitySpec, record: Any) -> None:
    """A machine that is out of use is not due for service."""
    if entity.name == "equipment.machine" and record.state.value == "retired" and record.service_due:
        raise Abort(msg("A retired machine is not due for service."))
