"""Plans of bringing a plugin back and of its upgrade, and the archive's passphrase, at the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from gigacore import Crm, Plugin, migrate, records
from gigacore.plugins import stored
from gigacore.plugins.plan import plan
from gigacore.plugins.removal import uninstall
from host_app.cli import cli
from host_app.installation import Installation
from host_app.planning import plan_with_pages, remember_addresses
from tests.installed import examples_importable, examples_installed, sources

with examples_importable():
    EQUIPMENT = next(one.load() for one in sources() if one.name == "equipment")


@pytest.fixture
def plugins(tmp_path: Path) -> Iterator[Sequence[Plugin]]:
    with examples_installed(tmp_path):
        yield [EQUIPMENT]


@pytest.fixture
def giga(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """`giga("plugin", ...)` on the installation of the test gives the exit code and what was said."""
    monkeypatch.setattr(Installation, "crm", property(lambda _: crm))
    monkeypatch.setattr(Installation, "settings", property(lambda _: crm.settings))
    monkeypatch.setattr(Installation, "close", lambda _: None)

    def run(*arguments: object) -> tuple[int, str]:
        ended = CliRunner().invoke(cli, [str(one) for one in arguments], standalone_mode=False)
        return (2 if ended.exception else ended.return_value or 0), ended.output

    return run


def routes(crm: Crm, operation: str) -> set[tuple[str, str]]:
    found = plan_with_pages(crm, operation, "equipment")  # type: ignore[arg-type]
    return {(one.sign, str(one.what)) for one in found.routes}


def test_a_plan_of_an_upgrade_compares_addresses_with_those_served_before(crm: Crm) -> None:
    assert ("=", "/equipment/overview") in routes(crm, "upgrade"), "nobody kept what was served"
    remember_addresses(crm, "equipment")
    assert routes(crm, "upgrade") == set()
    served = crm.plugins.stored()["equipment"].manifest[stored.ADDRESSES]
    earlier = ["/equipment/before", *(one for one in served if one != "/equipment/overview")]
    with migrate.operation(crm.engine) as connection:
        stored.remember_addresses(connection, "equipment", earlier)
    assert routes(crm, "upgrade") == {("-", "/equipment/before"), ("+", "/equipment/overview")}
    assert ("-", "/equipment/before") in routes(crm, "disable")
    crm.disable("equipment")
    assert ("+", "/equipment/overview") in routes(crm, "enable")


def test_an_archive_sealed_with_a_passphrase_is_planned_and_comes_back(
    crm: Crm, giga: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    with crm.system("a machine") as ctx:
        records.create(ctx, "equipment.machine", {"name": "Press"})
    open_settings = crm.settings
    crm.settings = replace(open_settings, backup_passphrase="correct horse")
    path = uninstall(crm, "equipment", encrypted=True)
    crm.settings = open_settings
    (tmp_path / "right").write_text("correct horse\n")
    (tmp_path / "wrong").write_text("wrong horse\n")
    refused = giga("plugin", "plan", "reinstall", "equipment")
    assert refused[0] == 1
    assert "It would be refused: The file is encrypted with a passphrase." in refused[1]
    assert "--passphrase-file" in refused[1]
    wrong = giga("plugin", "reinstall", "equipment", "--passphrase-file", tmp_path / "wrong")
    assert wrong[0] == 2
    assert "equipment" not in crm.plugins.stored()
    right = "--archive", path, "--passphrase-file", tmp_path / "right"
    code, said = giga("plugin", "plan", "reinstall", "equipment", *right)
    assert code == 0
    for words in ("+ table equipment_machine", "+ 1 row of equipment_machine", "+ /equipment/overview"):
        assert words in said
    assert "equipment" not in crm.plugins.stored()
    assert giga("plugin", "reinstall", "equipment", *right)[0] == 0
    with crm.system("look") as ctx:
        assert records.get(ctx, "equipment.machine", 1)["name"] == "Press"
    assert plan(crm, "reinstall", "equipment", archive=path).refusal is not None
    assert stored.ADDRESSES in crm.plugins.stored()["equipment"].manifest


def test_closing_twice_is_closing_once(crm: Crm) -> None:
    crm.close()
    crm.close()


def test_pages_that_leave_the_program_are_passed_over(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(*_: object) -> None:
        raise SystemExit(4)

    monkeypatch.setattr("host_app.planning.conventional", leave)
    assert "/equipment/overview" not in {what for _, what in routes(crm, "upgrade")}
    remember_addresses(crm, "equipment")
    assert crm.plugins.stored()["equipment"].manifest[stored.ADDRESSES] == []
