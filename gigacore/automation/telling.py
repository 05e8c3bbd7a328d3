"""The actions that tell people something: in their pages, and by mail."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from gigacore import mail, notices, records
from gigacore.automation.declare import Action, Params, Step
from gigacore.automation.fill import is_dynamic
from gigacore.entity import FieldSpec
from gigacore.errors import Invalid
from gigacore.mail.consent import ADDRESS_FIELDS, addresses_in
from gigacore.mail.service import checked
from gigacore.messages import msg
from gigacore.text import stored

if TYPE_CHECKING:
    from gigacore.entity import EntitySpec, Registry

OWNER: Final = "owner"


class Purpose(enum.StrEnum):
    """What a mail is for; it decides whether the person must have agreed."""

    service = mail.SERVICE
    marketing = mail.MARKETING


def notify(step: Step) -> Mapping[str, Any]:
    """Tell people in their pages, or by mail if they chose so."""
    people = recipients(step)
    told = notices.notify(step.ctx, "core.rule", people, str(step.params["text"]), record=step.record, key=step.key)
    return {"told": told}


def recipients(step: Step) -> list[int]:
    """The people that `to` names: numbers, or the record's owner; by default the owner of the rule."""
    to = step.params.get("to") or [step.owner_id]
    found = []
    for one in to if isinstance(to, list) else [to]:
        number = getattr(step.record, "owner_id", None) if one == OWNER else one
        if isinstance(number, str) and number.isdecimal():
            number = int(number)
        if isinstance(number, int):
            found.append(number)
    return found


def send_mail(step: Step) -> Mapping[str, Any]:
    """Send a mail, from a template or as written in the rule, and log it on the record."""
    to = str(step.params.get("to") or "") or address_of(step)
    if not to:
        raise Invalid(msg("The record has no e-mail address."))
    subject, text = _words(step)
    ends = [step.record] if step.record is not None else []
    key, purpose = str(step.params.get("template") or ""), str(step.params.get("purpose") or mail.SERVICE)
    number = mail.send(
        step.ctx, to, subject, text, records=ends, purpose=purpose, template=key, key=step.key or None
    )  # fmt: skip
    return {"mail": number, "to": to}


def _words(step: Step) -> tuple[str, str]:
    key = step.params.get("template")
    if not key:
        return str(step.params.get("subject") or ""), str(step.params.get("text") or "")
    language = str(step.params.get("language") or step.ctx.actor.locale)
    template = stored.find(step.ctx, stored.MAIL.name, str(key), language)
    entity = step.entity.name if step.entity is not None else ""
    return stored.rendered(step.ctx, template, entity, step.record.id if step.record is not None else None)


def address_of(step: Step) -> str:
    """The record's own address: its e-mail field, or the first of several."""
    if step.entity is None or step.record is None:
        return ""
    found = addresses_in(records.get(step.ctx, step.entity.name, step.record.id))
    return found[0] if found else ""


def _check_mail(registry: Registry, entity: EntitySpec | None, params: Params) -> None:
    to = params.get("to")
    if to and not is_dynamic(to):
        checked(str(to))
    if not to and (
        entity is None or not any(name in entity.fields or name in entity.children for name in ADDRESS_FIELDS)
    ):
        raise Invalid.of("to", msg("Say to whom the mail goes."), "required")
    if not params.get("template") and not (params.get("subject") and params.get("text")):
        raise Invalid.of("template", msg("Choose a template, or write a subject and a text."), "required")


ACTIONS: Final = (
    Action(
        "core.notify",
        msg("Notify").text,
        notify,
        (
            FieldSpec("to", "json", msg("To").text),
            FieldSpec("text", "longtext", msg("Text").text, required=True),
        ),
        needs_record=False,
        help=msg("Appears in the bell of these people, and by mail if they chose so.").text,
        icon="bell",
    ),
    Action(
        "core.send_mail",
        msg("Send a mail").text,
        send_mail,
        (
            FieldSpec("to", "text", msg("To").text),
            FieldSpec("template", "text", msg("Template").text),
            FieldSpec("language", "text", msg("Language").text),
            FieldSpec("subject", "text", msg("Subject").text),
            FieldSpec("text", "longtext", msg("Text").text),
            FieldSpec("purpose", "enum", msg("Purpose").text, enum=Purpose, default=mail.SERVICE),
        ),
        check=_check_mail,
        needs_record=False,
        help=msg(
            "Goes out in the name of the organisation and is kept on the record; not to who asked not to be written "
            "to, and advertising only to who agreed to it."
        ).text,
        icon="mail",
    ),
)
