"""The choice lists that come with the CRM. Administrators edit them; code tests `kind` only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gigacore.entity import Choice, ChoiceList

OPEN: Final = "open"
WON: Final = "won"
LOST: Final = "lost"
BLOCKED: Final = "blocked"


_FRENCH: Final[Mapping[str, str]] = MappingProxyType(
    {"Home": "Domicile", "Import": "Import", "Lost": "Perdu", "Open": "Ouverte", "Work": "Travail"}
)
"""Labels whose English is also a word of the menus, where it is translated in another way."""


def _list(name: str, label: str, *choices: tuple[str, str, str, str], open: bool = False) -> ChoiceList:
    made = tuple(
        Choice(key, text, kind=kind, colour=colour, position=place, labels=_labels(text))
        for place, (key, text, kind, colour) in enumerate(choices)
    )
    return ChoiceList(f"crm.{name}", label, made, open=open)


def _labels(text: str) -> Mapping[str, str]:
    return {"fr": _FRENCH[text]} if text in _FRENCH else {}


LEAD_STATUS: Final = _list(
    "lead_status",
    "Lead statuses",
    ("new", "New", "new", "blue"),
    ("to_contact", "To contact", OPEN, "azure"),
    ("contacted", "Contacted", "contacted", "cyan"),
    ("follow_up", "In follow-up", "follow_up", "indigo"),
    ("qualified", "Qualified", "qualified", "purple"),
    ("won", "Won (closed)", WON, "green"),
    ("lost", "Lost", LOST, "secondary"),
    ("to_fix", "To fix", BLOCKED, "orange"),
)
LEAD_STAGE: Final = _list(
    "lead_stage",
    "Lead stages",
    ("discovery", "Discovery", "new", "blue"),
    ("engaged", "Engaged", "engaged", "cyan"),
    ("evaluation", "Evaluation", "evaluation", "indigo"),
    ("decision", "Decision", "decision", "purple"),
    ("closed", "Closed", "closed", "secondary"),
)
PRIORITY: Final = _list(
    "priority",
    "Priorities",
    ("low", "Low", "low", "secondary"),
    ("normal", "Normal", "normal", "blue"),
    ("high", "High", "high", "red"),
)
SOURCE: Final = _list(
    "source",
    "Sources",
    ("website", "Website", "", "blue"),
    ("referral", "Referral", "", "green"),
    ("search", "Search engine", "", "azure"),
    ("social", "Social networks", "", "indigo"),
    ("advertising", "Advertising", "", "orange"),
    ("event", "Event", "", "purple"),
    ("partner", "Partner", "", "teal"),
    ("email", "E-mail campaign", "", "cyan"),
    ("call", "Phone call", "", "lime"),
    ("import", "Import", "", "secondary"),
    ("other", "Other", "", "secondary"),
    open=True,
)
NEXT_ACTION: Final = _list(
    "next_action",
    "Next actions",
    ("call", "Call", "call", "blue"),
    ("follow_up", "Follow up", "follow_up", "indigo"),
    ("send_email", "Send an e-mail", "email", "cyan"),
    ("meet", "Arrange a meeting", "meeting", "purple"),
    ("fix_data", "Correct the data", BLOCKED, "orange"),
    ("quote", "Send a quote", "quote", "teal"),
    ("none", "Nothing to do", "none", "secondary"),
)
CONTACT_TYPE: Final = _list(
    "contact_type",
    "Contact types",
    ("customer", "Customer", "", "green"),
    ("prospect", "Prospect", "", "blue"),
    ("partner", "Partner", "", "purple"),
    ("supplier", "Supplier", "", "orange"),
    open=True,
)
TEMPERATURE: Final = _list(
    "temperature",
    "Temperature levels",
    ("cold", "Cold", "", "azure"),
    ("warm", "Warm", "", "orange"),
    ("hot", "Hot", "", "red"),
    open=True,
)
COMPANY_KIND: Final = _list(
    "company_kind",
    "Company kinds",
    ("prospect", "Prospect", "prospect", "blue"),
    ("customer", "Customer", "customer", "green"),
)
INDUSTRY: Final = _list(
    "industry",
    "Industries",
    ("technology", "Technology", "", "blue"),
    ("industry", "Manufacturing", "", "indigo"),
    ("trade", "Trade", "", "orange"),
    ("services", "Services", "", "cyan"),
    ("construction", "Construction", "", "yellow"),
    ("health", "Health", "", "green"),
    ("education", "Education", "", "teal"),
    ("finance", "Finance and insurance", "", "purple"),
    ("hospitality", "Hotels and restaurants", "", "pink"),
    ("transport", "Transport", "", "azure"),
    ("public", "Public sector", "", "secondary"),
    open=True,
)
TAG: Final = _list("tag", "Tags", open=True)
PHONE_KIND: Final = _list(
    "phone_kind",
    "Phone kinds",
    ("mobile", "Mobile", "mobile", ""),
    ("work", "Work", "work", ""),
    ("home", "Home", "home", ""),
)
EMAIL_KIND: Final = _list("email_kind", "E-mail kinds", ("work", "Work", "work", ""), ("home", "Home", "home", ""))
ADDRESS_KIND: Final = _list(
    "address_kind",
    "Address kinds",
    ("work", "Work", "work", ""),
    ("home", "Home", "home", ""),
    ("billing", "Billing", "billing", ""),
    ("delivery", "Delivery", "delivery", ""),
)
LINK_KIND: Final = _list(
    "link_kind",
    "Web address kinds",
    ("website", "Website", "website", ""),
    ("linkedin", "LinkedIn", "social", ""),
    ("facebook", "Facebook", "social", ""),
    ("x", "X", "social", ""),
    ("instagram", "Instagram", "social", ""),
)
TASK_CATEGORY: Final = _list(
    "task_category",
    "Task categories",
    ("call", "Call", "call", "blue"),
    ("email", "E-mail", "email", "cyan"),
    ("meeting", "Meeting", "meeting", "purple"),
    ("follow_up", "Follow-up", "", "indigo"),
    ("other", "Other", "", "secondary"),
    open=True,
)
EMAIL_NOTE: Final = _list(
    "email_note",
    "E-mail notes",
    ("missing", "No address", "missing", "orange"),
    ("invalid", "Invalid address", "invalid", "red"),
    ("duplicate", "Address used by several records", "duplicate", "yellow"),
)
TASK_STATUS: Final = _list(
    "task_status", "Task statuses", ("open", "Open", OPEN, "blue"), ("done", "Closed", "done", "green")
)
LOST_REASON: Final = _list(
    "lost_reason",
    "Reasons for losing",
    ("price", "Price", "", ""),
    ("competitor", "A competitor was chosen", "", ""),
    ("no_need", "No need any more", "", ""),
    ("no_budget", "No budget", "", ""),
    ("no_answer", "No answer", "", ""),
    ("other", "Other", "", ""),
    open=True,
)
WON_REASON: Final = _list(
    "won_reason",
    "Reasons for winning",
    ("price", "Price", "", ""),
    ("product", "Product or service", "", ""),
    ("trust", "Trust and relationship", "", ""),
    ("deadline", "Deadline", "", ""),
    ("other", "Other", "", ""),
    open=True,
)
ACTIVITY_KIND: Final = _list(
    "activity_kind",
    "History categories",
    ("note", "Note", "note", "yellow"),
    ("call_in", "Incoming call", "call", "green"),
    ("call_out", "Outgoing call", "call", "blue"),
    ("email_in", "Incoming e-mail", "email", "cyan"),
    ("email_out", "Outgoing e-mail", "email", "azure"),
    ("meeting", "Meeting", "meeting", "purple"),
    ("task", "Task", "task", "indigo"),
    ("change", "Change", "change", "secondary"),
    ("automation", "Automation", "automation", "orange"),
)

ALL: Final = (
    LEAD_STATUS,
    LEAD_STAGE,
    PRIORITY,
    SOURCE,
    NEXT_ACTION,
    CONTACT_TYPE,
    TEMPERATURE,
    COMPANY_KIND,
    INDUSTRY,
    TAG,
    PHONE_KIND,
    EMAIL_KIND,
    ADDRESS_KIND,
    LINK_KIND,
    TASK_CATEGORY,
    EMAIL_NOTE,
    TASK_STATUS,
    LOST_REASON,
    WON_REASON,
    ACTIVITY_KIND,
)
