"""The currencies that forms offer."""

from __future__ import annotations

from collections.abc import Sequence

from gigacore.data import currency
from host_app.pages.reader import Reader


def currency_codes(who: Reader) -> Sequence[str]:
    """Codes of the active currencies, the organisation's own first."""
    connection = who.ctx.session.connection()
    base = currency.base_currency(connection, who.actor.org_id)
    return [base, *(code for code in currency.currencies(connection) if code != base)]
