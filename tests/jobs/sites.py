"""An installation of real processes, the clients in front of it, and how it is seen from outside."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from gigacore import Crm
from gigacore.access import tokens, users
from gigacore.data.tables import core_delivery
from gigacore.jobs import core_job
from gigacore.testing.databases import ENCRYPTION, SECRET, settings
from tests.jobs.brokers import ROOT, end, free_port, ready, wait_for
from tests.jobs.endure import RULE

JSON = {"Content-Type": "application/json"}


@dataclass
class Site:
    """A database, the variables of its processes, and those that run."""

    crm: Crm
    owner: int
    token: str
    folder: Path
    variables: dict[str, str]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """`giga` with these arguments."""
        with open(self.folder / f"{arguments[0]}-{time.monotonic_ns()}.log", "wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-c", "from host_app.cli import main; main()", *arguments],
                env=os.environ | self.variables, cwd=ROOT, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        self.running.append(process)
        return process

    def serve(self, port: int, *options: str) -> subprocess.Popen[bytes]:
        """A web process that answers."""
        process = self.start("serve", "--port", str(port), *options)
        wait_for(lambda: ready(port) or process.poll() is not None, 60, "the web process")
        assert process.poll() is None, self.said()
        return process

    def kill(self, process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGKILL) -> None:
        end(process, how)
        self.running.remove(process)

    def said(self) -> str:
        """What the processes wrote."""
        return "\n".join(file.read_text()[-2000:] for file in sorted(self.folder.glob("*.log")))

    def call(self, port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """One request to the API; raises what a broken connection raises."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given |= JSON | {"Authorization": f"Bearer {self.token}"}
        try:
            connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), given)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def open(self) -> int:
        """How many jobs and deliveries are not at their end."""
        jobs = sa.select(sa.func.count()).where(core_job.c.state.in_(("queued", "running")))
        left = sa.select(sa.func.count()).where(core_delivery.c.state.in_(("new", "running")))
        with self.crm.database.connect() as connection:
            return int(connection.scalar(jobs) or 0) + int(connection.scalar(left) or 0)


@contextmanager
def site_on(url: str, folder: Path, **variables: str) -> Iterator[Site]:
    """An installation with an owner, a token and a rule that makes a task for each lead; no process runs yet."""
    with Crm(replace(settings(url, folder), outbound_allow=("127.0.0.1",)), plugins=()) as crm:
        crm.start()
        with crm.system("an owner for a test") as ctx:
            owner = users.create(ctx, "owner@example.test", "Olga Owner", "a-Long-passphrase-77", "super_admin")
            token = tokens.create(ctx, owner, "test")
        with crm.unit_of_work(crm.actor(owner)) as ctx:
            rule = crm.automation.create(ctx, "Endure", RULE)
            crm.automation.switch(ctx, rule.id, active=True)
        given = {
            "GIGA_DATABASE_URL": url, "GIGA_DATA_DIR": str(folder), "GIGA_SECRET_KEY": SECRET,
            "GIGA_ENCRYPTION_KEY": ENCRYPTION, "GIGA_OUTBOUND_ALLOW": "127.0.0.1", **variables,
        }  # fmt: skip
        site = Site(crm, owner, token, folder, given)
        try:
            yield site
        finally:
            for process in list(site.running):
                site.kill(process, signal.SIGTERM)


class Client(threading.Thread):
    """Creates leads one after the other; each is tried with the same Idempotency-Key until it is answered.

    With `stubborn=False` what breaks is not tried again.
    """

    def __init__(self, site: Site, port: int, number: int, *, stubborn: bool = True) -> None:
        super().__init__(daemon=True)
        self.site, self.port, self.number, self.stubborn = site, port, number, stubborn
        self.ended = threading.Event()
        self.tries = 0
        self.refused: list[Any] = []

    def run(self) -> None:
        with open(self.site.folder / f"acknowledged-{self.number}", "a", buffering=1) as noted:
            for number in itertools.count():
                name = f"{self.number}-{number}"
                if self.ended.is_set():
                    return
                if self.create(name):
                    noted.write(f"{name}\n")

    def create(self, name: str) -> bool:
        """Whether it was acknowledged."""
        key = uuid4().hex
        while True:
            self.tries += 1
            try:
                status, body = self.site.call(self.port, "POST", "/crm/leads", {"last_name": name}, Idempotency_Key=key)
            except (OSError, http.client.HTTPException):
                status, body = 0, None
            if status == 201:
                return True
            if status not in (0, 409, 503):
                self.refused.append((status, body))
            if not self.stubborn:
                return False
            time.sleep(0.05)


def crowd(site: Site, port: int, size: int, **options: bool) -> list[Client]:
    """So many clients that work already."""
    clients = [Client(site, port, number, **options) for number in range(size)]
    for client in clients:
        client.start()
    return clients


def send_home(clients: list[Client]) -> None:
    for client in clients:
        client.ended.set()
    for client in clients:
        client.join(60)
        assert not client.is_alive()


__all__ = ["Client", "Site", "crowd", "free_port", "send_home", "site_on"]
