"""The command line: what it does, what it says, and with which exit code it leaves."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gigacore.access import users
from host_app.alone import alone
from host_app.cli import main
from host_app.installation import Installation

Giga = Callable[..., tuple[int, str]]
LEADS = """Account Id,Lead Owner,First Name,Last Name,Company,Phone 1,Email 1,Source,Deal Stage
a1,x,Zoé,Petit,Atelier Bleu,+33 1 23 45 67 89,zoe@example.test,Website,New
a2,x,Léa,Blanc,Nord SA,+33 1 23 45 67 80,lea@example.test,Referral,New
"""


@pytest.fixture
def giga(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Giga:
    """`giga("db", "upgrade")` runs a command on an installation of its own and gives (exit code, what it said)."""
    for name in [name for name in os.environ if name.startswith("GIGA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C")

    def run(*arguments: Any, data_dir: Any = tmp_path / "data") -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["giga", "--data-dir", str(data_dir), *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr()
        return caught.value.code, said.out + said.err

    return run


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a database and an administrator, to be copied."""
    folder = tmp_path_factory.mktemp("giga") / "data"
    installation = Installation(str(folder))
    installation.upgrade()
    with installation.crm.system("test") as ctx:
        users.create(ctx, "ada@example.test", "Ada", "Correct-horse-battery-1", "super_admin")
    installation.close()
    return folder


@pytest.fixture
def ready(giga: Giga, prepared: Path, tmp_path: Path) -> Giga:
    """The same with a database and an administrator."""
    shutil.copytree(prepared, tmp_path / "data")
    return giga


def test_the_database_is_made_and_kept_up_to_date(giga: Giga) -> None:
    code, said = giga("db", "upgrade")
    assert (code, "crm: crm_0001" in said) == (0, True)
    assert giga("db", "upgrade") == (0, "Nothing to do: the database is up to date.\n")
    assert giga("db", "check") == (0, "The database fits the declarations.\n")


@pytest.mark.parametrize(
    "command", [("serve",), ("worker", "--once"), ("verify",), ("token", "create", "--user", "a@b.test")]
)
def test_without_a_database_a_command_says_what_to_do(giga: Giga, command: tuple[str, ...]) -> None:
    code, said = giga(*command)
    assert code == 1
    assert "giga db upgrade" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "command",
    [
        ("nothing",),
        ("user", "create"),
        ("token", "create"),
        ("db",),
        ("import", "crm.lead"),
        ("serve", "--port", "0"),
        ("--x",),
    ],
)
def test_a_wrong_call_leaves_with_two(giga: Giga, command: tuple[str, ...]) -> None:
    assert giga(*command)[0] == 2


def test_a_user_is_made_once(ready: Giga) -> None:
    code, said = ready("user", "create", "--email", "ada@example.test", "--name", "Ada")
    assert code == 1
    assert "already" in said
    assert ready("user", "create", "--email", "b@example.test", "--name", "B", "--role", "nothing")[0] == 1
    assert ready("user", "create", "--email", "nobody", "--name", "B")[0] == 1


def test_a_token_is_printed_alone(ready: Giga) -> None:
    code, said = ready("token", "create", "--user", "ada@example.test")
    assert code == 0
    assert re.fullmatch(r"giga_[\w-]{40,}\n", said)
    assert ready("token", "create", "--user", "nobody@example.test")[0] == 1


