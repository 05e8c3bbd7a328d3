"""A change of the configuration is shown before it is made: what comes, goes and stays, and a button that says yes."""

from __future__ import annotations

from typing import Final

from flask import request
from flask.typing import ResponseReturnValue

from gigacore.messages import Msg
from gigacore.plugins.configuration import ConfigurationPlan, Wish, plan_change
from gigacore.plugins.plan import REMOVE, TOUCH
from host_app.auth import current
from host_app.context import current_crm
from host_app.csrf import FORM_FIELD
from host_app.pages.form import AGAIN
from host_app.pages.reader import reader
from host_app.pages.settings.area import settings_page

SURE: Final = "_sure"


def asked(wish: Wish, title: Msg, button: Msg, home: str) -> ResponseReturnValue | None:
    """The page that shows what a change would do and asks; None once the reader said yes.

    The page sends again what was sent, so that nothing typed is lost on the way. Raises NotFound and Forbidden.
    """
    if SURE in request.form:
        return None
    return _page(plan_change(current_crm(), current(), wish), title, button, home)


def asked_if_lost(wish: Wish, title: Msg, button: Msg, home: str) -> ResponseReturnValue | None:
    """As `asked`, but only where something goes; what would be refused is left to the change itself to tell."""
    if SURE in request.form:
        return None
    found = plan_change(current_crm(), current(), wish)
    if found.refusal or not any(change.sign in (REMOVE, TOUCH) for change in found.changes):
        return None
    return _page(found, title, button, home)


def _page(found: ConfigurationPlan, title: Msg, button: Msg, home: str) -> ResponseReturnValue:
    who, refusal = reader(), found.refusal
    sent = [pair for pair in request.form.items(multi=True) if pair[0] not in (FORM_FIELD, SURE, AGAIN)]
    return settings_page(
        "asked.html", who, title=who.t(title), button=who.t(button), home=home, pairs=sent, sure=SURE,
        action=request.full_path.rstrip("?"), lines=[(one.sign, who.t(one.what)) for one in found.changes],
        refused=" ".join(who.t(text) for text in (refusal.reason, refusal.fix) if text) if refusal else "",
    )  # fmt: skip
