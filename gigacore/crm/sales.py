"""Pipelines, their stages, and the opportunities that move through them."""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Mapped

from gigacore.entity import (
    Child,
    ChildMeta,
    Entity,
    EntityMeta,
    Money,
    Visibility,
    children,
    choice,
    computed,
    field,
    ref,
)


class StageKind(enum.Enum):
    """What a stage means: still open, won or lost."""

    open = "open"
    won = "won"
    lost = "lost"

    @property
    def label(self) -> str:
        """What people read."""
        return "In progress" if self is StageKind.open else self.value.capitalize()


class BudgetKind(enum.Enum):
    """What an opportunity's amount is for: the whole, or one hour, day or month."""

    fixed = "fixed"
    hour = "per_hour"
    day = "per_day"
    month = "per_month"


def _known_as(named: Pipeline | Stage) -> str | None:
    return " ".join(dict.fromkeys([named.name, *(named.labels or {}).values()])) if named.name else None


class PipelineTeam(Child):
    """A team that sells through a pipeline."""

    __child__ = ChildMeta("crm.pipeline_team", "crm.pipeline")

    team_id: Mapped[int] = ref("core.team", soft=True)


class Pipeline(Entity):
    """A way of selling with its own stages."""

    __entity__ = EntityMeta(
        "crm.pipeline",
        plural="pipelines",
        title="name",
        label="Pipeline",
        label_plural="Pipelines",
        label_new="Create pipeline",
        icon="filter",
        group="Settings",
        access="reference",
        sort="position",
        labels="labels",
    )

    name: Mapped[str] = field(listed=True, search=True, max_length=100)
    labels: Mapped[dict[str, Any] | None] = field(label="Names by language")
    known_as: Mapped[str | None] = computed(
        _known_as, depends_on=("name", "labels"), search=True, max_length=1000, label="Names in all languages"
    )
    position: Mapped[int] = field(default=0, sort=True)
    active: Mapped[bool] = field(default=True, listed=True)
    description: Mapped[str | None] = field(kind="longtext")
    teams: Mapped[list[PipelineTeam]] = children(PipelineTeam)


class StageTask(Child):
    """A task that is created by itself when an opportunity enters a stage."""

    __child__ = ChildMeta("crm.stage_task", "crm.stage")

    title: Mapped[str] = field()
    category: Mapped[str | None] = choice(list="crm.task_category")
    due_in_days: Mapped[int] = field(default=3, minimum=0, maximum=3650, label="Due after (days)")


class Stage(Entity):
    """One step of a pipeline."""

    __entity__ = EntityMeta(
        "crm.stage",
        plural="stages",
        title="name",
        label="Stage",
        label_plural="Stages",
        label_new="Create stage",
        icon="list-check",
        group="Settings",
        access="reference",
        sort="position",
        labels="labels",
        colour="colour",
    )

    pipeline_id: Mapped[int] = ref("crm.pipeline", on_delete="restrict", listed=True)
    name: Mapped[str] = field(listed=True, search=True, max_length=100)
    labels: Mapped[dict[str, Any] | None] = field(label="Names by language")
    known_as: Mapped[str | None] = computed(
        _known_as, depends_on=("name", "labels"), search=True, max_length=1000, label="Names in all languages"
    )
    kind: Mapped[StageKind] = field(default=StageKind.open, listed=True)
    probability: Mapped[int] = field(default=0, minimum=0, maximum=100, listed=True, label="Probability (%)")
    position: Mapped[int] = field(default=0, sort=True, listed=True)
    colour: Mapped[str | None] = field(max_length=20)
    rotting_days: Mapped[int | None] = field(minimum=1, label="Days until it counts as rotting")
    tasks: Mapped[list[StageTask]] = children(StageTask, label="Tasks created by themselves")


class Participant(Child):
    """A person who takes part in an opportunity."""

    __child__ = ChildMeta("crm.opportunity_participant", "crm.opportunity")

    contact_id: Mapped[int] = ref("crm.contact", on_delete="cascade")
    part: Mapped[str | None] = field(max_length=100, label="Role")


