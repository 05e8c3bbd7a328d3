"""Lead scoring: a score from 0 to 100 on every lead, explained line by line."""

from gigacore import Plugin
from gigacore.entity import FieldSpec
from gigacore.ui import Column, Panel, SettingsPage
from gigacore_lead_scoring.jobs import CONSUMERS, JOBS, SCHEDULES
from gigacore_lead_scoring.models import LeadScore
from gigacore_lead_scoring.panels import score_panel
from gigacore_lead_scoring.services import DEFAULT_TARGET, DEFAULT_WEIGHTS, rescore

SETTINGS = (
    *(
        FieldSpec(
            f"lead_scoring.weight_{family}",
            "integer",
            f"Weight of {family}",
            default=weight,
            minimum=0,
            maximum=100,
            section="Weights",
        )
        for family, weight in DEFAULT_WEIGHTS.items()
    ),
    FieldSpec(
        "lead_scoring.target_amount",
        "integer",
        "Amount that earns all points",
        default=DEFAULT_TARGET,
        minimum=1,
        section="Profile",
    ),
    FieldSpec(
        "lead_scoring.preferred_sources",
        "choices",
        "Preferred sources",
        choice_list="crm.source",
        default=["referral", "partner"],
        section="Profile",
    ),
)

plugin = Plugin(
    "lead_scoring",
    api="1.0",
    label="Lead scoring",
    description="A score from 0 to 100 on every lead, explained line by line.",
    icon="gauge",
    requires=("crm",),
    extensions=[LeadScore],
    settings=SETTINGS,
    settings_pages=[
        SettingsPage(
            name="lead_scoring.weights", label="Lead scoring", icon="gauge", keys=tuple(spec.name for spec in SETTINGS)
        )
    ],
    jobs=JOBS,
    consumers=CONSUMERS,
    schedules=SCHEDULES,
    panels=[
        Panel(name="lead_scoring.score", label="Score", entity="crm.lead", load=score_panel, icon="gauge", order=10)
    ],
    columns=[Column(entity="crm.lead", field="lead_scoring.score", order=20)],
)

__all__ = ["plugin", "rescore"]
