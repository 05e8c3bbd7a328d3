"""Faulty plugins against every hook: the CRM answers, keeps what it acknowledged, calls the others, and tells."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
from click.testing import CliRunner

from gigacore import Crm, Plugin
from gigacore.plugins.hookspecs import Failure
from gigacore.testing.databases import Databases, settings
from host_app.cli import cli
from host_app.installation import Installation
from tests.faults.house import House, visited
from tests.faults.plugins import FAULTS, HOOKS, Fault, hook, nothing, witness
from tests.pages.conftest import KEYS

WRITES = {"validate_record", "before_save", "after_save", "before_delete", "activity_logged"}
DECLARED = {name for name, failure in HOOKS.items() if failure is Failure.QUARANTINE}
SERVED = {200, 201, 204}
RETURNS = {"give_too_much", "give_nonsense"}


@dataclass
class Bad:
    """A plugin that implements every hook and goes wrong in one of them, as a test says."""

    faults: dict[str, Fault] = field(default_factory=dict)

    def plugin(self) -> Plugin:
        return Plugin("bad", after=["early"], hooks=[hook(name, self._behave(name)) for name in HOOKS])

    def _behave(self, name: str) -> Fault:
        return lambda given: self.faults.get(name, nothing)(given)


@dataclass
class Scene:
    """A CRM with a faulty plugin between two sound ones."""

    house: House
    bad: Bad
    early: set[str]
    late: set[str]

    @contextmanager
    def spoilt(self, name: str, fault: Fault) -> Iterator[None]:
        """The hook fails meanwhile; before, everything works, whatever failed earlier."""
        assert [self.house.make() for _ in range(2)] == [201, 201]
        self.bad.faults = {name: fault}
        self.early.clear()
        self.late.clear()
        self.house.crm.calls.faults.forget("bad")
        self._start(name)
        try:
            yield
        finally:
            self.bad.faults = {}
            self._start(name)

    def _start(self, name: str) -> None:
        """Declarations are asked for at the start only, and a start costs the caches of everything else."""
        if HOOKS.get(name, Failure.QUARANTINE) is Failure.QUARANTINE:
            self.house.crm.start()
        else:
            self.early |= DECLARED
            self.late |= DECLARED


ENGINES = ("sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow]))


@pytest.fixture(scope="module", params=ENGINES)
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    bad, early, late = Bad(), set[str](), set[str]()
    plugins = [witness("early", early), bad.plugin(), replace(witness("late", late), after=["bad"])]
    given = settings(databases.ready(), tmp_path_factory.mktemp("house"))
    with Crm(replace(given, strict=False, **KEYS), plugins=plugins) as crm:
        crm.start()
        for plugin in plugins:
            crm.enable(plugin.name)
        yield Scene(visited(crm), bad, early, late)


def test_the_witness_is_called_in_every_hook(scene: Scene) -> None:
    with scene.spoilt("none", nothing):
        scene.house.use_everything()
    assert scene.early == scene.late == set(HOOKS), "let House.use_everything do what calls the new hook"
    assert set(scene.house.answers.values()) <= SERVED, scene.house.answers


@pytest.mark.parametrize("name", HOOKS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_hook_harms_nobody(scene: Scene, name: str, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    house = scene.house
    with caplog.at_level(logging.ERROR, "gigacore.plugins"), scene.spoilt(name, FAULTS[fault]):
        house.use_everything()
        assert house.root.get("/healthz").status_code == 200
        assert house.lost() == set()
        ignored = fault in RETURNS and name in WRITES  # what a hook in a write gives back is nobody's business
        if not ignored:
            assert_told(house, name, caplog.text)
    if HOOKS[name] is Failure.REFUSE and not ignored:
        assert set(house.answers.values()) <= {*SERVED, 503}, house.answers
        assert 503 in house.answers.values()
        assert scene.early | WRITES == set(HOOKS)
    else:
        assert set(house.answers.values()) <= SERVED, house.answers
        assert scene.early == scene.late == set(HOOKS)


def assert_told(house: House, name: str, log: str) -> None:
    """An administrator finds the plugin and the reason on the page, on the command line and in the log."""
    stopped = HOOKS[name] is Failure.QUARANTINE
    page = house.root.get("/settings/plugins").get_data(as_text=True)
    assert ("Stopped by a fault" if stopped else name) in page.partition(">Bad<")[2]
    assert ("Plugin bad does not run:" if stopped else f"Plugin bad: It failed in {name}") in doctor(house.crm)
    assert "Plugin bad" in log


def doctor(crm: Crm) -> str:
    """What `giga doctor` says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Installation, "crm", crm)
        patch.setattr(Installation, "settings", crm.settings)
        patch.setenv("LC_ALL", "C")
        return CliRunner().invoke(cli, ["doctor"]).output
