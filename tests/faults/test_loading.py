"""Faults before any hook is called: the CRM starts, the sound plugin's hooks are all called, the reason is told."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import Crm
from gigacore.errors import PluginError
from tests.faults.house import visited
from tests.faults.plugins import ARGUMENTS, HOOKS
from tests.faults.test_matrix import SERVED, doctor
from tests.pages.conftest import KEYS

pytestmark = pytest.mark.slow_on_postgres

SOUND = "from gigacore import Plugin\nplugin = Plugin('{name}')"
MARK = "from gigacore import hookimpl\n@hookimpl\n"
WITNESS = "from gigacore import hookimpl\nSEEN = set()\n" + "".join(
    f"@hookimpl\ndef {name}({', '.join(arguments)}): SEEN.add('{name}')\n" for name, arguments in ARGUMENTS.items()
)
THING = """
from gigacore import Entity, EntityMeta, Plugin, field
from sqlalchemy.orm import Mapped

class Thing(Entity):
    __entity__ = EntityMeta("{name}.thing", plural="things", title="name")
    name: Mapped[str] = field(max_length=10)
"""
TWICE = THING + THING.partition("class")[2].join(["\nclass Second", ""]).replace("Second Thing", "Second")
HALF = """
import sqlalchemy as sa
from alembic import op

revision = "{name}_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table("{name}_half", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO {name}_half (id) VALUES (1)")
    raise RuntimeError("half way")


def downgrade(): ...
"""
THREAD = """
import threading, time
def wait(): time.sleep(20)
threading.Thread(target=wait, name="sleeper", daemon=True).start()
"""
FAULTS: dict[str, tuple[dict[str, str], str]] = {
    "raises at import": ({"source": "raise RuntimeError('no luck')"}, "RuntimeError: no luck"),
    "leaves the program": ({"source": "raise SystemExit(3)"}, "SystemExit: 3"),
    "wrong API level": ({"source": SOUND.replace(")", ", api='1.99')")}, "asks for plugin API 1.99"),
    "requires itself": ({"source": SOUND.replace(")", ", requires=['{name}'])")}, "It requires itself"),
    "duplicate entity": ({"source": TWICE + SOUND}, "Two entities are called "),
    "misspelt hook": ({"hooks": "from gigacore import hookimpl\n@hookimpl\ndef before_seve(): ..."}, "before_seve"),
    "unknown argument": (
        {"hooks": "from gigacore import hookimpl\n@hookimpl\ndef fill_slot(nonsense): ..."},
        "nonsense",
    ),
    "starts a thread": ({"source": THREAD + SOUND}, "It started threads: sleeper"),
    "bad migration": ({}, "RuntimeError: half way"),
}
RUNS = {"starts a thread"}


@pytest.fixture
def spoilt(make_crm: Callable[..., Crm], site: Any) -> Callable[[str], tuple[Crm, str, str]]:
    """`spoilt(fault)` gives the CRM after a start with a plugin gone bad, and the names of the good and the bad one."""

    def start(fault: str) -> tuple[Crm, str, str]:
        good, bad = site.add(hooks=WITNESS), site.add()
        crm = make_crm().start()
        for name in (good, bad):
            crm.enable(name)
        modules, _ = FAULTS[fault]
        site.add(name=bad, **modules)
        if fault == "bad migration":
            versions = site.folder / f"gigacore_{bad}/migrations/versions"
            versions.mkdir(parents=True)
            (versions / "0001_half.py").write_text(HALF.replace("{name}", bad))
        site.forget()
        crm = make_crm(**KEYS)
        crm.upgrade()
        return crm, good, bad

    return start


@pytest.mark.parametrize("fault", FAULTS)
def test_a_plugin_that_went_bad_harms_nobody(
    spoilt: Callable[[str], tuple[Crm, str, str]], fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "gigacore.plugins"):
        crm, good, bad = spoilt(fault)
    running = [plugin.name for plugin in crm.plugins.enabled]
    assert good in running
    assert (bad in running) == (fault in RUNS)
    house = visited(crm)
    house.use_everything()
    assert set(house.answers.values()) <= SERVED, house.answers
    assert house.lost() == set()
    assert set(HOOKS) == sys.modules[f"gigacore_{good}.hooks"].SEEN
    told = FAULTS[fault][1]
    page = house.root.get("/settings/plugins").get_data(as_text=True)
    for words in (page, doctor(crm), caplog.text):
        assert told in words.partition(bad)[2], words
    assert f"{bad}_half" not in sa.inspect(crm.engine).get_table_names()


def test_the_control_strict_raises_what_would_be_kept_out(
    spoilt: Callable[[str], tuple[Crm, str, str]], make_crm: Callable[..., Crm], site: Any
) -> None:
    spoilt("misspelt hook")
    site.forget()
    with pytest.raises(PluginError, match="before_seve"):
        make_crm(strict=True).start()
    safe = make_crm(safe_mode=True).start()
    assert [plugin.name for plugin in safe.plugins.enabled] == ["crm"]