def test_a_file_is_imported_once(ready: Giga, tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text(LEADS, "utf-8")
    code, said = ready("import", "crm.lead", str(file))
    assert code == 0, said
    assert "Created 2," in said
    assert "Created 0," in ready("import", "crm.lead", str(file))[1]


def test_what_was_imported_is_exported_and_taken_back(ready: Giga, tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text(LEADS, "utf-8")
    ready("import", "crm.lead", str(file))
    code, said = ready("export", "crm.lead")
    assert (code, "Zoé" in said, "Nord SA" in said) == (0, True, True)
    out = tmp_path / "out.csv"
    tree = json.dumps({"field": "last_name", "op": "eq", "value": "Petit"})
    assert ready("export", "crm.lead", "-o", str(out), "--filter", tree, "--lang", "fr")[0] == 0
    text = out.read_text("utf-8-sig")
    assert "Petit" in text
    assert "Blanc" not in text
    book = tmp_path / "out.xlsx"
    assert ready("export", "crm.lead", "-o", str(book), "--format", "xlsx")[0] == 0
    code, said = ready("import", "crm.lead", str(book))
    assert (code, "Created 0," in said) == (0, True)
    assert ready("export", "crm.nothing")[0] == 1
    assert ready("export", "crm.lead", "--fields", "nothing")[0] == 1
    assert ready("export", "crm.lead", "--filter", "{")[0] == 2


def test_an_import_says_what_is_wrong(ready: Giga, tmp_path: Path) -> None:
    file = tmp_path / "junk.csv"
    file.write_bytes(bytes(range(256)) * 40)
    for command in (("import", "crm.lead", str(file)), ("import", "crm.nothing", str(file))):
        code, said = ready(*command)
        assert code == 1
        assert said
        assert "Traceback" not in said
    assert ready("import", "crm.lead", str(tmp_path / "missing.csv"))[0] == 2


def test_a_plugin_goes_through_its_life_on_the_command_line(ready: Giga) -> None:
    code, said = ready("plugin", "plan", "install", "lead_scoring")
    assert (code, "+ table lead_scoring_lead_ext" in said) == (0, True)
    assert ready("plugin", "install", "lead_scoring")[0] == 0
    code, said = ready("plugin", "plan", "install", "lead_scoring")
    assert (code, "It would be refused: The plugin lead_scoring is installed." in said) == (1, True)
    code, said = ready("plugin", "uninstall", "lead_scoring", "--yes")
    assert (code, "archives/lead_scoring-" in said) == (0, True)
    code, said = ready("plugin", "reinstall", "lead_scoring")
    assert (code, "Plugin lead_scoring is back" in said) == (0, True)
    assert ready("plugin", "upgrade", "lead_scoring")[0] == 0
    assert ready("plugin", "doctor") == (0, "Every plugin is in order.\n")
    code, said = ready("plugin", "uninstall", "crm", "--yes")
    assert (code, "part of the application" in said) == (1, True)


def test_plugins_are_listed_and_unknown_ones_named(ready: Giga) -> None:
    code, said = ready("plugin", "list")
    assert code == 0
    assert re.search(r"crm +\S+ +enabled", said)
    code, said = ready("plugin", "enable", "nothing")
    assert (code, "pip" in said) == (1, True)
    assert ready("plugin", "disable", "crm")[0] == 1


def test_the_doctor_and_the_verifier_find_a_sound_installation(ready: Giga) -> None:
    assert ready("doctor")[0] == 0
    code, said = ready("verify")
    assert code == 0, said
    assert "Faults in the audit chain: 0" in said


def test_the_verifier_finds_what_was_altered(ready: Giga, tmp_path: Path) -> None:
    assert ready("verify")[0] == 0
    with closing(sqlite3.connect(tmp_path / "data" / "giga.sqlite3")) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE core_audit SET actor_name = 'somebody else'")
    code, said = ready("verify")
    assert code == 1
    assert "altered" in said


def test_the_doctor_finds_what_is_broken(giga: Giga, monkeypatch: pytest.MonkeyPatch) -> None:
    assert giga("doctor")[0] == 1
    monkeypatch.setenv("GIGA_SECRET_KEY", "changeme")
    code, said = giga("doctor")
    assert (code, "GIGA_SECRET_KEY" in said) == (1, True)


@pytest.mark.parametrize("owner", ["core", "crm"])
def test_a_database_newer_than_the_code_is_refused_and_left_alone(ready: Giga, tmp_path: Path, owner: str) -> None:
    file = tmp_path / "data" / "giga.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"UPDATE core_version_{owner} SET version_num = 'core_9999'")
        connection.commit()
    for command in (("serve",), ("db", "upgrade"), ("worker", "--once"), ("doctor",)):
        code, said = ready(*command)
        assert code == 1, (command, said)
        assert "core_9999" in said or "newer" in said
        assert "Traceback" not in said


def test_a_revision_is_written_only_when_something_changed(ready: Giga) -> None:
    assert ready("db", "revision", "crm", "-m", "nothing") == (0, "Nothing changed.\n")
    assert ready("db", "revision", "nothing", "-m", "x")[0] == 1


def test_an_unknown_setting_or_database_is_explained(giga: Giga, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIGA_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    code, said = giga("db", "upgrade")
    assert code == 1
    assert "Traceback" not in said


def test_a_worker_does_what_is_due(ready: Giga) -> None:
    assert ready("worker", "--once")[0] == 0


def test_the_command_line_speaks_french(ready: Giga, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert ready("db", "upgrade")[1] == "Rien à faire\u00a0: la base de données est à jour.\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A `giga` process that serves."""

    def __init__(self, *arguments: str, port: int) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIGA_")}
        self.port = port
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from host_app.cli import main; main()", *arguments, "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment | {"PYTHONUNBUFFERED": "1", "LC_ALL": "C"},
        )

    def wait(self, seconds: float = 60) -> float:
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                    assert json.load(answer) == {"status": "ok"}
                    return time.monotonic() - begun
            except (urllib.error.URLError, ConnectionError):
                assert self.process.poll() is None, self.process.communicate()[0]
                time.sleep(0.1)
        raise AssertionError("the server did not start")

    def stop(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=60)
        return self.process.returncode, said


def test_the_demo_starts_in_one_command_and_keeps_its_data(tmp_path: Path) -> None:
    data, port = str(tmp_path / "demo"), free_port()
    server = Server("demo", "--data-dir", data, "--empty", port=port)
    server.wait()
    code, said = server.stop()
    assert code == 0, said
    assert f"http://127.0.0.1:{port}/" in said
    assert "admin@example.test" in said
    keys = (tmp_path / "demo" / "keys.json").read_bytes()
    again = Server("demo", "--data-dir", data, port=port)
    again.wait()
    code, said = again.stop()
    assert code == 0, said
    assert "First start" not in said
    assert (tmp_path / "demo" / "keys.json").read_bytes() == keys


def test_an_interrupted_first_start_begins_anew(tmp_path: Path) -> None:
    demo = importlib.import_module("host_app.cli.demo")
    installation = Installation(str(tmp_path / "demo"))
    installation.upgrade()
    begun = installation.settings.data_dir / demo.UNFINISHED
    with pytest.raises(RuntimeError), pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo.demo_data, "fill", _interrupted)
        demo.prepare(installation.crm, "en", begun, empty=False)
    assert begun.exists()
    installation.close()
    demo.start_over(installation.settings)
    assert installation.upgrade()["core"], "a new database"
    demo.prepare(installation.crm, "en", begun, empty=True)
    assert not begun.exists()
    with installation.crm.system("test") as ctx:
        assert [user.email for user in users.all_users(ctx)] == [demo.EMAIL]
    installation.close()


def _interrupted(*_: object, **__: object) -> None:
    raise RuntimeError("the power went out")


def test_a_port_in_use_is_explained(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = Server("demo", "--data-dir", str(tmp_path / "demo"), port=taken.getsockname()[1])
        said, _ = server.process.communicate(timeout=60)
    assert server.process.returncode == 1
    assert "--port" in said
    assert not (tmp_path / "demo" / "giga.sqlite3").exists()


def test_an_sqlite_database_has_one_server_at_a_time(ready: Giga, tmp_path: Path) -> None:
    settings = Installation(str(tmp_path / "data")).settings
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with alone(settings):
        for command in ("serve", "demo"):
            code, said = ready(command, "--port", port)
            assert (code, "--data-dir" in said) == (1, True), said
    with alone(settings):
        pass  # the control: the lock ends with its server


def test_a_server_that_cannot_write_its_folder_says_so(ready: Giga, tmp_path: Path) -> None:
    (tmp_path / "data" / "giga.sqlite3.server").mkdir()
    code, said = ready("serve", "--port", str(free_port()))
    assert (code, "Nothing can be kept" in said, "GIGA_DATA_DIR" in said) == (1, True, True), said


def test_a_database_that_is_read_only_is_read_and_not_written(ready: Giga, tmp_path: Path) -> None:
    url = f"sqlite:///file:{tmp_path / 'data' / 'giga.sqlite3'}?mode=ro&uri=true"
    code, said = ready("--database-url", url, "user", "create", "--email", "b@example.test", "--name", "B")
    assert (code, "read-only" in said, "data folder" in said) == (1, True, True), said
    assert ready("--database-url", url, "plugin", "list")[0] == 0, "the control: reading goes on"


def test_a_folder_that_cannot_be_written_is_explained(giga: Giga, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for command in (("doctor",), ("db", "upgrade"), ("user", "create", "--email", "a@example.test", "--name", "A")):
        code, said = giga(*command, data_dir=tmp_path / "file" / "data")
        assert (code, "GIGA_DATA_DIR" in said) == (1, True), said
