"""What people can be told of inspections, in which words, and the rules that an inspection can start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from gigacore.automation import Happened, Trigger
from gigacore.live import LiveEvent
from gigacore.notices import NotificationKind
from gigacore.text import stored
from gigacore.text.stored import TemplateKind
from gigacore_inspections.services import INSPECTED_ON, MACHINE

if TYPE_CHECKING:
    from gigacore import Context


def _changes(entity: str, params: Mapping[str, Any]) -> list[str]:
    return [f"{entity}.updated"]


def _inspected(params: Mapping[str, Any], happened: Happened) -> bool:
    return INSPECTED_ON in happened.fields


DUE: Final = NotificationKind("inspections.due", "Machines are due", icon="clipboard-check")
PASSED: Final = Trigger(
    "inspections.passed", "A machine was inspected", _changes, fires=_inspected, entities=(MACHINE,)
)
CALL: Final = LiveEvent(name="inspections.call", label="Somebody is called to a machine")
DONE: Final = NotificationKind("inspections.done", "A machine of mine was inspected", icon="clipboard-check")
CERTIFICATE: Final = TemplateKind(
    "inspections.certificate", "Certificate of an inspection", entity="inspections.inspection"
)
WORDS: Final = "{{ record.machine_id.label }} was inspected on {{ record.created_at | date }}."


def first_texts(ctx: Context) -> None:
    """The words of certificates to begin with; administrators change them, and add other languages."""
    if not stored.listing(ctx, CERTIFICATE.name):
        stored.save(
            ctx, kind=CERTIFICATE.name, key="certificate", name="Certificate", language="en", body=WORDS,
            plugin="inspections", kinds=(CERTIFICATE,),
        )  # fmt: skip


def certificate(ctx: Context, number: int) -> str:
    """The certificate of an inspection, in the reader's language if it was written in that."""
    template = stored.find(ctx, CERTIFICATE.name, "certificate", ctx.actor.locale)
    return stored.rendered(ctx, template, CERTIFICATE.entity, number)[1]
