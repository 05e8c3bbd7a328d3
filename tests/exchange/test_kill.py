"""An import whose process is killed goes on after its last committed batch; nothing is twice, nothing is missing."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from gigacore import Actor, Crm
from gigacore.exchange import imports
from tests.exchange.samples import CUSTOMER_HEADINGS, as_csv, customers

pytestmark = pytest.mark.slow_on_postgres

ROOT = Path(__file__).parents[2]


def test_killed_imports_end_complete(crm: Crm, admin: Actor, database_url: str, tmp_path: Path) -> None:
    content = as_csv(CUSTOMER_HEADINGS, customers(45))
    number = imports.stage(crm, admin, "crm.contact", io.BytesIO(content), "customers.csv").id
    for row, committed in ((30, 20), (30, 20), (45, 40)):
        arguments = [database_url, str(tmp_path), str(admin.user_id), str(number), str(row)]
        ended = subprocess.run(
            [sys.executable, "-m", "tests.exchange.victim", *arguments], cwd=ROOT, capture_output=True, check=False
        )
        assert ended.returncode == -9, ended.stderr.decode()
        with crm.read(admin) as ctx:
            assert imports.get(ctx, number).cursor == committed
    found = imports.run(crm, admin, number)
    assert (found.state, found.created, found.skipped, found.failed) == ("done", 45, 0, 0)
    with crm.database.system_connection("test") as connection:
        keys = connection.scalars(sa.text("SELECT external_id FROM crm_contact")).all()
    assert sorted(keys) == sorted(row[1] for row in customers(45))