class StageVisit(Child):
    """The time that an opportunity spent in one stage; written by the system."""

    __child__ = ChildMeta("crm.opportunity_stage_visit", "crm.opportunity")

    stage_id: Mapped[int] = ref("crm.stage", on_delete="restrict", readonly=True)
    entered_at: Mapped[datetime] = field(readonly=True, label="Entered")
    left_at: Mapped[datetime | None] = field(readonly=True, label="Left")
    days: Mapped[Decimal | None] = field(readonly=True, label="Time spent (days)")


def _total(opportunity: Opportunity) -> Money | None:
    return None if opportunity.amount is None else opportunity.amount * opportunity.quantity


def _weighted(opportunity: Opportunity) -> Money | None:
    total = _total(opportunity)
    return None if total is None else total * (Decimal(opportunity.probability) / 100)


class Opportunity(Entity):
    """A possible sale."""

    __entity__ = EntityMeta(
        "crm.opportunity",
        plural="opportunities",
        title="title",
        label="Opportunity",
        label_plural="Opportunities",
        label_new="Create opportunity",
        icon="briefcase",
        id_prefix="OPP",
        board="stage_id",
        sort="-created_at",
        required_any=("contact_id", "company_id"),
        visibility=Visibility.read,
        indexes=(("created_at",), ("stage_id", "created_at")),
        key_facts=("stage_id", "amount", "probability", "expected_close", "company_id"),
    )

    title: Mapped[str] = field(listed=True, search=True)
    contact_id: Mapped[int | None] = ref("crm.contact", on_delete="restrict", listed=True)
    company_id: Mapped[int | None] = ref("crm.company", on_delete="restrict", listed=True)
    lead_id: Mapped[int | None] = ref("crm.lead", on_delete="set_null", readonly=True, label="From lead")
    pipeline_id: Mapped[int] = ref("crm.pipeline", on_delete="restrict", required=False)
    stage_id: Mapped[int] = ref("crm.stage", on_delete="restrict", required=False, listed=True)
    stage_entered_at: Mapped[datetime | None] = field(readonly=True, label="In this stage since")
    amount: Mapped[Money | None] = field(listed=True, sort=True, minimum=0, label="Budget")
    budget_kind: Mapped[BudgetKind] = field(default=BudgetKind.fixed, label="Budget is")
    quantity: Mapped[int] = field(default=1, minimum=1, maximum=10_000, label="Number of periods")
    probability: Mapped[int] = computed(default=0, minimum=0, maximum=100, listed=True, label="Probability (%)")
    total: Mapped[Money | None] = computed(_total, depends_on=("amount", "quantity"), sort=True, label="Total amount")
    weighted: Mapped[Money | None] = computed(
        _weighted, depends_on=("amount", "quantity", "probability"), label="Weighted amount"
    )
    expected_close: Mapped[date | None] = field(listed=True, sort=True, label="Expected close")
    source: Mapped[str | None] = choice(list="crm.source")
    recurring: Mapped[Money | None] = field(
        label="Recurring amount per month", minimum=0, switch="crm.recurring_revenue"
    )
    recurring_months: Mapped[int | None] = field(
        minimum=1, maximum=600, label="Months of recurrence", switch="crm.recurring_revenue"
    )
    closed_at: Mapped[datetime | None] = field(readonly=True, label="Closed on", sort=True)
    lost_reason: Mapped[str | None] = choice(list="crm.lost_reason", label="Reason for losing")
    won_reason: Mapped[str | None] = choice(list="crm.won_reason", label="Reason for winning")
    tags: Mapped[list[str] | None] = choice(list="crm.tag", many=True)
    description: Mapped[str | None] = field(kind="longtext")
    participants: Mapped[list[Participant]] = children(Participant)
    stage_visits: Mapped[list[StageVisit]] = children(StageVisit, label="Stage history")
