"""Imports on both sides, in rows per second, and the memory of the command that imports a file."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gigacore import Crm, records
from gigacore.exchange.imports import BATCH
from tests.benchmarks import by_hand
from tests.benchmarks.data import Row, rows
from tests.benchmarks.product import Product
from tests.benchmarks.servers import resident

if TYPE_CHECKING:
    import sqlalchemy as sa


def import_by_hand(engine: sa.Engine, source: list[Row]) -> float:
    """Rows per second of the import written by hand."""
    begun = time.perf_counter()
    by_hand.import_rows(engine, source, 1, 1, BATCH)
    return len(source) / (time.perf_counter() - begun)


def import_through_product(product: Product, source: list[Row]) -> float:
    """Rows per second through the record service, as the importer calls it."""
    with Crm(product.settings) as crm:
        crm.start()
        actor = crm.actor(product.person.user_id)
        begun = time.perf_counter()
        for start in range(0, len(source), BATCH):
            with crm.unit_of_work(actor, source="import", rules_enabled=False) as ctx:
                bodies = [by_hand.as_body(row) for row in source[start : start + BATCH]]
                found = records.create_many(ctx, "crm.lead", bodies)
                refused = [one.error for one in found if isinstance(one, records.Failed)]
                if refused:
                    raise SystemExit(f"{len(refused)} rows were refused: {refused[0]}")
        return len(source) / (time.perf_counter() - begun)


def import_of_a_file(product: Product, folder: Path, size: int) -> float:
    """The most megabytes that `giga import` takes for a file of that many leads."""
    file = folder / f"{size}.csv"
    bodies = (by_hand.as_body(row) for row in rows(size, seed=13, start=5 * 10**7 + size))
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, ["first_name", "last_name", "email", "phone", "company_name", "city"])
        writer.writeheader()
        writer.writerows({name: body[name] for name in writer.fieldnames} for body in bodies)
    giga = Path(sys.executable).with_name("giga")
    command = [str(giga), "import", "crm.lead", str(file)]
    process = subprocess.Popen(command, env=product.environment(), stdout=subprocess.DEVNULL)
    most = 0.0
    while process.poll() is None:
        most = max(most, resident(process.pid, "VmHWM:"))
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"giga import failed on {size} rows")
    return most / 1024
