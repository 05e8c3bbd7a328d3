"""What a start of the web application must not load: it comes with the first request that needs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from gigacore import Crm
from gigacore.testing.databases import settings

LATER: Final = frozenset(
    "alembic argon2 babel celery charset_normalizer cronsim cryptography email_validator httpx httpx2 idna lxml mako"
    " marshmallow nh3 openai openpyxl phonenumbers phonenumberslite PIL pygal redis reportlab requests stripe typst"
    " weasyprint xlsxwriter zxcvbn".split()
)
START: Final = """
import sys
from gigacore.settings import Settings
from host_app.app import create_app
from host_app.context import host
import os
app = create_app(settings=Settings.from_env(os.environ))
assert app.test_client().get("/healthz").status_code == 200
{more}
print(*{{name.partition(".")[0] for name in sys.modules}})
"""
WRITE: Final = """
from gigacore import records
with host(app).crm.system("test") as ctx:
    records.create(ctx, "crm.lead", {"last_name": "Martin"})
"""


def loaded(folder: Path, more: str = "") -> set[str]:
    given = settings("sqlite:///" + str(folder / "start.sqlite3"), folder)
    with Crm(given) as crm:
        crm.upgrade()
        for status in crm.plugins.list():
            if not status.builtin:
                crm.enable(status.name)
    environment = {
        "GIGA_DATABASE_URL": given.effective_database_url,
        "GIGA_DATA_DIR": str(folder),
        "GIGA_SECRET_KEY": given.secret_key,
        "GIGA_ENCRYPTION_KEY": given.encryption_key,
    }
    code = START.format(more=more)
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def test_a_start_with_every_plugin_loads_nothing_that_only_some_requests_need(tmp_path: Path) -> None:
    assert loaded(tmp_path) & LATER == set()


def test_the_first_write_loads_what_checks_input(tmp_path: Path) -> None:
    assert "marshmallow" in loaded(tmp_path, WRITE)
