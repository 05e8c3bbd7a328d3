"""The public names exist, and asking for them costs no more than they need."""

from __future__ import annotations

import difflib
import importlib
import inspect
import subprocess
import sys

import gigacore
from tests.public_api import MODULES, OURS, SNAPSHOT, public_names, signature, text

LATER = {"alembic", "argon2", "babel", "cryptography", "jinja2", "mako", "nh3", "phonenumbers", "requests", "typst"}
LIST_MODULES = (
    "import sys; before = set(sys.modules); {code}; print(*{{m.partition('.')[0] for m in set(sys.modules) - before}})"
)


def modules(code: str) -> set[str]:
    run = [sys.executable, "-c", LIST_MODULES.format(code=code)]
    return set(subprocess.run(run, capture_output=True, text=True, check=True).stdout.split())


def test_every_public_name_is_there() -> None:
    assert [name for name in gigacore.__all__ if not hasattr(gigacore, name)] == []
    assert gigacore.__all__ == sorted(gigacore.__all__)


def test_importing_the_library_loads_only_the_standard_library() -> None:
    assert modules("import gigacore") - set(sys.stdlib_module_names) == {"gigacore"}


def test_the_application_loads_what_it_may_need_later_later() -> None:
    found = modules("import gigacore; gigacore.Crm")
    assert "sqlalchemy" in found
    assert found & LATER == set()


def test_the_contract_is_the_frozen_one() -> None:
    now, frozen = text().splitlines(), SNAPSHOT.read_text("utf-8").splitlines()
    changed = "\n".join(difflib.unified_diff(frozen, now, "frozen", "now", lineterm="", n=0))
    assert now == frozen, f"write a changelog line and run `python -m tests.public_api`:\n{changed}"


def test_the_snapshot_notices_a_changed_signature_and_a_changed_default() -> None:
    def act(ctx: object, *, many: bool = False) -> None: ...

    def acts(ctx: object, *, many: bool = True) -> None: ...

    assert signature(act) != signature(acts)
    assert signature(act) == "(ctx: object, *, many: bool = False) -> None"


def test_every_public_thing_is_explained() -> None:
    for name in MODULES:
        module = importlib.import_module(name)
        named = ((public, getattr(module, public)) for public in public_names(module))
        own = [(public, value) for public, value in named if getattr(value, "__module__", "").startswith(OURS)]
        assert [public for public, value in own if not inspect.getdoc(value)] == []
