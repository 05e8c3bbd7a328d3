"""Saved views of lists: a name for filter, order, columns and kind of view, kept for oneself or shared."""

from gigacore.views.choices import ListChoice, choice_of, choose
from gigacore.views.services import (
    KINDS,
    SHARED,
    View,
    change,
    get,
    may_change,
    may_share,
    remove,
    save,
    sharing_teams,
    views_of,
)
from gigacore.views.tables import core_list_choice, core_view

__all__ = [
    "KINDS",
    "SHARED",
    "ListChoice",
    "View",
    "change",
    "choice_of",
    "choose",
    "core_list_choice",
    "core_view",
    "get",
    "may_change",
    "may_share",
    "remove",
    "save",
    "sharing_teams",
    "views_of",
]
