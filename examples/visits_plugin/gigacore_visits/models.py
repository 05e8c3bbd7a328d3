"""What the plugin adds onto companies; form, list, filters, import and API follow from it."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Mapped

from gigacore.entity import Extension, ExtensionMeta, field


class CompanyVisits(Extension):
    """The visits of one company."""

    __extension__ = ExtensionMeta("visits", "crm.company")

    last_visit: Mapped[date | None] = field(sort=True, label="Last visit", section="Visits")
    visit_every: Mapped[int | None] = field(minimum=1, maximum=999, label="Days between visits", section="Visits")
