"""Rules that are one click away: people complete them in the builder and switch them on."""

from __future__ import annotations

from typing import Any, Final

from gigacore.automation.declare import ReadyRule
from gigacore.messages import msg

LEAD: Final = "crm.lead"
NEW_LEAD: Final[dict[str, Any]] = {"entity": LEAD, "trigger": {"kind": "core.created"}}
STILL_NEW: Final = {"field": "status.kind", "op": "eq", "value": "new"}
OPEN: Final = {"field": "status.kind", "op": "nin", "value": ["won", "lost"]}

ALL: Final = (
    ReadyRule(
        "crm.welcome",
        label=msg("Welcome mail to a new lead").text,
        help=msg("Every new lead with an e-mail address is greeted at once.").text,
        icon="mail",
        body={
            **NEW_LEAD,
            "when": {"field": "email", "op": "empty", "value": False},
            "steps": [
                {
                    "do": "core.send_mail",
                    "with": {
                        "subject": msg("Thank you for your interest"),
                        "text": msg(
                            "Hello {{ record.first_name }} {{ record.last_name }},\n\nThank you for your interest. I "
                            "will get back to you shortly.\n\nKind regards,\n{{ actor.name }}"
                        ),
                    },
                }
            ],
        },
    ),
    ReadyRule(
        "crm.in_turn",
        label=msg("Assign new leads in turn").text,
        help=msg("New leads go to the people of your choice, one after the other.").text,
        icon="user-check",
        body={**NEW_LEAD, "steps": [{"do": "core.assign", "with": {"to": []}}]},
    ),
    ReadyRule(
        "crm.follow_up",
        label=msg("Follow-up reminder").text,
        help=msg("A lead that is still new after three days gets a task, and its owner is told.").text,
        icon="bell",
        body={
            **NEW_LEAD,
            "steps": [
                {"wait": "P3D"},
                {
                    "if": STILL_NEW,
                    "then": [
                        {
                            "do": "core.create_record",
                            "with": {
                                "entity": "crm.task",
                                "values": {
                                    "title": msg("Call {{ record.last_name }} back"),
                                    "due_at": {"ahead": "P1D"},
                                    "owner_id": {"ref": "record.owner_id"},
                                },
                            },
                        },
                        {
                            "do": "core.notify",
                            "with": {
                                "to": "owner",
                                "text": msg("{{ record.last_name }} has been waiting for three days"),
                            },
                        },
                    ],
                    "else": [],
                },
            ],
        },
    ),
    ReadyRule(
        "crm.stage_on_action",
        label=msg("Change the stage when a lead is contacted").text,
        help=msg("As soon as the status of a lead becomes “Contacted”, its stage follows.").text,
        icon="arrow-right",
        body={
            "entity": LEAD,
            "trigger": {"kind": "core.becomes", "field": "status", "value": "contacted"},
            "steps": [{"do": "core.set_fields", "with": {"values": {"stage": "engaged"}}}],
        },
    ),
    ReadyRule(
        "crm.inactive",
        label=msg("Alert about inactive leads").text,
        help=msg("The owner is told when an open lead had no contact for two weeks.").text,
        icon="clock",
        body={
            "entity": LEAD,
            "trigger": {"kind": "core.inactive", "days": 14, "sign": "contact"},
            "when": OPEN,
            "steps": [
                {
                    "do": "core.notify",
                    "with": {"to": "owner", "text": msg("No contact with {{ record.last_name }} for two weeks")},
                }
            ],
        },
    ),
)
