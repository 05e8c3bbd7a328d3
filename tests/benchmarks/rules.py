"""What one automation adds to the change that it reacts to."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from itertools import count
from typing import Final

from gigacore import Actor, Crm, records
from tests.benchmarks.lines import Line
from tests.benchmarks.product import Product

TURNS: Final = 15
TIMES: Final = 10
SMALLEST: Final = 2_000
"""The leads with smaller numbers were changed over HTTP."""
RULE: Final = {
    "entity": "crm.lead",
    "trigger": {"kind": "core.updated", "fields": ["city"]},
    "steps": [{"do": "core.create_record", "with": {"entity": "crm.task", "values": {"title": "Call"}}}],
}


def cost_of_a_rule(product: Product) -> Iterator[Line]:
    """The change itself, and the change with the work that follows, with a rule that reacts and without one."""
    alone, heard, work_alone, work_heard = (statistics.median(one) * 1000 for one in changes(product))
    yield Line("W6 change with a rule / without", heard, alone, "ms", "<= 1.4", heard <= 1.4 * alone)
    whole, less = heard + work_heard, alone + work_alone
    yield Line("W6 and the run that follows / without", whole, less, "ms", "", passed=True)


def changes(product: Product) -> tuple[list[float], ...]:
    """Seconds of changes without and with a rule that reacts, then of the workers' part without and with it."""
    spent: tuple[list[float], ...] = ([], [], [], [])
    numbers = count(SMALLEST)
    with Crm(product.settings) as crm:
        crm.start()
        actor = crm.actor(product.person.user_id)
        with crm.unit_of_work(actor) as ctx:
            rule = crm.automation.create(ctx, "Call again", RULE).id
        for turn in range(TURNS):
            for place, active in enumerate((False, True)):
                with crm.unit_of_work(actor) as ctx:
                    crm.automation.switch(ctx, rule, active=active)
                crm.jobs.run_pending()
                found = [_change(crm, actor, next(numbers)) for _ in range(TIMES)]
                if turn:  # the first one fills caches
                    spent[place].extend(one for one, _ in found)
                    spent[place + 2].extend(one for _, one in found)
    return spent


def _change(crm: Crm, actor: Actor, number: int) -> tuple[float, float]:
    begun = time.perf_counter()
    with crm.unit_of_work(actor) as ctx:
        records.update(ctx, "crm.lead", number, {"city": f"New town {number}"})
    changed = time.perf_counter()
    crm.jobs.run_pending()
    return changed - begun, time.perf_counter() - changed
