"""Plugins that hang again and again: they are kept from starting until somebody enables them anew."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from gigacore import migrate
from gigacore.plugins import stored
from gigacore.plugins.faults import Fault
from gigacore.plugins.stored import StoredPlugin

log: Final = logging.getLogger("gigacore.plugins")
MOST_ENDINGS: Final = 2


def hold_hanging(
    engine: sa.Engine, known: dict[str, StoredPlugin], endings: Mapping[str, Fault]
) -> dict[str, StoredPlugin]:
    """Holds the plugins for which the process was ended twice or more; gives what is installed, as it stands then.

    One transaction, and none where no plugin is new among them.
    """
    hanging = {
        name: fault.place
        for name, fault in endings.items()
        if fault.count >= MOST_ENDINGS and name in known and known[name].held is None
    }
    if not hanging:
        return known
    with migrate.operation(engine) as connection:
        for name, place in hanging.items():
            stored.hold(connection, name, place)
            log.critical("Plugin %s is stopped: it hung in %s again and again", name, place, extra={"plugin": name})
        return stored.read(connection)
