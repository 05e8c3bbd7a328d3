"""A new plugin keeps the contract at once, and the check from outside tells what a broken one breaks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gigacore.errors import Conflict, PluginError
from host_app.cli import main
from host_app.scaffold import write_plugin
from host_app.scaffold.check import entry_point
from host_app.scaffold.write import Names

Giga = Callable[..., tuple[int, str]]


@pytest.fixture
def giga(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Giga:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.delenv("GIGA_TEST_DATABASE_URL", raising=False)

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["giga", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr()
        return caught.value.code, said.out + said.err

    return run


def test_a_new_plugin_keeps_every_promise_on_every_database(
    giga: Giga, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres = os.environ.get("GIGA_TEST_DATABASE_URL", "")
    code, said = giga("plugin", "new", "Site visits", "--path", tmp_path)
    folder = tmp_path / "gigacore-site-visits"
    assert (code, "giga plugin enable site_visits" in said) == (0, True)
    monkeypatch.setenv("GIGA_TEST_DATABASE_URL", postgres)
    code, said = giga("plugin", "check", folder)
    assert (code, "BROKEN" in said) == (0, False), said
    assert "kept       Texts are translated (sqlite)" in said
    assert ("not tried" in said) == (not postgres.startswith("postgresql"))


def test_the_check_names_what_is_broken_and_fails(giga: Giga, tmp_path: Path) -> None:
    folder = write_plugin("fleets", tmp_path)
    models = folder / "gigacore_fleets/models.py"
    models.write_text(models.read_text() + "    colour: Mapped[str | None] = field(max_length=20)\n")
    (folder / "tests/test_contract.py").unlink()
    code, said = giga("plugin", "check", folder)
    assert code == 1
    assert "BROKEN     Tables fit their declarations (sqlite)" in said
    assert "Promises broken: " in said
    assert "kept       The import has no side effects" in said


def test_a_plugin_that_cannot_be_imported_is_told_with_its_reason(giga: Giga, tmp_path: Path) -> None:
    folder = write_plugin("fleets", tmp_path)
    (folder / "gigacore_fleets/__init__.py").write_text("import nothing_of_the_kind\n")
    code, said = giga("plugin", "check", folder)
    assert code == 1
    assert "nothing_of_the_kind" in said


@pytest.mark.parametrize("name", ["crm", "settings", "crm_more", "core", "9lives", "lead_scoring"])
def test_a_name_that_is_taken_or_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError):
        write_plugin(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "gigacore-fleets").mkdir()
    with pytest.raises(Conflict):
        write_plugin("fleets", tmp_path)


@pytest.mark.parametrize(
    ("name", "entity", "plural", "cls"),
    [
        ("visits", "visit", "visits", "Visit"),
        ("site_visits", "site_visit", "site_visits", "SiteVisit"),
        ("companies", "company", "companies", "Company"),
        ("fleet", "fleet", "fleets", "Fleet"),
        ("press", "press", "presses", "Press"),
    ],
)
def test_everything_is_derived_from_the_name(name: str, entity: str, plural: str, cls: str) -> None:
    names = Names(name)
    assert (names.entity, names.plural, names.cls) == (entity, plural, cls)


@pytest.mark.parametrize(
    ("name", "said", "entity", "plural"),
    [
        ("equipment", "equipment", "equipment", "equipment"),
        ("person", "people", "person", "people"),
        ("visits", "visits", "visit", "visits"),
    ],
)
def test_the_author_may_say_the_plural(name: str, said: str, entity: str, plural: str) -> None:
    names = Names(name, said)
    assert (names.entity, names.plural) == (entity, plural)


def test_a_plural_that_was_said_stands_in_the_model_and_one_that_cannot_be_is_refused(
    giga: Giga, tmp_path: Path
) -> None:
    assert giga("plugin", "new", "Hardware", "--plural", "Hardware", "--path", tmp_path)[0] == 0
    assert 'plural="hardware"' in (tmp_path / "gigacore-hardware/gigacore_hardware/models.py").read_text()
    with pytest.raises(PluginError):
        write_plugin("staff", tmp_path, "9 staff")


def test_a_folder_without_a_plugin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError):
        entry_point(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(PluginError):
        entry_point(tmp_path)
