"""The first thing that a process does may be writing many records: nothing else has prepared the mapped classes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gigacore import Actor, Crm

ROOT = Path(__file__).parents[2]
WRITES = """
import sys
from pathlib import Path
from gigacore import Crm, records
from gigacore.testing.databases import settings

url, folder, user = sys.argv[1:]
with Crm(settings(url, Path(folder)), plugins=()) as crm:
    crm.start()
    with crm.unit_of_work(crm.actor(int(user))) as ctx:
        found = records.create_many(ctx, "crm.lead", [{"last_name": "Ames"}, {"last_name": "Bolt"}])
        print([one.name for one in found])
"""


def test_many_records_may_be_the_first_that_a_process_writes(
    crm: Crm, admin: Actor, database_url: str, tmp_path: Path
) -> None:
    arguments = [database_url, str(tmp_path), str(admin.user_id)]
    ended = subprocess.run(
        [sys.executable, "-c", WRITES, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.stdout.strip() == "['Ames', 'Bolt']", ended.stderr
