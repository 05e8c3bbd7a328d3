"""A restore waits for nobody: while servers or workers use the installation it is refused and names them."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from gigacore import Crm, backups
from gigacore.errors import Conflict
from gigacore.jobs import heartbeat
from host_app import restoring
from host_app.context import host
from tests.pages.conftest import Visitor, app, root, visit

__all__ = ["app", "root", "visit"]
HERE = socket.gethostname()[:30]
ELSEWHERE = "elsewhere:7"


@pytest.fixture
def backup(crm: Crm) -> Path:
    return crm.settings.backups / backups.create(crm).name


def shows(crm: Crm, process: str, kind: str = heartbeat.PREFIX, *, ago: int = 0) -> None:
    with crm.database.begin() as connection:
        heartbeat.beat(connection, process, crm.clock.now() - timedelta(seconds=ago), kind)


def leave(crm: Crm, process: str) -> None:
    with crm.database.begin() as connection:
        heartbeat.leave(connection, process)


@pytest.mark.parametrize("kind", [heartbeat.PREFIX, heartbeat.SERVER])
def test_other_processes_refuse_it_and_are_named(crm: Crm, backup: Path, kind: str) -> None:
    shows(crm, ELSEWHERE, kind)
    with pytest.raises(Conflict, match=r"Other processes .*elsewhere:7.*Stop these servers and workers"):
        backups.restore(crm, backup, replace=True)
    leave(crm, ELSEWHERE)
    backups.restore(crm, backup, replace=True)


@pytest.mark.parametrize(
    ("process", "ago"),
    [(f"{HERE}:{os.getpid()}", 0), (f"{HERE}:999999999", 0), (ELSEWHERE, 46)],
    ids=["itself", "one that ended here", "one that was not seen for long"],
)
def test_these_do_not_refuse_it(crm: Crm, backup: Path, process: str, ago: int) -> None:
    shows(crm, process, ago=ago)
    backups.restore(crm, backup, replace=True)


def test_those_of_the_time_of_the_backup_do_not_live(crm: Crm) -> None:
    shows(crm, ELSEWHERE)
    path = crm.settings.backups / backups.create(crm).name
    leave(crm, ELSEWHERE)
    for _ in range(2):
        backups.restore(crm, path, replace=True)


def test_a_worker_that_stops_takes_its_sign_of_life_back(crm: Crm) -> None:
    worker = crm.jobs.worker
    worker.name = ELSEWHERE
    for show in (worker.keep, worker.show):
        show()
        with pytest.raises(Conflict):
            backups.check_alone(crm)
        crm.jobs.stop()
        backups.check_alone(crm)


def test_ordered_on_the_page_it_is_refused_there_and_before_it_begins(
    crm: Crm, app: Flask, root: Visitor, backup: Path
) -> None:
    host(app).restart = lambda: None
    place = f"/settings/backups/{backup.name}"
    root.get(place)
    shows(crm, ELSEWHERE)
    answer = root.post(f"{place}/restore", {})
    assert answer.status_code == 422
    assert "elsewhere:7. Nothing was changed. Stop these servers" in answer.get_data(as_text=True)
    restoring.order(crm.settings, backup.name)  # it came between
    restoring.carry_out(crm.settings, lambda: None)
    shown = root.get("/settings/backups").get_data(as_text=True)
    assert "was not restored, nothing changed: Other processes use this installation" in shown
