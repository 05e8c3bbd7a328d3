"""`python -m host_app.scaffold.migration PACKAGE MESSAGE` writes the next revision of a plugin on Python's path."""

from __future__ import annotations

import sys
from importlib import import_module

import sqlalchemy as sa

import gigacore.crm  # noqa: F401 - the plugin may refer to its tables
from gigacore.entity import metadata
from gigacore.migrate import write_revision
from gigacore.plugins.histories import history_of


def main(package: str, message: str) -> None:
    """Compares the plugin's tables with what its revisions make of an empty database."""
    plugin = import_module(package).plugin
    write_revision(history_of(plugin), metadata, sa.create_engine("sqlite://"), message)


if __name__ == "__main__":
    main(*sys.argv[1:])
