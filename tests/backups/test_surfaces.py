"""Backups from the schedule, the page and the command line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from gigacore import Crm, backups, records
from gigacore.backups import catalogue
from gigacore.backups.jobs import BACKUP
from gigacore.data import settings
from gigacore.jobs import core_schedule
from host_app import restoring
from host_app.cli import cli
from host_app.context import host
from tests.pages.conftest import PASSWORD, Visitor, app, root, visit

pytestmark = pytest.mark.slow_on_postgres

__all__ = ["app", "root", "visit"]
PLACE = "/settings/backups"


def test_the_schedule_makes_one_and_removes_old_ones(crm: Crm) -> None:
    with crm.system("settings") as ctx:
        settings.put(ctx, "core.backup_encrypt", True)
    worker = crm.worker()
    worker.prepare()
    s = core_schedule.c
    past = sa.update(core_schedule).where(s.name == BACKUP.name).values(next_at=crm.clock.now() - timedelta(hours=9))
    with crm.database.begin() as connection:
        assert connection.scalar(sa.select(s.every_seconds).where(s.name == BACKUP.name)) == 4 * 3600
        connection.execute(past)
    for _ in range(2):  # claimed once, whoever looks, however long nobody did
        crm.worker().keep()
    worker.run_pending()
    (found,) = catalogue.listing(crm.settings.backups)
    assert (found.state, found.reason, found.sealed) == ("complete", "schedule", "key")


def test_the_page_makes_lists_and_hands_out_a_backup(crm: Crm, root: Visitor, tmp_path: Path) -> None:
    assert "No backup yet" in root.get(PLACE).get_data(as_text=True)
    assert root.post(PLACE, {}).status_code == 303
    assert "waits for its turn" in root.get(PLACE).get_data(as_text=True)
    crm.worker().run_pending()
    (found,) = catalogue.listing(crm.settings.backups)
    listed = root.get(PLACE).get_data(as_text=True)
    assert found.name in listed
    assert "complete" in listed
    shown = root.get(f"{PLACE}/{found.name}").get_data(as_text=True)
    assert f"giga backup restore {found.name} --replace" in shown
    answer = root.post(f"{PLACE}/{found.name}", {"password": PASSWORD})
    (taken := tmp_path / "taken.backup").write_bytes(answer.get_data())
    assert backups.verify(crm, taken).rows == 0, "whole, though no receipt lies beside it"
    assert root.get(f"{PLACE}/..%2f..%2fkeys.json").status_code == 404
    assert root.post(f"{PLACE}/settings", {"core.backup_keep_days": "7", "core.backup_encrypt": "1"}).status_code == 303
    with crm.database.connect() as connection:
        assert settings.read(connection)["core.backup_keep_days"] == 7


def test_who_is_no_super_admin_neither_makes_nor_takes_one(crm: Crm, visit: object) -> None:
    path = crm.settings.backups / backups.create(crm).name
    visitor = visit("admin")  # type: ignore[operator]
    visitor.get("/")
    assert visitor.post(PLACE, {}).status_code == 403
    assert visitor.get(f"{PLACE}/{path.name}").status_code == 403
    assert visitor.post(f"{PLACE}/{path.name}", {"password": PASSWORD}).status_code == 403


def test_a_sign_in_that_is_not_fresh_takes_the_password(
    crm: Crm, root: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = crm.settings.backups / backups.create(crm).name
    monkeypatch.setattr("host_app.pages.fresh.is_fresh", lambda: False)
    root.get(f"{PLACE}/{path.name}")
    for given in ("", "wrong"):
        assert root.post(f"{PLACE}/{path.name}", {"password": given}).status_code == 422
    assert root.post(f"{PLACE}/{path.name}", {"password": PASSWORD}).status_code == 200


def test_a_restore_ordered_on_the_page_is_done_before_the_next_process_serves(
    crm: Crm, app: Flask, root: Visitor, visit: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = crm.settings.backups / backups.create(crm).name
    with crm.system("since") as ctx:
        records.create(ctx, "crm.company", {"name": "Since"})
    order, ended = f"{PLACE}/{path.name}/restore", list[int]()
    assert "Restore this backup" not in root.get(f"{PLACE}/{path.name}").get_data(as_text=True)
    assert root.post(order, {}).status_code == 409, "nobody would start it again"
    host(app).restart = lambda: ended.append(1)
    assert "Restore this backup" in root.get(f"{PLACE}/{path.name}").get_data(as_text=True)
    other = visit("admin")  # type: ignore[operator]
    other.get("/")
    assert other.post(order, {}).status_code == 403
    with monkeypatch.context() as stale:
        stale.setattr("host_app.pages.fresh.is_fresh", lambda: False)
        assert root.post(order, {"password": "wrong"}).status_code == 422
    assert (ended, restoring.outcome(crm.settings)) == ([], None)
    root.post(order, {}).close()
    assert ended == [1]
    restoring.carry_out(crm.settings, lambda: None)
    crm.start()
    with crm.system("look") as ctx:
        assert records.count(ctx, "crm.company") == 0
    root.sign_in("super_admin.en@example.test")
    assert f"{path.name} was restored" in root.get(PLACE).get_data(as_text=True)
    restoring.order(crm.settings, "none.backup")
    for _ in range(2):
        restoring.carry_out(crm.settings, lambda: None)
    assert "none.backup was not restored, nothing changed" in root.get(PLACE).get_data(as_text=True)


def test_the_command_line_goes_the_whole_round(database_url: str, crm: Crm, tmp_path: Path) -> None:
    def giga(*arguments: str) -> str:
        run = CliRunner().invoke(
            cli, ["--data-dir", str(tmp_path / "home"), "--database-url", database_url, "backup", *arguments]
        )
        if run.exception is not None and not isinstance(run.exception, SystemExit):
            raise run.exception
        return run.output

    assert "rows" in giga("create", "--encrypt")
    name = giga("list").split()[0]
    assert "encrypted" in giga("list")
    assert "is whole" in giga("verify")
    assert "came back equal" in giga("drill", name)
    assert "Written" in giga("export", name, str(tmp_path / "one.backup"))
    assert "Restored" in giga("restore", name, "--replace", "--yes", "--no-safety")
    assert "0 backups removed" in giga("prune")
