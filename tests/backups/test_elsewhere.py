"""A backup restored elsewhere: on another engine, and where only the register beside it tells what was erased."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gigacore import Actor, Crm, NotFound, backups, records
from gigacore.backups import register
from gigacore.plugins import kinds
from gigacore.plugins.histories import core_tables
from gigacore.testing.databases import SqliteDatabases, settings


@pytest.mark.parametrize("with_register", [True, False], ids=["register", "control"])
def test_an_erased_record_stays_erased_by_the_register_alone(
    crm: Crm, admin: Actor, sqlite_databases: SqliteDatabases, tmp_path: Path, with_register: bool
) -> None:
    with crm.unit_of_work(admin) as ctx:
        secret, kept = (records.create(ctx, "crm.lead", {"last_name": name}).id for name in ("Secret", "Kept"))
    path = crm.settings.backups / backups.create(crm).name
    with crm.unit_of_work(admin) as ctx:
        records.erase(ctx, "crm.lead", secret)
    crm.jobs.run_pending()
    carried = tmp_path / "carried"
    carried.mkdir()
    shutil.copy(path, carried)
    if with_register:
        shutil.copy(path.parent / register.NAME, carried)
    with Crm(settings(sqlite_databases.empty(), tmp_path / "other"), plugins=[]) as other:
        done = backups.restore(other, carried / path.name)
        other.start()
        assert done.kept_out == int(with_register)
        with other.system("look") as ctx:
            assert records.get(ctx, "crm.lead", kept)["last_name"] == "Kept"
            if with_register:
                with pytest.raises(NotFound):
                    records.get(ctx, "crm.lead", secret)
            else:
                assert records.get(ctx, "crm.lead", secret)["last_name"] == "Secret"


def test_every_table_of_the_core_can_cross_engines() -> None:
    names = core_tables()
    found = kinds.declared(names)
    assert [f"{name}.{column}" for name, typed in found.items() for column, kind in typed.items() if not kind] == []
    assert kinds.is_portable(found, names)
