"""Whether the person of a record may be written to, on its page: what was said, how it is known, and a new word."""

from __future__ import annotations

from typing import Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import mail
from gigacore.access import users
from gigacore.errors import GigaError
from gigacore.mail.consent import WITHOUT_A_WORD, addresses_in, folded, words_about
from gigacore.messages import Msg, msg
from gigacore.values import dataclass
from host_app.api.policies import on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.answers import parts, reason_of, refused
from host_app.pages.frame import is_partial, part
from host_app.pages.reader import Reader
from host_app.pages.record_view import RULE, RecordView, seen_again, view_of
from host_app.routing import route

ALLOWED: Final = (msg("Yes"), "green")
REFUSED: Final = (msg("No"), "red")
NO_WORD: Final = (msg("Nothing said yet"), "")
NOT_YET: Final = (msg("Not before they agree"), "red")


@dataclass(frozen=True, slots=True)
class Stand:
    """How one address stands for one purpose, and the word that decides it."""

    address: str
    purpose: str
    state: str
    colour: str
    proof: str


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, f"{RULE}/consents", policy=on_entity("edit"), methods=["POST"])(add)


def consent_card(view: RecordView, *, problem: str = "", typed: str = "") -> Markup:
    """The card, drawn; nothing for a record without an e-mail address."""
    addresses = addresses_in(view.item)
    if not addresses:
        return Markup()
    found = words_about(view.who.ctx, view.item)
    people = dict(users.names(view.who.ctx, active_only=False)) if found else {}
    return part(
        "consent_card",
        path=view.path,
        stands=[_stand(address, purpose, found, people, view.who) for address in addresses for purpose in _named()],
        told=[_told(word, people, view.who) for word in found],
        addresses=addresses,
        purposes=[(key, view.who.t(label)) for key, label in mail.PURPOSES.items()],
        may_edit="edit" in view.rights,
        problem=problem,
        typed=typed,
    )


def _named() -> list[str]:
    return [purpose for purpose in mail.PURPOSES if purpose != mail.ALL]


def _stand(address: str, purpose: str, found: list[mail.Word], people: dict[int, str], who: Reader) -> Stand:
    mine = (one for one in found if one.address == folded(address) and one.purpose in (purpose, mail.ALL))
    word = next(mine, None)
    unsaid = NO_WORD if purpose in WITHOUT_A_WORD else NOT_YET
    state, colour = unsaid if word is None else ALLOWED if word.allowed else REFUSED
    proof = _told(word, people, who) if word is not None else ""
    return Stand(address, who.t(mail.PURPOSES[purpose]), who.t(state), colour, proof)


def _told(word: mail.Word, people: dict[int, str], who: Reader) -> str:
    purpose: Msg = mail.PURPOSES.get(word.purpose) or Msg(word.purpose)
    return who.t(
        msg(
            "{at}: {answer} ({purpose}), {source}; noted by {person}",
            at=who.formats.datetime(word.at),
            answer=ALLOWED[0] if word.allowed else REFUSED[0],
            purpose=purpose,
            source=word.source,
            person=people.get(word.by_id or 0, "–"),
        )
    )


def add(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Note what the person said."""
    view, given = view_of(plugin, plural, record_id), request.form
    try:
        with current_crm().unit_of_work(current(), source="page") as ctx:
            mail.note(
                ctx, view.spec.name, record_id, given.get("address", ""), given.get("purpose", ""),
                allowed=given.get("allowed") == "1", source=given.get("source", ""),
            )  # fmt: skip
    except GigaError as error:
        if not is_partial():
            return refused(error, view.path, view.who)
        card = consent_card(view, problem=reason_of(error, view.who), typed=given.get("source", ""))
        return parts([card], error.status)
    return parts([consent_card(seen_again(view))]) if is_partial() else redirect(view.path, 303)
