"""Notifications: what people are told, and how each of them wants to be told."""

from gigacore.notices.declare import KINDS, NotificationKind
from gigacore.notices.service import (
    Choice,
    Notice,
    choices,
    choose,
    listing,
    mark_read,
    notify,
    purge,
    unread,
)
from gigacore.notices.tables import core_notice

__all__ = [
    "KINDS",
    "Choice",
    "Notice",
    "NotificationKind",
    "choices",
    "choose",
    "core_notice",
    "listing",
    "mark_read",
    "notify",
    "purge",
    "unread",
]
