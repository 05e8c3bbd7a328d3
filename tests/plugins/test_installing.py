"""A plugin's own `install` runs once, by whoever starts next; what is done to plugins stands in the audit with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from gigacore import Actor, Context, Crm, Plugin
from gigacore.data.tables import core_audit
from gigacore.errors import Conflict
from gigacore.plugins import trail
from gigacore.plugins.health import examine
from gigacore.plugins.manager import PluginManager
from gigacore.plugins.reinstallation import reinstall
from gigacore.plugins.removal import uninstall
from gigacore.plugins.upgrading import install, upgrade
from tests.plugins.samples import TOURS, with_migrations

NOTHING = Plugin("nothing")


@dataclass
class Installed:
    """Counts how often `install` ran to its end; may fail, or wait for another one, on its way."""

    done: int = 0
    broken: bool = False
    on_its_way: Callable[[], object] = field(default=lambda: None)

    def __call__(self, ctx: Context) -> None:
        self.on_its_way()
        if self.broken:
            raise RuntimeError("no room")
        self.done += 1


def test_cut_short_before_its_own_part_it_is_finished_by_the_next_start_once(make_crm: Callable[..., Crm]) -> None:
    mine = Installed()
    plugins = [replace(NOTHING, install=mine)]
    make_crm(plugins=plugins).start().plugins.enable("nothing")  # as a process that ends here leaves it
    assert mine.done == 0
    for _ in range(2):
        make_crm(plugins=plugins).start()
        assert mine.done == 1
    make_crm(plugins=plugins).upgrade()
    assert mine.done == 2, "an upgrade runs it again"


def test_of_two_that_start_at_once_one_finishes_it(make_crm: Callable[..., Crm]) -> None:
    mine = Installed()
    plugins = [replace(NOTHING, install=mine)]
    one, other = make_crm(plugins=plugins), make_crm(plugins=plugins)
    one.start().plugins.enable("nothing")
    second = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = []

        def meanwhile() -> None:
            if not waiting:
                waiting.append(pool.submit(lambda: (second.set(), other.start())))
                assert second.wait(30)
                threading.Event().wait(0.5)  # the second one sees what is to do, and waits for the first

        mine.on_its_way = meanwhile
        one.start()
        waiting[0].result(60)
    assert mine.done == 1


def test_failed_it_is_told_and_tried_again_by_the_next_start(make_crm: Callable[..., Crm]) -> None:
    mine = Installed(broken=True)
    plugins = [replace(NOTHING, install=mine)]
    make_crm(plugins=plugins).start().plugins.enable("nothing")
    crm = make_crm(plugins=plugins).start()
    assert [plugin.name for plugin in crm.plugins.enabled] == ["crm", "nothing"]
    assert ["no room" in str(finding.message) for finding in examine(crm)] == [True]
    mine.broken = False
    make_crm(plugins=plugins).start()
    assert mine.done == 1


def test_enabling_says_that_its_own_part_failed_and_leaves_it_off(make_crm: Callable[..., Crm]) -> None:
    mine = Installed(broken=True)
    crm = make_crm(plugins=[replace(NOTHING, install=mine)]).start()
    with pytest.raises(RuntimeError, match="no room"):
        crm.enable("nothing")
    assert [plugin.name for plugin in crm.plugins.enabled] == ["crm"]
    make_crm(plugins=[replace(NOTHING, install=mine)]).start()
    assert mine.done == 0, "what is off installs nothing"


def test_of_two_that_install_at_once_the_second_is_refused(
    make_crm: Callable[..., Crm], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (make_crm(plugins=[NOTHING]).start() for _ in range(2))
    look = PluginManager.examine

    def meanwhile(manager: PluginManager, name: str) -> object:
        monkeypatch.setattr(PluginManager, "examine", look)
        found = look(manager, name)
        install(one, name)
        return found

    monkeypatch.setattr(PluginManager, "examine", meanwhile)
    with pytest.raises(Conflict, match=r"The plugin nothing is installed\. Run `giga plugin enable nothing`"):
        install(two, "nothing")
    assert [verb for verb, _ in said(one)] == ["installed"]


@pytest.fixture(scope="module")
def tours(tmp_path_factory: pytest.TempPathFactory) -> Plugin:
    (made,) = with_migrations(tmp_path_factory.mktemp("migrations"), TOURS)
    return made


OPERATIONS: Mapping[str, Callable[[Crm, str], object]] = {
    "installed": install,
    "disabled": Crm.disable,
    "enabled": Crm.enable,
    "upgraded": upgrade,
    "uninstalled": uninstall,
    "reinstalled": reinstall,
}


def said(crm: Crm) -> list[tuple[str, str]]:
    a = core_audit.c
    with crm.database.connect() as connection:
        lines = sa.select(a.verb, a.actor_name).where(a.entity == "core.plugin").order_by(a.id)
        return [tuple(row) for row in connection.execute(lines)]


def test_every_operation_leaves_one_line_in_the_audit(make_crm: Callable[..., Crm], tours: Plugin) -> None:
    crm = make_crm(plugins=[tours], strict=True).start()
    for operation in OPERATIONS.values():
        operation(crm, "tours")
    assert said(crm) == [(verb, f"system ({verb} plugin tours)") for verb in OPERATIONS]


def test_the_line_names_the_person(make_crm: Callable[..., Crm]) -> None:
    crm = make_crm(plugins=[NOTHING]).start()
    ann = Actor("user", 1, "Ann", super_admin=True)
    crm.enable("nothing", by=ann)
    crm.disable("nothing", by=ann)
    assert said(crm) == [("installed", "Ann"), ("disabled", "Ann")]


def test_without_its_line_nothing_is_done(
    make_crm: Callable[..., Crm], tours: Plugin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space for the audit")

    crm = make_crm(plugins=[tours], strict=True).start()
    for verb, operation in OPERATIONS.items():
        before = crm.plugins.stored()
        with monkeypatch.context() as patch:
            patch.setattr(trail, "note", full)
            with pytest.raises(OSError, match="no space for the audit"):
                operation(crm, "tours")
        assert crm.plugins.stored() == before, verb
        operation(crm.start(), "tours")
    assert [verb for verb, _ in said(crm)] == [*OPERATIONS]
