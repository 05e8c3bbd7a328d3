"""Pipelines, their stages, and the opportunities that move through them."""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Mapped

from gigacore.entity import Child, ChildMeta, Entity, EntityMeta, Money, children, choice, computed, field, ref


class StageKind(enum.Enum):
    """What a stage means: still open, won or lost."""

    open = "open"
    won = "won"
    lost = "lost"


class BudgetKind(enum.Enum):
    """What an opportunity's amount is for: the whole, or one hour, day or month."""

    fixed = "fixed"
    hour = "hour"
    day = "day"
    month = "month"


class Pipeline(Entity):
    """A way of selling with its own stages."""

    __entity__ = EntityMeta(
        "crm.pipeline",
        plural="pipelines",
        title="name",
        label="Pipeline",
        label_plural="Pipelines",
        icon="filter",
        group="Settings",
        access="reference",
        sort="position",
    )

    name: Mapped[str] = field(listed=True, search=True, max_length=100)
    position: Mapped[int] = field(default=0, sort=True)
    active: Mapped[bool] = field(default=True, listed=True)
    description: Mapped[str | None] = field(kind="longtext")


class Stage(Entity):
    """One step of a pipeline."""

    __entity__ = EntityMeta(
        "crm.stage",
        plural="stages",
        title="name",
        label="Stage",
        label_plural="Stages",
        icon="list-check",
        group="Settings",
        access="reference",
        sort="position",
    )

    pipeline_id: Mapped[int] = ref("crm.pipeline", on_delete="restrict", listed=True)
    name: Mapped[str] = field(listed=True, search=True, max_length=100)
    kind: Mapped[StageKind] = field(default=StageKind.open, listed=True)
    probability: Mapped[int] = field(default=0, minimum=0, maximum=100, listed=True, label="Probability (%)")
    position: Mapped[int] = field(default=0, sort=True, listed=True)
    colour: Mapped[str | None] = field(max_length=20)
    rotting_days: Mapped[int | None] = field(minimum=1, label="Days until it counts as rotting")


class Participant(Child):
    """A person who takes part in an opportunity."""

    __child__ = ChildMeta("crm.opportunity_participant", "crm.opportunity")

    contact_id: Mapped[int] = ref("crm.contact", on_delete="cascade")
    part: Mapped[str | None] = field(max_length=100, label="Role")


class StageVisit(Child):
    """The time that an opportunity spent in one stage; written by the system."""

    __child__ = ChildMeta("crm.opportunity_stage_visit", "crm.opportunity")

    stage_id: Mapped[int] = ref("crm.stage", on_delete="restrict")
    entered_at: Mapped[datetime] = field()
    left_at: Mapped[datetime | None] = field()


def _weighted(opportunity: Opportunity) -> Decimal | None:
    amount = opportunity.amount
    return None if amount is None else (amount * opportunity.quantity).amount * opportunity.probability / 100


class Opportunity(Entity):
    """A possible sale."""

    __entity__ = EntityMeta(
        "crm.opportunity",
        plural="opportunities",
        title="title",
        label="Opportunity",
        label_plural="Opportunities",
        icon="briefcase",
        id_prefix="OPP",
        board="stage_id",
        sort="-created_at",
        required_any=("contact_id", "company_id"),
        key_facts=("stage_id", "amount", "probability", "expected_close", "company_id"),
    )

    title: Mapped[str] = field(listed=True, search=True)
    contact_id: Mapped[int | None] = ref("crm.contact", on_delete="restrict", listed=True)
    company_id: Mapped[int | None] = ref("crm.company", on_delete="restrict", listed=True)
    lead_id: Mapped[int | None] = ref("crm.lead", on_delete="set_null", readonly=True, label="From lead")
    pipeline_id: Mapped[int] = ref("crm.pipeline", on_delete="restrict", listed=True)
    stage_id: Mapped[int] = ref("crm.stage", on_delete="restrict", listed=True)
    stage_entered_at: Mapped[datetime | None] = field(readonly=True, label="In this stage since")
    amount: Mapped[Money | None] = field(listed=True, sort=True, minimum=0, label="Budget")
    budget_kind: Mapped[BudgetKind] = field(default=BudgetKind.fixed, label="Budget is")
    quantity: Mapped[int] = field(default=1, minimum=1, maximum=10_000, label="Number of periods")
    probability: Mapped[int] = field(
        default=0, minimum=0, maximum=100, readonly=True, listed=True, label="Probability (%)"
    )
    weighted: Mapped[Decimal | None] = computed(
        _weighted, depends_on=("amount", "quantity", "probability"), label="Weighted amount"
    )
    expected_close: Mapped[date | None] = field(listed=True, sort=True, label="Expected close")
    source: Mapped[str | None] = choice(list="crm.source")
    recurring: Mapped[Money | None] = field(label="Recurring amount per month", minimum=0)
    recurring_months: Mapped[int | None] = field(minimum=1, maximum=600, label="Months of recurrence")
    closed_at: Mapped[datetime | None] = field(readonly=True, label="Closed", sort=True)
    lost_reason: Mapped[str | None] = choice(list="crm.lost_reason", label="Reason for losing")
    tags: Mapped[list[str] | None] = choice(list="crm.tag", many=True)
    description: Mapped[str | None] = field(kind="longtext")
    participants: Mapped[list[Participant]] = children(Participant)
    stage_visits: Mapped[list[StageVisit]] = children(StageVisit, label="Stage history")
