"""What stands on the pages of machines, on the start page, and what people and rules can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore import FieldSpec, measures, msg, records
from gigacore.automation import Action
from gigacore.measures import Measure
from gigacore.reports import ReportType
from gigacore.ui import (
    BulkAction,
    Content,
    Fact,
    Facts,
    Figure,
    Figures,
    Link,
    Note,
    Panel,
    RecordAction,
    Rows,
    Tab,
    Widget,
)
from gigacore_inspections.models import Inspection, MachineInspections
from gigacore_inspections.services import MACHINE, due, inspect

if TYPE_CHECKING:
    from gigacore import Context
    from gigacore.automation import Step


def state(ctx: Context, machine: Any) -> list[Facts]:
    """When the machine was inspected."""
    own = ctx.session.get(MachineInspections, machine.id)
    return [Facts((Fact("Inspected on", own.inspected_on if own else None),))]


def history(ctx: Context, machine: Any) -> list[Rows]:
    """The inspections of the machine."""
    found = ctx.session.scalars(sa.select(Inspection).where(Inspection.machine_id == machine.id))
    return [Rows(("Inspection", "Day"), tuple((one.title, one.created_at.date()) for one in found))]


def how_many(ctx: Context, machine: Any) -> int:
    """How many inspections the machine had."""
    return ctx.session.scalar(sa.select(sa.func.count(Inspection.id)).where(Inspection.machine_id == machine.id)) or 0


MADE: Final = Measure(
    name="inspections.made",
    label="Inspections",
    entity="inspections.inspection",
    date_field="created_at",
    definition="The inspections that were written down.",
)
BY_PERSON: Final = ReportType(
    name="inspections.by_person",
    label="Inspections by person",
    definition="How many inspections each person is responsible for.",
    by="owner_id",
    measures=(MADE,),
)


def tile(ctx: Context) -> list[Content]:
    """How many machines are due, and how many inspections were made."""
    made = Figure("Inspections this month", measures.value(ctx, MADE, "this_month"), definition=MADE.definition)
    note = Note(msg("{count} machines are due.", count=len(due(ctx))))
    return [note, Figures((made,)), Link("Machines", entity=MACHINE)]


def pass_one(ctx: Context, machine: Any, params: Mapping[str, Any]) -> Any:
    """The machine passed; gives the inspection."""
    made = inspect(ctx, machine)
    made.title = str(params.get("title") or made.title)
    return made


def pass_many(ctx: Context, ids: Sequence[int], params: Mapping[str, Any]) -> None:
    """The chosen machines passed."""
    for number in ids:
        inspect(ctx, records.load(ctx, MACHINE, number))


def pass_by_rule(step: Step) -> Mapping[str, Any]:
    """A rule says that the machine passed."""
    return {"inspection": inspect(step.ctx, step.record).id}


PANELS: Final = (Panel(name="inspections.state", label="Inspection", entity=MACHINE, load=state),)
TABS: Final = (Tab(name="inspections.history", label="Inspections", entity=MACHINE, load=history, count=how_many),)
WIDGETS: Final = (Widget(name="inspections.due", label="Inspections", load=tile, policy="equipment.machine.view"),)
ACTIONS: Final = (
    RecordAction(
        name="inspections_pass",
        label="Passed the inspection",
        entity=MACHINE,
        run=pass_one,
        params=(FieldSpec("title", "text", "Title"),),
        policy="equipment.machine.edit",
    ),
)
BULK_ACTIONS: Final = (
    BulkAction(
        name="inspections_pass_all",
        label="Passed the inspection",
        entity=MACHINE,
        run=pass_many,
        policy="equipment.machine.edit",
    ),
)
RULE_ACTIONS: Final = (Action("inspections.pass", "Passed the inspection", pass_by_rule, entities=(MACHINE,)),)
