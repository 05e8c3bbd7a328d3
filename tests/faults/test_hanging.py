"""A plugin that does not return: others get 503 and when to come back, then the process ends and another one serves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from gigacore import Crm
from gigacore.data import create_engine
from gigacore.errors import Unavailable
from gigacore.plugins.calls import Calls
from gigacore.plugins.faults import FaultLog
from host_app.admission import Admission
from host_app.watchdog import ENDED, SLOW, Watchdog
from tests.faults.house import visited
from tests.faults.test_matrix import doctor
from tests.pages.conftest import KEYS

SLEEPER = """
import time
from gigacore import hookimpl

@hookimpl
def before_save(record):
    if getattr(record, "last_name", "") == "Sleepy":
        time.sleep(30)
"""
THREADS, PATIENCE, LIMIT = 2, 0.4, 2.0


@dataclass
class Served:
    port: int
    token: str
    log: Path

    def ask(self, method: str, path: str, body: Any = None, timeout: float = 15) -> tuple[int, str | None]:
        """Status and Retry-After; status 0 where the connection broke."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            return 0, None
        finally:
            connection.close()
        return answer.status, answer.getheader("Retry-After")

    def create(self, name: str) -> tuple[int, str | None]:
        return self.ask("POST", "/api/v1/crm/leads", {"last_name": name})


@pytest.fixture
def databases(sqlite_databases: Any) -> Any:
    """SQLite is the harder case: the sleeping hook holds the one write lock."""
    return sqlite_databases


@pytest.fixture
def served(make_crm: Callable[..., Crm], site: Any, database_url: str, tmp_path: Path) -> Iterator[Served]:
    """`giga serve` with the plugin that sleeps."""
    name = site.add(name="sleeper", hooks=SLEEPER)
    crm = make_crm(**KEYS).start()
    crm.enable(name)
    token = visited(crm).token
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIGA_")}
    env |= {"PYTHONPATH": str(site.folder), "GIGA_SECRET_KEY": KEYS["secret_key"]}
    env |= {"GIGA_ENCRYPTION_KEY": KEYS["encryption_key"], "GIGA_DATABASE_URL": database_url}
    log = tmp_path / "serve.log"
    options = ["--threads", THREADS, "--patience", PATIENCE, "--watchdog", LIMIT, "--port", port, "--no-worker"]
    call = [sys.executable, "-c", "from host_app.cli import main; main()", "--data-dir", tmp_path, "serve", *options]
    with log.open("wb") as out:
        process = subprocess.Popen([str(part) for part in call], env=env, stdout=out, stderr=out, cwd=tmp_path)
        found = Served(port, token, log)
        try:
            wait_for(lambda: found.ask("GET", "/healthz")[0] == 200)
            yield found
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_sleeping_plugin_holds_up_nobody_for_long(served: Served, tmp_path: Path) -> None:
    assert served.create("Before")[0] == 201
    sleepers = [threading.Thread(target=served.create, args=("Sleepy",)) for _ in range(THREADS)]
    for sleeper in sleepers:
        sleeper.start()
    time.sleep(2 * PATIENCE)
    begun = time.monotonic()
    assert served.ask("GET", "/api/v1/crm/leads") == (503, "5")
    assert served.ask("GET", "/healthz")[0] == 200
    assert time.monotonic() - begun < 1
    for sleeper in sleepers:
        sleeper.join()  # cut off with the process
    wait_for(lambda: served.ask("GET", "/api/v1/crm/leads")[0] == 200)
    assert served.create("After")[0] == 201
    found = FaultLog(tmp_path / "plugin-faults.jsonl").read()
    assert ("sleeper", "before_save", ENDED.text) in {(f.plugin, f.place, f.error) for f in found}
    assert "plugin sleeper hangs in before_save" in served.log.read_text()


