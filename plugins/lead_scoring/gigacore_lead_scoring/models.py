"""The fields that lead scoring adds onto leads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped

from gigacore.entity import Extension, ExtensionMeta, computed


class LeadScore(Extension):
    """The score of one lead. `explanation` holds one entry per rule: family, text, points earned, points possible."""

    __extension__ = ExtensionMeta("lead_scoring", "crm.lead")

    score: Mapped[int | None] = computed(listed=True, sort=True, minimum=0, maximum=100)
    explanation: Mapped[dict[str, Any] | None] = computed()
    scored_at: Mapped[datetime | None] = computed(label="Scored")
