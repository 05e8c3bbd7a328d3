"""The rules of the score: pure functions from what is known about a lead to a share between 0 and 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from gigacore.messages import Msg, msg

PROFILE: Final = "profile"
ENGAGEMENT: Final = "engagement"
BEHAVIOUR: Final = "behaviour"
TIMING: Final = "timing"
FAMILIES: Final = (PROFILE, ENGAGEMENT, BEHAVIOUR, TIMING)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at. `amount` is in the lead's currency, `contacts` counts the past 30 days."""

    now: datetime
    created_at: datetime
    last_contact_at: datetime | None = None
    email: bool = False
    phone: bool = False
    company: bool = False
    job_title: bool = False
    source: str | None = None
    amount: Decimal | None = None
    target_amount: Decimal = Decimal(10_000)
    preferred_sources: tuple[str, ...] = ()
    status_kind: str = ""
    next_action_planned: bool = False
    contacts: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the score: `share` gives 0 to 1, of which the rule's `weight` within its family is earned."""

    family: str
    key: str
    label: str
    weight: int
    share: Callable[[Facts], float]


@dataclass(frozen=True, slots=True)
class Line:
    """One rule as it came out for one lead, in points of the whole score."""

    family: str
    key: str
    label: str
    points: float
    possible: float


@dataclass(frozen=True, slots=True)
class Score:
    """A whole number from 0 to 100 and the lines that add up to it."""

    value: int
    lines: tuple[Line, ...]


def _decay(moment: datetime | None, now: datetime, full_days: int, none_days: int) -> float:
    """1 up to `full_days` ago, falling in a straight line to 0 at `none_days`."""
    if moment is None:
        return 0.0
    days = (now - moment).total_seconds() / 86_400
    return max(0.0, min(1.0, (none_days - days) / (none_days - full_days)))


def _amount_share(facts: Facts) -> float:
    if facts.amount is None or facts.target_amount <= 0:
        return 0.0
    return float(min(Decimal(1), facts.amount / facts.target_amount))


_PROGRESS: Final[Mapping[str, float]] = {"new": 0.0, "open": 0.5, "qualified": 1.0, "won": 1.0}

RULES: Final = (
    Rule(PROFILE, "email", "E-mail address is known", 2, lambda f: float(f.email)),
    Rule(PROFILE, "phone", "Phone number is known", 2, lambda f: float(f.phone)),
    Rule(PROFILE, "company", "Company is known", 2, lambda f: float(f.company)),
    Rule(PROFILE, "job_title", "Job title is known", 1, lambda f: float(f.job_title)),
    Rule(PROFILE, "amount", "Estimated amount reaches the target", 3, _amount_share),
    Rule(PROFILE, "source", "Comes from a preferred source", 2, lambda f: float(f.source in f.preferred_sources)),
    Rule(
        ENGAGEMENT, "contacts", "Calls, e-mails and meetings in the past 30 days", 1, lambda f: min(1.0, f.contacts / 5)
    ),
    Rule(BEHAVIOUR, "status", "Has come far", 2, lambda f: _PROGRESS.get(f.status_kind, 0.0)),
    Rule(BEHAVIOUR, "next_action", "A next action is planned", 1, lambda f: float(f.next_action_planned)),
    Rule(TIMING, "last_contact", "Was in contact lately", 2, lambda f: _decay(f.last_contact_at, f.now, 7, 90)),
    Rule(TIMING, "created", "Is a recent lead", 1, lambda f: _decay(f.created_at, f.now, 7, 180)),
)


def score(facts: Facts, weights: Mapping[str, int]) -> Score:
    """The score of a lead; `weights` gives each family's weight, of which only the proportions matter."""
    total = sum(max(0, weights.get(family, 0)) for family in FAMILIES)
    lines = tuple(_line(rule, facts, max(0, weights.get(rule.family, 0)), total) for rule in RULES)
    return Score(min(100, round(sum(line.points for line in lines))), lines)


def _line(rule: Rule, facts: Facts, weight: int, total: int) -> Line:
    in_family = sum(other.weight for other in RULES if other.family == rule.family)
    possible = 100 * weight / total * rule.weight / in_family if total else 0.0
    points = possible * max(0.0, min(1.0, rule.share(facts)))
    return Line(rule.family, rule.key, rule.label, round(points, 2), round(possible, 2))


def family_label(family: str) -> Msg:
    """The name of a family of rules."""
    return {
        PROFILE: msg("Profile"),
        ENGAGEMENT: msg("Engagement"),
        BEHAVIOUR: msg("Behaviour"),
        TIMING: msg("Timing"),
    }[family]
