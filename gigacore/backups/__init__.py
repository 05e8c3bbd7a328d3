"""Backups: the database and the files together, written while the application runs, restored on either engine."""

from gigacore.backups.catalogue import Backup, listing, prune
from gigacore.backups.drill import Drill, drill
from gigacore.backups.exporting import export
from gigacore.backups.restoring import Inspection, Restored, check_alone, inspect, restore
from gigacore.backups.verifying import verify
from gigacore.backups.writing import create

__all__ = [
    "Backup",
    "Drill",
    "Inspection",
    "Restored",
    "check_alone",
    "create",
    "drill",
    "export",
    "inspect",
    "listing",
    "prune",
    "restore",
    "verify",
]
