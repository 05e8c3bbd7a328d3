"""Rules: when this happens, and these conditions hold, do that. What plugins add to them, and the service."""

from gigacore.automation.declare import Action, Due, Happened, ReadyRule, Step, Tick, Trigger
from gigacore.automation.logbook import Run
from gigacore.automation.past import Hit, Past
from gigacore.automation.rule import Rule
from gigacore.automation.service import CONSUMER, Automation
from gigacore.automation.trial import Trial

__all__ = [
    "CONSUMER",
    "Action",
    "Automation",
    "Due",
    "Happened",
    "Hit",
    "Past",
    "ReadyRule",
    "Rule",
    "Run",
    "Step",
    "Tick",
    "Trial",
    "Trigger",
]