def test_a_plugin_whose_calls_hang_is_let_in_no_further() -> None:
    calls, release = Calls(patience=0.1, most_stuck=2), threading.Event()

    def hang() -> None:
        with calls.into("slow", "fill_slot"):
            release.wait(10)

    threads = [threading.Thread(target=hang) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(calls.running(0.1)) == 2)
    with pytest.raises(Unavailable, match="slow does not answer"), calls.into("slow", "fill_slot"):
        pass
    with calls.into("quick", "fill_slot"):
        assert [call.plugin for call in calls.running()] == ["slow", "slow", "quick"]
    release.set()
    for thread in threads:
        thread.join()
    with calls.into("slow", "fill_slot"):
        pass


def test_the_watchdog_tells_slow_calls_and_ends_hanging_ones(tmp_path: Path) -> None:
    ended = threading.Event()
    calls = Calls(FaultLog(tmp_path / "faults.jsonl"))
    dog = Watchdog(calls, slow=0.05, limit=0.3, end=ended.set)
    dog.start()
    with calls.into("slow", "an action"):
        assert ended.wait(10)
    dog.join(10)
    told = [fault.error for fault in calls.faults.read()]
    assert told == [ENDED.text, SLOW.text]


def test_who_waits_for_somebody_elses_writing_is_not_told_as_slow(tmp_path: Path) -> None:
    calls, engine = Calls(FaultLog(tmp_path / "faults.jsonl")), create_engine(f"sqlite:///{tmp_path / 'db.sqlite3'}")
    dog = Watchdog(calls, slow=0.05, limit=0)

    def write() -> None:
        with calls.into("waiting", "a consumer"), engine.begin():
            pass

    waiting = threading.Thread(target=write)
    with engine.begin():
        waiting.start()
        wait_for(lambda: any(call.seconds > dog.slow for call in calls.running()))
        dog.start()
        with calls.into("slow", "an action"):
            wait_for(lambda: bool(calls.faults.read()))
        assert [call.plugin for call in calls.running()] == ["waiting"]
        dog.stop()
        dog.join()
    waiting.join()
    assert {fault.plugin for fault in calls.faults.read()} == {"slow"}


def test_a_plugin_that_hangs_again_and_again_is_stopped_until_somebody_enables_it(
    make_crm: Callable[..., Crm], site: Any, tmp_path: Path
) -> None:
    name, other = site.add(hooks=SLEEPER), site.add()
    crm = make_crm(**KEYS).start()
    for one in (name, other):
        crm.enable(one)
    for _ in range(2):
        assert name in [plugin.name for plugin in make_crm().start().plugins.enabled]
        FaultLog(tmp_path / "plugin-faults.jsonl").note(name, "before_save", "The process was ended", ended=True)
    house = visited(make_crm(**KEYS).start())
    assert [plugin.name for plugin in house.crm.plugins.enabled] == ["crm", other]
    told = "The server had to be ended more than once because it did not return from before_save. Enable it to let it"
    assert told in house.root.get("/settings/plugins").get_data(as_text=True)
    assert f"Plugin {name} does not run: {told}" in doctor(house.crm)
    (tmp_path / "plugin-faults.jsonl").unlink()
    house.crm.upgrade()
    assert name not in [plugin.name for plugin in make_crm().start().plugins.enabled], "forgetting does not release it"
    house.crm.enable(name)
    assert name in [plugin.name for plugin in make_crm().start().plugins.enabled]


def test_requests_take_turns_and_leave_them_when_their_body_was_sent() -> None:
    gate = Admission(lambda _environ, start: start("200 OK", []) or [b"x"], most=1, patience=0.05)  # type: ignore[arg-type,return-value,func-returns-value]
    said: list[str] = []

    def ask(path: str) -> Any:
        return gate({"PATH_INFO": path}, lambda status, _headers: said.append(status))  # type: ignore[arg-type]

    first = ask("/a")
    for path in ("/b", "/healthz"):
        ask(path)
    first.close()
    ask("/c").close()
    assert said == ["200 OK", "503 Service Unavailable", "200 OK", "200 OK"]
