"""The score as a lead's page shows it: a meter and where the points come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gigacore.messages import Msg, msg
from gigacore.ui import Content, Fact, Facts, Meter, Note
from gigacore_lead_scoring.models import LeadScore
from gigacore_lead_scoring.rules import FAMILIES, family_label

if TYPE_CHECKING:
    from gigacore.context import Context


def score_panel(ctx: Context, record: Any) -> Sequence[Content]:
    """The score with its explanation; a lead without one says when it will have it."""
    row = ctx.session.get(LeadScore, record.id)
    if row is None or row.score is None:
        return [Note(msg("The score is worked out within a minute of a change."))]
    lines = (row.explanation or {}).get("lines", [])
    return [Meter(row.score, 100, "Score"), *(_family(name, lines) for name in FAMILIES)]


def _family(family: str, lines: Sequence[dict[str, Any]]) -> Facts:
    own = [line for line in lines if line["family"] == family]
    earned, possible = sum(line["points"] for line in own), sum(line["possible"] for line in own)
    head = Fact(family_label(family).text, _points(earned, possible))
    return Facts((head, *(Fact(line["label"], _points(line["points"], line["possible"])) for line in own)))


def _points(earned: float, possible: float) -> Msg:
    return msg("{earned} of {possible}", earned=f"{earned:.0f}", possible=f"{possible:.0f}")
