"""Indexes of custom fields come and go at run time: the drift check passes over them, and a rebuild keeps them."""

from __future__ import annotations

import sqlalchemy as sa

from gigacore import Crm, customfields
from gigacore.migrate import operation

REGION = {"entity": "crm.lead", "key": "x_region", "kind": "text", "label": "Region", "indexed": True}


def indexes(crm: Crm) -> set[str]:
    with crm.database.system_connection("test") as connection:
        catalogue = "pg_indexes" if connection.dialect.name == "postgresql" else "sqlite_master"
        column = "indexname" if connection.dialect.name == "postgresql" else "name"
        return set(connection.scalars(sa.text(f"SELECT {column} FROM {catalogue}")))


def test_an_index_of_a_custom_field_is_no_drift(crm: Crm) -> None:
    with crm.system("a field") as ctx:
        customfields.define(ctx, REGION)
    assert any(name.endswith("_x_region") for name in indexes(crm))
    assert crm.plugins.check() == {}


def test_a_rebuilt_table_has_its_custom_indexes_back(crm: Crm) -> None:
    with crm.system("a field") as ctx:
        customfields.define(ctx, REGION)
    (name,) = (n for n in indexes(crm) if n.endswith("_x_region"))
    with operation(crm.engine) as connection:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    crm.upgrade()
    assert name in indexes(crm)
