"""The pages about plugins tell the truth: the complete plugin works, and every hook is documented."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gigacore import Crm, records
from gigacore.data import create_engine
from gigacore.entity import metadata
from gigacore.migrate import write_revision
from gigacore.plugins import hookspecs
from tests.docs.hook_reference import PAGE, reference

RENAMED = ('Plugin("visits"', 'Plugin("sitevisits"')
GUIDE = Path(__file__).parents[2] / "docs/write-a-plugin.md"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The distribution that the page describes, on `sys.path`."""
    code = re.search(r'```python\n(""".*?)```', GUIDE.read_text(), re.DOTALL)
    assert code is not None
    package, info = tmp_path / "gigacore_sitevisits", tmp_path / "gigacore_sitevisits-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    # The declarations of a process are one set, and another test declares visits too.
    (package / "__init__.py").write_text(
        code[1].replace('"visits.', '"sitevisits.').replace('"visits"', '"sitevisits"', 3)
    )
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gigacore-sitevisits\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gigacore.plugins.v1]\nsitevisits = gigacore_sitevisits:plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    sys.modules.pop("gigacore_sitevisits", None)


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_the_complete_plugin_is_complete(installed: Path, crm: Crm) -> None:
    with Crm(crm.settings, engine=crm.engine) as other:
        other.start()
        path = write_revision(other.plugins.history("sitevisits"), metadata, create_engine("sqlite://"), "Tables")
        assert path is not None
        assert path.parent == installed / "migrations/versions"
        other.enable("sitevisits")
        with other.system("a visit") as ctx:
            made = records.create(ctx, "sitevisits.visit", {"subject": "Warehouse"})
            assert records.get(ctx, "sitevisits.visit", made.id)["stage"]


def test_the_reference_of_hooks_is_the_present_one() -> None:
    assert PAGE.read_text() == reference(), "run `python -m tests.docs.hook_reference`"


def test_every_hook_has_a_test_and_an_explanation() -> None:
    tested = "".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py"))
    for spec in hookspecs.SPECS:
        for name, function in vars(spec).items():
            if not name.startswith("_"):
                assert name in tested
                assert function.__doc__
