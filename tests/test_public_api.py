"""The public names exist, and asking for them costs no more than they need."""

from __future__ import annotations

import subprocess
import sys

import gigacore

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
