"""What the settings pages have in common when something is changed: one unit of work, a note, errors told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import redirect
from flask.typing import ResponseReturnValue

from gigacore.context import Context
from gigacore.errors import GigaError, InTheWay, Invalid, NotFound
from gigacore.messages import Msg, msg
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import plain_form
from host_app.pages.form import AGAIN
from host_app.pages.notes import note
from host_app.pages.raw import Raw
from host_app.pages.reader import Reader, reader


def told(error: GigaError, who: Reader) -> str:
    """What is wrong and what to do about it, in one line."""
    faults = [fault.message for fault in error.errors] if isinstance(error, Invalid) else []
    blocking = [one.label or f"#{one.id}" for one in error.obstacles] if isinstance(error, InTheWay) else []
    lines = dict.fromkeys(who.t(text) for text in (error.message, *faults, error.fix) if text is not None)
    return " ".join([*lines, *([", ".join(blocking)] if blocking else [])])


def do(work: Callable[[Context], Any], target: str, done: Msg | None = None) -> ResponseReturnValue:
    """Run `work` in one unit of work and go on to `target`; what was refused is told there, and nothing changed."""
    who = reader()
    try:
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            work(ctx)
    except NotFound:
        raise
    except GigaError as error:
        note(told(error, who), kind="error")
    else:
        current_crm().refresh()
        note(who.t(done or msg("Saved.")))
    return redirect(target, 303)


def again(raw: Raw) -> bool:
    """Whether a form comes back after a sign-in with what had been typed: it is to be shown, not saved."""
    return raw.pop(AGAIN, None) is not None


def problems(error: GigaError | None, who: Reader) -> dict[str, str]:
    """Faults by input; what belongs to no input stands under the empty name."""
    if error is None:
        return {}
    if isinstance(error, Invalid) and error.errors:
        return plain_form.problems_of(error, who)
    return {"": told(error, who)}
